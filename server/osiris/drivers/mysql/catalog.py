"""The tables and columns of a MySQL or MariaDB server, by three queries for all together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import FIELD_TYPE

from osiris.core.catalog_source import Sample, ServerInfo, Timeouts
from osiris.drivers.connection_fields import text_field
from osiris.drivers.mysql.arrow_types import arrow_type
from osiris.drivers.mysql.login import explained, is_mariadb, open_connection
from osiris.drivers.sample_values import plain_value
from osiris.drivers.server_errors import Peer
from osiris.language.catalog import Column, Columns, TableInfo, TableKind

_SYSTEM = ("information_schema", "mysql", "performance_schema", "sys", "ndbinfo")
_NOT_SYSTEM = f"table_schema NOT IN ({', '.join(repr(name) for name in _SYSTEM)})"
_FOREIGN_ENGINES = frozenset({"FEDERATED", "CONNECT", "SPIDER"})
_KINDS: Mapping[str, TableKind] = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "VIEW": "view"}

_TABLES = f"""
SELECT table_schema, table_name, table_type, engine, table_rows, create_options, table_comment
FROM information_schema.tables WHERE {_NOT_SYSTEM}"""
_COLUMNS = """
SELECT table_schema, table_name, ordinal_position, column_name, column_type, is_nullable, COALESCE(extra, ''),
       COALESCE(column_comment, '')
FROM information_schema.columns WHERE {which}"""
# The same in one row for each table, since PyMySQL takes its time for every value. Names are the same here only when
# their bytes are. The characters in between may stand in a comment, too: hence the count.
_FIELD, _RECORD = "\x1f", "\x1e"
_COLUMNS_TOGETHER = f"""
SELECT MIN(table_schema), MIN(table_name), COUNT(*),
       GROUP_CONCAT(CONCAT_WS('{_FIELD}', ordinal_position, column_name, column_type, is_nullable, COALESCE(extra, ''),
                              COALESCE(column_comment, '')) SEPARATOR '{_RECORD}')
FROM information_schema.columns WHERE {{which}}
GROUP BY CAST(table_schema AS BINARY), CAST(table_name AS BINARY)"""
_READABLE = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND FIND_IN_SET('select', privileges) ORDER BY ordinal_position"""
_GRANTS = """
SELECT (SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type = 'SELECT' AND grantee = who)
       + (SELECT COUNT(*) FROM information_schema.schema_privileges WHERE privilege_type = 'SELECT' AND grantee = who),
       (SELECT COUNT(DISTINCT table_schema, table_name) FROM information_schema.table_privileges
        WHERE privilege_type = 'SELECT' AND grantee = who)
FROM (SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@',
                    QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1))) AS who) AS me"""
_LONGEST = "SET SESSION group_concat_max_len = 67108864"
_KEYS = """
SELECT table_schema, table_name, constraint_name, ordinal_position, column_name,
       referenced_table_schema, referenced_table_name, referenced_column_name
FROM information_schema.key_column_usage WHERE {which}"""
# Up to so many tables are looked up one by one, but in one query; else all are read.
_MOST_BY_NAME = 50

_GENERATED = re.compile(r"\b(?:VIRTUAL|STORED|PERSISTENT)\b")
_VERSION = re.compile(r"(?:5\.5\.5-(?=\d))?(\d+(?:\.\d+)*)")
_LABEL = re.compile(r"'((?:[^']|'')*)'")

# Types of whose values Python has another form than the server, or none (-838:59:59, 0000-00-00, 0E-10).
_AS_WRITTEN = frozenset(
    {
        FIELD_TYPE.TIME,
        FIELD_TYPE.DATE,
        FIELD_TYPE.NEWDATE,
        FIELD_TYPE.DATETIME,
        FIELD_TYPE.TIMESTAMP,
        FIELD_TYPE.DECIMAL,
        FIELD_TYPE.NEWDECIMAL,
    }
)

