"""The table and the columns that a config names, against what is known of the database."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.components.spec import ComponentSpec
from osiris.language.catalog import Catalog, Columns, Table
from osiris.language.facts import ColumnsGiven, TableNamed
from osiris.language.rules.config_names import ConfigName, config_names
from osiris.language.rules.database_findings import EXACT, DatabaseFindings, table_names
from osiris.language.rules.nodes import cut
from osiris.language.substitution import ResolvedConfig
from osiris.language.suggest import nearest
from osiris.syntax.diagnostic import Diagnostic

_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "mysql", "performance_schema", "sys"})
# Where it depends on the server whether the case of a table's name counts; its columns are the same in any case.
_EXACT_TABLES_PERHAPS = frozenset({"mysql", "mariadb"})
# Where a table without a schema may be in another one than the default: the server has a path to search.
_SEARCHED = frozenset({"postgres"})
_SELECT = "select"
"""The key of a component that reads a table in which columns may be renamed and made."""


class ConfigJudge:
    """The config of one step under one profile."""

    def __init__(self, findings: DatabaseFindings, spec: ComponentSpec, resolved: ResolvedConfig) -> None:
        self.say = findings
        self.spec = spec
        self.resolved = resolved
        self.database = findings.database
        self.knowledge = findings.knowledge

    def findings(self) -> Iterator[Diagnostic]:
        """What is wrong with the names. A missing table is noted, for the whole document."""
        table = next(self._names(self.spec.table_key), None)
        if table is None:
            return
        found, writes = self.database.found(), self.spec.consumes_data
        if found is not None and writes and not _same(table.text, *found):
            return  # it would be another table, which need not be there yet
        if found is None or self._out_of_reach(table.text, *found):
            if not writes:
                yield from self._unknown(table)
            return
        yield from self._spelling(table, *found)
        yield from self.say.lock(table, *found)
        if found[0].columns is not None:
            for key in self.spec.column_keys:
                yield from self._columns(key, table, found[0], found[1], found[0].columns)

    def given(self) -> ColumnsGiven | None:
        """The columns that the step hands on when it reads the table as it is."""
        found, table = self.database.found(), next(self._names(self.spec.table_key), None)
        if self.spec.consumes_data or found is None or table is None or found[0].columns is None:
            return None
        if not _same(table.text, *found) or self._out_of_reach(table.text, *found):
            return None
        if self.resolved.config.get(_SELECT) not in (None, "*"):
            return None
        names = tuple(column.name for column in found[0].columns)
        for key in self.spec.column_keys:
            if any(path[:1] == (key,) for path in self.resolved.open):
                return None
            wanted = self.resolved.config.get(key)
            if wanted:
                names = tuple(n for n in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(n, str))
        named = TableNamed(self.database.connection, self.database.schema, table.text, "table", table.span)
        read_at = self.say.read_at(found[1])
        return ColumnsGiven(names, (named,), whole=True, doubt=self.say.doubt(*found), read_at=read_at)

    def _names(self, key: str | None) -> Iterator[ConfigName]:
        return config_names(self.say.ctx.shape.config, self.resolved, key)

    def _out_of_reach(self, text: str, table: Table, catalog: Catalog) -> bool:
        """Whether the table stands in another database of the server, where MySQL does not look for it by itself."""
        home, schema = catalog.default_schema, table.info.schema
        said = self.database.schema is not None or text != table.info.name
        return catalog.dialect in _EXACT_TABLES_PERHAPS and not said and bool(home) and home != schema

    def _spelling(self, name: ConfigName, table: Table, catalog: Catalog) -> Iterator[Diagnostic]:
        """The table is called so but for the case of its letters."""
        info = table.info
        if name.text in (info.name, f"{info.schema}.{info.name}"):
            return
        right = f"{info.schema}.{info.name}" if "." in name.text and "." not in info.name else info.name
        if right.casefold() != name.text.casefold():
            return
        fix = name.written(right, preferred=True)
        if catalog.dialect in EXACT:
            certain = catalog is self.knowledge.locked or self.knowledge.is_fresh
            message = f"The table is called `{cut(right)}`: the case of the letters counts here."
            yield self.say.found("OML410", name, message, fix, certain=certain)
        elif catalog.dialect in _EXACT_TABLES_PERHAPS:
            message = f"The table is called `{cut(right)}`. On many servers the case of the letters counts."
            yield self.say.found("OML410", name, message, fix, certain=False)

    def _unknown(self, name: ConfigName) -> Iterator[Diagnostic]:
        """The table is in none of the readings."""
        knowledge, schema = self.knowledge, self.database.schema
        catalog = knowledge.discovered
        if catalog is None:
            if knowledge.locked is not None:
                yield self.say.not_locked(name, knowledge.locked)
            return
        if (schema or "").casefold() in _SYSTEM_SCHEMAS:
            return  # readings leave the server's own schemas out
        named = next(self._names(self.spec.schema_key), None)
        if schema is not None and schema.casefold() not in {known.casefold() for known in catalog.schemas}:
            if catalog.schemas == ("",):
                return  # a source that tells no schemas
            what, known, at = f"schema `{cut(schema)}`", tuple(catalog.schemas), named or name
            text = schema
        else:
            where = f" in the schema `{cut(schema)}`" if schema else ""
            what, known, at = f"table `{cut(name.text)}`{where}", table_names(catalog, schema), name
            text = name.text
        near = nearest(text, known)
        others = [t.schema for t in catalog.tables if t.name == name.text and t.schema]
        searched = bool(others) and schema is None and catalog.dialect in _SEARCHED
        certain = knowledge.is_fresh and not searched
        hint = f" Did you mean `{cut(near)}`?" if near and not searched else self.say.instead(others, known, searched)
        fix = at.written(near, preferred=certain) if near and at.text == text else None
        missing = self.say.found("OML410", at, self.say.absent(what, catalog, hint), fix, certain=certain)
        target = TableNamed(self.database.connection, schema, name.text, "table", name.span)
        self.say.note_missing(target, missing)

    def _columns(
        self, key: str, at: ConfigName, table: Table, catalog: Catalog, known: Columns
    ) -> Iterator[Diagnostic]:
        """The columns under a key that the table does not have."""
        exact = catalog.dialect in EXACT
        there = {column.name if exact else column.name.casefold() for column in known}
        names = list(self._names(key))
        wrong = [name for name in names if (name.text if exact else name.text.casefold()) not in there]
        taken = {name.text for name in names}
        for name in wrong:
            near = nearest(name.text, tuple(column.name for column in known))
            certain = self.knowledge.is_certain(table, catalog)
            fix = name.written(near, preferred=certain) if near and near not in taken else None
            yield self.say.no_column(name, table, catalog, fix, near, at.span)


def _same(text: str, table: Table, catalog: Catalog) -> bool:
    """Whether the database takes ``text`` for the name of ``table``."""
    info = table.info
    return catalog.dialect not in EXACT or text in (info.name, f"{info.schema}.{info.name}")
