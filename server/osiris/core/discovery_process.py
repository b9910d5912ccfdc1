"""Discovery from the outside: a process of its own for each connection, several at once, none longer than allowed.

A database that hangs, a driver that crashes, a process that is killed: each is one clear message in the outcome of
that connection, and nothing to the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from osiris.core.cache_fingerprint import SchemaFingerprint, specs_of_family
from osiris.core.config import ConnectionConfig
from osiris.core.error_taxonomy import OsirisError
from osiris.core.secrets_masking import Masker
from osiris.core.state_store import FILE_NAME, StateStore
from osiris.core.user_dirs import state_dir

AT_ONCE = 4
TIMEOUT_SECONDS = 60.0
CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_OF_FILES = frozenset({"duckdb", "filesystem", "sqlite"})
_ANSWERS, _MORE_TIME = "Check that the server answers.", "Allow it more time: --timeout SECONDS."

Depth = Literal["server", "tables", "columns"]
"""How deep to look; with ``server`` nothing is kept: it answers, and so many tables can be seen."""


@dataclass(frozen=True)
class Problem:
    """Why a connection could not be read. Holds no secret."""

    message: str
    hint: str | None = None
    code: str | None = None


_NOT_AGREED = Problem(
    "The connection is another one than you have agreed to: osiris_connections.yaml or a variable has changed.",
    "Discover it again, and agree to what it is now.",
)


@dataclass(frozen=True)
class TableSample:
    """The first rows of one table; ``problem`` when they could not be read."""

    schema: str
    table: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How the discovery of one connection went. What it found is in the state store, the samples are only here.

    ``complete``: every table was read. ``tables`` and ``columns`` are numbers. ``seconds``: how long it took in all;
    ``latency``: how many of them until the connection was open and had said what it is.
    """

    connection: str
    seconds: float
    fingerprint: SchemaFingerprint | None = None
    complete: bool = False
    tables: int = 0
    columns: int = 0
    read_at: datetime | None = None
    product: str = ""
    version: str = ""
    remarks: tuple[str, ...] = ()
    problem: Problem | None = None
    samples: tuple[TableSample, ...] | None = field(default=None, repr=False)
    latency: float | None = None

    @property
    def ok(self) -> bool:
        """Whether all that was asked for was read."""
        return self.problem is None

    def plain(self) -> dict[str, Any]:
        """As ``osiris discover --format json`` prints it."""
        problem = self.problem
        found: dict[str, Any] = {
            "connection": self.connection,
            "ok": self.ok,
            "complete": self.complete,
            "tables": self.tables,
            "columns": self.columns,
            "seconds": round(self.seconds, 3),
            "readAt": self.read_at.isoformat().replace("+00:00", "Z") if self.read_at is not None else None,
            "product": self.product,
            "version": self.version,
            "remarks": list(self.remarks),
            "error": None if problem is None else {"message": problem.message, "hint": problem.hint},
        }
        if self.samples is not None:
            found["samples"] = [
                {"schema": s.schema, "table": s.table, "columns": list(s.columns), "rows": [list(r) for r in s.rows]}
                | ({"error": s.problem} if s.problem else {})
                for s in self.samples
            ]
        return found


@dataclass(frozen=True)
class Discovery:
    """What to read of every connection, and how long that may take.

    ``tables``: names of tables (``name`` or ``schema.name``), none for all. ``samples``: how many rows of each table
    to read besides. ``timeout``: seconds for the whole of one connection. ``store``: the state file. ``only_agreed``:
    connect only where the user has let the editor do so.
    """

    root: Path
    env: Mapping[str, str] = field(repr=False)
    tables: Sequence[str] = ()
    samples: int = 0
    depth: Depth = "columns"
    timeout: float = TIMEOUT_SECONDS
    store: Path | None = None
    only_agreed: bool = False


