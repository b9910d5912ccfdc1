"""Tables and columns that a step names, against what is known of the database behind its connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from osiris.components.spec import ComponentSpec
from osiris.language.catalog import Catalog, Column, Columns, SchemaKnowledge, Table, age_text
from osiris.language.edits import quoted, scalar_text
from osiris.language.environment import Environment
from osiris.language.facts import TableGiven, TableNamed
from osiris.language.findings import finding, replacement
from osiris.language.project_file_names import LOCK_FILE
from osiris.language.rules.config import locate
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.rules.nodes import cut
from osiris.language.rules.sql_schema import SqlJudge, SqlWord
from osiris.language.rules.sql_tables import table_uses
from osiris.language.schema_drift import table_changes
from osiris.language.step_database import StepDatabase, database_of
from osiris.language.substitution import ResolvedConfig
from osiris.language.suggest import listing, nearest
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, Severity
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Scalar, Sequence, Style

RELOCK = "Run `osiris discover --lock`."
"""What a finding asks for that the database would not have: the committed file is behind."""

# Where a name in a config counts letter by letter, since the driver puts it in quotes.
_EXACT = frozenset({"postgres"})
_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "mysql", "performance_schema", "sys"})
# Where that depends on the server for tables; its columns are the same in any case.
_EXACT_TABLES_PERHAPS = frozenset({"mysql", "mariadb"})
# Where a table without a schema may be in another one than the default: the server has a path to search.
_SEARCHED = frozenset({"postgres"})


def tables_and_columns(ctx: StepContext) -> Iterator[Diagnostic]:
    """The table and the columns that a step names are there, under every profile."""
    spec = ctx.spec
    if spec is None or not spec.takes_connection or not (spec.table_key or spec.sql_keys):
        return
    cases = [("", ctx.resolved)]
    cases += ((f" (With the profile `{profile}`.)", resolved) for profile, resolved in ctx.variants)
    told: set[tuple[str, Span, str]] = set()
    for suffix, resolved in cases:
        database = database_of(spec, resolved, ctx.env)
        if database is None:
            continue
        judge = StepJudge(ctx, spec, resolved, database, suffix)
        judge.note_tables()
        if len(cases) == 1:
            ctx.gives = judge.given()
        for found in judge.findings():
            key = (found.code, found.span, found.message.removesuffix(suffix))
            if key not in told:
                told.add(key)
                yield found


def unknown_tables(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Tables that are not there, unless a step of the pipeline makes them; a hint when another pipeline does."""
    if not any(report.missing_tables for report in ctx.reports):
        return
    made = {_identity(named) for report in ctx.reports for named in report.tables if named.written}
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for named, found in report.missing_tables:
            if named.origin == "query":
                if not ctx.makes(named):
                    yield _unless_written(named, found, ctx.env).shift(step.base)
            elif _identity(named) not in made:
                yield _unless_written(named, found, ctx.env).shift(step.base)


def _unless_written(named: TableNamed, missing: Diagnostic, env: Environment) -> Diagnostic:
    """The finding, or a hint in its place when another pipeline of the project writes the table."""
    writers = env.pipelines_writing(named.connection, named.schema, named.table)
    if not writers:
        return missing
    if missing.code == "OML411":
        verb = "writes" if len(writers) == 1 else "write"
        message = f"{missing.message} {listing(writers, 3)} {verb} the table, and may bring the column."
        return replace(missing, message=message, severity=Severity.HINT)
    table = f"{named.schema}.{named.table}" if named.schema else named.table
    message = (
        f"`{named.connection.reference}` has no table `{cut(table)}` yet. {listing(writers, 3)} "
        f"{'writes' if len(writers) == 1 else 'write'} it: that has to run first."
    )
    return replace(missing, message=message, severity=Severity.HINT, fixes=())


def _identity(named: TableNamed) -> tuple[str, str, str]:
    return named.connection.reference, (named.schema or "").casefold(), named.table.casefold()


@dataclass(frozen=True, slots=True)
class _Name:
    """A name in the config: what it is with its parameters, and where it stands."""

    text: str
    node: Scalar | None
    span: Span

    def written(self, name: str, *, preferred: bool) -> Fix | None:
        """The fix that writes ``name`` there, in the quotes that are there; None where nothing can be written."""
        node = self.node
        if node is None or node.synthetic or "${" in node.text or node.style in (Style.LITERAL, Style.FOLDED):
            return None
        text = scalar_text(name)
        if node.style is Style.DOUBLE:
            text = quoted(name)
        elif node.style is Style.SINGLE and name.isprintable():
            text = "'" + name.replace("'", "''") + "'"
        return replacement(f"Replace by `{cut(name)}`", node.span, text, preferred=preferred)


