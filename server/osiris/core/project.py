"""A project on disk: its root, its pipelines, and what the language may know of its surroundings.

The answers are kept and checked against the file system by cheap signatures, so that asking again at every keystroke
costs next to nothing. Texts that are open in an editor (``overlay``) win over the files.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.core.allowed_folders import as_written, followed, is_below
from osiris.core.config import CONFIG_FILE, CONNECTIONS_FILE
from osiris.core.config_file import ConfigFile, parse_config
from osiris.core.env_loader import EnvSource, load_env
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.file_table import FileTables
from osiris.core.files import is_inside
from osiris.core.project_environment import ProjectEnvironment
from osiris.core.project_scan import (
    MARKERS,
    MAX_ENTRIES,
    MAX_ENTRIES_UNMARKED,
    FoundPipeline,
    Scanner,
    Signature,
    has_oml_version,
    is_oml_name,
    signature,
)
from osiris.core.project_schemas import ProjectSchemas
from osiris.core.settings import ALLOWED_FOLDERS
from osiris.core.source import read_source
from osiris.core.watched_file import SettingsFile, WatchedFile
from osiris.core.written_tables import WrittenTables
from osiris.language.catalog import SchemaKnowledge
from osiris.language.connections import Connection, Connections, parse_connections
from osiris.language.project_file_names import DOTENV_FILE

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry
    from osiris.core.schema_lock import SchemaLock

__all__ = ["Project", "ProjectEnvironment", "SettingsFile", "has_oml_version", "is_oml_name", "read_source"]

RECHECK_SECONDS = 1.0
RESCAN_SECONDS = 3.0
MAX_REMEMBERED_PATHS = 5_000


class Project:
    """A folder with OML files. ``root`` is absolute.

    Everywhere here a relative path is relative to the working folder, as it is for ``open``.
    """

    def __init__(self, root: Path | str, registry: ComponentRegistry | None = None) -> None:
        """The project in ``root``, which need not hold any of the marker files.

        ``registry``: the components that count (default: those of this installation).
        """
        self.root = Path(os.path.abspath(root))
        self._registry = registry
        self.file_tables = FileTables(self.root)
        self._lock = threading.RLock()
        self._overlays: dict[Path, str] = {}
        self._config_file = WatchedFile(self.root / CONFIG_FILE, self.root)
        self._connections_file = WatchedFile(self.root / CONNECTIONS_FILE, self.root)
        self._config = ConfigFile()
        self._connections: Connections | None = None
        marked = self.is_marked
        self._dotenv: EnvSource | None = None
        self._dotenv_name = str(self.root / DOTENV_FILE)
        self._dotenv_signature: Signature | None = None
        self._scanner = Scanner(self.root, most=MAX_ENTRIES if marked else MAX_ENTRIES_UNMARKED)
        self._found: list[FoundPipeline] | None = None
        self._scan_again = 0.0
        self._scans = 0
        self._exists: dict[str, bool | None] = {}
        self._recheck = 0.0
        self._some_forgotten = False
        self._changes = 0
        self._environments: dict[str | None, ProjectEnvironment] = {}
        self._schemas = ProjectSchemas(self.root)
        self._written = WrittenTables(self.root)
        self.offline = False
        """Whether nothing counts that was learned from databases earlier, but for what is committed."""

    @classmethod
    def find(cls, path: Path | str, stop: Path | str | None = None) -> Project:
        """The project of a file or folder (which need not exist): the nearest folder upwards with osiris.yaml or
        osiris_connections.yaml. Without one: ``stop`` when given (a workspace folder), else the file's own folder.
        ``stop`` is also the highest folder that is looked at.
        """
        return cls(cls.root_of(path, stop))

    @staticmethod
    def root_of(path: Path | str, stop: Path | str | None = None) -> Path:
        """The root that ``find`` would take, without making a project: to keep one Project for each root."""
        start = Path(os.path.abspath(path))
        folder = start if os.path.isdir(start) else start.parent
        limit = Path(os.path.abspath(stop)) if stop is not None else None
        for candidate in (folder, *folder.parents):
            if any(os.path.isfile(candidate / marker) for marker in MARKERS):
                return candidate
            if candidate == limit:
                break
        inside = limit is not None and (folder == limit or limit in folder.parents)
        return limit if inside and limit is not None else folder

    def overlay(self, path: Path | str, text: str | None) -> None:
        """Say that ``path`` is open in an editor with this text; None says that it was closed."""
        key = self.root / self.relative(path)
        with self._lock:
            if text is None:
                self._overlays.pop(key, None)
            else:
                self._overlays[key] = text
            if key not in (self._config_file.path, self._connections_file.path, self._schemas.file.path):
                self._scan_again = 0.0

    def invalidate(self) -> None:
        """Look at the file system anew with the next question: somebody says that files changed."""
        with self._lock:
            self._scan_again = self._recheck = 0.0
            if self._some_forgotten:  # nobody looks at those any more, so any of them may have changed
                self._some_forgotten = False
                self._changes += 1

    def environment(self, path: Path | str | None = None) -> ProjectEnvironment:
        """What the language may know when it looks at the file ``path`` (None: at a text without a file).

        The same object for the same path; its answers are brought up to date by this call.
        """
        key = None if path is None else self.relative(path)
        with self._lock:
            self._refresh()
            if key not in self._environments:
                self._environments[key] = ProjectEnvironment(self, key)
            return self._environments[key]

    def pipelines(self, *, nested: bool = False) -> list[Path]:
        """The OML files of the project, absolute, sorted: by their ending, or any YAML with ``oml_version`` at its top.

        Hidden folders, ``node_modules``, ``build``, ``logs`` and the like are left out, links are not followed, and
        folders that are a project of their own count only with ``nested``.
        """
        return [self.root / found.path for found in Scanner(self.root, nested=nested).scan(self._overlay_of)]

    def listed(self) -> list[Path]:
        """The OML files of the project as ``pipelines()`` gives them, as of the last look: some seconds ago at most."""
        with self._lock:
            return [self.root / found.path for found in self._listing()]

    @property
    def truncated(self) -> bool:
        """Whether the last look ended at the limit of entries, so that files may be missing from ``listed``."""
        return self._scanner.truncated

    @property
    def is_marked(self) -> bool:
        """Whether a file in the root says that this is a project."""
        return any(os.path.isfile(self.root / marker) for marker in MARKERS)

    def parameters(self) -> frozenset[str] | None:
        """The names of all parameters of the project's pipelines, as of the last look; None when it was cut short."""
        with self._lock:
            found = self._listing()
            return None if self._scanner.truncated else frozenset(name for p in found for name in p.params)

    def relative(self, path: Path | str) -> str:
        """``path`` relative to the root with ``/``; as it is when it lies elsewhere."""
        full = os.path.abspath(path)
        inside = _below(full, str(self.root))
        if inside is None:  # the same place may be reached through a link
            inside = _below(os.path.realpath(full), os.path.realpath(self.root))
        return Path(full if inside is None else inside).as_posix()

    def settings_files(self) -> list[SettingsFile]:
        """The settings files that are there, osiris.schema.json among them, with what is wrong in them."""
        with self._lock:
            self._refresh()
            config, connections = self._config.diagnostics, self._connections
            lock = self._schemas.lock
            found = (
                (self._config_file, config),
                (self._connections_file, connections.diagnostics if connections else ()),
                (self._schemas.file, lock.diagnostics if lock else ()),
            )
            return [
                SettingsFile(file.path, file.text or "", tuple(findings), file.problem)
                for file, findings in found
                if file.text is not None or file.problem is not None
            ]

    def variables(self) -> EnvSource:
        """The process environment over the project's ``.env``: where ``OSIRIS_PARAM_*`` and ``${VAR}`` come from.

        Read again when the file changed. Raises ConfigurationError when it cannot be read.
        """
        with self._lock:
            self._look_at_dotenv()
            if self._dotenv is None:
                self._dotenv = load_env(self.root, {})
            return EnvSource(dict(os.environ), self._dotenv.file, self._dotenv.path, self._dotenv.problems)

    @property
    def config(self) -> ConfigFile:
        """What osiris.yaml says, overlays included; broken settings count as not written."""
        with self._lock:
            self._refresh()
            return self._config

    @property
    def lock(self) -> SchemaLock | None:
        """What osiris.schema.json says, overlays included; None when there is none."""
        with self._lock:
            self._refresh()
            return self._schemas.lock

    def schema_of(self, connection: Connection) -> SchemaKnowledge | None:
        """What osiris.schema.json and this machine's discoveries say of a connection's database, as of this moment."""
        with self._lock:
            self._refresh()
            return self._schema_of(connection)

    def _schema_of(self, connection: Connection) -> SchemaKnowledge | None:
        with self._lock:
            return self._schemas.of(connection, self.variables, self._config, offline=self.offline)

    def _refresh(self) -> None:
        overlays = self._overlays
        if self._config_file.look(overlays.get(self._config_file.path) if overlays else None):
            text = self._config_file.text
            self._config = ConfigFile() if text is None else parse_config(text, str(self._config_file.path))
        if self._connections_file.look(overlays.get(self._connections_file.path) if overlays else None):
            text = self._connections_file.text
            self._connections = None if text is None else parse_connections(text, self._components())
            self._written.forget_connections()
        self._look_at_dotenv()
        around = (self._config_file.generation, self._connections_file.generation, self._dotenv_signature, self.offline)
        self._schemas.look(overlays.get(self._schemas.file.path) if overlays else None, around)
        now = time.monotonic()
        if self._exists and now >= self._recheck:
            self._recheck_paths(now)
        if self._found is not None:
            self._listing()

    def _components(self) -> ComponentRegistry:
        from osiris.components.registry import ComponentRegistry

        return self._registry or ComponentRegistry.builtin()

    def _look_at_dotenv(self) -> None:
        try:
            now: Signature | None = signature(os.stat(self._dotenv_name))
        except OSError:
            now = None
        if now != self._dotenv_signature:
            self._dotenv, self._dotenv_signature = None, now
            self._changes += 1

    def _recheck_paths(self, now: float) -> None:
        for path, before in self._exists.items():
            if self._look_for(path) != before:
                self._exists.clear()
                self._changes += 1
                break
        if self.file_tables.forget_changed():
            self._changes += 1
        spent = time.monotonic() - now
        self._recheck = now + max(RECHECK_SECONDS, 50 * spent)

    def _listing(self) -> list[FoundPipeline]:
        """The OML files; the disk is searched again only after a while, and rarely where that takes long."""
        with self._lock:
            now = time.monotonic()
            if self._found is None or now >= self._scan_again:
                found = self._scanner.scan(self._overlay_of)
                if self._found is not None and found != self._found:
                    self._scans += 1  # the first look changes no answer: none was given before it
                self._found = found
                self._written.look(found, self._overlay_of)
                self._scan_again = now + max(RESCAN_SECONDS, 50 * (time.monotonic() - now))
            return self._found

    def _pipelines_writing(
        self, connection: Connection, schema: str | None, table: str, but_for: str | None
    ) -> list[str]:
        with self._lock:
            return self._written.writers(
                connection,
                schema,
                table,
                but_for=but_for,
                found=self._listing(),
                overlay=self._overlay_of,
                connections=self._connections,
                registry=self._components(),
            )

    def _pipelines_writing_file(self, pattern: str, but_for: str | None) -> list[str]:
        with self._lock:
            return self._written.file_writers(
                pattern,
                but_for=but_for,
                found=self._listing(),
                overlay=self._overlay_of,
                connections=self._connections,
                registry=self._components(),
            )

    def _overlay_of(self, path: str) -> str | None:
        return self._overlays.get(self.root / path) if self._overlays else None

    def _file_exists(self, path: str) -> bool | None:
        with self._lock:
            if path not in self._exists:
                self._exists[path] = self._look_for(path)
                self._recheck = self._recheck or time.monotonic() + RECHECK_SECONDS
                if len(self._exists) > MAX_REMEMBERED_PATHS:
                    del self._exists[next(iter(self._exists))]  # most likely one that was being typed
                    self._some_forgotten = True
            return self._exists[path]

    def _look_for(self, path: str) -> bool | None:
        if not path or "\0" in path or os.path.isabs(path) or not is_inside(self.root / path, self.root):
            return None
        return (self.root / path).exists()

    def _is_allowed(self, path: str) -> bool:
        return is_below(self.root, path, as_written(self.root, self._allowed()))

    def _links_outside(self, path: str) -> bool:
        if not path or "\0" in path or os.path.isabs(path) or self._file_exists(path) is not None:
            return False
        try:
            homes = [self.root, *followed(self.root, self._allowed())]
        except ConfigurationError:  # a run says so
            return False
        return not any(is_inside(self.root / path, home) for home in homes)

    def _allowed(self) -> tuple[str, ...]:
        found = self._config.values.get(ALLOWED_FOLDERS)
        return found if isinstance(found, tuple) else ()

    def _version(self) -> Hashable:
        files = (self._config_file.generation, self._connections_file.generation, self._schemas.generation)
        return (*files, self._written.generation, self.offline, self._scans, self._changes)


def _below(path: str, folder: str) -> str | None:
    """``path`` relative to ``folder``, None when it lies elsewhere; both are absolute."""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return path[len(start) :] if path.startswith(start) else "." if path == folder else None
