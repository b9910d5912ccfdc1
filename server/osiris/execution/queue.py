"""Whose turn it is: one run per pipeline, profile and target, and only so many runs of a project at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.execution.lock import FileLock, holder, locks_folder


class AlreadyRunning(ExecutionError):  # noqa: N818 - with --if-running skip it is no error
    """The same pipeline is running, and the caller does not want to wait. ``run_id`` is that run, where it is known."""

    run_id: str | None = None


class Turn:
    """The locks that a run needs before it starts. They are given back when the process ends."""

    def __init__(self, root: Path, head: Mapping[str, Any], if_running: str, max_parallel: int | None) -> None:
        """Claim the pipeline right away unless ``if_running`` is ``wait``. Raises AlreadyRunning for skip and fail."""
        if if_running not in ("wait", "skip", "fail"):
            raise ConfigurationError(f"if_running is {if_running!r}; it must be wait, skip or fail.")
        folder = locks_folder(root)
        key = hashlib.sha256(json.dumps([head.get(k) for k in ("pipeline", "profile", "target")]).encode()).hexdigest()
        self._pipeline = FileLock(folder / f"pipeline-{key[:24]}.lock")
        places = max_parallel or os.cpu_count() or 1
        self._places = [FileLock(folder / f"place-{index}.lock") for index in range(places)]
        self._run_id: str | None = None
        if not self._pipeline.acquire() and if_running != "wait":
            other = holder(self._pipeline.path)
            error = AlreadyRunning(
                f"The pipeline {head.get('pipeline')} is running already{f' as {other}' if other else ''}.",
                hint="Wait for it (--if-running wait), or stop it: osiris runs cancel " + (other or "RUN") + ".",
            )
            error.run_id = other
            raise error

    def note(self, run_id: str) -> None:
        """Remember which run this is, for those who wait."""
        self._run_id = run_id
        self._pipeline.note(run_id)

    def take(self) -> bool:
        """Whether the run may start now; ask again when not."""
        if not self._pipeline.held:
            if not self._pipeline.acquire():
                return False
            self._pipeline.note(self._run_id or "")
        return any(place.held for place in self._places) or any(place.acquire() for place in self._places)

    def release(self) -> None:
        """Let the next one in."""
        self._pipeline.release()
        for place in self._places:
            place.release()
