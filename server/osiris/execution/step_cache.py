"""Rows that need not be made again, since all that they are made of is the same: config, inputs, spec, source.

    .osiris/data/cache/<key>.arrow

The key of a step is a digest of everything its rows depend on. A step has a key only where that can be proven: a source
in files that the system tells apart (size, time of change, number of the file), SQL without clock and chance, no
parameter that must stay secret. A source beyond a network never has one, nor has what is made of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris import __version__
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.files import private_folder
from osiris.core.manifest import digest
from osiris.drivers.paths import resolve_path
from osiris.execution.left_data import data_folder
from osiris.execution.resume import Resume
from osiris.syntax.sql import tokenize_sql

if TYPE_CHECKING:
    from osiris.execution.preparation import PreparedStep

FORMAT = 1
MOST_BYTES = 2 * 10**9
MOST_ROWS = 1_000_000  # of a computed result: more rows take too long to write
LEAST_SECONDS = 1.0  # of a computed result: what is made sooner is made again
_SETTLED_SECONDS = 2.0  # a file that was changed later may change again without its time telling so
_ENDING = ".arrow"

_DUCKDB = """
    age ago current_catalog current_connection_id current_database current_date current_localtime
    current_localtimestamp current_query current_query_id current_role current_schema current_schemas
    current_setting current_time current_timestamp current_transaction_id current_user currval error gen_random_uuid
    get_block_size get_current_time get_current_timestamp getenv getvariable in_search_path localtime localtimestamp
    nextval now pg_conf_load_time pg_postmaster_start_time random sample session_user setseed setval shuffle
    sleep_ms stats tablesample today transaction_timestamp txid_current user uuid uuidv4 uuidv7 vector_type version
    write_log
"""
_SQLITE = """
    changes date datetime julianday last_insert_rowid randomblob sqlite_version strftime time timediff total_changes
    unixepoch
"""

VOLATILE = frozenset(_DUCKDB.split())
"""Words of DuckDB's SQL that make a result depend on when, where or how often it is made."""

_VOLATILE_SQLITE = frozenset(_SQLITE.split())
_OF_PLACES = frozenset({"path", "base_dir"})  # fields of a connection that say no more than where the file is
_MOMENTS = ("now", "today", "tomorrow", "yesterday", "localtime")


