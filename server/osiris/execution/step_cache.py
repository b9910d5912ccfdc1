"""Rows that need not be made again, since all that they are made of is the same: config, inputs, spec, source.

    .osiris/data/cache/<key>.arrow

The key of a step is a digest of everything its rows depend on. A step has a key only where that can be proven: a source
in files that the system tells apart (size, time of change, number of the file), SQL without clock and chance, no
parameter that must stay secret. Nobody can prove that a server still holds the same, so its rows are used again only
where the project says for how long (``runs.reuse_sources_minutes``), and what is made of them has their age.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris import __version__
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.file_patterns import is_pattern, matches
from osiris.core.files import PRIVATE_FILE, private_folder
from osiris.core.manifest import digest
from osiris.drivers.paths import resolve_path
from osiris.execution.left_data import PART, data_folder
from osiris.execution.resume import Resume
from osiris.execution.summed_files import is_sound
from osiris.syntax.sql import tokenize_sql

if TYPE_CHECKING:
    from osiris.execution.preparation import PreparedStep

FORMAT = 3
MOST_BYTES = 2 * 10**9
MOST_ROWS = 1_000_000  # of a computed result: more rows take too long to write
LEAST_SECONDS = 1.0  # of a computed result: what is made sooner is made again
_SETTLED_SECONDS = 2.0  # a file that was changed later may change again without its time telling so
_ABANDONED_SECONDS = 3600.0  # nobody writes to a file any more that has not changed for so long
_ENDING = ".arrow"
_SALT_BYTES = 32

_SERVERS = """
    benchmark clock_timestamp connection_id curdate curtime database found_rows get_lock inet_client_addr
    last_insert_id lastval pg_backend_pid pg_sleep rand random_normal release_lock row_count schema sleep
    statement_timestamp sysdate system_user timeofday unix_timestamp utc_date utc_time utc_timestamp uuid_short
"""
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

_VOLATILE_ELSEWHERE = {"sqlite": frozenset(_SQLITE.split()), "duckdb": frozenset[str]()}
_VOLATILE_ON_SERVERS = frozenset(_SERVERS.split())
_OF_PLACES = frozenset({"path", "base_dir"})  # fields of a connection that say no more than where the file is
_MOMENTS = ("now", "today", "tomorrow", "yesterday", "localtime")


class StepCache:
    """What earlier runs of a project left for all runs that follow."""

    def __init__(
        self, root: Path, steps: Mapping[str, PreparedStep], allowed: tuple[Path, ...] = (), reuse: float = 0
    ) -> None:
        """``allowed``: the folders outside of the project that steps may touch.

        ``reuse``: for how many seconds rows that came from a server may be used again.
        """
        self._root = root
        self._steps = steps
        self._allowed = allowed
        self.folder = data_folder(root) / "cache"
        self._servers = _Servers(self.folder, reuse) if reuse > 0 else None
        self.keys = dict(_keys(root, steps, allowed, self._servers, _written(root, steps, allowed)))

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
            elif name in self.keys and _usable(path := self._path(self.keys[name])):
                left[name] = path
                done.add(name)
        for name, path in left.items():
            if self._servers is None or self.keys[name] not in self._servers.keys:  # the time of those is their age
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
        """Remove what was not used for longest, until the rest takes no more than ``most_bytes``.

        What runs that were killed have not completed goes, too.
        """
        with contextlib.suppress(OSError):
            found = sorted(
                (
                    (entry.stat().st_mtime, entry.stat().st_size, entry.path)
                    for entry in os.scandir(self.folder)
                    if entry.name.endswith(_ENDING)
                ),
                reverse=True,
            )
            total = 0
            for _, size, path in found:
                total += size
                if total > most_bytes:
                    os.unlink(path)
            for part in self.folder.glob(f".*{PART}"):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()

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
        if dict(_keys(self._root, made_of, self._allowed, self._servers)).get(name) != key:
            return None  # a source has changed since the run began
        try:
            private_folder(self._root / ".osiris")
            private_folder(self.folder.parent)
            private_folder(self.folder)
        except (OSError, OsirisError):
            return None
        return self._path(key)


def _usable(path: Path) -> bool:
    """Whether rows are there; a file that is damaged goes, so that its rows are made and kept anew."""
    if not path.is_file():
        return False
    if is_sound(path):
        return True
    with contextlib.suppress(OSError):
        path.unlink()
    return False


class _Servers:
    """Sources whose rows come from a server: the keys of those that may be used again, and how old they are."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self.keys: set[str] = set()

    def key(self, details: dict[str, Any], fields: Mapping[str, Any]) -> str | None:
        """The key of a source with these ``fields`` of its connection; None where it cannot be kept.

        Secrets are part of what a server lets one see; mixed with a number that only this folder holds they cannot be
        guessed from the key.
        """
        salt = self._salt()
        if salt is None:
            return None
        text = json.dumps(fields, sort_keys=True, default=str)
        key = digest({**details, "connection": hmac.new(salt, text.encode(), "sha256").hexdigest()})
        self.keys.add(key)
        self._forget_old(key)
        return key

    def age(self, key: str) -> str | None:
        """When the rows of a source were read; None when there are none that may be used."""
        with contextlib.suppress(OSError):
            return str((self._folder / f"{key}{_ENDING}").stat().st_mtime_ns)
        return None

    def _forget_old(self, key: str) -> None:
        path = self._folder / f"{key}{_ENDING}"
        with contextlib.suppress(OSError):
            if not 0 <= time.time() - path.stat().st_mtime <= self._seconds:
                path.unlink()

    def _salt(self) -> bytes | None:
        path = self._folder / "salt"
        try:
            for folder in (self._folder.parent.parent, self._folder.parent, self._folder):
                private_folder(folder)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(os.urandom(_SALT_BYTES))
            salt = path.read_bytes()
        except (OSError, OsirisError):
            return None
        return salt if len(salt) == _SALT_BYTES else None


