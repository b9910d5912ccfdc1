"""What a step has at hand while it runs, beyond what every driver gets."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.paths import Place, resolve_path

if TYPE_CHECKING:
    from osiris.sql.database import RunDatabase
    from osiris.sql.dataset import Dataset


class StepStopped(BaseException):
    """The running step was asked to stop (the run was cancelled, or its time is up)."""


@dataclass
class Stopper:
    """Where running work registers how it can be stopped from another thread."""

    calls: list[Callable[[], None]] = field(default_factory=list)
    stopped: bool = False
    calling: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def through(self, call: Callable[[], None]) -> Iterator[None]:
        """Inside the block, and never after it, stopping the step also calls ``call`` (from another thread).

        It is called again and again until the block ends: what it stops may be between two statements.
        """
        self.calls.append(call)
        try:
            if self.stopped:
                call()
            yield
        finally:
            with self.calling:
                self.calls.remove(call)

    def stop(self) -> None:
        """Call everything that is registered; safe from any thread and more than once."""
        self.stopped = True
        for call in list(self.calls):
            with self.calling:
                if call in self.calls:
                    call()


@dataclass
class StepContext(ExecutionContext):
    """The context of one step: the run's database, the project's paths, and how the step can be stopped.

    ``spill`` is a private folder for temporary files, removed with the run. ``counts`` holds the numbers that the
    driver reported by ``log_metric``. ``allowed`` are the folders outside of the project that it may touch,
    ``known_files`` the paths that the run's database may open: a pattern stands for no other.
    ``most_rows``: no more rows than that are wanted of the step, as in a preview; None: all. ``origin``: the first of
    the runs that go on with each other. ``in_doubt_since``: the run that may have written the step's rows already,
    which nobody here knows; ``written_by``: the same, once the driver has found them in the target.
    """

    step_id: str
    database: RunDatabase
    root: Path
    spill: Path
    stopper: Stopper = field(default_factory=Stopper)
    counts: dict[str, float] = field(default_factory=dict)
    bytes_written: int | None = None
    most_rows: int | None = None
    allowed: tuple[Path, ...] = ()
    known_files: frozenset[str] = frozenset()
    origin: str = ""
    in_doubt_since: str | None = None
    written_by: str | None = None
    _rows: int = 0
    _bytes: int = 0
    _parts: list[Path] = field(default_factory=list)

    def advance(self, rows: int, size: int = 0) -> None:
        """Report rows (and bytes) that were read or written since the last call, so that progress can be shown."""
        self._rows += rows
        self._bytes += size

    def begin_again(self) -> None:
        """Another attempt begins: what the last one moved does not count."""
        self._rows = self._bytes = 0

    def moved(self) -> tuple[int, int]:
        """Rows and bytes that went through so far, as far as they are known; also of files not complete yet."""
        return self._rows, max(self._bytes, sum(_size(part) or 0 for part in self._parts))

    def log_metric(self, name: str, value: float, unit: str | None = None, **tags: object) -> None:
        """Log performance metric, with the step it belongs to. Raises ExecutionError when it cannot be written."""
        self.counts[name] = value
        self.logger.log_metric(name, value, unit, **{"step_id": self.step_id, **tags})

    def path(self, config: Mapping[str, Any], *, base_key: str | None = "base_dir") -> Place:
        """The checked path of this step. Raises ConfigurationError when it is missing or leads outside."""
        return resolve_path(self.root, config, base_key=base_key, allowed=self.allowed)

    def warn(self, message: str) -> None:
        """Tell the user about something in the data that does not stop the step. ``message`` repeats no value of it."""
        self.log_event("step_progress", {"step_id": self.step_id, "warning": message})

    def checkpoint(self) -> None:
        """Raise StepStopped when the step is to stop; long loops of a driver call it now and then."""
        if self.stopper.stopped:
            raise StepStopped(self.step_id)

    def about_to_commit(self, *, journalled: bool | None) -> None:
        """Note that what was written is made final next; who finds nothing after this note cannot know whether it was.

        ``journalled``: whether the target itself can tell; None when it need not, since the step can be repeated.
        """
        about = {"journalled": bool(journalled), "repeatable": journalled is None}
        self.log_event("step_commit", {"step_id": self.step_id, **about})
        if journalled is False:
            self.logger.sync()  # the note is all there is: it must outlive this machine, too

    def wrote(self, rows: int, target: Place) -> None:
        """Report the rows a writer wrote, and the file that holds them."""
        self.log_metric("rows_written", rows, unit="rows")
        self.bytes_written = _size(target.path)
        if self.bytes_written is not None:
            self.log_metric("bytes_written", self.bytes_written, unit="bytes")
        root = self.root.resolve()
        path = target.path.relative_to(root) if target.path.is_relative_to(root) else target.path
        self.log_event(
            "artifact_created", {"step_id": self.step_id, "path": path.as_posix(), "bytes": self.bytes_written}
        )

    def temporary(self, target: Path) -> Path:
        """The name beside ``target`` under which it is written before it is complete."""
        part = temporary_sibling(target, self.session_id)
        if part not in self._parts:
            self._parts.append(part)
        return part

    def dataset(self, sql: str, **details: Any) -> Dataset:
        """The rows of a trusted query as a Dataset of this run."""
        from osiris.sql.dataset import Dataset

        return Dataset.query(self.database, sql, **details)


def step_context(ctx: ExecutionContext) -> StepContext:
    """``ctx`` as the engine gives it. Raises TypeError when a driver is called outside a run."""
    if not isinstance(ctx, StepContext):
        raise TypeError("this driver runs inside an Osiris run only; start one with osiris run or LocalAdapter")
    return ctx


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def temporary_sibling(target: Path, session_id: str) -> Path:
    """Where a run writes a file before it has its name: hidden, in the same folder, unique to the run."""
    begin = target.name.encode(errors="ignore")[:100].decode(errors="ignore")  # a file name has at most 255 bytes
    digest = hashlib.sha256(target.name.encode(errors="surrogateescape")).hexdigest()[:8]
    return target.with_name(f".{begin}.{digest}.{session_id}.part")


def single_input(inputs: Mapping[str, Any] | None, step_id: str) -> Any:
    """The one table that a writer receives. Raises ConfigurationError when there is none or more than one."""
    from osiris.core.error_taxonomy import ConfigurationError

    given = dict(inputs or {})
    if "df" in given:
        return given["df"]
    if len(given) == 1:
        return next(iter(given.values()))
    names = ", ".join(sorted(given)) or "none"
    raise ConfigurationError(
        f"The step {step_id} writes one table, but what comes in is: {names}.",
        hint="Say which one: inputs: {df: ${step.df}}.",
    )
