"""Writing into SQLite, in one transaction."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.journal import Entry, FileJournal, WrittenBefore
from osiris.drivers.sqlite.database import explained, open_writable
from osiris.drivers.targets import complete_file, prepare_folder, require_key
from osiris.sql.columns import Column, quote_name, quote_names
from osiris.sql.dataset import Dataset


class SqliteWriter:
    """Appends to, replaces or updates the rows of a table; a reader sees all of it or nothing."""

    all_or_nothing = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the database is as it was."""
        step = step_context(ctx)
        data = single_input(inputs, step_id)
        target = step.path(config, base_key=None)
        try:
            if target.path.exists():
                prepare_folder(target, create_dirs=True)
                rows = self._write(target.path, data, config, target.shown, step)
            else:
                # A new database appears under its name with all rows in it.
                with complete_file(target, step.temporary(target.path), create_dirs=True) as part:
                    rows = self._write(part, data, config, target.shown, step)
        except WrittenBefore:
            return {}
        step.wrote(rows, target)
        return {}

    def _write(self, path: Path, data: Dataset, config: dict[str, Any], shown: str, step: StepContext) -> int:
        columns = data.columns
        try:
            connection = open_writable(path)
        except sqlite3.Error as error:
            raise explained(error, shown, "write to") from error
        with contextlib.closing(connection), step.stopper.through(connection.interrupt):
            try:
                connection.execute("BEGIN IMMEDIATE")
                table = _Table(connection, config, shown)
                entry = Entry.of(step, table.name)
                journal = FileJournal(connection, step, entry, shown, appends=table.may_append(step))
                journal.begin()
                table.prepare(columns)
                statement = table.insert_statement(columns)
                key = table.key_places(columns)
                count = 0
                for rows in _batches(data, columns, int(config.get("batch_size") or 10_000), step):
                    connection.executemany(statement, rows)
                    if key and any(row[place] is None for row in rows for place in key):
                        journal.rows_appended()
                    count += len(rows)
                    step.advance(len(rows))
                    step.checkpoint()
                journal.enter()
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                step.checkpoint()
                raise explained(error, shown, "write to") from error
        return count


class _Table:
    """The table that is written to."""

    def __init__(self, connection: sqlite3.Connection, config: dict[str, Any], shown: str) -> None:
        self.connection = connection
        self.name: str = config["table"]
        self.mode: str = config.get("write_mode") or "append"
        key = config.get("primary_key") or []
        self.key: list[str] = [key] if isinstance(key, str) else list(key)
        self.create: bool = config.get("create_table", True)
        self.shown = shown

    def may_append(self, step: StepContext) -> bool:
        """Whether rows are added beside what is there, or were by the run that this one goes on with."""
        return self.mode == "append" or (self.mode == "upsert" and step.in_doubt_since is not None)

    def key_places(self, columns: Sequence[Column]) -> list[int]:
        """Where in a row of an upsert the values of its key are: NULL there is equal to nothing."""
        key = {name.lower() for name in self.key} if self.mode == "upsert" else set()
        return [place for place, column in enumerate(columns) if column.name.lower() in key]

    def prepare(self, columns: Sequence[Column]) -> None:
        """Make the table when it is missing, empty it for ``replace``. Raises ConfigurationError, sqlite3.Error."""
        require_key(self.key, columns)
        existing = self._columns()
        if not existing:
            self._create(columns)
            return
        foreign = [column.name for column in columns if column.name.lower() not in existing]
        if foreign:
            raise ConfigurationError(
                f"The table {self.name} in {self.shown} has no column {foreign[0]}, which the data has.",
                hint=f"Its columns: {', '.join(existing.values())}.",
            )
        if self.mode == "replace":
            self.connection.execute(f"DELETE FROM {quote_name(self.name)}")
        if self.mode == "upsert":
            self._needs_unique_key()

    def _create(self, columns: Sequence[Column]) -> None:
        if not self.create:
            raise ConfigurationError(
                f"There is no table {self.name} in {self.shown}.", hint="Make it, or set create_table: true."
            )
        parts = [f"{quote_name(column.name)} {_sqlite_type(column.type)}" for column in columns]
        if self.key:
            parts.append(f"PRIMARY KEY ({quote_names(self.key)})")
        self.connection.execute(f"CREATE TABLE {quote_name(self.name)} ({', '.join(parts)})")

    def insert_statement(self, columns: Sequence[Column]) -> str:
        """The statement that takes one row."""
        names = [column.name for column in columns]
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {quote_name(self.name)} ({quote_names(names)}) VALUES ({marks})"
        if self.mode != "upsert":
            return statement
        key = {name.lower() for name in self.key}
        updates = [f"{quote_name(n)} = excluded.{quote_name(n)}" for n in names if n.lower() not in key]
        action = f"UPDATE SET {', '.join(updates)}" if updates else "NOTHING"
        return f"{statement} ON CONFLICT ({quote_names(self.key)}) DO {action}"

    def _columns(self) -> dict[str, str]:
        rows = self.connection.execute("SELECT name FROM pragma_table_info(?)", (self.name,)).fetchall()
        return {str(row[0]).lower(): str(row[0]) for row in rows}

    def _needs_unique_key(self) -> None:
        wanted = {name.lower() for name in self.key}
        rows = self.connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (self.name,)).fetchall()
        if wanted and {str(row[0]).lower() for row in rows} == wanted:
            return
        indexes = self.connection.execute(
            'SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0', (self.name,)
        ).fetchall()
        for (index,) in indexes:
            parts = self.connection.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
            if {str(row[0]).lower() for row in parts} == wanted:
                return
        raise ConfigurationError(
            f"The table {self.name} in {self.shown} has no primary key or unique index over "
            f"{', '.join(self.key) or 'any column'}, so rows cannot be matched.",
            hint="Name the table's own key in primary_key, or add a unique index to the table.",
        )


