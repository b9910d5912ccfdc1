"""Reading from SQLite, as a stream of Arrow batches."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.filesystem.sources import readable
from osiris.drivers.paths import Place
from osiris.drivers.sqlite.database import explained, making_a_view, only_reading, open_read_only
from osiris.drivers.sqlite.types import Declared, Typed, find_types, first_odd_row
from osiris.sql.columns import quote_name
from osiris.sql.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

_VIEW = "osiris_query"


class SqliteExtractor:
    """Reads a table, or what a query returns, without a chance to change the database.

    The types of the columns are found as ``osiris.drivers.sqlite.types`` says. A column computed by a query that has no
    value at all (as on a day without rows) has a type that binds with everything. When a column declared as numbers
    holds text or bytes and so is read as that, a ``step_progress`` event with a ``warning`` says so.
    """

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        step = step_context(ctx)
        place = readable(step.path(config, base_key=None))
        rows = _Rows(place, config, step)
        return {"df": rows.dataset()}


class _Rows:
    """The rows of one read: the connection, its cursor, and what became of them."""

    def __init__(self, place: Place, config: dict[str, Any], step: StepContext) -> None:
        self.place = place
        self.step = step
        self.batch_size = int(config.get("batch_size") or 10_000)
        self.failure: BaseException | None = None
        try:
            self.connection = open_read_only(place)
            with step.stopper.through(self.connection.interrupt):
                self.connection.execute("BEGIN")  # both passes see the same state of the database
                source, declared = self._source(config)
                limit = config.get("limit")
                if limit is not None:
                    source = f"(SELECT * FROM {source} LIMIT {int(limit)})"
                self.columns = find_types(self.connection, source, declared)
                self._warn(source)
                wanted = ", ".join(f"{column.expression} AS {quote_name(column.name)}" for column in self.columns)
                self.cursor = self.connection.execute(f"SELECT {wanted} FROM {source}")
        except sqlite3.Error as error:
            step.checkpoint()
            raise explained(error, place.shown, "read") from error

    def _warn(self, source: str) -> None:
        """Say where a column of numbers holds something else; never what it holds."""
        for column in self.columns:
            if column.odd and (row := first_odd_row(self.connection, source, column)):
                what = "bytes" if column.kind == "blob" else "text"
                self.step.warn(
                    f"The column {column.name} of {self.place.shown} is declared as numbers but holds {what}, first in "
                    f"row {row}: the whole column is read as {what}."
                )

    def _source(self, config: dict[str, Any]) -> tuple[str, Sequence[Declared]]:
        """What stands behind FROM, and its wanted columns."""
        table = config.get("table")
        if table:
            self._must_exist(table)
            source = f"main.{quote_name(table)}"
            declared = self._declared(table, "main")
        else:
            self.connection.set_authorizer(making_a_view)
            try:
                # A view takes exactly one SELECT, and knows the declared types of its columns.
                self.connection.execute(f"CREATE TEMP VIEW {_VIEW} AS {config.get('query') or ''}")
            finally:
                self.connection.set_authorizer(None)
            source = f"temp.{_VIEW}"
            declared = self._declared(_VIEW, "temp")
        self.connection.set_authorizer(only_reading)
        wanted = config.get("columns")
        if wanted:
            known = {column.name.lower(): column for column in declared}
            missing = [name for name in wanted if name.lower() not in known]
            if missing:
                raise ConfigurationError(
                    f"{table or 'The result of the query'} has no column {missing[0]}.",
                    hint=f"Its columns: {', '.join(column.name for column in declared)}.",
                )
            declared = [known[name.lower()] for name in wanted]
        return source, declared

    def _must_exist(self, table: str) -> None:
        rows = self.connection.execute(
            "SELECT name FROM main.sqlite_master"
            " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
        ).fetchall()
        names = [str(row[0]) for row in rows]
        if table.lower() not in {name.lower() for name in names}:
            known = ", ".join(sorted(names)) or "none"
            raise ConfigurationError(
                f"{self.place.shown} has no table or view {table}.", hint=f"Tables and views in it: {known}."
            )

    def _declared(self, name: str, schema: str) -> list[Declared]:
        # table_info leaves out generated columns, which SELECT * has; 1 are those that it does not have either.
        query = "SELECT name, type FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1"
        rows = self.connection.execute(query, (name, schema)).fetchall()
        return [Declared(str(row[0]), str(row[1] or "")) for row in rows]

    def dataset(self) -> Dataset:
        """The rows as a stream, read when somebody asks for them."""
        import pyarrow as pa

        schema = pa.schema([(column.name, column.arrow()) for column in self.columns])
        reader = pa.RecordBatchReader.from_batches(schema, self._batches(schema))
        return Dataset(self.step.database, stream=reader, failure=lambda: self.failure)

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        count = 0
        try:
            with self.step.stopper.through(self.connection.interrupt):
                while rows := self.cursor.fetchmany(self.batch_size):
                    count += len(rows)
                    values = zip(*rows, strict=True)
                    arrays = [
                        pa.array(_python(column, cells), type=field.type)
                        for column, cells, field in zip(self.columns, values, schema, strict=True)
                    ]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            self.step.log_metric("rows_read", count, unit="rows")
        except sqlite3.Error as error:
            self.failure = explained(error, self.place.shown, "read")
            raise self.failure from error
        except Exception as error:  # remembered, since DuckDB tells only its text
            self.failure = error
            raise
        finally:
            self.cursor.close()
            self.connection.close()


def _python(column: Typed, cells: Sequence[Any]) -> Sequence[Any]:
    """The values of a column as pyarrow wants them for its type."""
    if column.kind == "boolean":
        return [None if cell is None else bool(cell) for cell in cells]
    if column.kind == "date":
        return [None if cell is None else datetime.date.fromisoformat(cell) for cell in cells]
    if column.kind == "timestamp":
        return [None if cell is None else datetime.datetime.fromisoformat(cell) for cell in cells]
    return cells
