"""When the file behind a connection was last changed: what was read of it before may no longer be so."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LOGS = {"sqlite": "-wal", "duckdb": ".wal"}
"""Families whose databases are files, and what the file is called that holds the latest changes beside them."""
_AHEAD_SECONDS = 2.0


def database_files(family: str, fields: Mapping[str, Any], root: Path) -> tuple[str, ...]:
    """The files of the database that resolved ``fields`` name; relative paths start at ``root``. None need be there."""
    path, log = fields.get("path"), _LOGS.get(family)
    if log is None or not isinstance(path, str) or not path or path.startswith(":"):
        return ()
    name = os.path.abspath(root / os.path.expanduser(path))
    return name, name + log


def changed_at(files: Iterable[str]) -> datetime | None:
    """When one of ``files`` was last written or put there (UTC).

    None when none is there, or when its time lies ahead of the clock and so says nothing. An empty log counts for
    nothing: whoever only reads may make it.
    """
    last = 0.0
    for at, name in enumerate(files):
        try:
            state = os.stat(name)
        except (OSError, ValueError):
            continue
        if state.st_size or not at:
            last = max(last, state.st_mtime, state.st_ctime)
    return datetime.fromtimestamp(last, UTC) if 0 < last <= time.time() + _AHEAD_SECONDS else None
