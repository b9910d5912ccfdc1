"""Writing into a DuckDB database file, in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.duckdb.database import explained, is_held_here, open_database
from osiris.drivers.journal import Entry, FileJournal, WrittenBefore
from osiris.drivers.paths import Place
from osiris.drivers.targets import complete_file, prepare_folder, require_key
from osiris.sql.columns import Column, quote_name, quote_names, table_definition
from osiris.sql.dataset import BATCH_ROWS, Dataset

if TYPE_CHECKING:
    import duckdb

_STAGE = '"temp"."main"."osiris_rows"'
_AS_TEXT = frozenset({"HUGEINT", "UHUGEINT", "BIT", "TIME WITH TIME ZONE"})  # Arrow would change their values


class DuckdbWriter:
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
                if target.path.is_dir():
                    raise ConfigurationError(f"Cannot write {target.shown}: it is a folder.", hint="Name a file.")
                if data.once and is_held_here(target.path, step):
                    data = data.keep()  # its rows come from this very database, which is closed when all are read
                rows = self._write(target.path, target, data, config, step)
            else:
                rows = self._write_new(target, data, config, step)
        except WrittenBefore:
            return {}
        step.wrote(rows, target)
        return {}

    def _write_new(self, target: Place, data: Dataset, config: dict[str, Any], step: StepContext) -> int:
        """Make the database, which appears under its name with all rows in it."""
        if _log_of(target.path).exists():
            raise ConfigurationError(
                f"There is no {target.shown}, but its log {target.shown}.wal, with changes that belong to it.",
                hint="Put the database back, or remove the log.",
            )
        prepare_folder(target, create_dirs=True)
        part = step.temporary(target.path)
        with complete_file(target, part, create_dirs=True):
            log = _log_of(part)
            log.unlink(missing_ok=True)
            try:
                rows = self._write(part, target, data, config, step)
                if log.exists():  # DuckDB puts what is in it into the database when that is closed
                    raise ExecutionError(f"Cannot write to {target.shown}: not everything came into the new database.")
            finally:
                with contextlib.suppress(OSError):
                    log.unlink(missing_ok=True)
        return rows

    def _write(self, path: Path, target: Place, data: Dataset, config: dict[str, Any], step: StepContext) -> int:
        import duckdb

        connection = open_database(path, target, step, write=True)
        with contextlib.closing(connection):
            with step.stopper.through(connection.interrupt):
                count = self._fill(connection, path, target, data, config, step)
            # Not interrupted any more: nobody would know whether it was final when that came.
            try:
                connection.execute("COMMIT")
            except duckdb.Error as error:
                raise explained(error, target, "write to", path) from error
        return count

    def _fill(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        target: Place,
        data: Dataset,
        config: dict[str, Any],
        step: StepContext,
    ) -> int:
        """Begin a transaction and bring in the rows; how many there were."""
        import duckdb

        columns = data.columns
        try:
            connection.execute("BEGIN")
            table = _Table(connection, config, target.shown)
            entry = Entry.of(step, table.schema, table.table)
            journal = FileJournal(connection, step, entry, target.shown, appends=table.may_append(step))
            journal.begin()
            table.prepare(columns)
        except duckdb.Error as error:
            step.checkpoint()
            raise explained(error, target, "write to", path) from error
        with data.scanned() as source:
            wanted = ", ".join(_handed_over(column) for column in columns)
            reader = step.database.connection.sql(f"SELECT {wanted} FROM {source}").to_arrow_reader(BATCH_ROWS)
            stream = _Stream(reader, step)
            try:
                table.add(stream.reader())
            except duckdb.Error as error:
                step.checkpoint()
                if stream.failure is not None:  # DuckDB hands on no more than its text
                    raise stream.failure from None
                raise explained(error, target, "write to", path) from error
        try:
            if table.finish():
                journal.rows_appended()
            step.checkpoint()
            journal.enter()
        except duckdb.Error as error:
            step.checkpoint()
            raise explained(error, target, "write to", path) from error
        return stream.count


class _Stream:
    """The rows on their way into the database: counted, and stopped when the step is."""

    def __init__(self, source: Any, step: StepContext) -> None:
        self.source = source
        self.step = step
        self.count = 0
        self.failure: BaseException | None = None

    def reader(self) -> Any:
        """The rows as an Arrow reader; one for all, since DuckDB holds what it was given until the transaction ends."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self.source.schema, self._batches())

    def _batches(self) -> Iterator[Any]:
        try:
            for batch in self.source:
                yield batch
                self.count += batch.num_rows
                self.step.advance(batch.num_rows, batch.nbytes)
                self.step.checkpoint()
        except BaseException as error:
            self.failure = error
            raise


