"""The tables and columns of a DuckDB database."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.catalog_source import Sample, ServerInfo, Timeouts
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.drivers.database_files import database_file, rights_remark
from osiris.drivers.duckdb.arrow_types import arrow_types
from osiris.drivers.paths import Place
from osiris.drivers.sample_values import plain_value
from osiris.language.catalog import Column, Columns, TableInfo
from osiris.sql.columns import quote_name
from osiris.sql.gate import engine_message

if TYPE_CHECKING:
    import duckdb

_MEMORY = "512MiB"
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "memory_limit": _MEMORY,
    "temp_directory": "",
}
_MAGIC = b"DUCK"  # at position 8 of every DuckDB file, encrypted or not
_SQLITE = b"SQLite format 3\0"
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_OURS = "database_name = current_database() AND NOT internal"


class DuckDBCatalog:
    """Opens DuckDB databases read-only: no other file, no network, no extension, no change of a setting."""

    dialect = "duckdb"

    @contextmanager
    def connect(self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts) -> Iterator[DuckDBSession]:
        """Open the file that the field ``path`` names. Raises ConfigurationError or ConnectionError."""
        place = database_file(fields, root, "DuckDB")
        with closing(_open(place)) as connection:
            yield DuckDBSession(connection, place, timeouts)


def _open(place: Place) -> duckdb.DuckDBPyConnection:
    import duckdb

    _must_be_duckdb(place)
    try:
        connection = duckdb.connect(str(place.path), read_only=True, config=_SETTINGS)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise _problem(error, place) from error
    return connection


def _must_be_duckdb(place: Place) -> None:
    """DuckDB would look for an extension for files of others; what they are is easy to tell."""
    with place.path.open("rb") as file:
        head = file.read(len(_SQLITE))
    if head == _SQLITE:
        raise Unreachable(
            f"{place.shown} is a SQLite database, not a DuckDB one.", hint="Write the connection below sqlite."
        )
    if head[8 : 8 + len(_MAGIC)] != _MAGIC:
        raise Unreachable(f"{place.shown} is not a DuckDB database.", hint="Check the field path of the connection.")


class DuckDBSession:
    """One open database; implements ``osiris.core.catalog_source.CatalogSession``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, place: Place, timeouts: Timeouts) -> None:
        self._connection = connection
        self._place = place
        self._seconds = timeouts.statement

    def server(self) -> ServerInfo:
        """DuckDB's own version; a remark for a file that cannot be written."""
        ((version,),) = self._rows("SELECT library_version FROM pragma_version()")
        return ServerInfo(
            "DuckDB", str(version).removeprefix("v"), default_schema="main", remarks=rights_remark(self._place)
        )

    def tables(self) -> Sequence[TableInfo]:
        """Tables and views of all schemas; DuckDB knows how many rows its tables have."""
        rows = self._rows(
            f"SELECT schema_name, table_name, 'table', comment, estimated_size FROM duckdb_tables() WHERE {_OURS}"
            f" UNION ALL SELECT schema_name, view_name, 'view', comment, NULL FROM duckdb_views() WHERE {_OURS}"
            " ORDER BY 1, 2"
        )
        return [TableInfo(schema, name, kind, comment=note or "", rows=size) for schema, name, kind, note, size in rows]

    def columns(self, tables: Sequence[TableInfo] | None = None) -> Mapping[tuple[str, str], Columns]:
        """The columns as the database has them written down: those of a view may be out of date."""
        wanted = None if tables is None else {(info.schema, info.name) for info in tables}
        keys = _Keys(
            self._rows(
                "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table,"
                " referenced_column_names FROM duckdb_constraints() WHERE database_name = current_database()"
            )
        )
        views = {tuple(row) for row in self._rows(f"SELECT schema_name, view_name FROM duckdb_views() WHERE {_OURS}")}
        rows = self._rows(
            "SELECT schema_name, table_name, column_name, data_type, is_nullable, is_generated, comment"
            f" FROM duckdb_columns() WHERE {_OURS} ORDER BY schema_name, table_name, column_index"
        )
        arrow = arrow_types(self._connection, {row[3] for row in rows})
        found: dict[tuple[str, str], list[Column]] = {}
        for schema, table, name, type_, nullable, generated, comment in rows:
            key = (schema, table)
            if wanted is not None and key not in wanted:
                continue
            found.setdefault(key, []).append(
                Column(
                    name,
                    type_,
                    arrow=arrow[type_],
                    nullable=None if key in views else bool(nullable),
                    primary_key=keys.primary.get((*key, name), 0),
                    unique=(*key, name) in keys.unique,
                    references=keys.references.get((*key, name), ""),
                    generated=bool(generated),
                    comment=comment or "",
                    values=enum_labels(type_),
                )
            )
        return {key: tuple(columns) for key, columns in found.items()}

    def sample(self, table: TableInfo, rows: int) -> Sample:
        """The first rows; a view over other files has none here."""
        source = f"{quote_name(table.schema or 'main')}.{quote_name(table.name)}"
        found = self._rows(f"SELECT * FROM {source} LIMIT {max(int(rows), 0)}")
        names = tuple(str(described[0]) for described in self._connection.description or ())
        return Sample(names, tuple(tuple(plain_value(value) for value in row) for row in found))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        import duckdb

        timer = threading.Timer(self._seconds, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            raise _problem(error, self._place) from error
        finally:
            timer.cancel()
        return rows


class _Keys:
    """What the constraints of a database say of its columns, each by schema, table and column."""

    def __init__(self, constraints: Sequence[tuple[Any, ...]]) -> None:
        self.primary: dict[tuple[str, str, str], int] = {}
        self.unique: set[tuple[str, str, str]] = set()
        self.references: dict[tuple[str, str, str], str] = {}
        for schema, table, kind, columns, other, targets in constraints:
            if kind == "PRIMARY KEY":
                self.primary |= {(schema, table, column): place for place, column in enumerate(columns, 1)}
            elif kind == "UNIQUE" and len(columns) == 1:
                self.unique.add((schema, table, columns[0]))
            elif kind == "FOREIGN KEY":
                home = other if schema == "main" else f"{schema}.{other}"  # a foreign key stays within its schema
                self.references |= {
                    (schema, table, column): f"{home}.{target}"
                    for column, target in zip(columns, targets, strict=False)
                }


def enum_labels(type_: str) -> tuple[str, ...]:
    """The labels of ``ENUM('a', 'b')``; none for any other type."""
    if not type_.startswith("ENUM("):
        return ()
    return tuple(label.replace("''", "'") for label in _LABEL.findall(type_))


def _problem(error: duckdb.Error, place: Place) -> Unreachable:
    """The error to raise for one of DuckDB's; they speak of the whole path, which is nobody's business."""
    import duckdb

    text = engine_message(error).replace(str(place.path), place.shown)
    if isinstance(error, duckdb.InterruptException):
        return Unreachable(f"Reading {place.shown} took too long.", hint="Allow it more time: --timeout SECONDS.")
    if "Conflicting lock" in text:
        holder = re.search(r"\(PID \d+\)", text)
        return Unreachable(
            f"{place.shown} is locked: another program{f' {holder[0]}' if holder else ''} has it open for writing.",
            hint="DuckDB lets either one program write or several read. Close it there, then try again.",
        )
    if "encrypt" in text.lower():
        return Unreachable(f"{place.shown} is encrypted.", hint="Encrypted DuckDB databases are not read.")
    if "Corrupt database" in text or "Could not read enough bytes" in text:
        return Unreachable(
            f"{place.shown} is damaged: it is cut off, or parts of it were changed.", hint="Restore it from a copy."
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return Unreachable(f"Reading {place.shown} takes more than {_MEMORY} of memory.")
    reason = text.partition("\n")[0].partition(": ")[2] or text
    return Unreachable(f"Cannot read {place.shown}: {reason.rstrip('.')}.")
