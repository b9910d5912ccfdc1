"""What was read through connections, kept in the state store: by the fingerprint of the connection, with its age."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from osiris.core.catalog_source import ServerInfo
from osiris.core.error_taxonomy import OsirisError
from osiris.core.state_store import StateStore
from osiris.language.catalog import Catalog, Column, Columns, TableInfo, TableKind, age_of

KEEP = timedelta(days=180)
"""Readings that nobody has renewed for so long are dropped."""

Key = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """What one discovery has read.

    ``columns`` by ``(schema, table)``; a table that is missing there has columns that are not known. ``complete``:
    ``tables`` are all that the connection can see. ``seconds``: how long it took. ``columns_read``: False when nobody
    has asked for the columns yet.
    """

    dialect: str
    server: ServerInfo
    tables: Sequence[TableInfo]
    columns: Mapping[Key, Columns]
    complete: bool
    read_at: datetime
    seconds: float = 0.0
    columns_read: bool = True


@dataclass(frozen=True)
class KnownSchema:
    """A reading as it is kept. The columns of a table in ``catalog`` are fetched when they are asked for.

    ``generation`` is another number after every change. ``columns_known``: of how many tables the columns are known;
    ``columns_read``: whether they were asked for at all.
    """

    catalog: Catalog
    server: ServerInfo
    seconds: float
    generation: int
    columns_known: int
    columns_read: bool

    @property
    def read_at(self) -> datetime:
        """When it was read (UTC)."""
        return self.catalog.read_at or datetime.fromtimestamp(0, UTC)

    def age(self, now: datetime | None = None) -> timedelta:
        """How long ago it was read."""
        return age_of(self.read_at, now)


class SchemaCache:
    """Readings by fingerprint. All methods raise as those of ``StateStore`` do."""

    def __init__(self, store: StateStore | None = None) -> None:
        """The readings in ``store``, by default the user's own."""
        self.state = store if store is not None else StateStore()

    def store(self, fingerprint: object, reading: Reading) -> None:
        """Keep a whole reading in place of the one before, in one transaction.

        A table that a run of ours wrote to since the reading began counts as written still.
        """
        rows = [_table_row(info) for info in reading.tables]
        texts = [_columns_text(reading.columns.get((info.schema, info.name))) for info in reading.tables]

        def work(db: sqlite3.Connection) -> None:
            generation = _next_generation(db)
            written = _written_since(db, str(fingerprint), reading.read_at)
            db.execute("DELETE FROM readings WHERE fingerprint = ?", (str(fingerprint),))
            db.execute("DELETE FROM readings WHERE read_at < ?", ((datetime.now(UTC) - KEEP).timestamp(),))
            number = _insert_reading(db, str(fingerprint), reading, generation)
            for row, text in zip(rows, texts, strict=True):
                _insert_table(db, number, row, text)
            for schema, name, at in written:
                _mark_written(db, number, schema, name, at)

        self.state.write(work)

    def store_tables(self, fingerprint: object, reading: Reading) -> None:
        """Add the tables of ``reading`` to what is known, in place of what was known of these tables.

        The rest keeps its age. Without an earlier reading they are kept as one that is not complete.
        """
        at = reading.read_at
        pairs = [
            (replace(info, read_at=info.read_at or at), reading.columns.get((info.schema, info.name)))
            for info in reading.tables
        ]

        def work(db: sqlite3.Connection) -> None:
            generation = _next_generation(db)
            found = db.execute("SELECT id FROM readings WHERE fingerprint = ?", (str(fingerprint),)).fetchone()
            if found is None:
                number = _insert_reading(db, str(fingerprint), replace(reading, complete=False), generation)
            else:
                number = int(found[0])
                db.execute("UPDATE readings SET generation = ? WHERE id = ?", (generation, number))
            for info, columns in pairs:
                where = (number, info.schema, info.name)
                db.execute("DELETE FROM tables WHERE reading = ? AND schema_name = ? AND name = ?", where)
                _insert_table(db, number, _table_row(info), _columns_text(columns))

        self.state.write(work)

    def remove_table(self, fingerprint: object, schema: str, name: str) -> None:
        """Forget a table that is not there any more."""
        self._change(fingerprint, lambda db, number: _delete_table(db, number, schema, name))

    def load(self, fingerprint: object, reference: str) -> KnownSchema | None:
        """What is known under ``fingerprint``, of the connection ``reference``; None when nothing is."""
        query = (
            "SELECT id, dialect, default_schema, product, version, remarks, complete, read_at, seconds, generation, "
            "columns_read "
            "FROM readings WHERE fingerprint = ?"
        )
        tables = (
            "SELECT t.schema_name, t.name, t.kind, t.comment, t.row_estimate, t.read_at, t.written, c.table_id "
            "FROM tables t LEFT JOIN table_columns c ON c.table_id = t.id WHERE t.reading = ? "
            "ORDER BY t.schema_name, t.name"
        )

        def work(db: sqlite3.Connection) -> tuple[Any, list[Any]] | None:
            found = db.execute(query, (str(fingerprint),)).fetchone()
            return None if found is None else (found, db.execute(tables, (found[0],)).fetchall())

        answer = self.state.read(work, absent=None)
        if answer is None:
            return None
        (_, dialect, default, product, version, remarks, complete, read_at, seconds, generation, asked), rows = answer
        catalog = Catalog(
            reference,
            dialect,
            [_table_info(row) for row in rows],
            lambda info: self._columns(str(fingerprint), info),
            default_schema=default,
            complete=bool(complete),
            read_at=_time(read_at),
        )
        server = ServerInfo(product, version, default, remarks=tuple(json.loads(remarks)))
        return KnownSchema(catalog, server, seconds, generation, sum(row[7] is not None for row in rows), bool(asked))

    def generation(self, fingerprint: object) -> int | None:
        """The generation of what is known, None when nothing is."""
        query = "SELECT generation FROM readings WHERE fingerprint = ?"
        row = self.state.read(lambda db: db.execute(query, (str(fingerprint),)).fetchone(), absent=None)
        return None if row is None else int(row[0])

    def change_mark(self) -> Hashable:
        """As ``StateStore.change_mark``: equal ones promise equal generations."""
        return self.state.change_mark()

    def invalidate(self, fingerprint: object) -> None:
        """Forget what is known."""
        if self.state.path.exists():
            statement = "DELETE FROM readings WHERE fingerprint = ?"
            self.state.write(lambda db: db.execute(statement, (str(fingerprint),)))

    def mark_written(self, fingerprint: object, table: str, schema: str | None = None) -> None:
        """Note that a run of ours has written to a table, which may have made it or given it other columns.

        ``schema`` None means the default one. Nothing happens when nothing is known under ``fingerprint``.
        """

        def work(db: sqlite3.Connection, number: int) -> None:
            home = db.execute("SELECT default_schema FROM readings WHERE id = ?", (number,)).fetchone()[0]
            _mark_written(db, number, home if schema is None else schema, table, _milliseconds(time.time()))

        self._change(fingerprint, work)

    def _change(self, fingerprint: object, change: Any) -> None:
        def work(db: sqlite3.Connection) -> None:
            found = db.execute("SELECT id FROM readings WHERE fingerprint = ?", (str(fingerprint),)).fetchone()
            if found is not None:
                change(db, int(found[0]))
                db.execute("UPDATE readings SET generation = ? WHERE id = ?", (_next_generation(db), found[0]))

        if self.generation(fingerprint) is not None:  # most runs write to what nobody has discovered: no lock for them
            self.state.write(work)

    def _columns(self, fingerprint: str, info: TableInfo) -> Columns | None:
        """The columns of a table as they are kept now; None when there are none, or the store cannot be read."""
        query = (
            "SELECT c.columns FROM readings r JOIN tables t ON t.reading = r.id "
            "JOIN table_columns c ON c.table_id = t.id "
            "WHERE r.fingerprint = ? AND t.schema_name = ? AND t.name = ?"
        )
        where = (fingerprint, info.schema, info.name)
        try:
            row = self.state.read(lambda db: db.execute(query, where).fetchone(), absent=None)
        except OsirisError:  # a catalog is asked in the middle of a check: what cannot be read is not known
            return None
        return None if row is None else _columns_of(row[0])


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _mark_written(db: sqlite3.Connection, number: int, schema: str, table: str, at: int) -> None:
    query = "SELECT id, name FROM tables WHERE reading = ? AND schema_name = ? AND name = ? COLLATE NOCASE"
    same = db.execute(query, (number, schema, table)).fetchall()
    if not same:
        _insert_table(db, number, _table_row(TableInfo(schema, table)), None)
        same = db.execute(query, (number, schema, table)).fetchall()
    for identity, _ in [row for row in same if row[1] == table] or same:
        db.execute("UPDATE tables SET written = ? WHERE id = ?", (at, identity))


