"""The types that columns of a PostgreSQL table get for data of ours; known without psycopg."""

from __future__ import annotations

import re

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
