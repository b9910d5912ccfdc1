"""The runs of a project: what they are doing, following them, stopping them, and clearing old ones away."""

from __future__ import annotations

import builtins
import contextlib
import datetime
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import atomic_write
from osiris.execution.folder import (
    CANCEL_FILE,
    FINAL_STATES,
    GONE,
    LOCK_FILE,
    UNBORN,
    follow_events,
    read_events,
    read_status,
    state_of,
)
from osiris.execution.left_data import Leaving, remove_orphans
from osiris.execution.lock import is_locked
from osiris.execution.ulid import is_run_id

_BIRTH_SECONDS = 60.0  # a folder younger than this may still be on its way to being a run
_ELSEWHERE_DAYS = 1.0  # no machine elsewhere goes on for longer without a word from here


@dataclass(frozen=True)
class RunInfo:
    """One run. ``state``: queued, running, succeeded, failed, cancelled or interrupted. Times are ISO 8601 in UTC."""

    id: str
    state: str
    path: Path
    status: dict[str, Any]

    @property
    def pipeline(self) -> str | None:
        """The name of its pipeline."""
        return self.status.get("pipeline")

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")

    @property
    def elsewhere(self) -> bool:
        """Whether it may still be at work on another machine, and nobody on this one follows it."""
        from osiris.execution.remote.note import Note

        return self.state == "interrupted" and Note(self.path).unfinished

    def plain(self) -> dict[str, Any]:
        """The run as JSON data."""
        return {**self.status, "run_id": self.id, "state": self.state, "path": str(self.path)}


class RunStore:
    """The runs in one logs folder."""

    def __init__(self, logs_dir: Path | str) -> None:
        self.logs_dir = Path(logs_dir)

    def list(self) -> list[RunInfo]:
        """All runs, the newest first."""
        return self.newest(None)

    def newest(self, most: int | None) -> builtins.list[RunInfo]:
        """The ``most`` newest runs (None: all), the newest first, whatever they are doing."""
        return [self.at(name) for name in self.newest_names(most)]

    def newest_names(self, most: int | None) -> builtins.list[str]:
        """The ids of the ``most`` newest runs, the newest first; none of their files is read."""
        return sorted((path.name for path in _folders(self.logs_dir)), reverse=True)[:most]

    def at(self, name: str) -> RunInfo:
        """The run in the folder of this name; one that is gone meanwhile is ``interrupted`` and says nothing."""
        return self._info(self.logs_dir / name)

    def show(self, run_id: str) -> RunInfo:
        """The run with this id, a unique beginning of it, or ``latest``. Raises ConfigurationError."""
        return self._info(self._find(run_id))

    def events(self, run_id: str) -> builtins.list[dict[str, Any]]:
        """The events of a run that are written so far. Raises ConfigurationError."""
        return list(read_events(self._find(run_id)))

    def follow(self, run_id: str) -> Iterator[dict[str, Any]]:
        """The events of a run as they happen, until its final one. Raises ConfigurationError."""
        return follow_events(self._find(run_id))

    def cancel(self, run_id: str) -> RunInfo:
        """Ask for a run to be stopped, which takes seconds at most; the run as it is now. One that is over stays so.

        One that goes on elsewhere after nobody here answers for it any more is taken up again to be ended. Raises
        ConfigurationError when there is no such run, ExecutionError when its folder cannot be written to.
        """
        info = self.show(run_id)
        if info.active or info.elsewhere:
            atomic_write(info.path / CANCEL_FILE, b"", private=True)
        if info.elsewhere:
            from osiris.execution.remote.attach import attach

            attach(info)
            return self.at(info.id)
        return info

    def clean(
        self, *, keep_days: float | None = None, keep_bytes: float | None = None, root: Path | None = None
    ) -> builtins.list[RunInfo]:
        """Remove runs that ended more than ``keep_days`` ago, then the oldest while all take more than ``keep_bytes``.

        Runs that wait or run, here or elsewhere, are never touched. The runs that were removed, the oldest first. What
        is left of runs that were killed while they began goes, too. With ``root``, the project, what the removed runs
        have left for a resume goes with them.
        """
        self._remove_remains()
        removed: builtins.list[RunInfo] = []
        kept: builtins.list[tuple[RunInfo, int, bool]] = []
        now = datetime.datetime.now(datetime.UTC)
        for info in reversed(self.list()):
            age = (now - _ended(info)).total_seconds() / 86_400
            needed = info.active or (age < _ELSEWHERE_DAYS and info.elsewhere)
            if not needed and keep_days is not None and age > keep_days:
                self._remove(info, removed)
            else:
                kept.append((info, _size(info.path), needed))
        total = sum(size for _, size, _ in kept)
        for info, size, needed in kept:
            if keep_bytes is None or total <= keep_bytes:
                break
            if not needed:
                self._remove(info, removed)
                total -= size
        if root is not None:
            for info in removed:
                Leaving(root, info.id).remove()
            remove_orphans(root, self.logs_dir)
        return removed

    def _remove(self, info: RunInfo, removed: builtins.list[RunInfo]) -> None:
        # Under another name first: what is removed half-way is no run any more.
        gone = info.path.with_name(f"{GONE}{info.id}")
        with contextlib.suppress(OSError):
            info.path.rename(gone)
            removed.append(info)
        shutil.rmtree(gone, ignore_errors=True)

    def _remove_remains(self) -> None:
        for unborn in self.logs_dir.glob(f"{UNBORN}run_*"):
            with contextlib.suppress(OSError):
                if not is_locked(unborn / LOCK_FILE) and time.time() - unborn.stat().st_mtime > _BIRTH_SECONDS:
                    shutil.rmtree(unborn, ignore_errors=True)
        for gone in self.logs_dir.glob(f"{GONE}run_*"):
            shutil.rmtree(gone, ignore_errors=True)

    def _find(self, run_id: str) -> Path:
        if is_run_id(run_id) and (self.logs_dir / run_id).is_dir():
            return self.logs_dir / run_id
        names = [info.name for info in _folders(self.logs_dir)]
        if run_id == "latest" and names:
            return self.logs_dir / max(names)
        wanted = run_id if run_id.startswith("run_") else f"run_{run_id}"
        found = [name for name in names if name.startswith(wanted)] if len(run_id) >= 4 else []
        if len(found) == 1:
            return self.logs_dir / found[0]
        if len(found) > 1:
            raise ConfigurationError(f"{len(found)} runs begin with {run_id}.", hint="Give more of the id.")
        raise ConfigurationError(f"There is no run {run_id} in {self.logs_dir}.", hint="See osiris runs list.")

    def _info(self, path: Path) -> RunInfo:
        status = read_status(path)
        state = state_of(path, status)
        if state in FINAL_STATES:  # the final status may be newer than the one that was read first
            status = read_status(path)
        return RunInfo(path.name, state, path, status or {})


def _folders(logs_dir: Path) -> list[Path]:
    try:
        return [entry for entry in logs_dir.iterdir() if is_run_id(entry.name)]
    except OSError:
        return []


def _ended(info: RunInfo) -> datetime.datetime:
    for key in ("finished", "started", "queued"):
        with contextlib.suppress(KeyError, ValueError, TypeError):
            found = datetime.datetime.fromisoformat(info.status[key])
            return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
    with contextlib.suppress(OSError):
        return datetime.datetime.fromtimestamp(info.path.stat().st_mtime, datetime.UTC)
    return datetime.datetime.now(datetime.UTC)  # gone: somebody else is clearing away, too


def _size(path: Path) -> int:
    """The bytes below a folder. Files and folders may go meanwhile: a run that goes on spills and clears away."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
