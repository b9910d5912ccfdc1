"""Saying how far long steps are, from beside them, and how much memory the run takes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from osiris.execution.memory import MemoryWatch

if TYPE_CHECKING:
    from osiris.drivers.context import StepContext
    from osiris.execution.engine import Engine
    from osiris.execution.steps import SegmentRun

SECONDS = 1.0
LOOK_SECONDS = 0.25  # how often memory is looked at


@dataclass
class _Told:
    """What was last said of a step."""

    moment: float
    rows: int = 0
    bytes: int = 0


class ProgressTicker:
    """Inside the block, logs ``step_progress`` for each step that is under way: once a second in its first minute.

    Then every five seconds, and after an hour twice a minute, so that the log of a run of days stays readable.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)
        self._told: dict[tuple[str, float], _Told] = {}
        self.memory = MemoryWatch()

    def __enter__(self) -> ProgressTicker:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; no event comes after this."""
        self._done.set()
        self._thread.join()

    def _tick(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            memory = self.memory.look()
            for run in self._engine.active:
                run.memory = max(run.memory, memory)
                for name, context in run.on_their_way():
                    self._say(run, name, context, time.monotonic())

    def _say(self, run: SegmentRun, name: str, context: StepContext, now: float) -> None:
        begun = run.started[name]
        told = self._told.setdefault((name, begun), _Told(begun))
        if now - told.moment < _pace(now - begun) * 0.9:  # the clock of the thread is not exact
            return
        percent = self._engine.database.progress(run.lane) if name == run.current else None
        rows, size = context.moved()
        if percent is None and not rows and not size and name != run.current:
            return  # a query that waits to be part of another one
        fields: dict[str, Any] = {"percent": percent, "duration": round(now - begun, 1)}
        span = now - told.moment
        if rows:
            fields |= {"rows": rows, "rows_per_second": round(max(rows - told.rows, 0) / span)}
        if size:
            fields |= {"bytes": size, "bytes_per_second": round(max(size - told.bytes, 0) / span)}
        told.moment, told.rows, told.bytes = now, rows, size
        self._engine.event("step_progress", name, **fields)


def _pace(age: float) -> float:
    return SECONDS if age < 60 else 5.0 if age < 3600 else 30.0
