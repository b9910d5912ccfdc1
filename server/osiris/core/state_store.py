"""What Osiris remembers for a user, in one SQLite file that any number of processes use at once.

    with StateStore() as store:
        store.grant_consent(str(fingerprint))

The file is made by the first write. A file that is damaged is set aside and a new one begun (``remarks`` says so);
one that a newer version of Osiris has written is left alone, and every use of it raises ConfigurationError.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar, cast

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.state_file import (
    AnotherFile,
    Damaged,
    FileId,
    explained,
    file_id,
    is_damage,
    make_file,
    migrate,
    open_file,
    set_aside,
)
from osiris.core.state_tables import MIGRATIONS, Migration
from osiris.core.user_dirs import state_dir

FILE_NAME = "state.db"
WAIT_SECONDS = 10.0

T = TypeVar("T")


class StateStore:
    """The state file. One object may be used by several threads; other processes see each write as a whole."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        wait: float = WAIT_SECONDS,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        """The file at ``path`` (default: ``state.db`` in ``user_dirs.state_dir()``), which need not exist.

        ``wait``: how many seconds to wait for other processes. ``migrations``: the steps to the present layout.
        Raises ConfigurationError when there is no place for a state folder.
        """
        self.path = path if path is not None else state_dir() / FILE_NAME
        self._wait = wait
        self._migrations = tuple(migrations)
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened: FileId | None = None
        self._own_changes = 0
        self._remarks: list[str] = []

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know of the file: that it was damaged, and where it is now."""
        return tuple(self._remarks)

    # ---- Consent ---------------------------------------------------------------------------------------------------

    def grant_consent(self, fingerprint: str) -> None:
        """The user lets the editor use the connection with this fingerprint. Raises as ``write``."""
        statement = "INSERT OR IGNORE INTO consents (fingerprint, granted_at) VALUES (?, ?)"
        self.write(lambda db: db.execute(statement, (str(fingerprint), time.time())))

    def has_consent(self, fingerprint: str) -> bool:
        """Whether the user has let the editor use the connection with this fingerprint. Raises as ``read``."""
        query = "SELECT 1 FROM consents WHERE fingerprint = ?"
        return self.read(lambda db: db.execute(query, (str(fingerprint),)).fetchone() is not None, absent=False)

    def withdraw_consent(self, fingerprint: str | None = None) -> int:
        """Take the consent back, without a fingerprint all; how many there were. Raises as ``write``."""
        where, values = ("", ()) if fingerprint is None else (" WHERE fingerprint = ?", (str(fingerprint),))
        if not self.path.exists():
            return 0
        return self.write(lambda db: db.execute(f"DELETE FROM consents{where}", values).rowcount)

    # ---- Access ----------------------------------------------------------------------------------------------------

    def read(self, work: Callable[[sqlite3.Connection], T], *, absent: T) -> T:
        """What ``work`` finds in one consistent state of the file; ``absent`` when there is no file.

        Raises ConfigurationError for a file of a newer version, ExecutionError when it cannot be read.
        """

        def consistent(db: sqlite3.Connection) -> T:
            db.execute("BEGIN")
            try:
                return work(db)
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")

        with self._lock:
            return cast(T, self._with_file(consistent, "read", make=False, absent=absent))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Let ``work`` change the file in one transaction, which is kept as a whole or not at all.

        Makes the file when there is none. Whatever ``work`` raises undoes the transaction. Raises ConfigurationError
        for a file of a newer version, ExecutionError when it cannot be written.
        """

        def whole(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            self._own_changes += 1
            return result

        with self._lock:
            return cast(T, self._with_file(whole, "write", make=True, absent=None))

    def change_mark(self) -> Hashable:
        """Another value than before when anything in the file may have changed. Costs microseconds; never raises."""
        with self._lock:
            now = file_id(self.path)
            if now is None:
                return None
            if self._connection is None or self._opened != now:
                try:
                    self._open(make=False)
                except (ConfigurationError, ExecutionError, sqlite3.Error, Damaged, AnotherFile):
                    return ("unusable", now, _modified(self.path))
            try:
                assert self._connection is not None
                (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                return ("unusable", now, _modified(self.path))
            return (now, version, self._own_changes)

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = self._opened = None

    def __enter__(self) -> StateStore:
        """The store itself; it is closed at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def _with_file(
        self, work: Callable[[sqlite3.Connection], T], doing: str, *, make: bool, absent: T | None
    ) -> T | None:
        for _ in range(4):  # a file may be damaged, and what another process does about it damaged again
            try:
                if not self._is_current() and not self._open(make=make):
                    return absent
                assert self._connection is not None
                return work(self._connection)
            except AnotherFile:
                self.close()
            except Damaged as damage:
                self._begin_anew(str(damage))
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise explained(error, self.path, doing) from error
                self._begin_anew(str(error))
        raise ExecutionError(
            f"The state file {self.path} is damaged again and again.", hint="Check the disk that it is on."
        )

    def _is_current(self) -> bool:
        """Whether the open file is still the one of this name."""
        return self._connection is not None and self._opened == file_id(self.path)

    def _open(self, *, make: bool) -> bool:
        """Open the file; False when there is none and none shall be made."""
        self.close()
        if file_id(self.path) is None:
            if not make:
                return False
            make_file(self.path, self._migrations)
        self._opened = file_id(self.path)  # also of a file that turns out to be damaged
        connection = open_file(self.path, self._wait)
        try:
            migrate(connection, self.path, self._migrations)
            if self._opened is None or self._opened != file_id(self.path):
                raise AnotherFile
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._own_changes += 1  # what SQLite calls a version counts from here
        return True

    def _begin_anew(self, damage: str) -> None:
        opened = self._opened
        self.close()
        moved = set_aside(self.path, opened)
        if moved is not None:
            self._remarks.append(
                f"The state file {self.path} was damaged ({damage}) and is now {moved.name}. What was known of "
                "databases is discovered again, and the editor asks again before it connects."
            )


def _modified(path: Path) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
