"""Where the locks of a project's runs are; ``osiris.core.file_lock`` knows how to lock."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from osiris.core.error_taxonomy import ExecutionError
from osiris.core.file_lock import FileLock as FileLock
from osiris.core.file_lock import holder as holder
from osiris.core.file_lock import is_locked as is_locked
from osiris.core.files import private_folder

OF_READ_ONLY_PROJECTS = ".locks"  # in the logs folder


def locks_folder(root: Path, logs_dir: Path) -> Path:
    """The folder of a project's locks, made when missing: in ``.osiris``, or in ``logs_dir`` where the project in
    ``root`` cannot be written to.

    Whoever shares neither of them does not wait for each other. Raises ExecutionError when both are read-only.
    """
    with contextlib.suppress(ExecutionError):
        folder = private_folder(private_folder(root / ".osiris") / "locks")
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    return private_folder(logs_dir / OF_READ_ONLY_PROJECTS)
