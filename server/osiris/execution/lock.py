"""Where the locks of a project's runs are; ``osiris.core.file_lock`` knows how to lock."""

from __future__ import annotations

from pathlib import Path

from osiris.core.file_lock import FileLock as FileLock
from osiris.core.file_lock import holder as holder
from osiris.core.file_lock import is_locked as is_locked
from osiris.core.files import private_folder


def locks_folder(root: Path) -> Path:
    """The folder of a project's locks, made when missing. Raises ExecutionError."""
    folder = private_folder(root / ".osiris") / "locks"
    return private_folder(folder)