Key = tuple[str, str]


class MySQLCatalog:
    """Opens connections to MySQL and MariaDB that can only read."""

    dialect = "mysql"

    @contextmanager
    def connect(self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts) -> Iterator[MySQLSession]:
        """Connect with ``host``, ``port``, ``database``, ``user``, ``password`` and the TLS fields ``ssl_...``."""
        connection, peer = open_connection(fields, root, timeouts)
        try:
            yield MySQLSession(connection, peer, timeouts, text_field(fields, "schema") or peer.database)
        finally:
            if connection.open:
                connection.close()


class MySQLSession:
    """One open connection; implements ``osiris.core.catalog_source.CatalogSession``.

    The server shows a user only what he has any right to, so a table that he may not read at all is not there.
    """

    def __init__(
        self, connection: pymysql.connections.Connection[Any], peer: Peer, timeouts: Timeouts, default_schema: str
    ) -> None:
        self._connection = connection
        self._default_schema = default_schema
        self._peer = peer
        self._seconds = timeouts.statement

    def server(self) -> ServerInfo:
        """What the server said of itself when connecting, with a remark for a user who may read single tables."""
        version = str(self._connection.get_server_info())
        product = "MariaDB" if is_mariadb(self._connection) else "MySQL"
        # Older MariaDB puts 5.5.5- before its own number; what follows the number is about the package.
        number = _VERSION.match(version)
        wide, single = self._rows(_GRANTS)[0]
        remarks = []
        if single and not wide:
            tables = "one table" if single == 1 else f"{single} tables"
            remarks.append(
                f"{self._peer.user} is granted the reading of {tables} alone; others do not show on this server."
            )
        shown = number[1] if number else version
        return ServerInfo(product, shown, self._default_schema, self._peer.user, tuple(remarks))

    def tables(self) -> Sequence[TableInfo]:
        """The tables and views of all databases but the server's own; sequences are left out."""
        found = []
        for schema, name, type_, engine, rows, options, comment in self._rows(_TABLES):
            kind = _KINDS.get(type_)
            if kind is None:
                continue
            if kind == "view":
                found.append(TableInfo(schema, name, kind))  # in place of a comment the server says "VIEW"
                continue
            if (engine or "").upper() in _FOREIGN_ENGINES:
                kind = "foreign table"
            elif "partitioned" in (options or "").lower():
                kind = "partitioned table"
            found.append(TableInfo(schema, name, kind, comment or "", rows))
        return sorted(found, key=lambda info: (info.schema, info.name))

    def columns(self, tables: Sequence[TableInfo] | None = None) -> Mapping[tuple[str, str], Columns]:
        """The columns; a view over a table that is gone is missing."""
        keys = _Keys(self._select(_KEYS, tables))
        wanted = None if tables is None else {(info.schema, info.name) for info in tables}
        found: dict[Key, Columns] = {}
        apart: list[TableInfo] = []
        self._rows(_LONGEST)
        for schema, table, count, text in self._select(_COLUMNS_TOGETHER, tables):
            if wanted is None or (schema, table) in wanted:
                rows = [record.split(_FIELD) for record in text.split(_RECORD)]
                if len(rows) == count and all(len(row) == _FIELDS for row in rows):
                    found[schema, table] = _columns((schema, table), rows, keys)
                else:
                    apart.append(TableInfo(schema, table))
        one_by_one: dict[Key, list[Sequence[Any]]] = {(info.schema, info.name): [] for info in apart}
        for schema, table, *row in self._select(_COLUMNS, apart):
            if (schema, table) in one_by_one:
                one_by_one[schema, table].append(row)
        return found | {key: _columns(key, rows, keys) for key, rows in one_by_one.items()}

    def _select(self, query: str, tables: Sequence[TableInfo] | None) -> Iterable[tuple[Any, ...]]:
        if tables is None or len(tables) > _MOST_BY_NAME:
            return self._rows(query.format(which=_NOT_SYSTEM))
        if not tables:
            return ()
        one = query.format(which="table_schema = %s AND table_name = %s")
        names = [name for info in tables for name in (info.schema, info.name)]
        return self._rows("\nUNION ALL\n".join([one] * len(tables)), names)

    def sample(self, table: TableInfo, rows: int) -> Sample:
        """The first rows, of the columns that the user may read."""
        schema = f"{quote_name(table.schema)}." if table.schema else ""
        readable = self._rows(_READABLE, [table.schema, table.name]) if table.schema else ()
        columns = ", ".join(quote_name(column) for (column,) in readable) or "*"
        query = f"SELECT {columns} FROM {schema}{quote_name(table.name)} LIMIT {max(int(rows), 0)}"
        with self._values_as_written(), explained(self._peer, self._seconds), self._connection.cursor() as cursor:
            cursor.execute(query)
            found = cursor.fetchall()
            names = tuple(str(described[0]) for described in cursor.description or ())
        return Sample(names, tuple(tuple(plain_value(value) for value in row) for row in found))

    @contextmanager
    def _values_as_written(self) -> Iterator[None]:
        """Within this, numbers with a point, times and dates are the server's own text."""
        decoders = self._connection.decoders
        self._connection.decoders = {code: decode for code, decode in decoders.items() if code not in _AS_WRITTEN}
        try:
            yield
        finally:
            self._connection.decoders = decoders

    def _rows(self, query: str, values: Sequence[str] | None = None) -> Sequence[tuple[Any, ...]]:
        with explained(self._peer, self._seconds), self._connection.cursor() as cursor:
            cursor.execute(query, values)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found