class StepCache:
    """What earlier runs of a project left for all runs that follow."""

    def __init__(self, root: Path, steps: Mapping[str, PreparedStep]) -> None:
        self._root = root
        self._steps = steps
        self.folder = data_folder(root) / "cache"
        self.keys = dict(_keys(root, steps, _written(root, steps)))

    def hits(self) -> Resume:
        """What this run need not do: steps whose rows are here, and those of whose rows only such steps are made."""
        consumers: dict[str, list[str]] = {name: [] for name in self._steps}
        for name, step in self._steps.items():
            for source in set((step.manifest.get("inputs") or {}).values()):
                consumers[source].append(name)
        left: dict[str, Path] = {}
        done: set[str] = set()
        for name in reversed(list(self._steps)):
            if not consumers[name]:
                continue  # nobody takes its rows: it runs for what else it does
            if done.issuperset(consumers[name]) and name in self.keys:
                done.add(name)
            elif name in self.keys and (path := self._path(self.keys[name])).is_file():
                left[name] = path
                done.add(name)
        for path in left.values():
            with contextlib.suppress(OSError):
                os.utime(path)  # what is used stays longest
        return Resume("cache", frozenset(done), left)

    def offer(self, name: str, file: Path) -> None:
        """Keep the rows in a complete file, when the source is still what it was when the run began."""
        if (place := self._place(name)) is not None:
            with contextlib.suppress(OSError):
                os.link(file, place)

    def place_for_result(self, name: str, rows: int, seconds: float) -> Path | None:
        """Where a computed result of so many rows may be written; None when it shall not be kept."""
        if seconds < LEAST_SECONDS or rows > MOST_ROWS:
            return None
        return self._place(name)

    def trim(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove what was not used for longest, until the rest takes no more than ``most_bytes``."""
        with contextlib.suppress(OSError):
            found = sorted(
                ((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(self.folder)),
                reverse=True,
            )
            total = 0
            for _, size, path in found:
                total += size
                if total > most_bytes:
                    os.unlink(path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_ENDING}"

    def _place(self, name: str) -> Path | None:
        key = self.keys.get(name)
        if key is None or self._path(key).exists():
            return None
        wanted, todo = set[str](), [name]
        while todo:
            one = todo.pop()
            wanted.add(one)
            todo += (self._steps[one].manifest.get("inputs") or {}).values()
        made_of = {one: step for one, step in self._steps.items() if one in wanted}
        if dict(_keys(self._root, made_of)).get(name) != key:
            return None  # a source has changed since the run began
        try:
            private_folder(self._root / ".osiris")
            private_folder(self.folder.parent)
            private_folder(self.folder)
        except (OSError, OsirisError):
            return None
        return self._path(key)


def _written(root: Path, steps: Mapping[str, PreparedStep]) -> frozenset[str] | None:
    """The files that steps of the run itself write; None when one of them may write anywhere."""
    from osiris.components.registry import ComponentRegistry

    found: set[str] = set()
    for step in steps.values():
        spec = ComponentRegistry.builtin().get(str(step.manifest["component"]))
        if spec is None or not step.own:
            return None
        for key, direction in spec.path_keys.items():
            if direction == "output":
                with contextlib.suppress(ConfigurationError):
                    found.add(str(resolve_path(root, step.config, key=key, base_key=spec.path_base_key).path))
    return frozenset(found)


def _keys(
    root: Path, steps: Mapping[str, PreparedStep], written: frozenset[str] | None = frozenset()
) -> Iterator[tuple[str, str]]:
    """The keys of the steps that have one; a step that reads what the run itself writes (``written``) has none."""
    from osiris.components.registry import ComponentRegistry

    registry = ComponentRegistry.builtin()
    known: dict[str, str] = {}
    for name, step in steps.items():
        inputs = step.manifest.get("inputs") or {}
        spec = registry.get(str(step.manifest["component"]))
        if (
            spec is None
            or written is None
            or not step.own
            or not step.lazy
            or step.manifest.get("unresolved")
            or any(source not in known for source in inputs.values())
            or any(is_volatile(str(step.config.get(key) or ""), dialect) for key, dialect in spec.sql_keys.items())
        ):
            continue
        files = _files(root, step, spec.path_keys, spec.path_base_key)
        fields = step.config.get("connection") or {}
        if files is None or any(file[0] in written for file in files) or not _OF_PLACES.issuperset(fields):
            continue
        known[name] = digest(
            {
                "format": FORMAT,
                "osiris": __version__,
                "engine": getattr(sys.modules.get("duckdb"), "__version__", ""),
                "zone": [os.environ.get("TZ", ""), *time.tzname],
                "component": str(step.manifest["component"]),
                "spec": spec.fingerprint,
                "config": {key: value for key, value in step.config.items() if key != "connection"},
                "inputs": {table: known[source] for table, source in inputs.items()},
                "files": files,
            }
        )
        yield name, known[name]


def is_volatile(sql: str, dialect: str) -> bool:
    """Whether a query may give other rows the next time although its tables are the same. In doubt it may."""
    words = VOLATILE | _VOLATILE_SQLITE if dialect == "sqlite" else VOLATILE
    for token in tokenize_sql(sql):
        text = token.text.strip("\"`[]'").lower()
        if token.kind in ("word", "quoted_identifier") and text in words:
            return True
        if token.kind in ("string", "dollar_string") and any(moment in text for moment in _MOMENTS):
            return True
    return False


def _files(
    root: Path, step: PreparedStep, path_keys: Mapping[str, str], base_key: str | None
) -> list[list[Any]] | None:
    """What tells the files of a step apart from all others; None where that cannot be proven."""
    found: list[list[Any]] = []
    for key, direction in path_keys.items():
        if direction != "input":
            return None
        try:
            path = resolve_path(root, step.config, key=key, base_key=base_key).path
            status = path.stat()
        except (OSError, ConfigurationError):
            return None
        beside = [path.with_name(path.name + ending) for ending in ("-wal", "-journal", ".wal")]
        settled = time.time() - status.st_mtime > _SETTLED_SECONDS
        if not path.is_file() or not settled or any(one.exists() for one in beside):
            return None
        found.append([str(path), status.st_size, str(status.st_mtime_ns), status.st_ino, status.st_dev])
    if not found and not step.manifest.get("inputs"):
        return None
    return found
