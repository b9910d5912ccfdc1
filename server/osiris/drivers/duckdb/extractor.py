"""Reading from a DuckDB database file, as a stream of Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from osiris.core.error_taxonomy import ConfigurationError, ValidationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, step_context
from osiris.drivers.duckdb.database import explained, open_database
from osiris.drivers.filesystem.sources import limited, projection, readable
from osiris.drivers.paths import Place
from osiris.sql.columns import Column, quote_name
from osiris.sql.dataset import BATCH_ROWS, Dataset
from osiris.sql.gate import engine_message, without_semicolon

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class DuckdbExtractor:
    """Reads a table, or what a query returns, from a database that is opened read-only and sees no other file."""

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows as a Dataset that can be read once. Raises OsirisError."""
        step = step_context(ctx)
        place = step.path(config, base_key=None)
        if not place.path.is_file():
            readable(place)
        return {"df": _Rows(place, config, step).dataset()}


class _Rows:
    """The rows of one read: the connection, and what became of them."""

    def __init__(self, place: Place, config: dict[str, Any], step: StepContext) -> None:
        import duckdb

        self.place = place
        self.step = step
        self.failure: BaseException | None = None
        self.connection = open_database(place.path, place, step, write=False)
        try:
            with step.stopper.through(self.connection.interrupt):
                source = self._source(config)
                described = self.connection.execute(f"DESCRIBE FROM {source}").fetchall()
                columns = [Column(row[0], row[1]) for row in described]
                wanted, _ = projection(columns, config, str(config.get("table") or "The result of the query"))
                # A relation, since `execute` would compute everything first.
                relation = self.connection.sql(f"SELECT {wanted} FROM {source}{limited(config)}")
                self.reader: pa.RecordBatchReader = relation.to_arrow_reader(BATCH_ROWS)
        except duckdb.Error as error:
            self.connection.close()
            step.checkpoint()
            raise explained(error, place, "read") from error
        except BaseException:
            self.connection.close()
            raise

    def _source(self, config: dict[str, Any]) -> str:
        """What stands behind FROM."""
        table = config.get("table")
        if not table:
            return f"(\n{_single_query(self.connection, str(config.get('query') or ''))}\n)"
        schema = str(config.get("schema") or "main")
        names = self._tables(schema)
        if table.lower() not in {name.lower() for name in names}:
            known = ", ".join(names) or "none"
            where = "it" if schema.lower() == "main" else f"its schema {schema}"
            raise ConfigurationError(
                f"{self.place.shown} has no table or view {_full(schema, table)}.",
                hint=f"Tables and views in {where}: {known}.",
            )
        return f"{quote_name(schema)}.{quote_name(table)}"

    def _tables(self, schema: str) -> list[str]:
        rows = self.connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_catalog = current_database() AND lower(table_schema) = lower(?) ORDER BY 1",
            [schema],
        ).fetchall()
        return [str(row[0]) for row in rows]

    def dataset(self) -> Dataset:
        """The rows as a stream, read when somebody asks for them."""
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_batches(self.reader.schema, self._batches())
        return Dataset(self.step.database, stream=reader, failure=lambda: self.failure)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        import duckdb
        import pyarrow as pa

        count = 0
        try:
            with self.step.stopper.through(self.connection.interrupt):
                for batch in self.reader:
                    count += batch.num_rows
                    yield batch
            self.step.log_metric("rows_read", count, unit="rows")
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            known = error if isinstance(error, duckdb.Error) else duckdb.Error(str(error))
            self.failure = explained(known, self.place, "read")
            raise self.failure from error
        except Exception as error:  # remembered, since DuckDB tells only its text
            self.failure = error
            raise
        finally:
            self.reader.close()
            self.connection.close()


def _single_query(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The one statement of ``query``, without its semicolon. Raises ValidationError for any other text."""
    import duckdb

    try:
        statements: Sequence[duckdb.Statement] = connection.extract_statements(query)
    except duckdb.Error as error:
        raise ValidationError(f"The query is no SQL of DuckDB: {engine_message(error)}.") from error
    if len(statements) != 1:
        raise ValidationError(
            f"query holds {len(statements)} statements; it must be exactly one that returns rows.",
            hint="Use WITH for intermediate results, or one step for each.",
        )
    if statements[0].type != duckdb.StatementType.SELECT:
        raise ValidationError(
            f"query is a statement of the kind {statements[0].type.name}; only one that returns rows is allowed.",
            hint="Begin it with SELECT, WITH or FROM.",
        )
    return without_semicolon(statements[0].query)


def _full(schema: str, table: str) -> str:
    return table if schema.lower() == "main" else f"{schema}.{table}"
