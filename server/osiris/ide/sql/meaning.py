"""What a name in a query means: a table, an alias, a named query, a column, a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.cursor import Cursor
from osiris.ide.sql.scope import SqlScope
from osiris.ide.sql.text import SqlText, sql_text
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table
from osiris.language.connections import Connection
from osiris.language.sql_scope.place import name_at
from osiris.language.sql_scope.tree import Cte, Query, Source
from osiris.sql.step_columns import step_columns
from osiris.syntax.sql import SqlToken
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


@dataclass(frozen=True, slots=True)
class DatabaseTable:
    """A table of a database, and the reading of ``knowledge`` that says most about it."""

    connection: Connection
    knowledge: SchemaKnowledge
    catalog: Catalog
    table: Table


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """A name at ``span`` of the query.

    ``source``: the table, alias or named query that it is, or that its ``column`` is of. ``is_alias``: the name is an
    alias. ``declares``: the name gets its meaning here.
    """

    sql: SqlText
    scope: SqlScope
    span: Span
    name: str
    source: Source | None = None
    cte: Cte | None = None
    column: Column | None = None
    function: str = ""
    is_alias: bool = False
    declares: bool = False

    @property
    def place(self) -> Span:
        """Where the name stands in the document."""
        return self.sql.place(self.span)


def meaning_at(analysis: Analysis, env: Environment, cursor: Cursor) -> Meaning | None:
    """What the name at the cursor means; None outside of SQL, and for names that mean nothing known."""
    sql = sql_text(analysis, cursor)
    found = name_at(sql.text, sql.index, sql.dialect) if sql is not None else None
    if sql is None or found is None:
        return None
    place, token, behind = found
    scope = SqlScope(analysis, env, sql, place)
    return _declared(scope, token) or _used(scope, token, behind)


def _declared(scope: SqlScope, token: SqlToken) -> Meaning | None:
    """Names in FROM, and names of named queries where they get them."""
    sql, span, name = scope.sql, token.span, token.name or ""
    for query in scope.place.script.queries():
        for cte in query.ctes:
            if cte.span == span:
                return Meaning(sql, scope, span, name, cte=cte, declares=True)
        for select in query.selects:
            for source in select.sources:
                if source.alias_span == span:
                    return Meaning(sql, scope, span, name, source, scope.cte(source), is_alias=True, declares=True)
                if source.name_span == span and source.name and not source.is_function:
                    return Meaning(sql, scope, span, name, source, scope.cte(source))
    return None


def _used(scope: SqlScope, token: SqlToken, behind: SqlToken | None) -> Meaning | None:
    sql, span, name, qualifiers = scope.sql, token.span, token.name or "", scope.place.qualifiers
    if behind is not None and behind.text == "(" and token.kind == "word" and not qualifiers:
        known = scope.dialect.function(name)
        return Meaning(sql, scope, span, name, function=known[0].name) if known else None
    if behind is not None and behind.text == ".":
        source = scope.named((*qualifiers, name))
        if source is not None:
            return Meaning(sql, scope, span, name, source, scope.cte(source), is_alias=bool(source.alias))
    if qualifiers:
        source = scope.named(qualifiers)
        columns = scope.columns(source) if source is not None else ()
        column = next((c for c in columns if c.name.casefold() == name.casefold()), None)
        return Meaning(sql, scope, span, name, source, column=column) if column is not None else None
    found = scope.lookup(name)
    return Meaning(sql, scope, span, name, found[0], column=found[1]) if found is not None else None


def database_table(scope: SqlScope, source: Source) -> DatabaseTable | None:
    """The table of a database that a source is, or that the step behind it reads as it is."""
    if source.query is not None or source.is_function or scope.cte(source) is not None:
        return None
    step = scope.tables.step_of(source.name) if scope.tables.over_steps else None
    name, schema = source.name, source.schema
    if step is not None:
        known = step_columns(scope.analysis, scope.env, step)
        if known is None or known.table is None:
            return None
        database, name, schema = known.database, known.table.name, known.table.schema
    else:
        database = scope.tables.database
        schema = schema or (database.schema if database is not None else None)
    if database is None or database.knowledge is None:
        return None
    knowledge = database.knowledge
    for catalog in (knowledge.discovered, knowledge.locked):
        found = catalog.table(name, schema) if catalog is not None else None
        if found is not None and catalog is not None and (found.columns is not None or catalog is knowledge.locked):
            return DatabaseTable(database.connection, knowledge, catalog, found)
    found_in = knowledge.table(name, schema)
    return DatabaseTable(database.connection, knowledge, found_in[1], found_in[0]) if found_in is not None else None


def written_query(found: Meaning) -> Query | None:
    """The query in the text whose result a column is of."""
    source = found.source
    if source is None:
        return None
    if source.query is not None:
        return source.query
    cte = found.scope.cte(source)
    return cte.query if cte is not None else None
