"""The keys of steps: digests of everything that their rows depend on, where that can be proven."""

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
from osiris.execution.volatile_sql import is_volatile

if TYPE_CHECKING:
    from osiris.execution.preparation import PreparedStep

FORMAT = 3
ENDING = ".arrow"
_SETTLED_SECONDS = 2.0  # a file that was changed later may change again without its time telling so
_SALT_BYTES = 32
_OF_PLACES = frozenset({"path", "base_dir"})  # fields of a connection that say no more than where the file is


class Servers:
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
            return str((self._folder / f"{key}{ENDING}").stat().st_mtime_ns)
        return None

    def _forget_old(self, key: str) -> None:
        path = self._folder / f"{key}{ENDING}"
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


def written_by(root: Path, steps: Mapping[str, PreparedStep], allowed: tuple[Path, ...]) -> frozenset[str] | None:
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


def keys_of(
    root: Path,
    steps: Mapping[str, PreparedStep],
    allowed: tuple[Path, ...],
    servers: Servers | None,
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
