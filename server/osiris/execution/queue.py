"""Whose turn it is: one run per pipeline, profile and target, and only so many runs of a project at once.

Whoever waits has a ticket, a locked file of its own: the first who came is the first to go, and the ticket of one who
was killed stops nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.execution.lock import FileLock, holder, is_locked

_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class AlreadyRunning(ExecutionError):  # noqa: N818 - with --if-running skip it is no error
    """The same pipeline is running, and the caller does not want to wait. ``run_id`` is that run, where it is known."""

    run_id: str | None = None


class Line:
    """Those who wait for one thing, in the order in which they came."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._ticket: FileLock | None = None
        self.ahead = 0  # how many stood before this one at the last look

    def join(self) -> None:
        """Stand behind all who wait already; a second time does nothing. Raises ExecutionError."""
        while self._ticket is None:
            ticket = FileLock(self._folder / f"{self._name}.{time.time_ns():020}-{os.getpid()}.wait")
            # Somebody may take a ticket that is not locked yet for that of a dead one, and throw it away.
            if ticket.acquire() and ticket.path.exists():
                self._ticket = ticket
            else:
                ticket.release()

    def first(self) -> bool:
        """Whether nobody who still waits came earlier. One who has not joined comes after all others."""
        waiting = sorted(self._folder.glob(f"{self._name}.*.wait"))
        own = self._ticket.path if self._ticket is not None else None
        self.ahead = waiting.index(own) if own in waiting else len(waiting)
        for path in waiting:
            if path == own:
                return True
            if is_locked(path):
                return False
            with contextlib.suppress(OSError):
                path.unlink()
        return True

    def leave(self) -> None:
        """Wait no longer; a second time does nothing."""
        if self._ticket is not None:
            with contextlib.suppress(OSError):
                self._ticket.path.unlink()
            self._ticket.release()
            self._ticket = None


class Turn:
    """The locks that a run needs before it starts. They are given back when the process ends."""

    def __init__(self, folder: Path, head: Mapping[str, Any], if_running: str, max_parallel: int | None) -> None:
        """Claim the pipeline right away unless ``if_running`` is ``wait``. Raises AlreadyRunning for skip and fail.

        ``folder``: where the locks of the project are.
        """
        if if_running not in ("wait", "skip", "fail"):
            raise ConfigurationError(f"if_running is {if_running!r}; it must be wait, skip or fail.")
        key = hashlib.sha256(json.dumps([head.get(k) for k in ("pipeline", "profile", "target")]).encode()).hexdigest()
        name = f"pipeline-{key[:24]}"
        self._pipeline = FileLock(folder / f"{name}.lock")
        self._pipeline_line = Line(folder, name)
        places = max_parallel or os.cpu_count() or 1
        self._places = [FileLock(folder / f"place-{index}.lock") for index in range(places)]
        self._places_line = Line(folder, "place")
        self._run_id: str | None = None
        self._claim(head, if_running)

    def _claim(self, head: Mapping[str, Any], if_running: str) -> None:
        if self._pipeline_line.first() and self._pipeline.acquire():
            self._pipeline.note("")  # until it is known which run this is, nobody shall take it for the last one
            return
        if if_running == "wait":
            self._pipeline_line.join()
            return
        other = self.waits_for
        error = AlreadyRunning(
            f"The pipeline {head.get('pipeline')} is running already{f' as {other}' if other else ''}.",
            hint="Wait for it (--if-running wait), or stop it: osiris runs cancel " + (other or "RUN") + ".",
        )
        error.run_id = other
        raise error

    @property
    def waits_for(self) -> str | None:
        """The run of the same pipeline that goes first, where it is known; None when this one has the pipeline."""
        return None if self._pipeline.held else holder(self._pipeline.path)

    def note(self, run_id: str) -> None:
        """Remember which run this is, for those who wait."""
        self._run_id = run_id
        self._pipeline.note(run_id)

    def take(self) -> bool:
        """Whether the run may start now; ask again when not."""
        if not self._pipeline.held:
            if not self._pipeline_line.first() or not self._pipeline.acquire():
                return False
            self._pipeline_line.leave()
            self._pipeline.note(self._run_id or "")
        if any(place.held for place in self._places):
            return True
        self._places_line.join()
        if not self._places_line.first() or not any(place.acquire() for place in self._places):
            return False
        self._places_line.leave()
        return True

    @property
    def pause(self) -> float:
        """Seconds until it is worth asking again: those who stand far behind look less often."""
        line = self._places_line if self._pipeline.held else self._pipeline_line
        return min(_PAUSE * (1 + line.ahead), _LONGEST_PAUSE)

    def release(self) -> None:
        """Let the next one in."""
        for line in (self._pipeline_line, self._places_line):
            line.leave()
        self._pipeline.release()
        for place in self._places:
            place.release()
