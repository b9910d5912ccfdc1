"""Rows of JSON as Arrow: kept in a file of the run until all of them are seen, since only then types are known."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ExecutionError, OsirisError
from osiris.drivers.context import StepContext
from osiris.sql.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 10_000
_BATCH_BYTES = 8 * 2**20
_EXACT = 2**53  # up to here, a floating-point number tells all integers apart


@dataclass
class Column:
    """A column, and the kinds of values that were seen in it.

    ``instant``: its values are times as ISO 8601 text; as soon as one is not, all of them are read as text.
    """

    name: str
    kinds: set[str] = field(default_factory=set)
    largest: int = 0
    smallest: int = 0
    instant: bool = False

    def see(self, value: Any) -> None:
        """Take a value of JSON into account."""
        if value is None:
            return
        if isinstance(value, bool):
            self.kinds.add("boolean")
        elif isinstance(value, int):
            self.kinds.add("integer")
            self.largest, self.smallest = max(self.largest, value), min(self.smallest, value)
        elif isinstance(value, float):
            self.kinds.add("number")
        else:
            self.kinds.add("text" if isinstance(value, str) else "json")
        self.instant = self.instant and isinstance(value, str) and _moment(value) is not None

    @property
    def mixed(self) -> bool:
        """Whether values came that no type but text has room for."""
        return self.arrow_name == "text" and not (len(self.kinds) == 1 and self.kinds <= {"text", "json"})

    @property
    def arrow_name(self) -> str:
        """The type that every value fits exactly."""
        if self.instant:
            return "instant"
        largest = max(self.largest, -self.smallest)
        if not self.kinds:
            return "null"
        if self.kinds == {"boolean"}:
            return "boolean"
        if self.kinds == {"integer"}:
            if self.smallest >= -(2**63) and self.largest < 2**63:
                return "integer"
            return "decimal" if largest < 10**38 else "text"
        if "number" in self.kinds and self.kinds <= {"number", "integer"} and largest <= _EXACT:
            return "number"
        return "text"

    def arrow(self) -> pa.DataType:
        """The type as Arrow's."""
        import pyarrow as pa

        types: dict[str, Callable[[], pa.DataType]] = {
            "null": pa.null,
            "boolean": pa.bool_,
            "integer": pa.int64,
            "number": pa.float64,
            "decimal": lambda: pa.decimal128(38, 0),
            "text": pa.string,
            "instant": lambda: pa.timestamp("us", "UTC"),
        }
        return types[self.arrow_name]()

    def values(self, cells: Iterable[Any]) -> list[Any]:
        """Values of the column as pyarrow wants them for its type."""
        kind = self.arrow_name
        if kind == "text":
            return [None if cell is None else _text(cell) for cell in cells]
        if kind == "instant":
            return [None if cell is None else _moment(cell) for cell in cells]
        if kind == "number":
            return [None if cell is None else float(cell) for cell in cells]
        if kind == "decimal":
            from decimal import Decimal

            return [None if cell is None else Decimal(cell) for cell in cells]
        return list(cells)


class JsonRows:
    """Rows that come in page by page and go out as one stream of Arrow. No more than a page of them is in memory."""

    def __init__(self, step: StepContext, known: Iterable[str | Column] = ()) -> None:
        """``known``: columns that are there whatever comes, in this order."""
        self.step = step
        columns = [each if isinstance(each, Column) else Column(each) for each in known]
        self.columns = {column.name: column for column in columns}
        self.count = 0
        self.failure: BaseException | None = None
        step.spill.mkdir(parents=True, exist_ok=True)
        self.path = step.spill / f"rows-{uuid.uuid4().hex}.jsonl"
        self._file = self.path.open("w", encoding="ascii", newline="\n")

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take the rows of a page. Raises OSError when they cannot be kept."""
        for row in rows:
            for name, value in row.items():
                column = self.columns.get(name)
                if column is None:
                    column = self.columns[name] = Column(name)
                column.see(value)
            self._file.write(json.dumps(row) + "\n")
            self.count += 1

    def discard(self) -> None:
        """Forget all rows."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def dataset(self, dropped: Iterable[str] = ()) -> Dataset:
        """All rows, as a Dataset that can be read once. Raises ExecutionError when no column is known."""
        import pyarrow as pa

        self._file.close()
        columns = [column for column in self.columns.values() if column.name not in set(dropped)]
        self._distinct(columns)
        if not columns:
            self.discard()
            raise ExecutionError("No rows came, so nobody can know their columns.", hint="Read where there are rows.")
        for column in columns:
            if column.mixed:
                self.step.warn(f"The column {column.name} holds values of several kinds: it is read as text.")
        schema = pa.schema([pa.field(column.name, column.arrow()) for column in columns])
        reader = pa.RecordBatchReader.from_batches(schema, self._batches(schema, columns))
        self.step.log_metric("rows_read", self.count, unit="rows")
        return Dataset(self.step.database, stream=reader, failure=lambda: self.failure)

    def _distinct(self, columns: list[Column]) -> None:
        seen: dict[str, str] = {}
        for column in columns:
            other = seen.setdefault(column.name.casefold(), column.name)
            if other != column.name:
                self.discard()
                raise ExecutionError(
                    f"The columns {other} and {column.name} differ in upper and lower case alone.",
                    hint="Rename one of them by an alias in the query.",
                )

    def _batches(self, schema: pa.Schema, columns: list[Column]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        try:
            for rows in self._pages():
                self.step.checkpoint()
                arrays = [
                    pa.array(column.values(row.get(column.name) for row in rows), type=column.arrow())
                    for column in columns
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        except Exception as error:  # remembered, since DuckDB tells only its text
            self.failure = error
            raise
        finally:
            self.path.unlink(missing_ok=True)

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        rows: list[dict[str, Any]] = []
        room = _BATCH_BYTES
        with self.path.open(encoding="ascii") as file:
            for line in file:
                rows.append(json.loads(line))
                room -= len(line)
                if len(rows) == _BATCH_ROWS or room <= 0:
                    yield rows
                    rows, room = [], _BATCH_BYTES
        if rows:
            yield rows


def gathered(
    rows: JsonRows,
    pages: Iterable[Iterable[Mapping[str, Any]]],
    *,
    dropped: Callable[[], Iterable[str]] = tuple,
    without_columns: OsirisError | None = None,
) -> Dataset:
    """The rows of all pages as a Dataset that can be read once; of a preview only the pages that it needs.

    ``pages`` asks for a page when it is taken. ``dropped``: columns to leave out, asked when all rows are there.
    ``without_columns`` is raised when no column is known. Raises OsirisError; then nothing is left of the rows.
    """
    most = rows.step.most_rows
    try:
        for page in pages:
            rows.add(page)
            rows.step.checkpoint()
            if most is not None and rows.count >= most:
                break
        if without_columns is not None and not rows.columns:
            raise without_columns
        return rows.dataset(dropped())
    except BaseException:
        rows.discard()
        raise


def _moment(text: str) -> datetime.datetime | None:
    """A time in UTC, which it also is when it says no zone; None when it is none."""
    try:
        moment = datetime.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    """A value of JSON as text: a string as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half of a pair of surrogates is JSON, but no text.
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
