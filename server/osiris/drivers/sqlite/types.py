"""Which Arrow type a SQLite column gets.

SQLite checks types per value, not per column, so one pass over the result finds what is really there before the rows
are streamed. A column of one kind gets that type; whole numbers and fractions together are fractions; anything mixed
with text is text; anything mixed with bytes is bytes. A column declared BOOLEAN, DATE, DATETIME or TIMESTAMP becomes
one only when every value has that form (0 and 1, ``2024-01-31``, ``2024-01-31 10:00:00``); else it stays what it is.

A column without any value gets the type it is declared with. One that is computed by a query is declared with none, so
it gets Arrow's type null, DuckDB's ``"NULL"``: sums, texts and comparisons of any kind bind with it, so a query that
works on a full day works on an empty one. Where DuckDB has nothing to choose a function by (``year(x)``), text would
not do either: ``CAST(x AS DATE)`` does in both cases.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.sql.columns import quote_name

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_TIME = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"


@dataclass(frozen=True)
class Declared:
    """A column of a table or view as SQLite declares it; ``type`` may be empty."""

    name: str
    type: str


@dataclass(frozen=True)
class Typed:
    """How a column is read: ``kind`` is integer, real, text, blob, boolean, date, timestamp or null (no value at all).

    ``odd`` is set where a column that is declared as numbers holds something else, and so is read as that.
    """

    name: str
    kind: str
    odd: bool = False

    @property
    def expression(self) -> str:
        """The column in the select list, cast where its values must be made alike."""
        name = quote_name(self.name)
        if self.kind in ("text", "blob", "real"):
            return f"CAST({name} AS {self.kind.upper()})"
        return name

    def arrow(self) -> pa.DataType:
        """The Arrow type."""
        import pyarrow as pa

        kinds = {
            "integer": pa.int64(),
            "real": pa.float64(),
            "text": pa.string(),
            "blob": pa.binary(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "timestamp": pa.timestamp("us"),
            "null": pa.null(),
        }
        return kinds[self.kind]


def find_types(connection: sqlite3.Connection, source: str, columns: Sequence[Declared]) -> list[Typed]:
    """The types of ``columns`` by what ``source`` (what stands behind FROM) really holds. Raises sqlite3.Error."""
    kinds = ", ".join(f"typeof({quote_name(column.name)})" for column in columns)
    combinations = connection.execute(f"SELECT DISTINCT {kinds} FROM {source}").fetchall()
    found = [{row[index] for row in combinations} - {"null"} for index in range(len(columns))]
    plain = [
        Typed(column.name, _kind(stored, column.type), bool(stored & {"text", "blob"}) and _numbers(column.type))
        for column, stored in zip(columns, found, strict=True)
    ]
    checks = {index: test for index, test in enumerate(map(_form, columns, plain)) if test is not None}
    if not checks:
        return plain
    tests = ", ".join(f"min({test})" for _, test in checks.values())
    passed = connection.execute(f"SELECT {tests} FROM {source}").fetchone()
    for ok, (index, (kind, _)) in zip(passed, checks.items(), strict=True):
        if ok != 0:  # None: no values at all
            plain[index] = Typed(columns[index].name, kind)
    return plain


def first_odd_row(connection: sqlite3.Connection, source: str, column: Typed) -> int | None:
    """Which row of ``source``, from 1, is the first whose value in ``column`` is no number. Raises sqlite3.Error."""
    name = quote_name(column.name)
    numbered = f"SELECT row_number() OVER () AS number, typeof({name}) AS kind FROM {source}"
    row = connection.execute(f"SELECT number FROM ({numbered}) WHERE kind IN ('text', 'blob') LIMIT 1").fetchone()
    return None if row is None else int(row[0])


_ARROW = {"integer": "int64", "text": "string", "blob": "binary"}


def declared_arrow(declared: str) -> str:
    """The Arrow type, as text, that values get when they all fit the declared type; empty where it says nothing."""
    upper = declared.upper()
    if "BOOL" in upper:
        return "bool"
    if upper == "DATE":
        return "date32[day]"
    if upper.startswith(("DATETIME", "TIMESTAMP")):
        return "timestamp[us]"
    affinity = _affinity(declared)
    if affinity == "real":  # SQLite's NUMERIC, too, which any word such as UUID stands for
        return "double" if _numbers(declared) else ""
    return _ARROW[affinity] if upper else ""


def _numbers(declared: str) -> bool:
    """Whether a declared type speaks of numbers; SQLite's NUMERIC affinity also takes in ``STRING`` or ``UUID``."""
    return any(word in declared.upper() for word in ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC"))


def _kind(stored: set[str], declared: str) -> str:
    if not stored:
        return _affinity(declared) if declared else "null"
    if "blob" in stored:
        return "blob"
    if "text" in stored:
        return "text"
    return "real" if "real" in stored or _affinity(declared) == "real" else "integer"


def _affinity(declared: str) -> str:
    """SQLite's rules for the affinity of a declared type; NUMERIC counts as real, none as text."""
    upper = declared.upper()
    if "INT" in upper or "BOOL" in upper:
        return "integer"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT", "DATE", "TIME")) or not upper:
        return "text"
    return "blob" if "BLOB" in upper else "real"


def _form(column: Declared, typed: Typed) -> tuple[str, str] | None:
    """The nicer kind that a declared type stands for, and the test that a value has that form."""
    name, upper = quote_name(column.name), column.type.upper()
    if "BOOL" in upper and typed.kind == "integer":
        return "boolean", f"{name} IN (0, 1)"
    if typed.kind != "text":
        return None
    # "+0 days" makes SQLite look at the calendar; without it, it takes February 30th for a date.
    if upper == "DATE":
        return "date", f"{name} GLOB '{_DAY}' AND {name} > '0001' AND date({name}, '+0 days') IS {name}"
    if upper.startswith(("DATETIME", "TIMESTAMP")):
        form = f"{name} GLOB '{_DAY}[ T]{_TIME}' AND {name} > '0001'"
        return "timestamp", f"{form} AND datetime({name}, '+0 days') IS replace({name}, 'T', ' ')"
    return None
