"""The columns that flow from step to step, and how their names are written in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Column(NamedTuple):
    """A column: its name as the user sees it and its DuckDB type as text (``BIGINT``, ``DECIMAL(18,3)``)."""

    name: str
    type: str


def quote_name(name: str) -> str:
    """``name`` as an SQL identifier, always in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_names(names: Iterable[str]) -> str:
    """``names`` as a list of identifiers for SQL: ``"a", "b"``."""
    return ", ".join(quote_name(name) for name in names)


def table_definition(name: str, columns: Iterable[Column]) -> str:
    """The CREATE TABLE statement of an empty table with ``columns``."""
    body = ", ".join(f"{quote_name(column.name)} {column.type}" for column in columns)
    return f"CREATE TABLE {quote_name(name)} ({body})"
