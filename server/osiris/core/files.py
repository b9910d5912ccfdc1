"""Files on disk: atomic writes, private folders, paths that stay inside a root, and clear words for what goes wrong."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.os_errors import explain_os_error as explain_os_error

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
# Without it Windows would turn each line feed into two characters.
BINARY = getattr(os, "O_BINARY", 0)


def write_error(path: Path | str, error: OSError) -> ExecutionError:
    """The error to raise when ``path`` could not be written because of ``error``."""
    reason, hint = explain_os_error(error)
    return ExecutionError(f"Cannot write {path}: {reason}.", hint=hint)


def cause(error: OSError) -> OSError:
    """``error`` without the name of its file, to raise another error from: that one names the file already."""
    return OSError(error.errno, error.strerror)


def read_error(path: Path | str, error: OSError) -> ConfigurationError:
    """The error to raise when ``path`` could not be read because of ``error``."""
    reason, hint = explain_os_error(error)
    return ConfigurationError(f"Cannot read {path}: {reason}.", hint=hint)


def atomic_write(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    Missing folders are made. The bytes reach the disk before the name changes, so a crash leaves no empty file.
    ``private`` makes the file readable by its owner alone. Raises ExecutionError with the reason (full disk,
    permission, ...), and then leaves nothing behind and the old file as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data, PRIVATE_FILE if private else 0o644)
    except OSError as error:
        raise write_error(path, error) from cause(error)


def rewrite(path: Path, data: bytes) -> None:
    """Give a file that is there another content, atomically; its permissions and owner stay.

    Behind a symbolic link it is the link's target that is written. Raises ExecutionError with the reason, also for a
    file that is marked as read-only, and then leaves the file as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        state = target.stat()
        # The folder alone decides whether a file can be replaced: the file's own mark has to be asked for.
        if not state.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise ExecutionError(f"Cannot write {path}: it is read-only.", hint="Make it writable, then try again.")
        _replace(target, data, stat.S_IMODE(state.st_mode), state)
    except OSError as error:
        raise write_error(path, error) from cause(error)


def _replace(path: Path, data: bytes, mode: int, like: os.stat_result | None = None) -> None:
    """Write a file beside ``path`` and give it that name; ``like``: with this owner, and with exactly this mode."""
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, mode)
        try:
            if like is not None and hasattr(os, "fchown"):
                with contextlib.suppress(PermissionError):  # only root gives files away
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, mode)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data``; the first write carries all of it unless the disk is full. Raises OSError."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


def write_if_changed(path: Path, data: bytes) -> bool:
    """Write ``data`` atomically unless the file holds exactly that already; True when something was written."""
    try:
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    except OSError:
        pass  # not there or not readable: the write below succeeds or says why it cannot
    atomic_write(path, data)
    return True


def private_folder(path: Path) -> Path:
    """Make ``path`` (and its parents) and close it to everybody but its owner. Raises ExecutionError."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        if path.stat().st_mode & 0o077:
            path.chmod(PRIVATE_FOLDER)
    except OSError as error:
        raise write_error(path, error) from cause(error)
    return path


def is_inside(path: Path, root: Path) -> bool:
    """Whether ``path``, with ``..`` and symbolic links followed, stands in ``root`` or is it."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL byte: certainly nothing inside
        return False
