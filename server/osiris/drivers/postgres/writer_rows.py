"""Rows as lines of CSV that COPY takes, written by DuckDB itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from osiris.drivers.context import StepContext
from osiris.drivers.postgres_types import column_type as column_type
from osiris.sql.columns import Column, quote_name
from osiris.sql.dataset import Dataset


def lines(
    data: Dataset, columns: Sequence[Column], arrays: Sequence[bool], size: int, step: StepContext
) -> Generator[tuple[int, bytes], None, None]:
    """The rows in batches: how many, and their lines. ``arrays``: whether each column's target is an array."""
    cells = ", ".join(
        f"coalesce('\"' || replace({_text(column, array)}, '\"', '\"\"') || '\"', '')"
        for column, array in zip(columns, arrays, strict=True)
    )
    with data.scanned() as source:
        reader = step.database.connection.sql(f"SELECT concat_ws(',', {cells}) FROM {source}").to_arrow_reader(size)
        for batch in reader:
            texts = batch.column(0).to_pylist()
            if texts:
                yield len(texts), ("\n".join(texts) + "\n").encode()


def _text(column: Column, array: bool) -> str:
    """The column in DuckDB's select list, as PostgreSQL reads it."""
    return _cell(quote_name(column.name), column.type, array, 0)


def _cell(value: str, kind: str, array: bool, depth: int) -> str:
    if kind.endswith("[]") and array:
        item, inner = f"x{depth}", kind[:-2]
        text = _cell(item, inner, array, depth + 1)
        if not inner.endswith("[]"):
            text = f"'\"' || replace(replace({text}, '\\', '\\\\'), '\"', '\\\"') || '\"'"
        items = f"list_transform({value}, lambda {item}: coalesce({text}, 'NULL'))"
        return f"CASE WHEN {value} IS NOT NULL THEN '{{' || array_to_string({items}, ',') || '}}' END"
    if kind == "BLOB":
        return f"'\\x' || hex({value})"
    if kind.startswith(("STRUCT(", "MAP(", "UNION(")) or kind.endswith("]"):
        return f"CAST(to_json({value}) AS VARCHAR)"
    text = f"CAST({value} AS VARCHAR)"
    if kind.startswith(("DATE", "TIMESTAMP")):
        # The same year before Christ is "0044-03-15 (BC) 10:00" here and "0044-03-15 10:00 BC" there.
        return f"CASE WHEN {text} LIKE '%(BC)%' THEN replace({text}, ' (BC)', '') || ' BC' ELSE {text} END"
    return text
