"""``osiris.schema.json``: the tables that a project's pipelines use, as they are to be, for everybody who checks it.

The file is written by ``osiris discover --lock`` and committed. It holds names and types, and nothing that tells of a
server, a person or a day; it is the same for the same tables, down to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osiris.language.catalog import Catalog, Column, Columns, Table, TableInfo
from osiris.syntax.diagnostic import Diagnostic

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SchemaLock:
    """What the file says. ``catalogs`` by reference (``@mysql.shop``): what is sound in it, whatever else is wrong.

    ``newer``: a newer version of Osiris has written it, so that nothing of it is understood.
    """

    catalogs: Mapping[str, Catalog] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    newer: bool = False

    def text(self) -> str:
        """The file's text: sorted, in two-space JSON, with a line end behind it."""
        plain = {
            "schema_version": SCHEMA_VERSION,
            "connections": {name: _catalog_plain(self.catalogs[name]) for name in sorted(self.catalogs)},
        }
        return _spread(plain) + "\n"


def parse_lock(text: str) -> SchemaLock:
    """Read the text of the file. Never raises: what cannot be used is left out, and told in ``diagnostics``."""
    from osiris.core.schema_lock_reader import read_lock

    return SchemaLock(*read_lock(text))


def make_lock(
    used: Mapping[str, Iterable[tuple[str | None, str]]],
    known: Mapping[str, Catalog],
    before: SchemaLock | None = None,
) -> SchemaLock:
    """The lock of the tables that pipelines use, by connection as ``(schema or None, table)``.

    ``known`` are the catalogs that were read. A table that is not there (a writer will make it), or whose columns may
    not be read, is left out. Of a connection that is not in ``known`` the tables stay that ``before`` has.
    """
    catalogs: dict[str, Catalog] = {}
    for reference in sorted(used):
        catalog = known.get(reference) or (before.catalogs.get(reference) if before is not None else None)
        if catalog is None:
            continue
        tables: dict[tuple[str, str], Table] = {}
        for schema, name in used[reference]:
            table = catalog.table(name, schema)
            if table is not None and table.columns is not None:
                tables[table.info.schema, table.info.name] = table
        if tables:
            catalogs[reference] = _catalog(reference, catalog.dialect, catalog.default_schema, tables)
    return SchemaLock(catalogs)


def _catalog(reference: str, dialect: str, default_schema: str, tables: Mapping[tuple[str, str], Table]) -> Catalog:
    columns = {key: table.columns for key, table in tables.items() if table.columns is not None}
    infos = [TableInfo(key[0], key[1], tables[key].info.kind) for key in sorted(tables)]
    return Catalog(reference, dialect, infos, columns, default_schema=default_schema, complete=False)


# ---- Writing ---------------------------------------------------------------------------------------------------------


def _catalog_plain(catalog: Catalog) -> dict[str, Any]:
    found: dict[str, Any] = {"dialect": catalog.dialect}
    if catalog.default_schema:
        found["default_schema"] = catalog.default_schema
    tables = {}
    for info in catalog.tables:
        key, more = _table_key(info, catalog.default_schema)
        tables[key] = {"kind": info.kind, **more, "columns": [_column_plain(c) for c in catalog.columns(info) or ()]}
    found["tables"] = {key: tables[key] for key in sorted(tables)}
    return found


def tables_plain(catalog: Catalog, tables: Iterable[Table]) -> dict[str, Any]:
    """Tables as the file shows them, by name; ``columns`` is None where they are not known."""
    found = {}
    for table in tables:
        key, more = _table_key(table.info, catalog.default_schema)
        columns = None if table.columns is None else [_column_plain(column) for column in table.columns]
        found[key] = {"kind": table.info.kind, **more, "columns": columns}
    return found


def _table_key(info: TableInfo, default_schema: str) -> tuple[str, dict[str, str]]:
    """The key of a table; with its schema and name where the key alone could be taken for another table's."""
    if "." in info.name or (info.schema != default_schema and "." in info.schema):
        key = ".".join('"' + part.replace('"', '""') + '"' for part in (info.schema, info.name))
        return key, {"schema": info.schema, "name": info.name}
    return f"{info.schema}.{info.name}" if info.schema != default_schema else info.name, {}


