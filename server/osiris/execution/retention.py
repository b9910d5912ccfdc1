"""Old runs go by themselves: every run looks, once an hour at most, whether some are to be removed."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from osiris.core.error_taxonomy import OsirisError
from osiris.execution.lock import FileLock, locks_folder

PAUSE_SECONDS = 3600.0


@dataclass(frozen=True)
class Keep:
    """Which runs stay: those that ended within ``days``, and of them the newest that fit into ``size`` bytes."""

    days: float | None = None
    size: float | None = None


def clean_old_runs(root: Path, logs_dir: Path, keep: Keep) -> None:
    """Remove the runs in ``logs_dir`` that ``keep`` does not cover, unless that was done within the last hour.

    ``root``: the project. Whoever is interrupted here leaves whole runs, and the rest to the next one.
    """
    from osiris.execution.runs import RunStore

    if keep.days is None and keep.size is None:
        return
    with contextlib.suppress(OSError, OsirisError):  # a run goes on where old ones cannot be removed
        done = locks_folder(root, logs_dir) / "cleaned"
        if done.exists() and 0 <= time.time() - done.stat().st_mtime < PAUSE_SECONDS:
            return
        lock = FileLock(done.with_name("cleaning.lock"))
        if not lock.acquire():
            return
        try:
            RunStore(logs_dir).clean(keep_days=keep.days, keep_bytes=keep.size, root=root)
            done.touch(mode=0o600)
            os.utime(done)
        finally:
            lock.release()
