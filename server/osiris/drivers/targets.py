"""What writers share: files that appear under their name only when they are complete, and keys that must be there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.files import cause, write_error
from osiris.drivers.paths import Place
from osiris.sql.columns import Column


@contextmanager
def complete_file(target: Place, temporary: Path, *, create_dirs: bool) -> Iterator[Path]:
    """Give ``temporary`` to write to; move it to ``target`` when the block ends well, remove it when it does not.

    A reader sees the old file or the new one, never a part, and a crash loses neither: the bytes reach the disk before
    the name does. Raises ConfigurationError for a missing folder, ExecutionError when the disk says no.
    """
    prepare_folder(target, create_dirs=create_dirs)
    if target.path.is_dir():
        raise ConfigurationError(f"Cannot write {target.shown}: it is a folder.", hint="Name a file.")
    try:
        temporary.unlink(missing_ok=True)
        mode = _mode_of(target.path)
        yield temporary
        _sync(temporary)
        if mode is not None:
            temporary.chmod(mode)
        os.replace(temporary, target.path)
    except OSError as error:
        raise write_error(target.shown, error) from cause(error)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def prepare_folder(target: Place, *, create_dirs: bool) -> None:
    """Make the folder of ``target``, or say that it is missing when folders are not to be made."""
    folder = target.path.parent
    if create_dirs:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(target.shown, error) from cause(error)
    elif not folder.is_dir():
        raise ConfigurationError(
            f"Cannot write {target.shown}: its folder does not exist.",
            hint="Make the folder, or set create_dirs: true.",
        )


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o7777
    except OSError:
        return None  # not there yet: the file gets the mode that new files get


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)  # Windows syncs nothing that was opened for reading alone
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_key(key: Sequence[str], columns: Sequence[Column], said_by: str = "primary_key") -> None:
    """The data has every column of ``key``, whatever the case. Raises ConfigurationError that names ``said_by``."""
    names = {column.name.lower() for column in columns}
    lost = [name for name in key if name.lower() not in names]
    if lost:
        raise ConfigurationError(
            f"{said_by} names the column {lost[0]}, which the data does not have.",
            hint=f"Its columns: {', '.join(column.name for column in columns)}.",
        )


def unknown_outcome(shown: str, *, journalled: bool = False) -> ExecutionError:
    """The error when the connection is lost while rows that were added to ``shown`` are made final.

    It is not transient: another attempt could add them twice. ``journalled``: the target itself will tell.
    """
    hint = "Look whether the new rows are there before you run the step again; it would add them once more."
    if journalled:
        hint = "Go on with osiris run --resume latest: it looks whether they are, and adds them only if not."
    error = ExecutionError(
        f"The connection was lost at the very end of writing to {shown}: nobody knows whether the rows are in it.",
        hint=hint,
    )
    error.outcome_unknown = True  # whatever it was caused by
    return error
