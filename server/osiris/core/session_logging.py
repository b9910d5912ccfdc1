"""The written record of a run: events and metrics as JSON lines, masked on the one way that leads to the file.

    {"ts": "2025-01-01T12:00:00.000Z", "session": "run_...", "event": "step_start", "step_id": "extract_data"}

Each line is one ``write`` to a file opened for appending, at the moment it happens: several processes may log into
one run, a reader that follows the file never sees half a line move, and a crash loses nothing that was logged.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import threading
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from osiris.core.files import BINARY, PRIVATE_FILE, cause, private_folder, write_all, write_error
from osiris.core.secrets_masking import Masker

EVENTS_FILE = "events.jsonl"
METRICS_FILE = "metrics.jsonl"
MAX_TEXT = 16_384
MAX_ITEMS = 1_000
MAX_DEPTH = 16


def timestamp(moment: datetime.datetime | None = None) -> str:
    """``moment`` (default: now) in UTC with milliseconds: ``2025-01-01T12:00:00.000Z``."""
    moment = moment or datetime.datetime.now(datetime.UTC)
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def plain(value: object, depth: int = 0) -> Any:
    """``value`` as data that JSON can hold; what it cannot hold becomes text, NaN and infinity too."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if depth >= MAX_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, Decimal | os.PathLike | BaseException):
        return str(value)
    return str(value)


def _cut(value: Any) -> Any:
    """``value`` with endless texts and lists cut. Runs after masking: a cut must not split a secret out of sight."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}... ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        more = [f"... ({len(value)} items)"] if len(value) > MAX_ITEMS else []
        return [_cut(item) for item in value[:MAX_ITEMS]] + more
    return value


class _LineWriter:
    """Appends JSON lines to a file: time, session, what it is about, then data. All but the first two are masked."""

    def __init__(self, path: Path, masker: Masker) -> None:
        self.path = path
        self._masker = masker
        self._lock = threading.Lock()
        self._torn = False
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, PRIVATE_FILE)
        except OSError as error:
            raise write_error(path, error) from cause(error)

    def write(self, session: str, kind: str, name: str, body: Mapping[str, object], moment: str | None = None) -> None:
        record: dict[str, Any] = {"ts": moment or timestamp(), "session": session, kind: self._masker.text(name)}
        ours = tuple(record)
        for key, value in _cut(self._masker.data(plain(body))).items():
            record[f"{key}_" if key in ours else key] = value
        line = json.dumps(record, ensure_ascii=False, separators=(", ", ": ")) + "\n"
        data = line.encode("utf-8", "backslashreplace")  # half a surrogate pair becomes its JSON escape
        with self._lock:
            if self._torn:  # an earlier line stopped in its middle: this one must not be glued to it
                data = b"\n" + data
            try:
                write_all(self._descriptor, data)
                self._torn = False
            except OSError as error:
                self._torn = True
                raise write_error(self.path, error) from cause(error)

    def sync(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # no file on a disk: a pipe, for one
            os.fsync(self._descriptor)

    def close(self) -> None:
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


class EventLogger:
    """Writes the events of one session to a JSON-lines file."""

    def __init__(self, path: Path, session_id: str, masker: Masker | None = None) -> None:
        """Open ``path`` for appending. Without a ``masker`` the standard one is used; there is no way around it.

        Raises ExecutionError when the file cannot be opened.
        """
        self.session_id = session_id
        self._writer = _LineWriter(path, masker or Masker())

    def emit(self, event: str, data: Mapping[str, object] | None = None, **fields: object) -> None:
        """Write one event with its data. A field called ts, session or event gets a ``_`` behind its name.

        Raises ExecutionError when it cannot be written (full disk, ...).
        """
        self._writer.write(self.session_id, "event", event, {**(data or {}), **fields})

    def relay(self, event: str, moment: str, body: Mapping[str, object]) -> None:
        """Write an event that happened elsewhere at ``moment``. Raises ExecutionError when it cannot be written."""
        self._writer.write(self.session_id, "event", event, body, moment)

    def sync(self) -> None:
        """Wait until the disk has what was written."""
        self._writer.sync()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._writer.close()


class MetricsCollector:
    """Writes the numbers of one session to a JSON-lines file and keeps the latest of each name."""

    def __init__(self, path: Path, session_id: str, masker: Masker | None = None) -> None:
        """Open ``path`` for appending, masked as EventLogger is. Raises ExecutionError when it cannot be opened."""
        self.session_id = session_id
        self.latest: dict[str, float] = {}
        self._writer = _LineWriter(path, masker or Masker())

    def record(self, name: str, value: float, unit: str | None = None, **tags: object) -> None:
        """Write one measurement, for example ``record("rows_read", 3, "rows", step_id="extract")``.

        Raises ExecutionError when it cannot be written.
        """
        self.latest[name] = value
        body: dict[str, object] = {"value": value}
        if unit is not None:
            body["unit"] = unit
        self._writer.write(
            self.session_id, "metric", name, {**body, **{key: tag for key, tag in tags.items() if key not in body}}
        )

    def relay(self, name: str, moment: str, body: Mapping[str, object]) -> None:
        """Write a measurement that was made elsewhere. Raises ExecutionError when it cannot be written."""
        self._writer.write(self.session_id, "metric", name, body, moment)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._writer.close()


class SessionLogger:
    """The events and metrics of one session (a run) in its folder, ``events.jsonl`` and ``metrics.jsonl``."""

    def __init__(self, run_dir: Path | str, session_id: str, masker: Masker | None = None) -> None:
        """Make the folder (closed to others) and open both files. Raises ExecutionError when that fails.

        ``masker`` should know the values of the secrets that the session uses; the standard one finds by form.
        """
        self.run_dir = private_folder(Path(run_dir))
        self.session_id = session_id
        self._masker = masker or Masker()
        self.events = EventLogger(self.run_dir / EVENTS_FILE, session_id, self._masker)
        self.metrics = MetricsCollector(self.run_dir / METRICS_FILE, session_id, self._masker)

    def hide(self, values: Iterable[object]) -> None:
        """Mask ``values``, too, from now on: secrets that became known after the logger was made."""
        for value in values:
            self._masker.add(value)

    def log_event(self, event: str, data: Mapping[str, object] | None = None, **fields: object) -> None:
        """Write one event. Raises ExecutionError when it cannot be written."""
        self.events.emit(event, data, **fields)

    def log_metric(self, name: str, value: float, unit: str | None = None, **tags: object) -> None:
        """Write one measurement. Raises ExecutionError when it cannot be written."""
        self.metrics.record(name, value, unit, **tags)

    def relay(self, kind: str, name: str, moment: str, body: Mapping[str, object]) -> None:
        """Write what another machine has logged as it was, with the time that it was given there.

        ``kind``: ``event`` or ``metric``. Raises ExecutionError when it cannot be written.
        """
        (self.events if kind == "event" else self.metrics).relay(name, moment, body)

    def sync(self) -> None:
        """Wait until the disk has all events."""
        self.events.sync()

    def close(self) -> None:
        """Close both files; a second time does nothing."""
        self.events.close()
        self.metrics.close()

    def __enter__(self) -> SessionLogger:
        """The logger itself; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both files."""
        self.close()