def _column_plain(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": column.type}
    if column.arrow:
        found["arrow"] = column.arrow
    if column.nullable is not None:
        found["nullable"] = column.nullable
    if column.primary_key:
        found["primary_key"] = column.primary_key
    if column.unique:
        found["unique"] = True
    if column.references:
        found["references"] = column.references
    if column.generated:
        found["generated"] = True
    if column.values:
        found["values"] = list(column.values)
    return found


def _spread(plain: Any, indent: str = "") -> str:
    """JSON with each column on a line of its own: a changed column is one changed line."""
    if isinstance(plain, dict) and plain:
        deeper = indent + "  "
        inside = ",\n".join(f"{deeper}{_json(key)}: {_spread(value, deeper)}" for key, value in plain.items())
        return f"{{\n{inside}\n{indent}}}"
    if isinstance(plain, list) and plain:
        deeper = indent + "  "
        return "[\n" + ",\n".join(f"{deeper}{_json(item)}" for item in plain) + f"\n{indent}]"
    return _json(plain)


def _json(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False)


# ---- Comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was.

    ``kind``: ``table added``, ``table missing``, ``table changed``, ``column added``, ``column missing``, ``column
    changed`` or ``column order``. ``what`` names the changed property (``type``, ``nullable`` ...), ``before`` and
    ``after`` its values as text. ``table`` is ``schema.table`` for one outside the default schema.
    """

    connection: str
    table: str
    kind: str
    column: str = ""
    what: str = ""
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """The difference in words, without the connection."""
        where = f"{self.table}.{self.column}" if self.column else self.table
        if self.kind == "column order":
            return f"{self.table}: the columns are in another order"
        if self.what:
            return f"{where}: {self.what} is {self.after or 'nothing'}, was {self.before or 'nothing'}"
        return f"{where}: {self.kind}" + (f" ({self.after or self.before})" if self.after or self.before else "")

    def plain(self) -> dict[str, str]:
        """As JSON shows it; empty parts are left out."""
        found = {name: getattr(self, name) for name in ("connection", "table", "kind", "column", "what")}
        return {key: value for key, value in (found | {"before": self.before, "after": self.after}).items() if value}


def compare(before: SchemaLock, after: SchemaLock) -> tuple[Difference, ...]:
    """What is different in ``after``, by connection, table and column. The names of default schemas do not count."""
    found: list[Difference] = []
    for reference in sorted({*before.catalogs, *after.catalogs}):
        old, new = _tables(before.catalogs.get(reference)), _tables(after.catalogs.get(reference))
        for name in sorted({*old, *new}):
            if name not in new:
                found.append(Difference(reference, name, "table missing"))
            elif name not in old:
                found.append(Difference(reference, name, "table added"))
            else:
                found += compare_tables(old[name], new[name], reference, name)
    return tuple(found)


def compare_tables(before: Table, after: Table, reference: str = "", name: str = "") -> tuple[Difference, ...]:
    """What is different in a table that is there both times; columns that are not known are not compared."""
    name = name or before.info.name
    found: list[Difference] = []
    if before.info.kind != after.info.kind:
        found.append(Difference(reference, name, "table changed", "", "kind", before.info.kind, after.info.kind))
    if before.columns is None or after.columns is None:
        return tuple(found)
    old, new = _by_name(before.columns), _by_name(after.columns)
    for column in (*old, *(column for column in new if column not in old)):
        if column not in new:
            found.append(Difference(reference, name, "column missing", column, before=old[column].type))
        elif column not in old:
            found.append(Difference(reference, name, "column added", column, after=new[column].type))
        else:
            found += _compare_columns(old[column], new[column], reference, name)
    if [column for column in old if column in new] != [column for column in new if column in old]:
        found.append(Difference(reference, name, "column order"))
    return tuple(found)


_COMPARED = ("type", "nullable", "primary_key", "unique", "references", "generated", "values")


def _compare_columns(before: Column, after: Column, reference: str, table: str) -> Iterable[Difference]:
    for what in _COMPARED:
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            name = what.replace("_", " ")
            yield Difference(reference, table, "column changed", before.name, name, _said(old), _said(new))


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    words = {None: "unknown", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _by_name(columns: Columns) -> dict[str, Column]:
    return {column.name: column for column in columns}


def _tables(catalog: Catalog | None) -> dict[str, Table]:
    if catalog is None:
        return {}
    return {_table_key(info, catalog.default_schema)[0]: Table(info, catalog.columns(info)) for info in catalog.tables}