def discover(
    connections: Iterable[ConnectionConfig],
    *,
    root: Path,
    env: Mapping[str, str],
    tables: Sequence[str] = (),
    samples: int = 0,
    depth: Depth = "columns",
    timeout: float = TIMEOUT_SECONDS,
    store: Path | None = None,
    only_agreed: bool = False,
    done: Callable[[Outcome], None] | None = None,
    cancel: threading.Event | None = None,
) -> list[Outcome]:
    """Read the catalogs of ``connections`` into the state store; an outcome for each, in their order.

    ``root`` is the folder of the project, ``env`` where the variables come from; the rest as in ``Discovery``.
    ``done`` is called with each outcome as it comes, from any thread. Never raises for what goes wrong with one
    connection. Ends all its processes when it is interrupted, and once ``cancel`` is set. Raises ConfigurationError
    when the user has no state folder.
    """
    path = store if store is not None else state_dir() / FILE_NAME
    task = Discovery(root, env, tuple(tables), samples, depth, timeout, path, only_agreed)
    running = _Running()

    def one(connection: ConnectionConfig) -> Outcome:
        outcome = _discover_one(connection, task, running)
        if done is not None:
            done(outcome)
        return outcome

    wanted = list(connections)
    with ThreadPoolExecutor(max_workers=max(min(AT_ONCE, len(wanted)), 1)) as pool, _ended_by(cancel, running):
        try:
            return list(pool.map(one, wanted))
        except BaseException:  # Ctrl-C among them: nobody waits for the processes any more
            running.end()
            raise


class _Running:
    """The processes that are at work, to end them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def start(self, folder: str) -> subprocess.Popen[bytes] | None:
        """A new process that puts its temporary files into ``folder``, None when it is all over."""
        with self._lock:
            if self._ended:
                return None
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "osiris.core.discovery_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                close_fds=True,
                env={**os.environ, "TMPDIR": folder},
            )
            self._processes.add(process)
            return process

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._processes.discard(process)

    def end(self) -> None:
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()


@contextlib.contextmanager
def _ended_by(cancel: threading.Event | None, running: _Running) -> Iterator[None]:
    """Inside the block the processes end as soon as ``cancel`` is set."""
    over = threading.Event()

    def watch() -> None:
        while cancel is not None and not over.wait(_LOOK_SECONDS):
            if cancel.is_set():
                running.end()
                return

    watching = threading.Thread(target=watch, name="osiris-discovery", daemon=True)
    if cancel is not None:
        watching.start()
    try:
        yield
    finally:
        over.set()


def _discover_one(connection: ConnectionConfig, task: Discovery, running: _Running) -> Outcome:
    started = time.monotonic()
    reference = connection.reference
    try:
        fields, secrets = _resolved(connection, task.env)
        fingerprint = SchemaFingerprint.of(connection, root=task.root, env=task.env)
        if task.only_agreed and not _has_consent(task.store, fingerprint):
            return Outcome(reference, 0.0, fingerprint, problem=_NOT_AGREED)
    except OsirisError as error:
        return Outcome(reference, 0.0, problem=Problem(str(error), error.hint, error.code))
    masker = Masker(secrets)
    request = {
        "connection": reference,
        "family": connection.family,
        "fields": fields,
        "secrets": secrets,
        "fingerprint": str(fingerprint),
        "root": str(task.root),
        "store": str(task.store),
        "tables": list(task.tables),
        "samples": task.samples,
        "depth": task.depth,
        "timeouts": [min(CONNECT_SECONDS, task.timeout), min(STATEMENT_SECONDS, task.timeout)],
    }
    answer = _ask(json.dumps(request, default=str).encode() + b"\n", task.timeout, running)
    seconds = time.monotonic() - started
    if isinstance(answer, Problem):
        if connection.family in _OF_FILES and answer.hint == f"{_ANSWERS} {_MORE_TIME}":
            answer = replace(answer, hint=_MORE_TIME)  # there is no server
        return Outcome(reference, seconds, fingerprint, problem=answer)
    return _outcome(reference, seconds, fingerprint, answer, masker)


def _has_consent(store: Path | None, fingerprint: SchemaFingerprint) -> bool:
    """Asked by the process that is about to connect, of the connection as it reads it: files change meanwhile."""
    with StateStore(store) as state:
        return state.has_consent(str(fingerprint))


def _resolved(connection: ConnectionConfig, env: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The fields with variables and defaults filled in, and the secrets among them. Raises ConfigurationError."""
    specs = specs_of_family(connection.family) or (None,)
    all_resolved = [connection.resolve(env, spec) for spec in specs]
    return all_resolved[0].fields, sorted({secret for resolved in all_resolved for secret in resolved.secrets})


