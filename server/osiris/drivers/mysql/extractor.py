"""Reading from MySQL and MariaDB, as a stream of Arrow batches."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pymysql

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.extractor_columns import Columns
from osiris.drivers.mysql.extractor_rows import Cells, cell_batches
from osiris.drivers.mysql.extractor_types import Field
from osiris.drivers.mysql.joined_query import can_be_columns, described, is_no_table, may_be_joined
from osiris.drivers.mysql.session import StepSession
from osiris.drivers.mysql.statements import one_select
from osiris.drivers.read_ahead import ReadAhead
from osiris.sql.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

_SETTINGS = (
    "SET SESSION net_write_timeout = 86400",  # the steps after this one take their time
)
_OF_QUERY = "The result of the query"
# Modes of MariaDB in which CONCAT takes NULL for an empty text, or an empty text is NULL: lines would not be true.
_NULL_IS_TEXT = frozenset({"ORACLE", "EMPTY_STRING_IS_NULL"})
_AHEAD = 2  # batches that are taken from the server before they are wanted
_CLOSE_SECONDS = 5.0
_ALL_ROWS = 18_446_744_073_709_551_615


class MySQLExtractor:
    """Reads a table, or what a query returns, in a session that cannot write.

    Types are those that the server names, see ``extractor_types``. A TIMESTAMP is told in UTC.
    """

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        rows = _Rows(config, step_context(ctx))
        return {"df": rows.dataset()}


class _Rows:
    """The rows of one read: the connection, the columns, and what became of them."""

    def __init__(self, config: dict[str, Any], step: StepContext) -> None:
        self.step = step
        self.batch_size = int(config.get("batch_size") or 10_000)
        self.failure: BaseException | None = None
        self._told: set[str] = set()
        self.skip = 0
        self.most: int | None = None
        query = config.get("query")
        statement = one_select(query) if query else ""
        self.session = StepSession(config, step, _SETTINGS)
        try:
            if query:
                self._choose(config)
                if not self._start_joined(statement, config):
                    self._start(statement)
                    self._take_each(config)
            else:
                statement, self.columns = self._table_query(config)
                self._start(statement)
        except BaseException:
            self.session.close()
            raise

    def _start(self, statement: str) -> None:
        """Send the statement; its columns are known when this returns, its rows are still to come."""
        connection = self.session.connection
        with self.session.stoppable():
            connection.query(statement, unbuffered=True)
            self._result = connection._result
        if not self._result.field_count:
            raise ConfigurationError("The query returns no rows and no columns.", hint="Write one SELECT.")
        self._result.unbuffered_active = False  # we take the rows from here on

    def _choose(self, config: dict[str, Any]) -> None:
        """Columns and rows of a query are chosen here: put around it, they could change what it means."""
        self.skip = int(config.get("offset") or 0)
        limit = config.get("limit")
        self.most = None if limit is None else int(limit)

    def _start_joined(self, statement: str, config: dict[str, Any]) -> bool:
        """Send a query so that the server joins the cells of a row; False when it is none for that."""
        if not may_be_joined(statement):
            return False
        connection = self.session.connection
        with self.session.stoppable():
            found = described(connection, statement)
        if not found:
            return False
        wanted = _places(found, config.get("columns"), _OF_QUERY)
        columns = Columns.joined([found[place] for place in wanted], self._longest_line())
        if not columns.together or not can_be_columns(found, wanted):
            return False
        with self.session.stoppable():
            try:
                connection.query(
                    f"SELECT {columns.select_list()} FROM (\n{statement}\n) AS osiris_query", unbuffered=True
                )
            except pymysql.MySQLError as error:
                if not is_no_table(error):
                    raise
                return False
        self._result = connection._result
        self._result.unbuffered_active = False
        self.columns = columns
        return True

    def _take_each(self, config: dict[str, Any]) -> None:
        found = [Field.of(packet) for packet in self._result.fields]
        self.columns = Columns.each_alone(found, _places(found, config.get("columns"), _OF_QUERY))
        for field in self.columns.fields:
            if field.kind == "float":
                self.step.warn(
                    f"MySQL gives the column {field.name} of the query, a FLOAT, with six digits only. "
                    "CAST(... AS DOUBLE) in the query gives all."
                )

    def _longest_line(self) -> int:
        """The bytes that the server can put into one value, 0 where it shall not join the cells of a row."""
        most, modes = self.session.rows("SELECT @@max_allowed_packet, @@sql_mode")[0]
        return 0 if _NULL_IS_TEXT.intersection(str(modes).split(",")) else int(most)

    def _table_query(self, config: dict[str, Any]) -> tuple[str, Columns]:
        """The statement that reads the table, and the columns it yields."""
        schema, table = self.session.place_of(config)
        self._must_exist(schema, table)
        source = f"{quote_name(schema)}.{quote_name(table)}"
        with self.session.stoppable(), self.session.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {source} LIMIT 0")
            found = [Field.of(packet) for packet in cursor._result.fields]
        chosen = [found[place] for place in _places(found, config.get("columns"), f"The table {table}")]
        columns = Columns.joined(chosen, self._longest_line())
        query = f"SELECT {columns.select_list()} FROM {source}"
        limit, offset = config.get("limit"), int(config.get("offset") or 0)
        if limit is not None or offset:
            query += f" LIMIT {_ALL_ROWS if limit is None else int(limit)} OFFSET {offset}"
        return query, columns

    def _must_exist(self, schema: str, table: str) -> None:
        names = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"
        known = [str(row[0]) for row in self.session.rows(names, [schema])]
        if table in known or table.lower() in {name.lower() for name in known}:
            return  # whether case matters is the server's affair
        listed = ", ".join(known[:50]) + (", ..." if len(known) > 50 else "")
        raise ConfigurationError(
            f"The database {schema} of {self.session.peer.place} has no table or view {table}, or the user "
            f"{self.session.peer.user} may not see it.",
            hint=f"Tables and views in it: {listed or 'none'}.",
        )

    def dataset(self) -> Dataset:
        """The rows as a stream, read when somebody asks for them."""
        import pyarrow as pa

        schema = pa.schema([pa.field(field.name, field.arrow()) for field in self.columns.fields])
        ahead = ReadAhead(self._batches(schema), _AHEAD)
        reader = pa.RecordBatchReader.from_batches(schema, self._handed_on(ahead))
        return Dataset(self.step.database, stream=reader, failure=lambda: self.failure)

    def _handed_on(self, ahead: ReadAhead[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        count = 0
        try:
            with self.session.stoppable():
                for batch in ahead:
                    count += batch.num_rows
                    yield batch
            self.step.log_metric("rows_read", count, unit="rows")
        except Exception as error:  # remembered, since DuckDB tells only its text
            self.failure = error
            raise
        finally:
            self.session.cut()
            ahead.close(_CLOSE_SECONDS)
            self.session.close()

    def _batches(self, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
        import pyarrow as pa

        for cells in self._chosen_rows():
            yield pa.RecordBatch.from_arrays(self.columns.arrays(cells, self._no_date), schema=schema)

    def _chosen_rows(self) -> Iterator[Cells]:
        """The rows in batches, without those that ``offset`` and ``limit`` leave out."""
        width = self.columns.width
        skip, left = self.skip * width, None if self.most is None else self.most * width
        for cells in cell_batches(self.session.connection, width, self.batch_size):
            if skip:
                skipped = min(skip, len(cells))
                skip -= skipped
                cells = cells[skipped:]
            if left is not None:
                cells = cells[:left]
                left -= len(cells)
            if cells:
                yield cells
            if left == 0:
                return

    def _no_date(self, field: Field) -> None:
        if field.name not in self._told:
            self._told.add(field.name)
            self.step.warn(
                f"The column {field.name} holds values that are no date of the calendar, such as 0000-00-00: they are "
                "read as NULL."
            )


def _places(found: Sequence[Field], names: Sequence[str] | None, of_what: str) -> Sequence[int]:
    if not names:
        return range(len(found))
    known = {field.name.lower(): place for place, field in reversed(list(enumerate(found)))}
    missing = [name for name in names if name.lower() not in known]
    if missing:
        raise ConfigurationError(
            f"{of_what} has no column {missing[0]}.",
            hint=f"Its columns: {', '.join(field.name for field in found)}.",
        )
    return [known[name.lower()] for name in names]
