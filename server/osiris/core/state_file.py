"""The file behind ``StateStore``: made whole, opened with care, brought up to date, set aside when it is damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError, OsirisError
from osiris.core.file_lock import FileLock
from osiris.core.files import PRIVATE_FILE, cause, private_folder, write_error
from osiris.core.state_tables import Migration
from osiris.core.user_dirs import STATE_VARIABLE, is_named_by_variable

APPLICATION_ID = 0x4F53_4952
FileId = tuple[int, int]

_CORRUPT, _NOT_A_DATABASE = 11, 26
_COMPANIONS = ("-wal", "-shm", "-journal")
_REASONS = {
    5: ("other processes keep it busy", "Try again in a moment."),
    6: ("other processes keep it busy", "Try again in a moment."),
    3: ("permission denied", "Check who owns the file and its folder, and their permissions."),
    8: ("it is read-only", "Check who owns the file and its folder, and their permissions."),
    10: ("the disk reports an error", "Check the disk that it is on."),
    13: ("the disk is full", "Free some space, then try again."),
    14: ("it cannot be opened", "Check who owns the file and its folder, and their permissions."),
}


class Damaged(Exception):  # noqa: N818 - a state, told to the store
    """The file is no state file that can be used; the text says why."""


class AnotherFile(Exception):  # noqa: N818
    """While it was being opened, the file of this name became another one."""


def file_id(path: Path) -> FileId | None:
    """What tells this file from a later one of the same name; None when there is none."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_dev, state.st_ino


def is_damage(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that the file itself is broken."""
    return _primary(error) in (_CORRUPT, _NOT_A_DATABASE)


def explained(error: sqlite3.Error, path: Path, doing: str) -> OsirisError:
    """The error to raise when ``doing`` ("read", "write") the file failed."""
    reason, hint = _REASONS.get(_primary(error), (str(error), None))
    return ExecutionError(f"Cannot {doing} the state file {path}: {reason}.", hint=hint)


def _primary(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def open_file(path: Path, wait: float) -> sqlite3.Connection:
    """A connection to the file, which must exist; it waits up to ``wait`` seconds for others. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=wait, isolation_level=None, check_same_thread=False
    )
    try:
        # What stands in the file is data: its schema may not call functions, and a broken page is noticed.
        for setting in ("trusted_schema = OFF", "cell_size_check = ON", "foreign_keys = ON", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring the file to the present layout, in one transaction for each step.

    Raises Damaged for a file that is none of ours, ConfigurationError for one of a newer version, sqlite3.Error.
    """
    if _version_of(connection, path, len(migrations)) == len(migrations):
        return
    for number, statements in enumerate(migrations, start=1):
        connection.execute("BEGIN IMMEDIATE")  # one process does it, the others wait here and find it done
        try:
            if _version_of(connection, path, len(migrations)) < number:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _version_of(connection: sqlite3.Connection, path: Path, present: int) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID and (
        version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    ):
        raise Damaged("it is no state file of Osiris")
    if version > present:
        raise ConfigurationError(
            f"The state file {path} was written by a newer version of Osiris (layout {version}; this one knows "
            f"{present}).",
            hint="Update Osiris, or set OSIRIS_STATE_DIR to another folder.",
        )
    return int(version)


def make_file(path: Path, migrations: Sequence[Migration]) -> None:
    """Make an empty state file, unless there is one by then: it appears under its name whole, and for its owner alone.

    It works with a write-ahead log where the file system can, else with a journal. Raises ExecutionError.
    """
    try:
        _make_file(path, migrations)
    except ExecutionError as error:
        if not is_named_by_variable(path.parent):
            raise
        raise ExecutionError(
            f"The folder that {STATE_VARIABLE} names cannot be used. {error.message}",
            hint=f"Set {STATE_VARIABLE} to a folder of your own, or leave it out.",
        ) from error.__cause__


def _make_file(path: Path, migrations: Sequence[Migration]) -> None:
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    try:
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
            if not _fill(draft, migrations, "WAL"):
                _remove(draft)
                os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
                _fill(draft, migrations, "DELETE")
            _publish(draft, path)
        finally:
            _remove(draft)
    except OSError as error:
        raise write_error(path, error) from cause(error)
    except sqlite3.Error as error:
        raise explained(error, path, "write") from error


def _fill(draft: Path, migrations: Sequence[Migration], journal: str) -> bool:
    """Write the layout; False when the file system has no write-ahead log. Raises sqlite3.Error for the rest."""
    try:
        with contextlib.closing(open_file(draft, 1.0)) as connection:
            (found,) = connection.execute(f"PRAGMA journal_mode = {journal}").fetchone()
            if found.upper() != journal:
                return False
            migrate(connection, draft, migrations)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        if journal == "DELETE":
            raise
        return False
    return not any(os.path.exists(f"{draft}{ending}") for ending in _COMPANIONS)


def _publish(draft: Path, path: Path) -> None:
    """Give the draft its name, unless another process was faster."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except (OSError, AttributeError):  # a file system without links
        with contextlib.suppress(FileExistsError):
            if not path.exists():
                os.rename(draft, path)


def set_aside(path: Path, opened: FileId | None) -> Path | None:
    """Give a damaged file another name; the new name, None when the file ``opened`` is not there any more.

    One process does it: whoever comes later finds another file and leaves that alone. Raises ExecutionError.
    """
    lock = FileLock(path.with_name(f"{path.name}.repair"))
    lock.acquire(wait=True)
    try:
        if opened is None or file_id(path) != opened:
            return None
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        target = path.with_name(f"{path.name}.damaged-{stamp}-{os.urandom(2).hex()}")
        for ending in reversed(("", *_COMPANIONS)):  # the companions first: a new file must not find old ones
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{path}{ending}", f"{target}{ending}")
        return target
    except OSError as error:
        raise write_error(path, error) from cause(error)
    finally:
        lock.release()


def _remove(draft: Path) -> None:
    for ending in ("", *_COMPANIONS):
        with contextlib.suppress(OSError):
            os.unlink(f"{draft}{ending}")