def _ask(request: bytes, timeout: float, running: _Running) -> dict[str, Any] | Problem:
    """The answer of a new process, or why there is none."""
    with contextlib.ExitStack() as stack:
        try:
            # Taken away here: a process that is killed leaves behind what it has copied of data files.
            copies = tempfile.TemporaryDirectory(prefix="osiris-discover-", ignore_cleanup_errors=True)
            process = running.start(stack.enter_context(copies))
        except OSError as error:
            return Problem(f"The process that reads the catalog could not be started: {error.strerror}.")
        return Problem("Discovery was stopped.") if process is None else _answer_of(process, request, timeout, running)


def _answer_of(
    process: subprocess.Popen[bytes], request: bytes, timeout: float, running: _Running
) -> dict[str, Any] | Problem:
    """The answer of a process that was just started; it has ended then."""
    assert process.stdin is not None
    assert process.stdout is not None
    late = threading.Event()

    def time_is_up() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout, time_is_up)
    timer.start()
    try:
        with contextlib.suppress(OSError):  # it is gone already; how is told below
            process.stdin.write(request)
            process.stdin.flush()
        line = process.stdout.readline()
    finally:
        timer.cancel()
        with contextlib.suppress(OSError):
            process.stdin.close()  # whatever it still does, it ends with this
        process.stdout.close()
        if not _gone(process):
            process.kill()
            process.wait()
        running.forget(process)
    if line.endswith(b"\n"):
        with contextlib.suppress(ValueError):
            answer: dict[str, Any] = json.loads(line)
            return answer
    if late.is_set():
        return Problem(
            f"The catalog could not be read within {timeout:g} s, so discovery was stopped.",
            f"{_ANSWERS} {_MORE_TIME}",
        )
    return Problem(f"The process that read the catalog {_how(process.returncode)}.", _CRASHED)


_CRASHED = "This is a fault of the database's driver or of Osiris, not of your files. Try again, or update the driver."


def _gone(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        return False
    return True


def _how(code: int) -> str:
    """How a process came to its end, in words."""
    import signal

    if code >= 0:
        return f"ended without an answer (code {code})"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    words = {
        "SIGKILL": "was killed (SIGKILL); the system does that when memory runs out",
        "SIGSEGV": "crashed (segmentation fault)",
        "SIGABRT": "aborted (SIGABRT)",
        "SIGBUS": "crashed (bus error)",
    }
    return words.get(name, f"was ended by {name}")


def _outcome(
    reference: str, seconds: float, fingerprint: SchemaFingerprint, answer: Mapping[str, Any], masker: Masker
) -> Outcome:
    error = answer.get("error")
    problem = None
    if error:
        hint = error.get("hint")
        problem = Problem(masker.text(error["message"]), masker.text(hint) if hint else None, error.get("code"))
    read_at = answer.get("readAt")
    samples = answer.get("samples")
    return Outcome(
        reference,
        seconds,
        fingerprint,
        complete=bool(answer.get("complete")),
        tables=int(answer.get("tables") or 0),
        columns=int(answer.get("columns") or 0),
        read_at=None if read_at is None else datetime.fromtimestamp(read_at, UTC),
        product=str(answer.get("product") or ""),
        version=str(answer.get("version") or ""),
        remarks=tuple(answer.get("remarks") or ()),
        problem=problem,
        samples=None if samples is None else tuple(_sample(item) for item in samples),
        latency=answer.get("latency"),
    )


def _sample(item: Mapping[str, Any]) -> TableSample:
    rows = tuple(tuple(row) for row in item["rows"])
    return TableSample(item["schema"], item["table"], tuple(item["columns"]), rows, item.get("error"))