class StepJudge:
    """One step under one profile."""

    def __init__(
        self, ctx: StepContext, spec: ComponentSpec, resolved: ResolvedConfig, database: StepDatabase, suffix: str
    ) -> None:
        self.ctx = ctx
        self.spec = spec
        self.resolved = resolved
        self.database = database
        self.suffix = suffix
        self.reference = database.connection.reference
        self.writes = spec.consumes_data
        self.has_query = any(resolved.config.get(key) for key in spec.sql_keys)

    def found(
        self,
        code: str,
        name: _Name | SqlWord,
        message: str,
        *fixes: Fix | None,
        certain: bool = True,
        related: Span | None = None,
    ) -> Diagnostic:
        """A finding about a name; a hint where it is not certain. ``related`` is where the table is named."""
        notes = (Related(related, "This is the table."),) if related is not None else ()
        severity = None if certain else Severity.HINT
        return finding(code, name.span, message + self.suffix, *fixes, related=notes, severity=severity)

    # -- the names that the config holds

    def names(self, key: str | None) -> Iterator[_Name]:
        """The names under a key: one text, or each of a list. Those that are known at run only are left out."""
        config = self.ctx.shape.config
        value = self.resolved.config.get(key) if key is not None else None
        if key is None or value is None or (key,) in self.resolved.open:
            return
        _, node = locate(config, (key,))
        if node is None:
            return
        if not isinstance(value, list):
            yield from self._name(value, node)
            return
        items = node.items if isinstance(node, Sequence) and len(node.items) == len(value) else None
        for index, item in enumerate(value):
            if (key, index) not in self.resolved.open:
                yield from self._name(item, items[index] if items is not None else node)

    def _name(self, value: object, node: Node) -> Iterator[_Name]:
        if isinstance(value, str) and value and node.span.end > node.span.start:
            yield _Name(value, node if isinstance(node, Scalar) else None, node.span)

    def note_tables(self) -> None:
        """Which tables the step works with, for rules that look at the whole document and for the lock."""
        database, noted = self.database, self.ctx.tables_named
        if not self.has_query or self.writes:
            for name in self.names(self.spec.table_key):
                noted.append(
                    TableNamed(database.connection, database.schema, name.text, "table", name.span, self.writes)
                )
        for key, dialect in self.spec.sql_keys.items():
            _, node = locate(self.ctx.shape.config, (key,))
            if dialect == "graphql" or not isinstance(node, Scalar) or not node.text:
                continue
            tokens = [token for token in self.ctx.sql(node, dialect) if token.kind != "comment"]
            for use in table_uses(tokens, qualified=True):
                if not use.is_file:
                    folds = dialect == "postgres"
                    table = use.name.lower() if folds and use.folds else use.name
                    schema = use.schema.lower() if folds and use.schema_folds and use.schema else use.schema
                    span = self.ctx.source(node, use.span.start, use.span.end)
                    noted.append(TableNamed(database.connection, schema or database.schema, table, "query", span))

    # -- findings

    def given(self) -> TableGiven | None:
        """The table that the step reads as it is, when its columns are certain."""
        found, table = self.database.found(), next(self.names(self.spec.table_key), None)
        if self.writes or self.has_query or found is None or table is None or found[0].columns is None:
            return None
        if not self._knowledge.is_certain(*found) or not self.same(table.text, *found):
            return None
        if self.out_of_reach(table.text, *found):
            return None
        columns = found[0].columns
        for key in self.spec.column_keys:
            if (key,) in self.resolved.open or any(path[:1] == (key,) for path in self.resolved.open):
                return None
            wanted = self.resolved.config.get(key)
            if wanted:
                names = wanted if isinstance(wanted, list) else [wanted]
                columns = tuple(found[0].column(name) or Column(name, "") for name in names if isinstance(name, str))
        named = TableNamed(self.database.connection, self.database.schema, table.text, "table", table.span)
        return TableGiven(named, columns)

    def findings(self) -> Iterator[Diagnostic]:
        """What is wrong with the names of the step, or of its query. Missing tables are noted apart."""
        knowledge = self.database.knowledge
        if knowledge is None:
            return
        if self.has_query and not self.writes:
            for key, dialect in self.spec.sql_keys.items():
                _, node = locate(self.ctx.shape.config, (key,))
                if dialect != "graphql" and isinstance(node, Scalar) and node.text:
                    yield from SqlJudge(self, knowledge, node, dialect).findings()
            return
        table = next(self.names(self.spec.table_key), None)
        if table is None:
            return
        found = self.database.found()
        if found is not None and self.writes and not self.same(table.text, *found):
            return  # it would be another table, which need not be there yet
        if found is None or self.out_of_reach(table.text, *found):
            if not self.writes:
                yield from self.unknown(table)
            return
        yield from self.spelling(table, *found)
        yield from self.lock(table, *found)
        if found[0].columns is not None:
            for key in self.spec.column_keys:
                yield from self.columns(key, table, found[0], found[1], found[0].columns)

    def same(self, text: str, table: Table, catalog: Catalog) -> bool:
        """Whether the database takes ``text`` for the name of ``table``."""
        info = table.info
        return catalog.dialect not in _EXACT or text in (info.name, f"{info.schema}.{info.name}")

    def out_of_reach(self, text: str, table: Table, catalog: Catalog) -> bool:
        """Whether the table stands in another database of the server, where MySQL does not look for it by itself."""
        home, schema = catalog.default_schema, table.info.schema
        said = self.database.schema is not None or text != table.info.name
        return catalog.dialect in _EXACT_TABLES_PERHAPS and not said and bool(home) and home != schema

    def spelling(self, name: _Name, table: Table, catalog: Catalog) -> Iterator[Diagnostic]:
        """The table is called so but for the case of its letters."""
        info = table.info
        if name.text in (info.name, f"{info.schema}.{info.name}"):
            return
        right = f"{info.schema}.{info.name}" if "." in name.text and "." not in info.name else info.name
        if right.casefold() != name.text.casefold():
            return
        fix = name.written(right, preferred=True)
        if catalog.dialect in _EXACT:
            certain = catalog is self._knowledge.locked or self._knowledge.is_fresh
            message = f"The table is called `{cut(right)}`: the case of the letters counts here."
            yield self.found("OML410", name, message, fix, certain=certain)
        elif catalog.dialect in _EXACT_TABLES_PERHAPS:
            message = f"The table is called `{cut(right)}`. On many servers the case of the letters counts."
            yield self.found("OML410", name, message, fix, certain=False)

    @property
    def _knowledge(self) -> SchemaKnowledge:
        knowledge = self.database.knowledge
        assert knowledge is not None
        return knowledge

    def unknown(self, name: _Name) -> Iterator[Diagnostic]:
        """The table is in none of the readings."""
        knowledge = self._knowledge
        catalog = knowledge.discovered
        if catalog is None:
            if knowledge.locked is not None:
                yield self.not_locked(name, knowledge.locked)
            return
        schema = self.database.schema
        if (schema or "").casefold() in _SYSTEM_SCHEMAS:
            return  # readings leave the server's own schemas out
        named = next(self.names(self.spec.schema_key), None)
        if schema is not None and schema.casefold() not in {known.casefold() for known in catalog.schemas}:
            if catalog.schemas == ("",):
                return  # a source that tells no schemas
            what, known, at = f"schema `{cut(schema)}`", tuple(catalog.schemas), named or name
            text = schema
        else:
            where = f" in the schema `{cut(schema)}`" if schema else ""
            what, known, at, text = f"table `{cut(name.text)}`{where}", _names(catalog, schema), name, name.text
        near = nearest(text, known)
        others = [t.schema for t in catalog.tables if t.name == name.text and t.schema]
        searched = bool(others) and schema is None and catalog.dialect in _SEARCHED
        certain = knowledge.is_fresh and not searched
        hint = f" Did you mean `{cut(near)}`?" if near and not searched else self.instead(others, known, searched)
        fix = at.written(near, preferred=certain) if near and at.text == text else None
        missing = self.found("OML410", at, self.absent(what, catalog, hint), fix, certain=certain)
        self.note_missing(TableNamed(self.database.connection, schema, name.text, "table", name.span), missing)

    def note_missing(self, target: TableNamed, missing: Diagnostic) -> None:
        """Note what is not there, once: the document may hold a step that makes it."""
        said = missing.message.removesuffix(self.suffix)
        if not any(one.span == missing.span and one.message.startswith(said) for _, one in self.ctx.missing_tables):
            self.ctx.missing_tables.append((target, missing))

    def instead(self, others: list[str], known: tuple[str, ...], searched: bool) -> str:
        """What there is: the table in ``others``, which are schemas, or all tables when they are few."""
        if others:
            reached = ", which the server may search as well" if searched else ""
            return f" There is one in {listing(others)}{reached}."
        return f" There is {listing(cut(one) for one in known)}." if 0 < len(known) <= 6 else ""

    def absent(self, what: str, catalog: Catalog, hint: str) -> str:
        """That something is not there, as sure as one can be; ``hint`` says what is there instead."""
        if self._knowledge.is_fresh:
            return f"`{self.reference}` has no {what}.{hint} {self.as_of()}"
        age = age_text(self._knowledge.age())
        if not catalog.complete:
            return f"`{self.reference}` has no {what} that could be read {age}.{hint}"
        command = f"Run `osiris discover {self.reference}` to be sure."
        return f"`{self.reference}` had no {what} when it was read, {age}. {command}{hint}"

    def as_of(self) -> str:
        """When the tables were read, for whoever has changed them since."""
        return f"(Read {age_text(self._knowledge.age())}; `osiris discover {self.reference}` reads them anew.)"

    def lock(self, name: _Name | SqlWord, table: Table, catalog: Catalog) -> Iterator[Diagnostic]:
        """What is locked is what is there now."""
        knowledge = self._knowledge
        if knowledge.locked is None or knowledge.discovered is None:
            return
        if catalog is not knowledge.locked:
            yield self.not_locked(name, knowledge.locked)
        elif knowledge.is_fresh:
            schema = table.info.schema if table.info.schema != catalog.default_schema else self.database.schema
            now = knowledge.discovered.table(table.info.name, schema)
            if now is None:
                changes: tuple[str, ...] = ("the table is gone",)
            else:
                changes = table_changes(table, now)
            if changes:
                shown = ", ".join(cut(change) for change in changes[:4])
                more = f" and {len(changes) - 4} more" if len(changes) > 4 else ""
                message = (
                    f"`{cut(table.info.name)}` has changed since {LOCK_FILE} was written: {shown}{more} (read "
                    f"{age_text(knowledge.age())}). {RELOCK}"
                )
                yield self.found("OML413", name, message)

    def not_locked(self, name: _Name | SqlWord, locked: Catalog) -> Diagnostic:
        """That the lock does not hold a table yet."""
        near = nearest(name.text, _names(locked, self.database.schema)) if not self._knowledge.discovered else None
        hint = f" Did you mean `{cut(near)}`?" if near else ""
        fix = name.written(near, preferred=False) if near else None
        message = f"`{cut(name.text)}` is not in {LOCK_FILE} yet, so that others cannot check this step.{hint} {RELOCK}"
        return self.found("OML412", name, message, fix)

    def columns(self, key: str, at: _Name, table: Table, catalog: Catalog, known: Columns) -> Iterator[Diagnostic]:
        """The columns under a key that the table does not have."""
        exact = catalog.dialect in _EXACT
        there = {column.name if exact else column.name.casefold() for column in known}
        names = list(self.names(key))
        wrong = [name for name in names if (name.text if exact else name.text.casefold()) not in there]
        if not wrong:
            return
        knowledge = self._knowledge
        certain = knowledge.is_certain(table, catalog)
        taken = {name.text for name in names}
        for name in wrong:
            near = nearest(name.text, tuple(column.name for column in known))
            said = self.no_column(name, table, catalog, certain, near)
            fix = name.written(near, preferred=certain) if near and near not in taken else None
            if self.is_newer(name, table, catalog):
                fix = None
            yield self.found("OML411", name, said, fix, certain=certain, related=at.span)

    def is_newer(self, name: _Name | SqlWord, table: Table, catalog: Catalog) -> bool:
        """Whether the lock lacks a column that the database has by a fresh reading."""
        knowledge = self._knowledge
        if catalog is not knowledge.locked or knowledge.discovered is None or not knowledge.is_fresh:
            return False
        schema = table.info.schema if table.info.schema != catalog.default_schema else self.database.schema
        now = knowledge.discovered.table(table.info.name, schema)
        return now is not None and now.column(name.text, any_case=catalog.dialect not in _EXACT) is not None

    def no_column(self, name: _Name | SqlWord, table: Table, catalog: Catalog, certain: bool, near: str | None) -> str:
        """That a table lacks a column, as sure as one can be; ``near`` is what may be meant."""
        shown, column = f"`{cut(table.info.name)}`", f"`{cut(name.text)}`"
        age = age_text(self._knowledge.age())
        hint = (
            f"Did you mean `{cut(near)}`?" if near else f"It has {listing(cut(c.name) for c in table.columns or ())}."
        )
        if self.is_newer(name, table, catalog):
            return (
                f"{shown} has a column {column} in `{self.reference}` (read {age}), but not yet in {LOCK_FILE}, by "
                f"which this pipeline is checked. {RELOCK}"
            )
        if catalog is self._knowledge.locked:
            return f"{shown} has no column {column} in {LOCK_FILE}. {hint}"
        if certain:
            return f"{shown} has no column {column}. {hint} {self.as_of()}"
        why = ", and a run has written to it since" if table.info.written else ""
        return f"{shown} had no column {column} when it was read, {age}{why}. {hint}"


@lru_cache(maxsize=4)
def _names(catalog: Catalog, schema: str | None) -> tuple[str, ...]:
    """What may be written for a table where ``schema`` is said: in the default schema its name alone does."""
    home = catalog.default_schema if schema is None else schema
    here = [table.name for table in catalog.tables if table.schema.casefold() == home.casefold()]
    if schema is None:
        here += [f"{table.schema}.{table.name}" for table in catalog.tables if table.schema != home and table.schema]
    return tuple(here)