def quote_name(name: str) -> str:
    """A name as MySQL takes it, whatever it holds."""
    return f"`{name.replace('`', '``')}`"


class _Keys:
    """Primary, unique and foreign keys by table and column."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self.primary: dict[tuple[str, str, str], int] = {}
        self.references: dict[tuple[str, str, str], str] = {}
        constraints: dict[tuple[str, str, str], list[str]] = {}
        for schema, table, constraint, place, column, other_schema, other_table, other_column in rows:
            if other_table is not None:
                target = f"{other_table}.{other_column}"
                if other_schema != schema:
                    target = f"{other_schema}.{target}"
                self.references.setdefault((schema, table, column), target)
                continue
            if constraint == "PRIMARY":
                self.primary[schema, table, column] = int(place)
                continue
            constraints.setdefault((schema, table, constraint), []).append(column)
        self.unique = {
            (schema, table, columns[0]) for (schema, table, _), columns in constraints.items() if len(columns) == 1
        }


_FIELDS = 6


def _columns(table: Key, rows: Iterable[Sequence[Any]], keys: _Keys) -> Columns:
    """The columns of ``table`` by rows of place, name, type, whether it takes null, extra and comment."""
    found: list[Column] = []
    for _, name, type_, nullable, extra, comment in sorted(rows, key=_place):
        key = (*table, name)
        found.append(
            Column(
                name,
                type_,
                arrow_type(type_),
                nullable == "YES",
                keys.primary.get(key, 0),
                key in keys.unique,
                keys.references.get(key, ""),
                bool(extra) and _GENERATED.search(extra) is not None,
                comment,
                enum_labels(type_),
            )
        )
    return tuple(found)


def _place(row: Sequence[Any]) -> int:
    return int(row[0])


def enum_labels(column_type: str) -> tuple[str, ...]:
    """The labels in ``enum('new','it''s')``; none for another type."""
    if not column_type.startswith("enum("):
        return ()
    return tuple(_unescaped(label) for label in _LABEL.findall(column_type))


_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\0": "\0", "\\Z": "\x1a", "''": "'"}


def _unescaped(label: str) -> str:
    return re.sub(r"\\[\\nr0Z]|''", lambda found: _ESCAPES[found[0]], label)