def _written_since(db: sqlite3.Connection, fingerprint: str, begin: datetime) -> list[tuple[str, str, int]]:
    """The tables that a run has written to since a reading began: it may have missed that."""
    query = (
        "SELECT t.schema_name, t.name, t.written FROM tables t JOIN readings r ON t.reading = r.id "
        "WHERE r.fingerprint = ? AND t.written >= ?"
    )
    return db.execute(query, (fingerprint, _milliseconds(begin.timestamp()))).fetchall()


def _next_generation(db: sqlite3.Connection) -> int:
    db.execute("UPDATE counters SET value = value + 1 WHERE name = 'generation'")
    return int(db.execute("SELECT value FROM counters WHERE name = 'generation'").fetchone()[0])


def _insert_reading(db: sqlite3.Connection, fingerprint: str, reading: Reading, generation: int) -> int:
    server = reading.server
    values = (
        fingerprint,
        reading.dialect,
        server.default_schema,
        server.product,
        server.version,
        json.dumps(server.remarks),
        int(reading.complete),
        int(reading.columns_read),
        reading.read_at.timestamp(),
        reading.seconds,
        generation,
    )
    marks = ", ".join("?" * len(values))
    cursor = db.execute(
        "INSERT INTO readings (fingerprint, dialect, default_schema, product, version, remarks, complete, "
        f"columns_read, read_at, seconds, generation) VALUES ({marks})",
        values,
    )
    return cast(int, cursor.lastrowid)


