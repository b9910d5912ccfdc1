"""When two runs are equal: rows as multisets with floats to 12 digits, events but for times, the same files."""

from __future__ import annotations

import hashlib
import json
import math
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from parity.targets import Place

# What differs from run to run of one target, too.
_TIMES = frozenset({"ts", "session", "duration", "peak_memory", "delay", "fingerprint"})
_TIMES_OF_STATUS = _TIMES | {"run_id", "queued", "started", "finished", "target"}
_MEASURED = frozenset({"duration", "peak_memory", "run_duration", "run_peak_memory"})
# How far a step is depends on when one looks.
_BY_THE_CLOCK = frozenset({"step_progress"})
# What only a run elsewhere has.
_OF_ADAPTERS = ("remote_",)
_FILES_OF_ADAPTERS = frozenset({"remote.json"})
_LARGE = 5_000_000
_RUN = re.compile(r"run_[0-9A-Z]{26}")


def snapshot(root: Path) -> dict[str, str]:
    """The digests of all files of a project; what Osiris keeps for itself left aside."""
    found = {}
    for path in root.rglob("*"):
        inside = path.relative_to(root)
        if path.is_file() and inside.parts[0] not in ("logs", ".osiris", "build"):
            with path.open("rb") as file:
                found[inside.as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The files that came, went or changed."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def contents(path: Path) -> Any:
    """What a file holds, in a form in which equal contents are equal: for tables, columns and sorted rows."""
    import duckdb

    if path.stat().st_size > _LARGE and path.suffix == ".csv":
        with path.open("rb") as file:
            return Counter(hashlib.blake2b(line, digest_size=8).digest() for line in file)
    if path.suffix == ".json":
        text = path.read_text(encoding="utf-8")
        rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
        return sorted(rows, key=lambda row: [_key(cell) for cell in row.values()])
    with duckdb.connect() as connection:
        if path.suffix == ".csv":
            return _table(
                connection.execute("SELECT * FROM read_csv(?, header = true, all_varchar = true)", [str(path)])
            )
        if path.suffix == ".parquet":
            return _table(connection.execute("SELECT * FROM read_parquet(?)", [str(path)]))
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            names = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
            return {name: _table(connection.execute(f'FROM "{name}"')) for name in names}
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            return {name: (sql, _table(database.execute(f'SELECT * FROM "{name}"'))) for name, sql in tables if sql}
    return path.read_bytes()


def _table(cursor: Any) -> tuple[list[str], list[list[Any]]]:
    columns = [column[0] for column in cursor.description]
    return columns, sorted((list(row) for row in cursor.fetchall()), key=lambda row: [_key(cell) for cell in row])


def _key(cell: Any) -> str:
    return f"{cell:.9e}" if isinstance(cell, float) else repr(cell)


def same(ours: Any, theirs: Any) -> bool:
    """Whether two contents are equal, floats within 1e-12 relative, also those that a text file holds."""
    if isinstance(ours, Counter):
        return bool(ours == theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(same(one, other) for one, other in zip(ours, theirs, strict=True))
    if ours == theirs:
        return True
    if isinstance(ours, (float, str)) and type(ours) is type(theirs):
        try:
            return math.isclose(float(ours), float(theirs), rel_tol=1e-12)
        except ValueError:
            return False
    return False


def told(place: Place) -> dict[str, Any]:
    """What the newest run says of itself, without times and without what is the adapter's own."""
    events = [
        {key: value for key, value in event.items() if key not in _TIMES and key != "target"}
        for event in place.lines("events")
        if event["event"] not in _BY_THE_CLOCK and not event["event"].startswith(_OF_ADAPTERS)
    ]
    metrics = [
        {
            key: value
            for key, value in metric.items()
            if key not in _TIMES and not (key == "value" and _measured(metric))
        }
        for metric in place.lines("metrics")
        if not metric["metric"].startswith(_OF_ADAPTERS)
    ]
    by_step: dict[str, list[Any]] = {}
    for event in json.loads(_RUN.sub("run", json.dumps(events))):
        by_step.setdefault(event.get("step_id") or "", []).append(event)
    folder = place.run_dir()
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {
        "events": by_step,  # steps beside each other may take turns in any way
        "metrics": sorted(map(repr, metrics)),
        "status": json.loads(_RUN.sub("run", json.dumps(_without(place.status(), _TIMES_OF_STATUS)))),
        "keys of the status": sorted(place.status()),
        "files": [name for name in files if name not in _FILES_OF_ADAPTERS],
        "manifest": (folder / "manifest.json").read_bytes(),
    }


def _measured(metric: Mapping[str, Any]) -> bool:
    return metric["metric"] in _MEASURED


def _without(value: Any, keys: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, keys) for key, item in value.items() if key not in keys}
    return [_without(item, keys) for item in value] if isinstance(value, list) else value
