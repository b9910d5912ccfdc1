"""Rows as lines of CSV that COPY takes, written by DuckDB itself; and the types of a table that is made for them."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence

from osiris.drivers.context import StepContext
from osiris.sql.columns import Column, quote_name
from osiris.sql.dataset import Dataset

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s?(\d+)\)")
_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "numeric(20,0)",
    "HUGEINT": "numeric(39,0)",
    "UHUGEINT": "numeric(39,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "BLOB": "bytea",
    "DATE": "date",
    "TIME": "time",
    "TIME WITH TIME ZONE": "time with time zone",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "INTERVAL": "interval",
    "UUID": "uuid",
    "JSON": "json",
}


def column_type(kind: str) -> str:
    """The type in PostgreSQL for values of a DuckDB type: arrays for lists, json for other nested types, else text."""
    if kind.endswith("[]"):
        return f"{column_type(kind[:-2])}[]"
    if match := _DECIMAL.fullmatch(kind):
        return f"numeric({match[1]},{match[2]})"
    if kind.startswith(("STRUCT(", "MAP(", "UNION(")) or kind.endswith("]"):
        return "json"
    return _TYPES.get(kind, "text")


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
