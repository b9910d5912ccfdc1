"""What a project knows of the databases behind its connections: osiris.schema.json, and this machine's discoveries.

Asked again at every keystroke: the lock is watched like a settings file, and the state store is asked for a mark that
costs microseconds. What it has of a connection is read again only when that has changed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.core.database_file_times import changed_at, database_files
from osiris.core.error_taxonomy import ConfigurationError, OsirisError
from osiris.core.watched_file import WatchedFile
from osiris.language.catalog import SchemaKnowledge
from osiris.language.project_file_names import LOCK_FILE

if TYPE_CHECKING:
    from osiris.core.config_file import ConfigFile
    from osiris.core.schema_cache import SchemaCache
    from osiris.core.schema_lock import SchemaLock
    from osiris.language.connections import Connection

WAIT_SECONDS = 0.25
"""For other processes that use the state store. Whoever types does not wait longer; what was known stays so long."""
LOOK_SECONDS = 0.5
"""How often the files of databases are looked at, whoever asks how often."""
MAX_HOURS = 24 * 365 * 100.0


@dataclass(slots=True)
class _Known:
    """The answer for one connection. ``stale_at``: when it stops being fresh, by the clock on the wall, which
    goes on while a machine sleeps. ``files`` are those of the database, when it is one in files.
    """

    fingerprint: str | None
    generation: int | None
    knowledge: SchemaKnowledge | None
    stale_at: float
    files: tuple[str, ...] = ()


class ProjectSchemas:
    """The knowledge of one project. Not for several threads at once: the project's own lock guards it."""

    def __init__(self, root: Path) -> None:
        """Nothing is read before something is asked for."""
        self.root = root
        self.file = WatchedFile(root / LOCK_FILE, root)
        self.lock: SchemaLock | None = None
        self.generation = 0
        self.problem: OsirisError | None = None
        """Why the state store cannot be used, when it was last asked."""
        self._cache: SchemaCache | None = None
        self._mark: Hashable = None
        self._known: dict[str, _Known] = {}
        self._around: Hashable = None
        self._next_look = 0.0

    def look(self, overlay: str | None, around: Hashable) -> None:
        """Bring everything up to date; ``generation`` is another number when an answer may be another one.

        ``overlay``: the text of the lock in an editor. ``around``: changes with all else that the answers rest on
        (connections, variables, settings); its change alone is no new generation.
        """
        if self.file.look(overlay):
            from osiris.core.schema_lock import parse_lock

            self.lock = None if self.file.text is None else parse_lock(self.file.text)
            self._known.clear()
            self.generation += 1
        if around != self._around:
            self._known.clear()
            self._around = around
        if self._known:
            self._look_at_store()

    def _look_at_store(self) -> None:
        now = time.time()
        mark = self._cache.change_mark() if self._cache is not None else None
        changed = mark != self._mark
        all_asked = True
        looks, self._next_look = self._looks_at_files()
        for reference, known in list(self._known.items()):
            generation = known.generation
            if changed and known.fingerprint is not None and self._cache is not None:
                try:
                    generation = self._cache.generation(known.fingerprint)
                except OsirisError as problem:  # it is busy, or broken: what is known stays, and it is asked again
                    self.problem, all_asked = problem, False
            is_other = looks and known.knowledge is not None and changed_at(known.files) != known.knowledge.changed_at
            if is_other or known.stale_at <= now or generation != known.generation:
                del self._known[reference]
                self.generation += 1
        if all_asked:
            self._mark = mark

    def _looks_at_files(self) -> tuple[bool, float]:
        """Whether it is time to look at the files of databases again, and when it is the next time."""
        now = time.monotonic()
        return (True, now + LOOK_SECONDS) if now >= self._next_look else (False, self._next_look)

    def of(
        self, connection: Connection, variables: Callable[[], Mapping[str, str]], config: ConfigFile, *, offline: bool
    ) -> SchemaKnowledge | None:
        """What is known behind ``connection``, the same object until it changes; with ``offline`` only the lock."""
        known = self._known.get(connection.reference)
        if known is None:
            known = self._known[connection.reference] = self._find(connection, variables, config, offline)
        return known.knowledge

    def _find(
        self, connection: Connection, variables: Callable[[], Mapping[str, str]], config: ConfigFile, offline: bool
    ) -> _Known:
        locked = self.lock.catalogs.get(connection.reference) if self.lock is not None else None
        max_age = max_age_of(config)
        nothing = SchemaKnowledge(locked, None, max_age) if locked is not None else None
        if offline:
            return _Known(None, None, nothing, float("inf"))
        from osiris.core.cache_fingerprint import SchemaFingerprint
        from osiris.core.config import ConnectionConfig
        from osiris.core.schema_cache import SchemaCache
        from osiris.core.state_store import StateStore

        fingerprint = None
        self.problem = None
        try:
            config_of = ConnectionConfig.of(connection)
            fingerprint = str(SchemaFingerprint.of(config_of, root=self.root, env=variables()))
            if self._cache is None:
                self._cache = SchemaCache(StateStore(wait=WAIT_SECONDS))
            if not self._known:
                self._mark = self._cache.change_mark()  # taken before the reading: a later change is seen
            found = self._cache.load(fingerprint, connection.reference)
            files = database_files(connection.family, config_of.resolve(variables()).fields, self.root)
        except OsirisError as problem:
            # A variable that is not set leads nowhere; a store that cannot be read knows nothing, and doctor says why.
            self.problem = None if isinstance(problem, ConfigurationError) and fingerprint is None else problem
            return _Known(fingerprint, None, nothing, float("inf"))
        if found is None:
            return _Known(fingerprint, None, nothing, float("inf"))
        left = (max_age - found.age()).total_seconds()
        stale_at = time.time() + left if left > 0 else float("inf")
        knowledge = SchemaKnowledge(locked, found.catalog, max_age, changed_at(files))
        return _Known(fingerprint, found.generation, knowledge, stale_at, files)


def max_age_of(config: ConfigFile) -> timedelta:
    """How long a discovered schema counts as fresh: as the environment says, then osiris.yaml, then the default."""
    from osiris.core.settings import BY_KEY, read_setting_text

    setting = BY_KEY["discovery.max_age_hours"]
    hours = config.values.get(setting.key, setting.default)
    text = os.environ.get(setting.variable or "", "")
    if text:
        with contextlib.suppress(ValueError):  # commands that need the setting say what is wrong with it
            hours = read_setting_text(setting, text)
    return timedelta(hours=min(float(str(hours)), MAX_HOURS))
