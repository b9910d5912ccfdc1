"""The tables and columns of a SQLite database."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from osiris.core.catalog_source import Sample, ServerInfo, Timeouts
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.drivers.database_files import database_file, rights_remark
from osiris.drivers.paths import Place
from osiris.drivers.sample_values import plain_value
from osiris.drivers.sqlite.database import explained, only_reading, open_read_only
from osiris.drivers.sqlite.types import declared_arrow
from osiris.language.catalog import Column, Columns, TableInfo
from osiris.sql.columns import quote_name

_STEPS_BETWEEN_LOOKS = 10_000  # of SQLite's virtual machine, some 0.1 ms
_VIRTUAL = re.compile(r"CREATE\s+VIRTUAL\s+TABLE\b.*?\bUSING\s+(\w+)", re.IGNORECASE | re.DOTALL)
_NAME = "a name in it is not UTF-8"
_HIDDEN = 1  # a column of a virtual table that ``*`` leaves out; 2 and 3 are generated columns


class SQLiteCatalog:
    """Opens SQLite databases read-only."""

    dialect = "sqlite"

    @contextmanager
    def connect(self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts) -> Iterator[SQLiteSession]:
        """Open the file that the field ``path`` names. Raises ConfigurationError or ConnectionError."""
        place = database_file(fields, root, "SQLite")
        try:
            connection = open_read_only(place, busy_seconds=timeouts.connect)
        except sqlite3.Error as error:
            raise _problem(error, place) from error
        with closing(connection):
            session = SQLiteSession(connection, place, timeouts)
            session.prepare()
            yield session


class SQLiteSession:
    """One open database; implements ``osiris.core.catalog_source.CatalogSession``. SQLite knows no comments."""

    def __init__(self, connection: sqlite3.Connection, place: Place, timeouts: Timeouts) -> None:
        self._connection = connection
        self._place = place
        self._seconds = timeouts.statement
        self._unreadable: dict[str, str] = {}

    def prepare(self) -> None:
        """Close what a hostile file could use, and see that it is a database at all. Raises ConnectionError."""
        self._connection.text_factory = lambda data: data.decode("utf-8", "replace")
        for setting in ("query_only = ON", "trusted_schema = OFF"):
            self._rows(f"PRAGMA {setting}")
        self._rows("SELECT count(*) FROM sqlite_master")

    def server(self) -> ServerInfo:
        """SQLite's own version; a remark for a file that cannot be written, and for tables found broken."""
        broken = tuple(f"The columns of {name} cannot be read: {why}." for name, why in self._unreadable.items())
        return ServerInfo("SQLite", sqlite3.sqlite_version, remarks=(*rights_remark(self._place), *broken))

    def tables(self) -> Sequence[TableInfo]:
        """Tables, virtual tables and views; how many rows a table has is known after ``ANALYZE``."""
        estimates = self._estimates()
        shadows = self._shadows()
        found = []
        for name, kind, sql in self._rows(
            "SELECT name, type, sql FROM main.sqlite_master"
            " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
        ):
            if name in shadows:
                continue
            virtual = _VIRTUAL.match(sql or "") if kind == "table" else None
            comment = f"virtual table of the module {virtual[1]}" if virtual else ""
            found.append(TableInfo("", name, kind, comment=comment, rows=estimates.get(name)))
        return found

    def _shadows(self) -> frozenset[str]:
        """The tables in which virtual tables keep their own things: nobody means these."""
        with suppress(Unreachable):  # before SQLite 3.37 it does not say
            rows = self._rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'")
            return frozenset(str(name) for (name,) in rows)
        return frozenset()

    def _estimates(self) -> dict[str, int]:
        with suppress(Unreachable):  # the table is there after ANALYZE alone
            rows = self._rows("SELECT tbl, stat FROM main.sqlite_stat1")
            found: dict[str, int] = {}
            for table, stat in rows:
                first = str(stat).partition(" ")[0]
                if first.isdigit():
                    found[table] = max(found.get(table, 0), int(first))
            return found
        return {}

    def columns(self, tables: Sequence[TableInfo] | None = None) -> Mapping[tuple[str, str], Columns]:
        """The columns; a view over a table that is gone and a virtual table without its module are missing."""
        keys: dict[str, tuple[str, ...]] = {}
        found: dict[tuple[str, str], Columns] = {}
        for info in self.tables() if tables is None else tables:
            try:
                columns = self._columns(info, keys)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorname", "SQLITE_ERROR") != "SQLITE_ERROR":
                    raise _problem(error, self._place) from error
                self._unreadable[info.name] = str(error)
            else:
                if columns:
                    found[info.schema, info.name] = columns
        return found

    def _columns(self, info: TableInfo, keys: dict[str, tuple[str, ...]]) -> Columns:
        """The columns of one table. Raises sqlite3.Error."""
        described = self._pragma("name, type, [notnull], pk, hidden", "table_xinfo", info.name)
        plain_table = info.kind == "table"
        unique, own_key_index = self._indexes(info.name) if plain_table else (frozenset(), False)
        references = self._references(info.name, keys) if plain_table else {}
        key = [row for row in described if row[3]]
        rowid = len(key) == 1 and not own_key_index and str(key[0][1]).upper() == "INTEGER"
        return tuple(
            Column(
                name,
                type_ or "",
                arrow=declared_arrow(type_ or ""),
                nullable=not (required or (place and rowid)) if plain_table else None,
                primary_key=place,
                unique=name in unique,
                references=references.get(name, ""),
                generated=hidden != 0,
            )
            for name, type_, required, place, hidden in described
            if hidden != _HIDDEN
        )

    def _indexes(self, table: str) -> tuple[frozenset[str], bool]:
        """The columns that are unique by themselves, and whether the primary key has an index, as no rowid has."""
        unique: set[str] = set()
        own_key_index = False
        for index, origin in self._pragma("name, origin", "index_list", table, "WHERE [unique] AND NOT partial"):
            own_key_index |= origin == "pk"
            members = self._pragma("name", "index_info", index)
            if origin != "pk" and len(members) == 1 and members[0][0] is not None:
                unique.add(members[0][0])
        return frozenset(unique), own_key_index

    def _references(self, table: str, keys: dict[str, tuple[str, ...]]) -> dict[str, str]:
        """The foreign keys by column; one that names no column means the primary key of the other table."""
        found: dict[str, str] = {}
        for place, other, column, target in self._pragma("seq, [table], [from], [to]", "foreign_key_list", table):
            if target is None:
                if other not in keys:
                    rows = self._pragma("name", "table_xinfo", other, "WHERE pk ORDER BY pk")
                    keys[other] = tuple(row[0] for row in rows)
                target = keys[other][place] if place < len(keys[other]) else None
            found.setdefault(column, f"{other}.{target}" if target else other)
        return found

    def _pragma(self, wanted: str, pragma: str, argument: str, rest: str = "") -> list[tuple[Any, ...]]:
        """One of SQLite's descriptions. Raises sqlite3.Error."""
        with self._limited():
            query = f"SELECT {wanted} FROM pragma_{pragma}(?, 'main') {rest}"
            return self._connection.execute(query, (argument,)).fetchall()

    def sample(self, table: TableInfo, rows: int) -> Sample:
        """The first rows; a view may read tables and call harmless functions, and nothing else."""
        self._connection.set_authorizer(only_reading)
        try:
            with self._limited():
                cursor = self._connection.execute(
                    f"SELECT * FROM main.{quote_name(table.name)} LIMIT ?", (max(rows, 0),)
                )
                found = cursor.fetchall()
        except sqlite3.Error as error:
            raise _problem(error, self._place) from error
        finally:
            self._connection.set_authorizer(None)
        names = tuple(str(described[0]) for described in cursor.description)
        return Sample(names, tuple(tuple(plain_value(value) for value in row) for row in found))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            with self._limited():
                return self._connection.execute(query).fetchall()
        except sqlite3.Error as error:
            raise _problem(error, self._place) from error

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Within this, a statement that takes longer than the timeout is interrupted."""
        end = time.monotonic() + self._seconds
        self._connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS_BETWEEN_LOOKS)
        try:
            yield
        except UnicodeDecodeError as error:  # of a name, or of a message that names one: no text_factory for these
            raise sqlite3.DatabaseError(_NAME) from error
        finally:
            self._connection.set_progress_handler(None, 0)


def _problem(error: sqlite3.Error, place: Place) -> Unreachable:
    """The error to raise for one of SQLite's."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB":
        return Unreachable(
            f"{place.shown} is not a database that SQLite can read: it is encrypted, or no SQLite file at all.",
            hint="Check the field path of the connection. Encrypted databases (SQLCipher and the like) are not read.",
        )
    if name == "SQLITE_INTERRUPT":
        return Unreachable(f"Reading {place.shown} took too long.", hint="Allow it more time: --timeout SECONDS.")
    same = explained(error, place.shown, "read")
    return Unreachable(same.message, hint=same.hint)
