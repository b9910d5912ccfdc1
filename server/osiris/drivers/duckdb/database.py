"""Opening DuckDB database files for a step: nothing but that file is in reach, and what goes wrong in words."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError, OsirisError
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.drivers.context import StepContext
from osiris.drivers.filesystem.sources import readable
from osiris.drivers.paths import Place
from osiris.sql.gate import IN_UTC, engine_message
from osiris.sql.messages import is_disk_full

if TYPE_CHECKING:
    import duckdb

BUSY_SECONDS = 10.0
"""How long a step waits for others to close a database."""

_PAUSE = 0.1
_LEAST_MEMORY = 128 * 1024 * 1024
_USUAL_MEMORY = 512 * 1024 * 1024
_SHARE = 3  # of what the run's own database may use
_MAGIC = b"DUCK"  # at position 8 of every DuckDB file, encrypted or not
_SQLITE = b"SQLite format 3\0"
_ELSEWHERE = "Conflicting lock"
_HERE = ("different configuration", "already attached", "Unique file handle conflict")
_HOLDER = re.compile(r"\(PID \d+\)")


def open_database(path: Path, place: Place, step: StepContext, *, write: bool) -> duckdb.DuckDBPyConnection:
    """A connection to the database at ``path``; ``place`` is what messages call it.

    Other files, networks, extensions and the variables of this process are out of its reach. Waits a little for others
    to close the database. Raises ConfigurationError, ConnectionError (locked), ExecutionError, StepStopped.
    """
    import duckdb

    end = time.monotonic() + BUSY_SECONDS
    while True:
        step.checkpoint()
        try:
            connection = duckdb.connect(str(path), read_only=not write, config=_settings(step))
            connection.execute(IN_UTC)
            return connection
        except duckdb.Error as error:
            held = is_held(error)
            if not held or time.monotonic() > end:
                raise _not_opened(error, place, "write to" if write else "read") from error
        time.sleep(_PAUSE)


def is_held_here(path: Path, step: StepContext) -> bool:
    """Whether another step of this run reads the database, so that it cannot be written to yet. Raises OsirisError."""
    import duckdb

    try:
        duckdb.connect(str(path), config=_settings(step)).close()
    except duckdb.Error as error:
        return any(words in str(error) for words in _HERE)
    return False


def is_held(error: duckdb.Error) -> bool:
    """Whether a database could not be opened because somebody else has it open."""
    return any(words in str(error) for words in (_ELSEWHERE, *_HERE))


def _settings(step: StepContext) -> dict[str, Any]:
    """Alike for every reader of a run: DuckDB shares one database among those that open it alike."""
    limits = step.database.limits
    memory = max(limits.memory // _SHARE, _LEAST_MEMORY) if limits.memory else _USUAL_MEMORY
    settings: dict[str, Any] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
        "arrow_lossless_conversion": "true",
        "memory_limit": f"{memory // 1024}KiB",
        "temp_directory": str(step.spill / "duckdb"),
    }
    if limits.threads is not None:
        settings["threads"] = str(limits.threads)
    return settings


def _not_opened(error: duckdb.Error, place: Place, doing: str) -> OsirisError:
    text = str(error)
    if _ELSEWHERE in text:
        holder = _HOLDER.search(text)
        return Unreachable(
            f"{place.shown} is locked: another program{f' {holder[0]}' if holder else ''} has it open.",
            hint="DuckDB lets either one program write or several read. Close it there, then try again.",
        )
    if is_held(error):
        return Unreachable(
            f"{place.shown} is locked: another step of this run has it open.",
            hint="Let the step that writes to it come after those that read from it: needs.",
        )
    # Only now: a file that is opened and closed loses the locks that this process has on it.
    readable(place)
    with place.path.open("rb") as file:
        head = file.read(len(_SQLITE))
    if head == _SQLITE:
        return ConfigurationError(
            f"{place.shown} is a SQLite database, not a DuckDB one.", hint="Use sqlite.extractor and sqlite.writer."
        )
    if head and head[8 : 8 + len(_MAGIC)] != _MAGIC:
        return ConfigurationError(f"{place.shown} is not a DuckDB database.", hint="Check the path.")
    return explained(error, place, doing)


def explained(error: duckdb.Error, place: Place, doing: str, path: Path | None = None) -> OsirisError:
    """The error to raise when ``doing`` ("read", "write to") the database failed. ``path``: where it really stood."""
    text = engine_message(error)
    for real in filter(None, (path, place.path)):
        text = text.replace(str(real), place.shown)
    lower = text.lower()
    if "encrypt" in lower:
        return ConfigurationError(
            f"{place.shown} is encrypted.", hint="Encrypted DuckDB databases are neither read nor written."
        )
    if "storage version number" in lower:
        import duckdb

        return ConfigurationError(
            f"{place.shown} was written by another version of DuckDB, which {duckdb.__version__} cannot read.",
            hint="Export it there (EXPORT DATABASE) and import it here, or upgrade the package duckdb.",
        )
    if "corrupt" in lower or "could not read enough bytes" in lower:
        return ExecutionError(
            f"{place.shown} is damaged: it is cut off, or parts of it were changed.", hint="Restore it from a copy."
        )
    if "operations are disabled by configuration" in lower:
        return ConfigurationError(
            f"Cannot {doing} {place.shown}: a query or a view in it opens another file or address.",
            hint="Only what is stored in the database itself can be read; read files with steps of their own.",
        )
    if is_disk_full(error):
        return ExecutionError(
            f"Cannot {doing} {place.shown}: the disk is full.", hint="Free some space, then try again."
        )
    if type(error).__name__ == "OutOfMemoryException":
        return ExecutionError(
            f"Cannot {doing} {place.shown}: it takes more memory than the run may use.",
            hint="Raise runs.memory_limit in osiris.yaml, or do less at once.",
        )
    line = text.partition("\n")[0]
    kind, _, rest = line.partition(": ")
    reason = rest if kind.endswith("Error") and rest else line
    return ExecutionError(f"Cannot {doing} {place.shown}: {reason.strip().rstrip('.')}.")
