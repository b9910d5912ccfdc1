"""What another machine tells becomes the log of the run here: the same events and numbers, each exactly once."""

from __future__ import annotations

import datetime
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.session_logging import EVENTS_FILE, METRICS_FILE, SessionLogger, timestamp
from osiris.execution.folder import FINAL_EVENTS
from osiris.execution.remote.protocol import EVENT, METRIC

OWN_EVENTS = "remote_"  # how the events of this side begin
_QUEUED = "run_queued"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_SKEW_SECONDS = 2.0  # clocks that differ by less count as one


class Relay:
    """Writes into the log what comes. The log itself says how much of it came before: nothing else need be noted."""

    def __init__(self, logger: SessionLogger, skew: float | None = None) -> None:
        """``skew``: by how many seconds the clock there is behind ours; None: ``hello`` tells."""
        self._logger = logger
        events, metrics = logger.run_dir / EVENTS_FILE, logger.run_dir / METRICS_FILE
        self._there = {
            EVENT: _count(events, lambda line: not _is_own(str(line.get("event")))),
            METRIC: _count(metrics, lambda line: True),
        }
        self._known = skew is not None
        self._skew = datetime.timedelta(seconds=skew or 0.0)
        self._latest = ""

    @property
    def behind(self) -> bool:
        """Whether what comes now was told before this process began to listen."""
        return self._there[EVENT] > 0

    def hello(self, clock: float) -> float:
        """The other machine's clock shows ``clock``: where that is another time, its times are put right. The skew."""
        difference = time.time() - clock
        if abs(difference) > _SKEW_SECONDS and not self._known:
            self._skew = datetime.timedelta(seconds=difference)
        self._known = True
        return self._skew.total_seconds()

    def take(self, kind: str, record: Mapping[str, Any]) -> bool:
        """Write an event or a measurement; whether it is a new one. What is none, or is not theirs, is left out."""
        name = record.get(kind)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or (kind == EVENT and _is_own(name)):
            return False
        if self._there[kind] > 0:
            self._there[kind] -= 1
            return False
        body = {key: value for key, value in record.items() if key not in ("ts", "session", kind)}
        self._logger.relay(kind, name, self._moment(record.get("ts")), body)
        return True

    def sync(self) -> None:
        """Wait until the disk has all events."""
        self._logger.sync()

    def _moment(self, told: object) -> str:
        """The time of a record by our clock; never before that of the one before."""
        moment = timestamp()
        if isinstance(told, str) and _TIME.fullmatch(told):
            try:
                moment = timestamp(datetime.datetime.fromisoformat(told) + self._skew)
            except ValueError:
                moment = timestamp()
        self._latest = max(self._latest, moment)
        return self._latest


def _is_own(name: str) -> bool:
    """Whether an event is one that only this side writes."""
    return name == _QUEUED or name.startswith(OWN_EVENTS) or name in FINAL_EVENTS.values()


def _count(path: Path, counts: Any) -> int:
    """How many whole lines of others a log has; half a line, of a process that was killed, is cut off."""
    found = whole = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                found += isinstance(record, dict) and counts(record)
        if whole < path.stat().st_size:
            os.truncate(path, whole)
    except OSError:
        return 0
    return found
