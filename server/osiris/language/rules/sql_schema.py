"""Tables and columns that SQL names, against what is known of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from osiris.language.catalog import Catalog, Columns, Table, TableInfo
from osiris.language.facts import ColumnsGiven, TableNamed
from osiris.language.rules.database_findings import DatabaseFindings
from osiris.language.rules.nodes import cut
from osiris.language.rules.sql_names import NamedColumn, NamedTable, QueryNames, query_names
from osiris.language.rules.sql_word import BY_SERVER, FOLDS, SqlWord
from osiris.language.rules.sql_words import HIDDEN_COLUMNS
from osiris.language.suggest import nearest
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar

if TYPE_CHECKING:
    from osiris.language.sql_binding.shape import Shape


class SqlJudge:
    """One query of one step under one profile."""

    def __init__(self, findings: DatabaseFindings, node: Scalar, dialect: str) -> None:
        self.say = findings
        self.knowledge = findings.knowledge
        self.node = node
        self.dialect = dialect
        self.names: QueryNames = query_names(node.text, dialect)
        self.found: dict[int, tuple[Table, Catalog]] = {}

    def findings(self) -> Iterator[Diagnostic]:
        """What the lock says of the tables; that tables or columns are not there is noted, for the whole document."""
        told: set[str] = set()
        for index, table in enumerate(self.names.tables):
            for found in self.table(index, table):
                if found.code == "OML410":
                    self.note(table, None, found)
                elif found.message not in told:
                    told.add(found.message)
                    yield found
        for column in self.names.columns:
            if column.table in self.found:
                self.column(column)
        if self.dialect == "duckdb":
            self.bound()

    def bound(self) -> None:
        """Note the names that mean nothing by the rules of DuckDB, where one table lacks them."""
        from osiris.language.sql_binding.bind import bind

        told = {column.span for column in self.names.columns}
        by_name = {self.names.tables[index].name.casefold(): index for index in self.found}
        for missing in bind(self.node.text, self.shapes() or (), self.dialect).missing:
            name, tables = missing.name, {place.table for place in missing.places}
            index = by_name.get(tables.pop()) if len(tables) == 1 else None
            if index is not None and name.span not in told and name.text.upper() not in HIDDEN_COLUMNS:
                self.lacking(NamedColumn(name.text, name.span, name.quoted, index))

    def shapes(self) -> tuple[tuple[str, Shape | None], ...] | None:
        """The columns of the tables by their names in one case; None when one name stands for several tables."""
        from osiris.language.sql_binding.shape import shape_of

        tables: set[tuple[str, Shape | None]] = set()
        for index, named in enumerate(self.names.tables):
            found = self.found.get(index)
            known = found is not None and named.schema is None and found[0].columns
            tables.add((named.name.casefold(), shape_of(column.name for column in known) if known else None))
        return tuple(dict(tables).items()) if len(tables) == len(dict(tables)) else None

    def given(self) -> ColumnsGiven | None:
        """The columns of the result, once ``findings`` were asked for; None where they are not known."""
        from osiris.language.sql_binding.bind import columns_of_query

        names = columns_of_query(self.node.text, self.dialect)
        if names is not None:
            return ColumnsGiven(names)
        doubts: list[str] = []
        used: list[TableNamed] = []
        catalogs: list[Catalog] = []
        for index, named in enumerate(self.names.tables):
            found = self.found.get(index)
            if found is None or found[0].columns is None or named.schema is not None:
                continue
            table, catalog = found
            doubts += [doubt] if (doubt := self.say.doubt(table, catalog)) else []
            catalogs.append(catalog)
            used.append(TableNamed(self.say.database.connection, None, table.info.name, "query", named.span))
        tables = self.shapes()
        names = columns_of_query(self.node.text, self.dialect, tables) if tables is not None else None
        if names is None:
            return None
        return ColumnsGiven(names, tuple(used), doubt=" ".join(doubts[:1]), read_at=self.say.read_at(*catalogs))

    def note(self, named: NamedTable, info: TableInfo | None, found: Diagnostic) -> None:
        """Note a finding about a table of the query."""
        schema = named.schema if info is None else info.schema or None
        connection = self.say.database.connection
        table = info.name if info is not None else self.folded(named.name, named.quoted)
        self.say.note_missing(TableNamed(connection, schema, table, "query", found.span), found)

    def word(self, text: str, span: Span) -> SqlWord:
        """The name that stands at a place of the query."""
        first = self.node.text[span.start]
        quote = first if first in '"`[' else ""
        place = self.say.ctx.source(self.node, *span)
        return SqlWord(text, place, self.node, quote, self.dialect)

    # -- tables

    def table(self, index: int, named: NamedTable) -> Iterator[Diagnostic]:
        """Look one table up, and say what is wrong with its name."""
        word = self.word(named.name, named.span)
        knowledge = self.knowledge
        for catalog in knowledge.catalogs:
            hits = self.hits(catalog, named)
            if hits is None:
                return
            if hits:
                yield from self.there(index, named, word, catalog, hits)
                return
        if knowledge.discovered is not None:
            yield self.missing(named, word, knowledge.discovered)
        elif knowledge.locked is not None and named.schema is None:
            yield self.say.not_locked(word, knowledge.locked)

    def hits(self, catalog: Catalog, named: NamedTable) -> Sequence[TableInfo] | None:
        """The tables that may be meant, whatever their case; None when nothing can be said."""
        every = catalog.named(named.name)
        said = self.say.database.schema
        if named.schema is not None:
            return self.in_schema(catalog, named, every)
        if self.dialect == "sqlite":
            return every
        home = [info for info in every if info.schema == catalog.default_schema]
        if said is not None and said != catalog.default_schema and any(info.schema == said for info in every):
            return None
        if self.dialect in BY_SERVER:
            return home if catalog.default_schema else None
        return home or (None if every else [])

    def in_schema(self, catalog: Catalog, named: NamedTable, every: Sequence[TableInfo]) -> Sequence[TableInfo] | None:
        """The same for a table with a schema in front of it."""
        schema = self.folded(named.schema or "", named.schema_quoted)
        if self.dialect == "sqlite":
            return every if schema.lower() == "main" else None
        same = [
            s for s in catalog.schemas if s == schema or (self.dialect not in FOLDS and s.lower() == schema.lower())
        ]
        if not same:
            return [] if catalog is self.knowledge.locked and self.knowledge.discovered is not None else None
        return [info for info in every if info.schema in same]

    def folded(self, name: str, quoted: bool) -> str:
        """A name as the database reads it."""
        return name.lower() if self.dialect in FOLDS and not quoted else name

    def there(
        self, index: int, named: NamedTable, word: SqlWord, catalog: Catalog, hits: Sequence[TableInfo]
    ) -> Iterator[Diagnostic]:
        """The table is known, perhaps in another case, or its lock is old."""
        wanted = self.folded(named.name, named.quoted)
        same = [info for info in hits if info.name == wanted]
        if not same and self.dialect in FOLDS | BY_SERVER:
            exact = self.dialect in FOLDS
            certain = exact and (catalog is self.knowledge.locked or self.knowledge.is_fresh)
            which = "the case of the letters counts here" if named.quoted else "without quotes it means lower case"
            rest = f": {which}." if exact else ". On many servers the case of the letters counts."
            right = hits[0].name
            fix = word.written(right, preferred=True)
            message = f"The table is called `{cut(right)}`{rest}"
            yield self.say.found("OML410", word, message, fix, certain=certain)
            return
        info = (same or list(hits))[0]
        if len(same or hits) == 1:
            self.found[index] = Table(info, catalog.columns(info)), catalog
            yield from self.say.lock(word, self.found[index][0], catalog)

    def missing(self, named: NamedTable, word: SqlWord, catalog: Catalog) -> Diagnostic:
        """The table is in none of the readings."""
        schema = self.folded(named.schema, named.schema_quoted) if named.schema is not None else None
        known = [
            info.name
            for info in catalog.tables
            if info.schema == (catalog.default_schema if schema is None else schema)
        ]
        near = nearest(named.name, known)
        where = f" in the schema `{cut(schema)}`" if schema else ""
        certain = self.knowledge.is_fresh
        hint = f" Did you mean `{cut(near)}`?" if near else self.say.instead([], tuple(known), False)
        fix = word.written(near, preferred=certain) if near else None
        said = self.say.absent(f"table `{cut(named.name)}`{where}", catalog, hint)
        return self.say.found("OML410", word, said, fix, certain=certain)

    # -- columns

    def column(self, column: NamedColumn) -> None:
        """Note a column that its table does not have."""
        table, _ = self.found[column.table]
        if table.columns is None or has_column(table.columns, column, self.dialect):
            return
        if self.dialect == "duckdb" and column.qualifier and self.is_field(column):
            return
        self.lacking(column)

    def lacking(self, column: NamedColumn) -> None:
        """Note that a table does not have the column."""
        table, catalog = self.found[column.table]
        word = self.word(column.name, column.span)
        certain = self.knowledge.is_certain(table, catalog)
        near = nearest(column.name, tuple(known.name for known in table.columns or ()))
        if self.dialect in FOLDS and column.qualifier and not near:
            return  # a function of the table's rows is called so as well
        fix = word.written(near, preferred=certain) if near else None
        named = self.names.tables[column.table]
        place = self.say.ctx.source(self.node, *named.span)
        self.note(named, table.info, self.say.no_column(word, table, catalog, fix, near, place))

    def is_field(self, column: NamedColumn) -> bool:
        """Whether what stands before the dot is a column as well, of which the name may be a field."""
        tables = (self.found[index][0] for index in column.beside if index in self.found)
        return any(table.column(column.qualifier) is not None for table in tables)


def has_column(columns: Columns, column: NamedColumn, dialect: str) -> bool:
    """Whether the database takes the name for one of ``columns``."""
    if dialect not in FOLDS:
        return any(known.name.casefold() == column.name.casefold() for known in columns)
    wanted = column.name if column.quoted else column.name.lower()
    return any(known.name == wanted for known in columns)