def _table_row(info: TableInfo) -> tuple[Any, ...]:
    read_at = info.read_at.timestamp() if info.read_at is not None else None
    return (info.schema, info.name, info.kind, info.comment, info.rows, read_at, int(info.written))


def _insert_table(db: sqlite3.Connection, number: int, row: tuple[Any, ...], columns: str | None) -> None:
    cursor = db.execute(
        "INSERT INTO tables (reading, schema_name, name, kind, comment, row_estimate, read_at, written) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, *row),
    )
    if columns is not None:
        db.execute("INSERT INTO table_columns (table_id, columns) VALUES (?, ?)", (cursor.lastrowid, columns))


def _delete_table(db: sqlite3.Connection, number: int, schema: str, name: str) -> None:
    db.execute("DELETE FROM tables WHERE reading = ? AND schema_name = ? AND name = ?", (number, schema, name))


def _table_info(row: Sequence[Any]) -> TableInfo:
    schema, name, kind, comment, rows, read_at, written = row[:7]
    return TableInfo(
        schema,
        name,
        cast(TableKind, kind),
        comment,
        rows,
        None if read_at is None else _time(read_at),
        bool(written),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _columns_text(columns: Iterable[Column] | None) -> str | None:
    """Columns as they are kept: a list for each, without the values at its end that are those of most columns."""
    if columns is None:
        return None
    return json.dumps([_column_row(column) for column in columns], separators=(",", ":"), ensure_ascii=False)


_USUAL: list[Any] = ["", "", "", None, 0, False, "", False, "", []]


def _column_row(column: Column) -> list[Any]:
    row: list[Any] = [
        column.name,
        column.type,
        column.arrow,
        column.nullable,
        column.primary_key,
        column.unique,
        column.references,
        column.generated,
        column.comment,
        list(column.values),
    ]
    while row and row[-1] == _USUAL[len(row) - 1]:
        row.pop()
    return row


def _columns_of(text: str) -> Columns:
    columns = []
    for row in json.loads(text):
        whole: list[Any] = [*row, *_USUAL[len(row) :]]
        columns.append(Column(*whole[:-1], values=tuple(whole[-1])))  # type: ignore[misc]
    return tuple(columns)
