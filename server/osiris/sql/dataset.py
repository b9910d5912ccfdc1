"""What a step hands to the next one: rows that are not computed before somebody needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from osiris.sql.columns import Column
from osiris.sql.database import RunDatabase

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

BATCH_ROWS = 65_536


class Dataset:
    """Rows with named, typed columns: a query not yet run, a kept table, or a stream that can be read once.

    ``rows`` is the number of rows where it is known without counting; ``depth`` how many lazy queries are nested in it.
    """

    def __init__(
        self,
        database: RunDatabase,
        source: str | None = None,
        *,
        stream: Any = None,
        columns: tuple[Column, ...] | None = None,
        rows: int | None = None,
        depth: int = 0,
        failure: Callable[[], BaseException | None] | None = None,
    ) -> None:
        """Wrap ``source`` (what may stand behind FROM) or ``stream`` (an Arrow reader).

        ``failure`` says what broke the stream, since that is lost on its way through Arrow and DuckDB.
        """
        if (source is None) == (stream is None):
            raise ValueError("a Dataset has either a source or a stream")
        self._database = database
        self._source = source
        self._stream = stream
        self._columns = columns
        self.failure = failure or (lambda: None)
        self.rows = rows
        self.depth = depth
        self._held = source if source is not None and source.startswith('"') else None
        self._counter: Callable[[int, int], None] | None = None

    @classmethod
    def query(
        cls, database: RunDatabase, sql: str, *, columns: tuple[Column, ...] | None = None, depth: int = 0
    ) -> Dataset:
        """The rows that ``sql`` (one trusted or checked SELECT) returns when it is run."""
        return cls(database, f"({sql})", columns=columns, depth=depth)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Names and DuckDB types, in the user's order. Raises duckdb.Error when the source cannot be opened."""
        if self._columns is None:
            if self._stream is not None:
                with self._registered(self._stream.schema.empty_table()) as name:
                    self._columns = self._database.describe(name)
            else:
                self._columns = self._database.describe(self.source)
        return self._columns

    @property
    def once(self) -> bool:
        """Whether the rows can be read only once."""
        return self._stream is not None

    @property
    def source(self) -> str:
        """What stands behind FROM to read the rows. Raises ValueError for a stream: read or ``keep`` that."""
        if self._source is None:
            raise ValueError("a stream has no source; keep it first")
        if self._held is not None:
            self._database.show(self._held)  # another thread may have made it
        return self._source

    def count_by(self, counter: Callable[[int, int], None]) -> None:
        """Call ``counter`` with the rows and bytes of each batch of a stream as it goes through."""
        self._counter = counter

    def through(self, way: Callable[[Any], Any]) -> None:
        """Lead a stream through ``way``, which makes another Arrow reader of it, before it is read."""
        if self._stream is not None:
            self._stream = way(self._stream)

    @contextmanager
    def scanned(self) -> Iterator[str]:
        """The source for exactly one scan, also of a stream."""
        if self._source is not None:
            yield self.source
            return
        with self._registered(self._take()) as name:
            yield name

    def keep(self, most: int | None = None) -> Dataset:
        """The same rows, computed now and stored so that they can be read many times. Raises duckdb.Error.

        With ``most`` only the first rows, and no more work is done than those take.
        """
        if self._held is not None and self.rows is not None and (most is None or self.rows <= most):
            return self
        with self.scanned() as source:
            name, rows = self._database.keep(source if most is None else f"(FROM {source} LIMIT {most})")
        return Dataset(self._database, name, columns=self._columns, rows=rows)

    def release(self) -> None:
        """Give back the memory of a kept table. The rows cannot be read afterwards."""
        if self._held is not None:
            self._database.forget(self._held)
            self._held = None
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()

    def relation(self, con: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """The rows as a DuckDB relation of the run's connection (``con``: a cursor of it)."""
        return (con or self._database.connection).sql(f"FROM {self.source}")

    def to_arrow_reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """The rows as a stream of Arrow batches; nothing is held in memory beyond a few of them."""
        if self._stream is not None:
            return self._take()
        return self.relation().to_arrow_reader(batch_rows)  # relation: `execute` would compute everything first

    def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table in memory."""
        return self.to_arrow_reader().read_all()

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a pandas frame in memory. Raises ModuleNotFoundError when pandas is not installed."""
        return self.to_arrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow C stream, so that pyarrow, polars, pandas and DuckDB can read a Dataset directly."""
        return self.to_arrow_reader().__arrow_c_stream__(requested_schema)

    def _take(self) -> Any:
        stream, self._stream = self._stream, None
        if stream is None:
            raise ValueError("these rows were read before; a stream can be read only once")
        return stream if self._counter is None else _counted(stream, self._counter)

    @contextmanager
    def _registered(self, data: Any) -> Iterator[str]:
        name = self._database.register(data)
        try:
            yield name
        finally:
            self._database.forget(name)


def _counted(stream: Any, counter: Callable[[int, int], None]) -> Any:
    import pyarrow as pa

    def batches() -> Iterator[Any]:
        with stream:
            for batch in stream:
                yield batch
                counter(batch.num_rows, batch.nbytes)

    return pa.RecordBatchReader.from_batches(stream.schema, batches())


def as_dataset(data: Any, database: RunDatabase) -> Dataset:
    """What a driver returned under ``df``, as a Dataset.

    Takes a Dataset, an Arrow table, batch or reader, a DuckDB relation, a pandas frame, or anything that speaks the
    Arrow C stream protocol. Raises TypeError for everything else.
    """
    if isinstance(data, Dataset):
        return data
    kind = type(data)
    module, name = kind.__module__.partition(".")[0], kind.__name__
    if name == "DuckDBPyRelation":
        import pyarrow as pa

        # A relation may belong to another connection, so it is read as a stream; its rows are not computed yet.
        reader: pa.RecordBatchReader = data.to_arrow_reader(BATCH_ROWS)
        return Dataset(database, stream=reader)
    if (module, name) == ("pandas", "DataFrame"):
        return Dataset(database, database.register(data), rows=len(data))
    if module == "pyarrow":
        return _from_arrow(data, database)
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        return Dataset(database, stream=pa.RecordBatchReader.from_stream(data))
    raise TypeError(
        f"a driver returns a Dataset, Arrow data, a DuckDB relation or a pandas frame under 'df', not {kind.__name__}"
    )


def _from_arrow(data: Any, database: RunDatabase) -> Dataset:
    import pyarrow as pa

    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.Table):
        return Dataset(database, database.register(data), rows=data.num_rows)
    if isinstance(data, pa.RecordBatchReader):
        return Dataset(database, stream=data)
    if isinstance(data, pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader):
        return Dataset(database, stream=pa.RecordBatchReader.from_batches(data.schema, _batches(data)))
    raise TypeError(f"a driver returned a pyarrow {type(data).__name__} under 'df', which is not a table of rows")


def _batches(reader: Any) -> Iterator[Any]:
    if hasattr(reader, "num_record_batches"):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    else:
        yield from reader
