"""Locks on files that the system gives back when the process that holds them dies. The only module that knows how."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from osiris.core.files import PRIVATE_FILE, cause, write_error

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int, wait: bool) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(descriptor: int, wait: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True


class FileLock:
    """An exclusive lock on a file, held until ``release`` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, *, wait: bool = False) -> bool:
        """Take the lock; False when somebody else holds it (with ``wait``: only then does it take time).

        Raises ExecutionError when the file cannot be made.
        """
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        except OSError as error:
            raise write_error(self.path, error) from cause(error)
        if not _take(descriptor, wait):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def note(self, text: str) -> None:
        """Write into the file who holds the lock."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0) if hasattr(os, "pwrite") else None

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock on ``path``; False when there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _take(descriptor, wait=False)
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """What the holder of the lock noted in the file."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip() or None
    return None
