"""Rows as the JSON that PostgREST takes, written by DuckDB itself, so that no number loses a digit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from osiris.drivers.context import StepContext
from osiris.sql.columns import Column, quote_name
from osiris.sql.dataset import Dataset

_MOST_BYTES = 4 * 2**20
_ROWS_AT_ONCE = 2048
_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)


@dataclass
class Batch:
    """Rows that go into one request: each as the text of a JSON object, and its key as the text of a JSON list.

    The key is empty where a part of it is NULL, or when no key was asked for.
    """

    rows: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def body(self) -> bytes:
        """The body of the request."""
        return ("[" + ",".join(self.rows) + "]").encode()

    def halves(self) -> tuple[Batch, Batch]:
        """The batch as two."""
        middle = len(self.rows) // 2
        return Batch(self.rows[:middle], self.keys[:middle]), Batch(self.rows[middle:], self.keys[middle:])

    def of_last(self) -> Batch:
        """Only the last row of each key: PostgreSQL does not update a row twice in one statement."""
        last = {key or f"\0{place}": place for place, key in enumerate(self.keys)}
        if len(last) == len(self.rows):
            return self
        places = sorted(last.values())
        return Batch([self.rows[place] for place in places], [self.keys[place] for place in places])


def batches(
    data: Dataset, columns: Sequence[Column], key: Sequence[str], size: int, step: StepContext
) -> Iterator[Batch]:
    """All rows, at most ``size`` in a batch and no more than a few megabytes. ``key``: names of columns."""
    cells = ", ".join(f"'{_comma(place)}' || {_name(c.name)} || {_cell(c)}" for place, c in enumerate(columns))
    of_key = [column for column in columns if column.name in key]
    known = " AND ".join(f"{quote_name(column.name)} IS NOT NULL" for column in of_key)
    parts = ", ".join(f"'{_comma(place)}' || {_cell(column)}" for place, column in enumerate(of_key))
    keys = f"CASE WHEN {known} THEN concat('[', {parts}, ']') ELSE '' END" if of_key else "''"
    batch, room = Batch(), _MOST_BYTES
    with data.scanned() as source:
        query = f"SELECT concat('{{', {cells}, '}}'), {keys} FROM {source}"
        for chunk in step.database.connection.sql(query).to_arrow_reader(_ROWS_AT_ONCE):
            for row, value in zip(chunk.column(0).to_pylist(), chunk.column(1).to_pylist(), strict=True):
                if batch.rows and (len(batch.rows) == size or room < len(row)):
                    yield batch
                    batch, room = Batch(), _MOST_BYTES
                batch.rows.append(row)
                batch.keys.append(value)
                room -= len(row)
    if batch.rows:
        yield batch


def _comma(place: int) -> str:
    return "," if place else ""


def _name(name: str) -> str:
    """The name of a column as JSON and a colon, in DuckDB's SQL."""
    return f"CAST(to_json('{name.replace(chr(39), chr(39) * 2)}') AS VARCHAR) || ':'"


def _cell(column: Column) -> str:
    """The value as the text of JSON, in DuckDB's SQL."""
    return f"coalesce({_json(quote_name(column.name), column.type, 0)}, 'null')"


def _json(value: str, kind: str, depth: int) -> str:
    if kind.endswith("[]"):
        item = f"x{depth}"
        items = f"list_transform({value}, lambda {item}: coalesce({_json(item, kind[:-2], depth + 1)}, 'null'))"
        return f"'[' || array_to_string({items}, ',') || ']'"
    text = f"CAST({value} AS VARCHAR)"
    if kind in _NUMBERS or kind in ("BOOLEAN", "JSON") or kind.startswith("DECIMAL"):
        return text
    if kind in ("DOUBLE", "FLOAT"):  # what JSON has no number for, PostgreSQL reads from text
        return f"CASE WHEN isfinite({value}) THEN {text} ELSE '\"' || {text} || '\"' END"
    if kind.startswith(("STRUCT(", "MAP(", "UNION(")) or kind.endswith("]"):
        return f"CAST(to_json({value}) AS VARCHAR)"
    if kind == "BLOB":
        text = f"'\\x' || hex({value})"
    elif kind.startswith(("DATE", "TIMESTAMP")):
        # The same year before Christ is "0044-03-15 (BC) 10:00" here and "0044-03-15 10:00 BC" there.
        text = f"CASE WHEN {text} LIKE '%(BC)%' THEN replace({text}, ' (BC)', '') || ' BC' ELSE {text} END"
    return f"CAST(to_json({text}) AS VARCHAR)"
