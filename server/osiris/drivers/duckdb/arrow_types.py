"""Which Arrow types DuckDB's types become, as DuckDB itself says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_MOST_AT_ONCE = 500


def arrow_types(connection: duckdb.DuckDBPyConnection, types: Iterable[str]) -> dict[str, str]:
    """The Arrow type, as text, of each DuckDB type; empty for one that has none. Nothing is read."""
    import duckdb

    wanted = sorted(set(types))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _MOST_AT_ONCE):
        some = wanted[start : start + _MOST_AT_ONCE]
        try:
            found |= dict(zip(some, _asked(connection, some), strict=True))
        except duckdb.Error:  # one of them is odd: ask for each
            found |= {type_: _asked_alone(connection, type_) for type_ in some}
    return found


def _asked(connection: duckdb.DuckDBPyConnection, types: list[str]) -> list[str]:
    casts = ", ".join(f"CAST(NULL AS {type_}) AS c{number}" for number, type_ in enumerate(types))
    schema = connection.sql(f"SELECT {casts} LIMIT 0").to_arrow_reader().schema
    return [str(field.type) for field in schema]


def _asked_alone(connection: duckdb.DuckDBPyConnection, type_: str) -> str:
    import duckdb

    try:
        return _asked(connection, [type_])[0]
    except duckdb.Error:
        return ""
