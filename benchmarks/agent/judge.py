"""Whether the output of a pipeline is what was asked for."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.agent.tasks import Task
from benchmarks.agent.worlds import facts

Table = tuple[list[str], list[tuple[Any, ...]]]


def verdict(task: Task, root: Path) -> str | None:
    """Why the output in the project ``root`` is not what ``task`` asks for; None when it is."""
    name, _, table = task.output.partition(":")
    if not (root / name).exists():
        return f"there is no {name}"
    try:
        columns, rows = _output(root / name, table)
    except (OSError, ValueError, sqlite3.Error) as error:
        return f"{task.output} cannot be read: {error}"
    known = facts(task.world, root)
    cursor = known.execute(task.truth)
    wanted = [description[0] for description in cursor.description]
    expected = [tuple(_plain(cell) for cell in row) for row in cursor]
    known.close()
    if sorted(columns) != sorted(wanted):
        return f"columns {', '.join(columns)} instead of {', '.join(wanted)}"
    order = [columns.index(column) for column in wanted]
    found = [tuple(_plain(row[place]) for place in order) for row in rows]
    if len(found) != len(expected):
        return f"{len(found)} rows instead of {len(expected)}"
    if not task.ordered:
        found, expected = sorted(found, key=_sorting), sorted(expected, key=_sorting)
    for ours, theirs in zip(found, expected, strict=True):
        if not all(_same(one, other) for one, other in zip(ours, theirs, strict=True)):
            return f"a row {ours} instead of {theirs}"
    return None


def _output(path: Path, table: str) -> Table:
    if table:
        database = sqlite3.connect(path)
        try:
            cursor = database.execute(f'SELECT * FROM "{table}"')
            return [description[0] for description in cursor.description], cursor.fetchall()
        finally:
            database.close()
    if path.suffix == ".parquet":
        import pyarrow.parquet

        read = pyarrow.parquet.read_table(path)
        return read.column_names, [tuple(row.values()) for row in read.to_pylist()]
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        items = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines()]
        return list(items[0]) if items else [], [tuple(item.values()) for item in items]
    head, *rows = csv.reader(text.splitlines())
    return head, [tuple(row) for row in rows]


def _plain(cell: Any) -> Any:
    """A cell as text or number, however its file has it: numbers as such, moments at midnight as days."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool | int | float | Decimal):
        return float(cell)
    text = (
        cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat() if isinstance(cell, date) else str(cell)
    )
    try:
        return float(text)
    except ValueError:
        return text.removesuffix(" 00:00:00")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        # Half a cent may be rounded either way by two engines that sum in another order.
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=0.0101)
    return bool(one == other)


def _sorting(row: Sequence[Any]) -> tuple[tuple[bool, bool, Any], ...]:
    return tuple((cell is None, isinstance(cell, str), "" if cell is None else cell) for cell in row)
