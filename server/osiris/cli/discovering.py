"""Discovery for the commands: which readings are fresh enough, and reading the others anew."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osiris.core.config import ConnectionConfig
    from osiris.core.discovery_process import Outcome
    from osiris.core.project import Project
    from osiris.core.schema_cache import KnownSchema, SchemaCache
    from osiris.language.catalog import Catalog
    from osiris.language.connections import Connection

_QUIET_SECONDS = 2.0
_TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Wanted:
    """What to read of each connection, as the options of ``osiris discover`` say. ``timeout`` is in seconds.

    ``only_agreed``: connect only where the user has let the editor do so.
    """

    tables: Sequence[str] = ()
    samples: int = 0
    timeout: float = 60.0
    if_older: timedelta | None = None
    cached: bool = False
    only_agreed: bool = False


@dataclass(frozen=True)
class Found:
    """How it went with one connection. ``known`` is what the state store has now; ``kept``: it was not read anew."""

    outcome: Outcome
    known: KnownSchema | None
    kept: bool = False

    @property
    def catalog(self) -> Catalog | None:
        """The tables, when any are known."""
        return self.known.catalog if self.known is not None else None


def find(
    project: Project,
    connections: Iterable[Connection],
    wanted: Wanted,
    done: Callable[[Found], None] | None = None,
) -> list[Found]:
    """Read the connections, or take what is known of them, in their order.

    ``done`` is called with each as it comes, from any thread. Raises ConfigurationError when the state store or the
    variables cannot be used.
    """
    from osiris.core.config import ConnectionConfig
    from osiris.core.discovery_process import discover
    from osiris.core.env_loader import load_env
    from osiris.core.schema_cache import SchemaCache
    from osiris.core.state_store import StateStore

    env = load_env(project.root)
    said = done or (lambda found: None)
    found: dict[str, Found] = {}
    with StateStore() as state, _Ticker() as ticker:
        cache = SchemaCache(state)
        configs = [ConnectionConfig.of(connection) for connection in connections]
        to_read = []
        for config in configs:
            known = _fresh_enough(cache, config, project, env, wanted)
            if known is None:
                to_read.append(config)
            else:
                found[config.reference] = known
                said(known)

        def finished(outcome: Outcome) -> None:
            known = None
            if outcome.fingerprint is not None:
                known = cache.load(str(outcome.fingerprint), outcome.connection)
            with ticker.without(outcome.connection):
                found[outcome.connection] = Found(outcome, known)
                said(found[outcome.connection])

        ticker.start([config.reference for config in to_read])
        if to_read:
            discover(
                to_read,
                root=project.root,
                env=env,
                tables=wanted.tables,
                samples=wanted.samples,
                timeout=wanted.timeout,
                store=state.path,
                only_agreed=wanted.only_agreed,
                done=finished,
            )
    return [found[config.reference] for config in configs]


def _fresh_enough(
    cache: SchemaCache, config: ConnectionConfig, project: Project, env: Mapping[str, str], wanted: Wanted
) -> Found | None:
    """What is known of a connection when that will do; a problem when only that is asked for and there is nothing."""
    from osiris.core.cache_fingerprint import SchemaFingerprint
    from osiris.core.database_file_times import changed_at, database_files
    from osiris.core.discovery_process import Outcome, Problem
    from osiris.core.error_taxonomy import ConfigurationError

    if not wanted.cached and (wanted.if_older is None or wanted.samples):
        return None
    try:
        fingerprint = SchemaFingerprint.of(config, root=project.root, env=env)
    except ConfigurationError as error:
        return Found(Outcome(config.reference, 0.0, problem=Problem(str(error), error.hint, error.code)), None)
    known = cache.load(str(fingerprint), config.reference)
    if known is None:
        if not wanted.cached:
            return None
        problem = Problem(
            f"Nothing is known of {config.reference} yet.", f"Read it: osiris discover {config.reference}"
        )
        return Found(Outcome(config.reference, 0.0, fingerprint, problem=problem), None)
    if not wanted.cached and (wanted.if_older is None or not _is_whole(known) or known.age() > wanted.if_older):
        return None
    changed = changed_at(database_files(config.family, config.resolve(env).fields, project.root))
    if not wanted.cached and changed is not None and changed > known.read_at:
        return None
    return Found(_outcome_of(config.reference, known), known, kept=True)


def _is_whole(known: KnownSchema) -> bool:
    """Whether a reading has everything, and nothing has been written to its tables since."""
    return known.catalog.complete and not any(info.written for info in known.catalog.tables)


def _outcome_of(reference: str, known: KnownSchema) -> Outcome:
    from osiris.core.discovery_process import Outcome

    catalog = known.catalog
    return Outcome(
        reference,
        0.0,
        complete=catalog.complete,
        tables=len(catalog.tables),
        columns=sum(len(catalog.columns(info) or ()) for info in catalog.tables),
        read_at=known.read_at,
        product=known.server.product,
        version=known.server.version,
        remarks=known.server.remarks,
    )


class _Ticker:
    """Says on a terminal which connections are still being read, when that takes long; gone when they are."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._names: list[str] = []
        self._started = 0.0
        self._shown = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> _Ticker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._wipe()

    def start(self, names: Sequence[str]) -> None:
        """Begin, when there is something to wait for and a terminal to say it on."""
        self._names, self._started = list(names), time.monotonic()
        if names and sys.stderr.isatty():
            self._thread = threading.Thread(target=self._tick, daemon=True)
            self._thread.start()

    def without(self, name: str) -> _Without:
        """A place to print in: ``name`` is done, and no progress is on the screen."""
        return _Without(self, name)

    def _tick(self) -> None:
        self._over.wait(_QUIET_SECONDS)
        while not self._over.is_set():
            with self._lock:
                if self._names:
                    some = ", ".join(self._names[:3]) + (f" and {len(self._names) - 3} more" if self._names[3:] else "")
                    sys.stderr.write(f"\r\x1b[Kreading {some} ... {time.monotonic() - self._started:.0f} s")
                    sys.stderr.flush()
                    self._shown = True
            self._over.wait(_TICK_SECONDS)

    def _wipe(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


class _Without:
    def __init__(self, ticker: _Ticker, name: str) -> None:
        self._ticker = ticker
        self._name = name

    def __enter__(self) -> None:
        self._ticker._lock.acquire()
        self._ticker._names = [name for name in self._ticker._names if name != self._name]
        self._ticker._wipe()

    def __exit__(self, *_: object) -> None:
        self._ticker._lock.release()
