"""Rows as the text that a server loads in bulk: DuckDB writes each one as a line, and the lines go out as they lie."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from osiris.drivers.context import StepContext
from osiris.sql.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa


Pieces = Generator[tuple[int, memoryview], None, None]


def line_pieces(data: Dataset, line: str, size: int, step: StepContext) -> Pieces:
    """The rows in pieces: how many, and their lines in UTF-8. ``line``: the text of a row, in DuckDB's SQL.

    A piece has about ``size`` rows.
    """
    with data.scanned() as source:
        query = f"SELECT {line} || chr(10) FROM {source}"
        for batch in step.database.connection.sql(query).to_arrow_reader(size):
            if batch.num_rows:
                yield batch.num_rows, _bytes(batch.column(0))


def _bytes(texts: pa.StringArray) -> memoryview:
    """The texts one after the other, without a copy: none of them is NULL."""
    _, offsets, text = texts.buffers()
    places = memoryview(offsets).cast("i")
    return memoryview(text)[places[texts.offset] : places[texts.offset + len(texts)]]
