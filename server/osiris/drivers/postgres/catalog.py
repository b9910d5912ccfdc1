"""The tables and columns of a PostgreSQL database, by a few queries for all together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus

from osiris.core.catalog_source import Sample, ServerInfo, Timeouts
from osiris.drivers.connection_fields import text_field
from osiris.drivers.postgres import queries
from osiris.drivers.postgres.arrow_types import arrow_type, list_of
from osiris.drivers.postgres.login import PRODUCT, SAME_VALUES, limited, open_connection
from osiris.drivers.sample_values import plain_value
from osiris.drivers.server_errors import Peer
from osiris.language.catalog import Column, Columns, TableInfo, TableKind

_KINDS: Mapping[str, TableKind] = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
_VIEWS = frozenset({"view", "materialized view"})


class PostgresCatalog:
    """Opens connections to PostgreSQL that can only read."""

    dialect = "postgres"

    @contextmanager
    def connect(self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts) -> Iterator[PostgresSession]:
        """Connect with ``host``, ``port``, ``database``, ``user``, ``password`` and the TLS fields ``ssl...``."""
        connection, peer = open_connection(fields, root, timeouts)
        try:
            yield PostgresSession(connection, peer, timeouts, text_field(fields, "schema"))
        finally:
            connection.close()


class PostgresSession:
    """One open connection; implements ``osiris.core.catalog_source.CatalogSession``.

    The catalog shows every table to everybody; the columns are given of what the user may read.
    """

    def __init__(
        self, connection: psycopg.Connection[tuple[Any, ...]], peer: Peer, timeouts: Timeouts, default_schema: str
    ) -> None:
        self._connection = connection
        self._peer = peer
        self._seconds = timeouts.statement
        self._default_schema = default_schema
        self._as_bytes = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
        if self._as_bytes:
            for type_ in ("text", "varchar", "name"):
                connection.adapters.register_loader(type_, _AnyText)
        self._numbers: Mapping[int, TableInfo] = {}
        """The tables by the numbers that the catalog has for them."""

    def server(self) -> ServerInfo:
        """Version, default schema, and a remark on tables that the user may not read."""
        schema, version, user, closed, closed_count, partly_count = self._rows(queries.SERVER)[0]
        remarks = []
        if closed_count:
            names = ", ".join(closed[:3]) + (", ..." if closed_count > 3 else "")
            remarks.append(f"{user} may not read {_tables(closed_count)}, shown without columns: {names}.")
        if partly_count:
            remarks.append(f"{user} may read only some columns of {_tables(partly_count)}; the others are not shown.")
        return ServerInfo(
            PRODUCT, version.partition(" ")[0], self._default_schema or schema or "", user, tuple(remarks)
        )

    def tables(self) -> Sequence[TableInfo]:
        """The tables and views of all schemas but the system's; a partition is part of its table."""
        found = {
            number: TableInfo(
                schema, name, _KINDS[kind], comment or "", rows if rows >= 0 and kind not in "vf" else None
            )
            for number, schema, name, kind, rows, comment in self._rows(queries.TABLES)
        }
        self._numbers = found
        return sorted(found.values(), key=lambda info: (info.schema, info.name))

    def columns(self, tables: Sequence[TableInfo] | None = None) -> Mapping[tuple[str, str], Columns]:
        """The columns that the user may read."""
        values = None
        chosen = ""
        if tables is not None:
            if not tables:
                return {}
            values = {"schemas": [info.schema for info in tables], "tables": [info.name for info in tables]}
            chosen = queries.CHOSEN
        if not self._numbers:
            self.tables()
        keys = _Keys(
            self._rows(queries.UNIQUE_INDEXES + chosen, values), self._rows(queries.FOREIGN_KEYS + chosen, values)
        )
        types = _Types(self._rows(queries.TYPES))
        found: dict[int, list[Column]] = {}
        for row in sorted(self._rows(queries.COLUMNS + chosen, values), key=_place):
            info = self._numbers.get(row[0])
            if info is not None:  # made since the tables were read
                found.setdefault(row[0], []).append(_column(row, info, keys, types))
        return {(self._numbers[number].schema, self._numbers[number].name): tuple(c) for number, c in found.items()}

    def sample(self, table: TableInfo, rows: int) -> Sample:
        """The first rows, of the columns that the user may read."""
        name = sql.Identifier(*filter(None, (table.schema, table.name)))
        readable: Columns = ()
        if not self._as_bytes:  # else names may hold what cannot be sent back
            readable = self.columns([table]).get((table.schema, table.name), ())
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in readable) if readable else sql.SQL("*")
        query = sql.SQL("SELECT {} FROM {} LIMIT {}").format(columns, name, sql.Literal(max(int(rows), 0)))
        with self._transaction():
            result = self._connection.execute(query).pgresult
        if result is None:
            return Sample((), ())
        places = range(result.nfields)
        names = tuple((result.fname(place) or b"").decode("utf-8", "replace") for place in places)
        types = [result.ftype(place) for place in places]
        found = (
            tuple(_value(result.get_value(row, place), types[place]) for place in places)
            for row in range(result.ntuples)
        )
        return Sample(names, tuple(found))

    def _rows(self, query: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self._transaction():
            return self._connection.execute(query, values or {}).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One transaction for all questions, so that the answers fit each other; after an error a new one.

        The limit belongs to the transaction: behind a pooler, the server process is another's afterwards.
        """
        connection = self._connection
        with limited(connection, self._peer, self._seconds):
            try:
                if connection.info.transaction_status == TransactionStatus.IDLE:
                    milliseconds = max(1, int(self._seconds * 950))
                    limit = f"SET LOCAL statement_timeout = {milliseconds}"
                    connection.execute("; ".join((limit, *SAME_VALUES)).encode())
                    if self._as_bytes:  # such a server knows of no encoding, and refuses to send what is not UTF-8
                        connection.execute("SET LOCAL client_encoding = 'SQL_ASCII'")
                yield
            except psycopg.Error:
                if not connection.broken:
                    connection.rollback()
                raise


class _AnyText(Loader):
    """Text of a database that does not know its encoding: UTF-8 where it is that."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "replace")


_BOOLEAN, _BYTES = 16, 17
_INTEGERS, _FLOATS = frozenset({20, 21, 23, 26}), frozenset({700, 701})


def _value(data: bytes | None, type_id: int) -> bool | int | float | str | None:
    """A value as the server writes it: Python has no form for infinite dates, and another one for many types."""
    if data is None:
        return None
    text = data.decode("utf-8", "replace")
    if type_id == _BOOLEAN:
        return text == "t"
    if type_id in _INTEGERS:
        return int(text)
    if type_id in _FLOATS:
        return plain_value(float(text))
    if type_id == _BYTES and text.startswith("\\x"):
        return plain_value(bytes.fromhex(text[2:]))
    return plain_value(text)


def _tables(count: int) -> str:
    return f"{count} table{'' if count == 1 else 's'}"


class _Keys:
    """Primary, unique and foreign keys by the numbers of table and column."""

    def __init__(self, indexes: Iterable[tuple[Any, ...]], foreign: Iterable[tuple[Any, ...]]) -> None:
        self.primary: dict[tuple[int, int], int] = {}
        self.unique: set[tuple[int, int]] = set()
        self.references: dict[tuple[int, int], str] = {}
        for table, is_primary, numbers, count in indexes:
            members = numbers[:count]  # what follows is only carried along (INCLUDE)
            if is_primary:
                self.primary.update(((table, number), place) for place, number in enumerate(members, 1))
            elif len(members) == 1 and members[0] != 0:  # 0: an expression
                self.unique.add((table, members[0]))
        for table, numbers, schema, other_schema, other_table, other_columns in foreign:
            target = other_table if other_schema == schema else f"{other_schema}.{other_table}"
            for number, column in zip(numbers, other_columns, strict=True):
                self.references.setdefault((table, number), f"{target}.{column}")
        self.any = self.primary.keys() | self.unique | self.references.keys()


class _Types:
    """What is behind the types of columns, also those that a database defines itself: enums, domains, arrays of them.

    ``behind`` a type: its Arrow type, empty when there is none, the labels of an enum, and whether it holds no null.
    """

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._types = {row[0]: row[1:] for row in rows}
        self._behind: dict[tuple[int, str], tuple[str, tuple[str, ...], bool]] = {}

    def behind(self, type_id: int, name: str) -> tuple[str, tuple[str, ...], bool]:
        """As above, of the type ``name``; a database has few types and many columns."""
        found = self._behind.get((type_id, name))
        if found is None:
            found = (self._arrow(type_id, name), self._labels(type_id), self._required(type_id))
            self._behind[type_id, name] = found
        return found

    def _arrow(self, type_id: int, name: str) -> str:
        if type_id not in self._types:
            return arrow_type(name)
        kind, base, item, _, base_name, _ = self._types[type_id]
        if kind == "e":
            return "string"
        if kind == "d":
            return self._arrow(base, base_name)
        return list_of(self._arrow(item, ""))

    def _labels(self, type_id: int) -> tuple[str, ...]:
        """The labels of an enum, also of a domain over one."""
        if type_id not in self._types:
            return ()
        kind, base, _, _, _, labels = self._types[type_id]
        return self._labels(base) if kind == "d" else tuple(labels or ())

    def _required(self, type_id: int) -> bool:
        """Whether it is a domain without null."""
        if type_id not in self._types:
            return False
        kind, base, _, required, _, _ = self._types[type_id]
        return kind == "d" and (required or self._required(base))


def _place(row: tuple[Any, ...]) -> tuple[int, int]:
    """The numbers of table and column, by which the columns of a table have their order."""
    return row[0], row[1]


def _column(row: tuple[Any, ...], info: TableInfo, keys: _Keys, types: _Types) -> Column:
    table, number, name, type_, type_id, required, generated, comment = row
    arrow, labels, never_null = types.behind(type_id, type_)
    nullable = None if info.kind in _VIEWS else not (required or never_null)
    primary, unique, references = 0, False, ""
    key = (table, number)
    if key in keys.any:
        primary, unique = keys.primary.get(key, 0), key in keys.unique
        references = keys.references.get(key, "")
    # By place: there are very many of them.
    return Column(name, type_, arrow, nullable, primary, unique, references, generated, comment or "", labels)