def _batches(data: Dataset, columns: Sequence[Column], size: int, step: StepContext) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in batches, each value as SQLite takes it.

    In the end, numbers that lost digits are warned of. Raises ExecutionError for one that SQLite cannot take.
    """
    checks = [(column, check) for column in columns if (check := _unfit(column))]
    wanted = ", ".join([*map(_expression, columns), *(check for _, check in checks)])
    rounded: dict[str, None] = {}
    with data.scanned() as source:
        reader = step.database.connection.sql(f"SELECT {wanted} FROM {source}").to_arrow_reader(size)
        for batch in reader:
            for (column, _), unfit in zip(checks, batch.columns[len(columns) :], strict=True):
                if unfit.true_count:
                    if _is_whole(column.type):
                        raise _too_large(column)
                    rounded[column.name] = None
            yield list(zip(*(column.to_pylist() for column in batch.columns[: len(columns)]), strict=True))
    if rounded:
        step.warn(
            f"SQLite has floating-point numbers only, and some here have more digits than those keep (about 15): the "
            f"last ones were lost in {', '.join(rounded)}. To keep them, write text: CAST(x AS VARCHAR)."
        )


def _too_large(column: Column) -> ExecutionError:
    error = ExecutionError(
        f"The column {column.name} holds a whole number that is too large for SQLite (64 bits).",
        hint=f"Cast it in a SQL step: CAST({quote_name(column.name)} AS VARCHAR) keeps all digits.",
    )
    error.category = ErrorCategory.DATA
    return error


def _is_whole(kind: str) -> bool:
    """Whether numbers of a DuckDB type are whole, and may be too large for SQLite."""
    return kind in _LARGE or (kind.startswith("DECIMAL") and _scale(kind) == "0")


def _scale(kind: str) -> str:
    return kind.rstrip(")").rpartition(",")[2].strip()


def _unfit(column: Column) -> str:
    """What is true in DuckDB for a value that SQLite cannot hold, or not with all its digits; empty: it holds all."""
    name, kind = quote_name(column.name), column.type
    if _is_whole(kind):
        return f"{name} IS NOT NULL AND TRY_CAST({name} AS BIGINT) IS NULL"
    if kind.startswith("DECIMAL") and int(kind.partition("(")[2].partition(",")[0]) > _SURE_DIGITS:
        # By its shortest text, which is what everybody will see of it.
        return f"TRY_CAST(CAST(CAST({name} AS DOUBLE) AS VARCHAR) AS {kind}) IS DISTINCT FROM {name}"
    return ""


def _expression(column: Column) -> str:
    """The column in DuckDB's select list, as a number, a text or bytes."""
    name, kind = quote_name(column.name), column.type
    if kind == "BOOLEAN":
        return f"CAST({name} AS INTEGER) AS {name}"
    if _is_whole(kind):
        return f"TRY_CAST({name} AS BIGINT) AS {name}"
    if kind.startswith("DECIMAL"):
        return f"CAST({name} AS DOUBLE) AS {name}"
    if kind in _STORED:
        return name
    return f"CAST({name} AS VARCHAR) AS {name}"


_SURE_DIGITS = 15  # so many every floating-point number keeps
_LARGE = frozenset({"HUGEINT", "UHUGEINT", "UBIGINT"})
_STORED = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "FLOAT",
        "DOUBLE",
        "VARCHAR",
        "BLOB",
    }
)
_TYPES = {"BOOLEAN": "BOOLEAN", "FLOAT": "REAL", "DOUBLE": "REAL", "BLOB": "BLOB", "DATE": "DATE"}


def _sqlite_type(kind: str) -> str:
    """The declared type in SQLite of a DuckDB type."""
    if kind in _TYPES:
        return _TYPES[kind]
    if _is_whole(kind) or ("INT" in kind and kind in _STORED):
        return "INTEGER"
    if kind.startswith("DECIMAL"):
        return "REAL"
    return "TIMESTAMP" if kind == "TIMESTAMP" else "TEXT"
