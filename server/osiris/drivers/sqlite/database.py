"""Opening SQLite databases: read-only for readers, and what goes wrong in words."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from osiris.core.error_taxonomy import ExecutionError, OsirisError
from osiris.drivers.paths import Place

BUSY_SECONDS = 30.0

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_FUNCTION})
_HARMFUL_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


def open_read_only(place: Place, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a database so that nothing can be written to it. Raises sqlite3.Error.

    ``busy_seconds``: how long to wait for somebody who writes to it.
    """
    return _connect(place.path, "ro", busy_seconds)


def open_writable(path: Path) -> sqlite3.Connection:
    """Open a database for writing; it is made when it is missing. Raises sqlite3.Error."""
    return _connect(path, "rwc", BUSY_SECONDS)


def _connect(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    # DuckDB reads a stream from a thread of its own, one at a time.
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )


def only_reading(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """An authorizer that lets a statement read tables and call harmless functions, and nothing else."""
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _HARMFUL_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def making_a_view(action: int, first: str | None, second: str | None, *rest: str | None) -> int:
    """An authorizer that besides reading allows what making one temporary view takes."""
    if action == sqlite3.SQLITE_CREATE_TEMP_VIEW:
        return sqlite3.SQLITE_OK
    if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE) and first == "sqlite_temp_master":
        return sqlite3.SQLITE_OK
    return only_reading(action, first, second, *rest)


# What to do about an error, by the beginning of its name in SQLite's own list of result codes.
_HINTS = {
    "SQLITE_NOTADB": "Check that the file is a SQLite database and that it is whole.",
    "SQLITE_CORRUPT": "Check that the file is a SQLite database and that it is whole.",
    "SQLITE_BUSY": "Another program is writing to it; try again when that has finished.",
    "SQLITE_LOCKED": "Another program is writing to it; try again when that has finished.",
    "SQLITE_FULL": "Free some space, then try again.",
    "SQLITE_IOERR": "Check the disk: it may be full, away or damaged.",
    "SQLITE_READONLY": "Check the permissions of the file and of its folder.",
    "SQLITE_CANTOPEN": "Check the permissions of the file and of its folder.",
    "SQLITE_AUTH": "A query may read tables of this database; it may not write, attach files or change settings.",
}


def explained(error: sqlite3.Error, shown: str, doing: str) -> OsirisError:
    """The error to raise when ``doing`` ("read", "write to") the database ``shown`` failed."""
    text = str(error)
    name = getattr(error, "sqlite_errorname", "")
    hint = next((hint for code, hint in _HINTS.items() if name == code or name.startswith(f"{code}_")), None)
    if not name and "decode to UTF-8" in text:  # Python's own finding, so it has no code
        text = text.partition(" with text")[0]
        hint = "Read that column as bytes: CAST(column AS BLOB)."
    return ExecutionError(f"Cannot {doing} {shown}: {text}.", hint=hint)