class _Table:
    """The table that is written to."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, config: dict[str, Any], shown: str) -> None:
        self.connection = connection
        self.table: str = config["table"]
        self.schema: str = config.get("schema") or "main"
        self.name = self.table if self.schema == "main" else f"{self.schema}.{self.table}"
        self.quoted = f"{quote_name(self.schema)}.{quote_name(self.table)}"
        self.mode: str = config.get("write_mode") or "append"
        key = config.get("primary_key") or []
        self.key: list[str] = [key] if isinstance(key, str) else list(key)
        self.create: bool = config.get("create_table", True)
        self.shown = shown
        self.columns: Sequence[Column] = ()

    def may_append(self, step: StepContext) -> bool:
        """Whether rows are added beside what is there, or were by the run that this one goes on with."""
        return self.mode == "append" or (self.mode == "upsert" and step.in_doubt_since is not None)

    def prepare(self, columns: Sequence[Column]) -> None:
        """Make the table when it is missing, empty it for ``replace``. Raises ConfigurationError, duckdb.Error."""
        self.columns = columns
        require_key(self.key, columns)
        existing = self._existing()
        if not existing:
            self._create()
        else:
            self._match(existing)
        if self.mode == "upsert":
            self.connection.execute(table_definition("osiris_rows", columns).replace("CREATE", "CREATE TEMP", 1))

    def _match(self, existing: dict[str, str]) -> None:
        foreign = [column.name for column in self.columns if column.name.lower() not in existing]
        if foreign:
            raise ConfigurationError(
                f"The table {self.name} in {self.shown} has no column {foreign[0]}, which the data has.",
                hint=f"Its columns: {', '.join(existing.values())}.",
            )
        if self.mode == "replace":
            self.connection.execute(f"DELETE FROM {self.quoted}")
        if self.mode == "upsert":
            self._needs_unique_key()

    def _create(self) -> None:
        if not self.create:
            raise ConfigurationError(
                f"There is no table {self.name} in {self.shown}.", hint="Make it, or set create_table: true."
            )
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_name(self.schema)}")
        parts = [f"{quote_name(column.name)} {_stored_type(column.type)}" for column in self.columns]
        if self.key:
            parts.append(f"PRIMARY KEY ({quote_names(self.key)})")
        self.connection.execute(f"CREATE TABLE {self.quoted} ({', '.join(parts)})")

    def add(self, rows: Any) -> None:
        """Take the rows of an Arrow reader. Raises duckdb.Error."""
        target = _STAGE if self.mode == "upsert" else self.quoted
        values = ", ".join(
            f"CAST({quote_name(c.name)} AS {c.type})" if c.type in _AS_TEXT else quote_name(c.name)
            for c in self.columns
        )
        self.connection.register("osiris_batch", rows)
        names = quote_names(column.name for column in self.columns)
        self.connection.execute(f"INSERT INTO {target} ({names}) SELECT {values} FROM osiris_batch")
        self.connection.unregister("osiris_batch")  # not after an error: it would be told instead

    def finish(self) -> bool:
        """Bring the rows of an upsert into the table; of two with one key the later one counts. Raises duckdb.Error.

        Whether some had NULL in their key, and would be there twice if they came again.
        """
        if self.mode != "upsert":
            return False
        names = [column.name for column in self.columns]
        wanted = {name.lower() for name in self.key}
        updates = [f"{quote_name(n)} = excluded.{quote_name(n)}" for n in names if n.lower() not in wanted]
        action = f"UPDATE SET {', '.join(updates)}" if updates else "NOTHING"
        key = quote_names(self.key)
        no_key = " OR ".join(f"{quote_name(name)} IS NULL" for name in self.key)  # equal to no other row
        into = f"INSERT INTO {self.quoted} ({quote_names(names)}) SELECT {quote_names(names)} FROM {_STAGE} WHERE"
        self.connection.execute(
            f"{into} rowid IN (SELECT max(rowid) FROM {_STAGE} WHERE NOT ({no_key}) GROUP BY {key})"
            f" ORDER BY rowid ON CONFLICT ({key}) DO {action}"
        )
        # By themselves: in one statement with ON CONFLICT, DuckDB takes two of them for the same row.
        ((appended,),) = self.connection.execute(f"{into} {no_key} ORDER BY rowid").fetchall()
        self.connection.execute(f"DROP TABLE {_STAGE}")
        return bool(appended)

    def _existing(self) -> dict[str, str]:
        """The columns of the table by their names in lower case; none when there is no such table."""
        kinds = self.connection.execute(
            "SELECT table_type FROM information_schema.tables WHERE table_catalog = current_database()"
            " AND lower(table_schema) = lower(?) AND lower(table_name) = lower(?)",
            [self.schema, self.table],
        ).fetchall()
        if kinds and kinds[0][0] == "VIEW":
            raise ConfigurationError(f"{self.name} is a view; rows are written to tables.", hint="Name a table.")
        rows = self.connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database()"
            " AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?) ORDER BY column_index",
            [self.schema, self.table],
        ).fetchall()
        return {str(row[0]).lower(): str(row[0]) for row in rows}

    def _needs_unique_key(self) -> None:
        wanted = {name.lower() for name in self.key}
        rows = self.connection.execute(
            "SELECT constraint_column_names FROM duckdb_constraints() WHERE database_name = current_database()"
            " AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)"
            " AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')",
            [self.schema, self.table],
        ).fetchall()
        if any({str(name).lower() for name in row[0]} == wanted for row in rows):
            return
        raise ConfigurationError(
            f"The table {self.name} in {self.shown} has no primary key or unique constraint over "
            f"{', '.join(self.key) or 'any column'}, so rows cannot be matched.",
            hint="Name the table's own key in primary_key, or make the table anew with such a key.",
        )


def _handed_over(column: Column) -> str:
    """The column in the select list of the run's database, as Arrow keeps it whole."""
    name = quote_name(column.name)
    return f"CAST({name} AS VARCHAR) AS {name}" if column.type in _AS_TEXT else name


def _stored_type(kind: str) -> str:
    """The type of the column in a table that is made: a column of nothing but NULL is text."""
    return "VARCHAR" if kind == '"NULL"' else kind


def _log_of(path: Path) -> Path:
    """The log that DuckDB keeps beside a database."""
    return path.with_name(f"{path.name}.wal")