def _written(root: Path, steps: Mapping[str, PreparedStep], allowed: tuple[Path, ...]) -> frozenset[str] | None:
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
                    place = resolve_path(root, step.config, key=key, base_key=spec.path_base_key, allowed=allowed)
                    found.add(str(place.path))
    return frozenset(found)


def _keys(
    root: Path,
    steps: Mapping[str, PreparedStep],
    allowed: tuple[Path, ...],
    servers: _Servers | None,
    written: frozenset[str] | None = frozenset(),
) -> Iterator[tuple[str, str]]:
    """The keys of the steps that have one; a step that reads what the run itself writes (``written``) has none."""
    from osiris.components.registry import ComponentRegistry

    registry = ComponentRegistry.builtin()
    writers = (step.manifest for step in steps.values() if step.manifest.get("mode") == "write")
    written_to = {str(writer["component"]).partition(".")[0] for writer in writers}
    known: dict[str, str] = {}
    for name, step in steps.items():
        inputs = step.manifest.get("inputs") or {}
        spec = registry.get(str(step.manifest["component"]))
        if (
            spec is None
            or written is None
            or not step.own
            or step.manifest.get("unresolved")
            or any(source not in known for source in inputs.values())
            or any(is_volatile(str(step.config.get(key) or ""), dialect) for key, dialect in spec.sql_keys.items())
        ):
            continue
        details = {
            "format": FORMAT,
            "osiris": __version__,
            "engine": getattr(sys.modules.get("duckdb"), "__version__", ""),
            "component": str(step.manifest["component"]),
            "spec": spec.fingerprint,
            "config": {key: value for key, value in step.config.items() if key != "connection"},
            "inputs": {table: known[source] for table, source in inputs.items()},
        }
        fields = step.config.get("connection") or {}
        if not spec.path_keys and not inputs and step.manifest.get("mode") == "read":
            if servers is None or not fields or spec.family in written_to:
                continue
            key = servers.key(details, fields)
            if key is not None:
                yield name, key
                if (age := servers.age(key)) is not None:
                    known[name] = digest({"key": key, "read": age})
            continue
        files = _files(root, step, spec.path_keys, spec.path_base_key, allowed)
        if files is None or any(file[0] in written for file in files) or not _OF_PLACES.issuperset(fields):
            continue
        if not step.lazy:
            continue
        known[name] = digest({**details, "files": files})
        yield name, known[name]


def is_volatile(sql: str, dialect: str) -> bool:
    """Whether a query may give other rows the next time although its tables are the same. In doubt it may."""
    words = VOLATILE | _VOLATILE_ELSEWHERE.get(dialect, _VOLATILE_ON_SERVERS)
    for token in tokenize_sql(sql):
        text = token.text.strip("\"`[]'").lower()
        if token.kind in ("word", "quoted_identifier") and text in words:
            return True
        if token.kind in ("string", "dollar_string") and any(moment in text for moment in _MOMENTS):
            return True
    return False


def _files(
    root: Path,
    step: PreparedStep,
    path_keys: Mapping[str, str],
    base_key: str | None,
    allowed: tuple[Path, ...],
) -> list[list[Any]] | None:
    """What tells the files of a step apart from all others; None where that cannot be proven."""
    found: list[list[Any]] = []
    for key, direction in path_keys.items():
        if direction != "input":
            return None
        try:
            path = resolve_path(root, step.config, key=key, base_key=base_key, allowed=allowed).path
            if not is_pattern(str(path)) or os.path.lexists(path):
                paths = [path]
            else:
                matching = matches(path)
                paths = [] if matching.cut else [match.path for match in matching.files]
            told = [_told_apart(one) for one in paths]
        except (OSError, ConfigurationError):
            return None
        if not told or None in told:
            return None
        found += [one for one in told if one is not None]
    if not found and not step.manifest.get("inputs"):
        return None
    return found


def _told_apart(path: Path) -> list[Any] | None:
    """What tells a file from any other, and from what it was; None while that may not be enough."""
    status = path.stat()
    beside = [path.with_name(path.name + ending) for ending in ("-wal", "-journal", ".wal")]
    settled = time.time() - status.st_mtime > _SETTLED_SECONDS
    if not path.is_file() or not settled or any(one.exists() for one in beside):
        return None
    return [str(path), status.st_size, str(status.st_mtime_ns), status.st_ino, status.st_dev]
