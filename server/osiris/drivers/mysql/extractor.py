"""Reading from MySQL and MariaDB, as a stream of Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.extractor_rows import row_batches
from osiris.drivers.mysql.extractor_types import Field
from osiris.drivers.mysql.session import StepSession
from osiris.drivers.mysql.statements import one_select
from osiris.sql.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

_SETTINGS = (
    "SET SESSION time_zone = '+00:00'",  # TIMESTAMP is a point in time, told in the session's zone
    "SET SESSION net_write_timeout = 86400",  # the steps after this one take their time
    "SET SESSION sql_select_limit = DEFAULT",
)
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
                self._start(statement)
                self._choose(config)
            else:
                statement, fields = self._table_query(config)
                self._start(statement)
                self.fields = fields  # of a FLOAT, what it is declared as
                self.wanted: Sequence[int] = range(len(self.fields))
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
        self.fields = [Field.of(packet) for packet in self._result.fields]

    def _choose(self, config: dict[str, Any]) -> None:
        """Columns and rows of a query are chosen here: put around it, they could change what it means."""
        self.skip = int(config.get("offset") or 0)
        limit = config.get("limit")
        self.most = None if limit is None else int(limit)
        self.wanted = self._places(config.get("columns"), "The result of the query")
        for place in self.wanted:
            if self.fields[place].kind == "float":
                self.step.warn(
                    f"MySQL gives the column {self.fields[place].name} of the query, a FLOAT, with six digits only. "
                    "CAST(... AS DOUBLE) in the query gives all."
                )

    def _places(self, names: Sequence[str] | None, of_what: str) -> Sequence[int]:
        if not names:
            return range(len(self.fields))
        known = {field.name.lower(): place for place, field in reversed(list(enumerate(self.fields)))}
        missing = [name for name in names if name.lower() not in known]
        if missing:
            raise ConfigurationError(
                f"{of_what} has no column {missing[0]}.",
                hint=f"Its columns: {', '.join(field.name for field in self.fields)}.",
            )
        return [known[name.lower()] for name in names]

    def _table_query(self, config: dict[str, Any]) -> tuple[str, list[Field]]:
        """The statement that reads the table, and the columns it yields."""
        schema, table = self.session.place_of(config)
        self._must_exist(schema, table)
        source = f"{quote_name(schema)}.{quote_name(table)}"
        with self.session.stoppable(), self.session.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {source} LIMIT 0")
            self.fields = [Field.of(packet) for packet in cursor._result.fields]
        chosen = [self.fields[place] for place in self._places(config.get("columns"), f"The table {table}")]
        query = f"SELECT {', '.join(map(_expression, chosen))} FROM {source}"
        limit, offset = config.get("limit"), int(config.get("offset") or 0)
        if limit is not None or offset:
            query += f" LIMIT {_ALL_ROWS if limit is None else int(limit)} OFFSET {offset}"
        return query, chosen

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

        fields = [self.fields[place] for place in self.wanted]
        schema = pa.schema([pa.field(field.name, field.arrow()) for field in fields])
        reader = pa.RecordBatchReader.from_batches(schema, self._batches(fields, schema))
        return Dataset(self.step.database, stream=reader, failure=lambda: self.failure)

    def _batches(self, fields: Sequence[Field], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        count = 0
        try:
            with self.session.stoppable():
                for rows in self._chosen_rows():
                    cells = list(zip(*rows, strict=True))
                    arrays = [
                        field.array(cells[place], self._no_date)
                        for field, place in zip(fields, self.wanted, strict=True)
                    ]
                    count += len(rows)
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            self.step.log_metric("rows_read", count, unit="rows")
        except Exception as error:  # remembered, since DuckDB tells only its text
            self.failure = error
            raise
        finally:
            self.session.close()

    def _chosen_rows(self) -> Iterator[list[list[bytes | None]]]:
        """The rows in batches, without those that ``offset`` and ``limit`` leave out."""
        skip, left = self.skip, self.most
        for rows in row_batches(self.session.connection, len(self.fields), self.batch_size):
            if skip:
                skipped = min(skip, len(rows))
                skip -= skipped
                rows = rows[skipped:]
            if left is not None:
                rows = list(islice(rows, left))
                left -= len(rows)
            if rows:
                yield rows
            if left == 0:
                return

    def _no_date(self, field: Field) -> None:
        if field.name not in self._told:
            self._told.add(field.name)
            self.step.warn(
                f"The column {field.name} holds values that are no date of the calendar, such as 0000-00-00: they are "
                "read as NULL."
            )


def _expression(field: Field) -> str:
    """The column in the select list. A FLOAT is written with six digits, but all of them as a DOUBLE."""
    name = quote_name(field.name)
    return f"{name} + 0e0 AS {name}" if field.kind == "float" else name
