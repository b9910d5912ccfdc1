"""Rows as lines of CSV that COPY takes, written by DuckDB itself."""

from __future__ import annotations

from collections.abc import Sequence

from osiris.drivers.context import StepContext
from osiris.drivers.postgres_types import column_type as column_type
from osiris.drivers.text_rows import Pieces, line_pieces
from osiris.sql.columns import Column, quote_name
from osiris.sql.dataset import Dataset

_PLAIN = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DATE", "TIMESTAMP", "DOUBLE", "FLOAT"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "UUID"}
)


def lines(data: Dataset, columns: Sequence[Column], arrays: Sequence[bool], size: int, step: StepContext) -> Pieces:
    """The rows in pieces: how many, and their lines. ``arrays``: whether each column's target is an array."""
    cells = ", ".join(_item(column, array) for column, array in zip(columns, arrays, strict=True))
    return line_pieces(data, f"concat_ws(',', {cells})", size, step)


def _item(column: Column, array: bool) -> str:
    """The cell in a line of CSV: nothing for NULL, in quotes what may hold more than digits and letters."""
    text = _text(column, array)
    if column.type in _PLAIN or column.type.startswith("DECIMAL"):
        return f"coalesce({text}, '')"
    return f"coalesce('\"' || replace({text}, '\"', '\"\"') || '\"', '')"


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
