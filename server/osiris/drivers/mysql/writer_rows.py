"""Rows as texts that MySQL reads, written by DuckDB itself; and the types of a table that is made for them."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence

from osiris.drivers.context import StepContext
from osiris.sql.columns import Column, quote_name
from osiris.sql.dataset import Dataset

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s?(\d+)\)")
_TYPES = {
    "BOOLEAN": "TINYINT(1)",
    "TINYINT": "TINYINT",
    "UTINYINT": "TINYINT UNSIGNED",
    "SMALLINT": "SMALLINT",
    "USMALLINT": "SMALLINT UNSIGNED",
    "INTEGER": "INT",
    "UINTEGER": "INT UNSIGNED",
    "BIGINT": "BIGINT",
    "UBIGINT": "BIGINT UNSIGNED",
    "HUGEINT": "DECIMAL(39,0)",
    "UHUGEINT": "DECIMAL(39,0)",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "BLOB": "LONGBLOB",
    "DATE": "DATE",
    "TIME": "TIME(6)",
    "TIMESTAMP": "DATETIME(6)",
    "TIMESTAMP_S": "DATETIME",
    "TIMESTAMP_MS": "DATETIME(3)",
    "TIMESTAMP_NS": "DATETIME(6)",
    "TIMESTAMP WITH TIME ZONE": "DATETIME(6)",
    "UUID": "CHAR(36)",
    "JSON": "JSON",
}
_NUMBERS = frozenset(name for name in _TYPES if "INT" in name)
_UNQUOTED = _NUMBERS | {"FLOAT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "UUID"}


def column_type(kind: str, *, in_key: bool) -> str:
    """The type in MySQL for values of a DuckDB type; ``in_key``: it must have a length, so texts have 255 letters."""
    if match := _DECIMAL.fullmatch(kind):
        return f"DECIMAL({match[1]},{match[2]})"
    if _is_nested(kind):
        return "JSON"
    found = _TYPES.get(kind, "LONGTEXT")
    short = {"LONGTEXT": "VARCHAR(255)", "LONGBLOB": "VARBINARY(255)"}
    return short.get(found, found) if in_key else found


def is_number(kind: str) -> bool:
    """Whether values of a DuckDB type are written as numbers in statements, without quotes."""
    return kind in _NUMBERS or kind == "BOOLEAN" or kind.startswith("DECIMAL")


def row_texts(
    data: Dataset, columns: Sequence[Column], size: int, step: StepContext
) -> Generator[list[str], None, None]:
    """The rows in batches, each as the list of values that stands in parentheses behind VALUES."""
    cells = ", ".join(f"coalesce({_literal(quote_name(column.name), column.type)}, 'NULL')" for column in columns)
    with data.scanned() as source:
        reader = step.database.connection.sql(f"SELECT concat_ws(',', {cells}) FROM {source}").to_arrow_reader(size)
        for batch in reader:
            texts: list[str] = batch.column(0).to_pylist()
            for start in range(0, len(texts), size):
                yield texts[start : start + size]


def file_line(columns: Sequence[Column]) -> str:
    """A row as a line for LOAD DATA, without its end, in DuckDB's SQL; binary values in hexadecimal."""
    cells = ", ".join(f"coalesce({_text(column)}, '\\N')" for column in columns)
    return f"concat_ws(chr(9), {cells})"


def _text(column: Column) -> str:
    value, kind = quote_name(column.name), column.type
    if kind == "BOOLEAN":
        return f"CAST(CAST({value} AS TINYINT) AS VARCHAR)"
    if kind == "BLOB":
        return f"hex({value})"
    if kind in _UNQUOTED or kind.startswith("DECIMAL"):
        return f"CAST({value} AS VARCHAR)"
    if _is_nested(kind):
        value = f"to_json({value})"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        value = f"{value} AT TIME ZONE 'UTC'"
    text = f"replace(CAST({value} AS VARCHAR), '\\', '\\\\')"
    return f"replace(replace({text}, chr(9), '\\t'), chr(10), '\\n')"


def _literal(value: str, kind: str) -> str:
    """SQL that gives the value as a literal of MySQL; NULL stays NULL."""
    if kind == "BOOLEAN":
        return f"CAST(CAST({value} AS TINYINT) AS VARCHAR)"
    if is_number(kind):
        return f"CAST({value} AS VARCHAR)"
    if kind == "BLOB":
        return f"CASE WHEN octet_length({value}) = 0 THEN '''''' ELSE '0x' || hex({value}) END"
    if _is_nested(kind):
        return _quoted(f"CAST(to_json({value}) AS VARCHAR)")
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _quoted(f"CAST({value} AT TIME ZONE 'UTC' AS VARCHAR)")
    return _quoted(f"CAST({value} AS VARCHAR)")


def _quoted(text: str) -> str:
    """With NO_BACKSLASH_ESCAPES off, which the session sees to, these two characters are all that matters."""
    return f"'''' || replace(replace({text}, '\\', '\\\\'), '''', '''''') || ''''"


def _is_nested(kind: str) -> bool:
    return kind.startswith(("STRUCT(", "MAP(", "UNION(")) or kind.endswith("]")
