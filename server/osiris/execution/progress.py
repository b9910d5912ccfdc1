"""Saying how far a long step is, from beside it."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osiris.execution.engine import Engine

SECONDS = 1.0


class ProgressTicker:
    """Inside the block, logs ``step_progress`` with a percentage once a second while DuckDB knows one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)

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
        told: dict[str, int] = {}
        while not self._done.wait(SECONDS):
            for run in self._engine.active:
                percent = self._engine.database.progress(run.lane)
                step = run.current
                if percent is not None and step is not None and told.get(step) != percent:
                    told[step] = percent
                    self._engine.event("step_progress", step, percent=percent)
