"""Running the steps of a manifest in one process.

Segments that do not depend on each other are worked on at the same time, as many as the run may have lanes. A failure
stops what depends on it and nothing else; when the manifest says ``on_failure: stop``, nothing new starts after it, and
what runs already is brought to its end.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.core.session_logging import SessionLogger
from osiris.execution import conflicts, outcome
from osiris.execution.left_data import Leaving, survives, write
from osiris.execution.letting_go import let_go
from osiris.execution.outcome import Outcome, StepRecord
from osiris.execution.preparation import SPILL, Preparation
from osiris.execution.progress import ProgressTicker
from osiris.execution.resume import Resume
from osiris.execution.sample import Sample
from osiris.execution.scheduler import Scheduler
from osiris.execution.segments import Segment, plan, sources_of, upstream_of
from osiris.execution.step_cache import StepCache
from osiris.execution.steps import SegmentRun, StepFailed
from osiris.sql.database import RunDatabase
from osiris.sql.dataset import Dataset

_AGAIN_SECONDS = 0.1


class Engine:
    """One run of a prepared manifest. ``run`` may be called once; ``cancel`` from any thread, at any time."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        prepared: Preparation,
        *,
        logger: SessionLogger,
        root: Path,
        run_dir: Path,
        signals: bool = False,
        sample: Sample | None = None,
        resume: Resume | None = None,
        leaving: Leaving | None = None,
        cache: StepCache | None = None,
    ) -> None:
        """``signals``: this process is ours, so a signal may end what the main thread waits for.

        ``sample``: the step whose first rows somebody wants to see; it is filled before the run ends. ``resume``: what
        an earlier run has done already; ``leaving``: where this one leaves rows for a later one; ``cache``: rows that
        need not be made again.
        """
        self.manifest = manifest
        self.logger = logger
        self.root = root
        self.run_dir = run_dir
        self.steps = prepared.steps
        self.allowed = prepared.allowed
        self.known_files = frozenset(prepared.limits.paths)
        self._told = prepared.told
        self.connections = prepared.connections
        self.database = RunDatabase(prepared.limits)
        self.records = {name: StepRecord(name) for name in self.steps}
        self.error: dict[str, Any] | None = None
        self.totals: dict[str, int] = {}  # what all writers reported
        self._by_id = {name: step.manifest for name, step in self.steps.items()}
        self._data: dict[str, Dataset] = {}
        self._readers = dict.fromkeys(self.steps, 0)
        self.cache = cache
        self.resume = resume or (cache.hits() if cache is not None else Resume(""))
        self.leaving = leaving
        for step in self._to_do():
            for source in sources_of(step):
                self._readers[source] += 1
        self.sample = sample
        if sample is not None:
            self._readers[sample.step] += 1
        self._cancelled = threading.Event()
        self._stopping = threading.Event()  # cancelled, or the run itself broke
        self._over = threading.Event()
        self._signals = signals
        self._lanes = prepared.parallel
        self._active: dict[int, SegmentRun] = {}
        self._state = threading.RLock()  # guards what segments that end at the same time change

    @property
    def spill(self) -> Path:
        """The private folder for temporary files of this run."""
        return self.run_dir / SPILL

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the run to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Stop the run as soon as possible; what runs is interrupted, nothing new starts."""
        self._cancelled.set()
        self._interrupt()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until the run is cancelled."""
        self._stopping.wait(seconds)

    @property
    def stopping(self) -> bool:
        """Whether what runs shall end: the run was cancelled, or it broke."""
        return self._stopping.is_set()

    @property
    def active(self) -> list[SegmentRun]:
        """The segments that are being worked on."""
        with self._state:
            return list(self._active.values())

    def _interrupt(self) -> None:
        first = not self._stopping.is_set()
        self._stopping.set()
        self._stop_active()
        if first and not self._over.is_set():
            with contextlib.suppress(RuntimeError):  # no room for a thread
                threading.Thread(target=self._stop_again, name="stop", daemon=True).start()

    def _stop_active(self) -> None:
        """Stop all that is being worked on, at once: to tell a server may take a second."""
        others = [threading.Thread(target=run.stop, daemon=True) for run in self.active]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join()

    def _stop_again(self) -> None:
        """Until the run is over: an interrupt that comes between two statements of a step is lost."""
        while not self._over.wait(_AGAIN_SECONDS):
            for run in self.active:
                run.stop()

    def run(self) -> Outcome:
        """Carry out all steps. Never raises for what goes wrong in a step; the Outcome says it."""
        rows_of_files = self.resume.left
        segments = plan(
            self._to_do(), lambda step: step["id"] not in rows_of_files and self.steps[str(step["id"])].lazy
        )
        self._announce(segments)
        self._take_over()
        self.database.lanes = min(self._lanes, len(segments))
        self.spill.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with ProgressTicker(self) as ticker:
                self._work(segments)
            if not self.cancelled and self.sample is not None and self.sample.step in self._data:
                self._show(self.sample)
            seen = [record.memory or 0 for record in self.records.values()]
            peak = max([ticker.memory.peak() or 0, *seen]) or None
        finally:
            self._over.set()
            self.database.close()
            _remove_folder(self.spill)
        return self._outcome(peak)

    def _show(self, sample: Sample) -> None:
        try:
            sample.fill(self._data[sample.step])
        except ExecutionError as error:
            self.error = {"step": sample.step, "code": error.code, "message": error.message}
            if error.hint:
                self.error["hint"] = error.hint

    def _to_do(self) -> list[Mapping[str, Any]]:
        """The steps that are carried out; those whose rows come from a file wait for nobody and take nothing."""
        found: list[Mapping[str, Any]] = []
        for name, step in self._by_id.items():
            if name in self.resume.left:
                found.append({**step, "needs": [], "inputs": {}})
            elif name not in self.resume.done:
                found.append(step)
        return found

    def _take_over(self) -> None:
        """Note what an earlier run has done; what it left for others is left by this one, too, and read from there."""
        if self.leaving is not None:
            left = {name: self.leaving.take_over(name, file) for name, file in self.resume.left.items()}
            self.resume = replace(self.resume, left=left)
        for name in self._by_id:
            if name in self.resume.done and name not in self.resume.left:
                self.records[name].state = outcome.SUCCEEDED
                self.event("step_complete", name, reused=self.resume.of)

    def place_for(self, name: str) -> Path | None:
        """Where the rows of a step that reads a source are left, None for all others."""
        if self.leaving is None or sources_of(self._by_id[name]):
            return None
        return self.leaving.place(name)

    def complete(self, name: str, file: Path) -> None:
        """The rows of a source are in a file, all of them."""
        if self.cache is not None:
            self.cache.offer(name, file)

    def cache_result(self, name: str, data: Dataset, seconds: float) -> None:
        """Keep a result that took long to compute, where nothing can make it another one the next time."""
        if self.cache is None or name in self.resume.left or self.stopping or data.rows is None:
            return
        place = self.cache.place_for_result(name, data.rows, seconds)
        if place is not None and survives(data, self.database):
            write(data, place)

    def data_of(self, step_id: str) -> Dataset:
        """The rows that an earlier segment left for later ones."""
        return self._data[step_id]

    def has_readers(self, step_id: str) -> bool:
        """Whether a later step takes the rows of this one."""
        return self._readers[step_id] > 0

    def add_up(self, counts: Mapping[str, float]) -> None:
        """Count what a step wrote as part of what the run wrote."""
        with self._state:
            for name in ("rows_written", "bytes_written"):
                self.totals[name] = self.totals.get(name, 0) + int(counts.get(name, 0))

    def event(self, name: str, step_id: str | None = None, **fields: Any) -> None:
        """Log an event, with the step it belongs to."""
        body = {"step_id": step_id, **fields} if step_id is not None else fields
        self.logger.log_event(name, {key: value for key, value in body.items() if value is not None})

    def _announce(self, segments: list[Segment]) -> None:
        pipeline = self.manifest.get("pipeline") or {}
        self.event(
            "run_start",
            pipeline=pipeline.get("name"),
            profile=self.manifest.get("profile"),
            fingerprint=self.manifest.get("fingerprint"),
            steps=len(self.steps),
            segments=len(segments),
            allowed_folders=list(self._told) or None,
        )
        for name, reference in self.connections.items():
            self.event("connection_resolve_complete", name, connection=reference)

    def _work(self, segments: list[Segment]) -> None:
        scheduler = Scheduler(
            segments,
            lanes=self.database.lanes,
            after=conflicts.waits(segments, self.steps, self.root, self.allowed),
            first_lane_only=[segment.number for segment in segments if self._needs_signals(segment)],
            work=self._take,
            broken=self._interrupt,
        )
        try:
            scheduler.run()
        except Exception:
            if not self.cancelled:  # what is pulled from under those who work fails in ways that mean nothing
                raise

    def _needs_signals(self, segment: Segment) -> bool:
        """Whether only a signal can wake a step when its time is up, and signals reach the first thread alone."""
        step = self.steps[segment.last]
        return self._signals and bool(step.manifest.get("timeout")) and not step.own

    def _take(self, segment: Segment, lane: int) -> None:
        """Do a segment whose turn it is, unless that must not be any more."""
        with self._state:
            if self.cancelled or self._skipped(segment):
                return
            run = self._active[segment.number] = SegmentRun(self, segment, lane, signals=self._signals)
        self.database.use_lane(lane)
        try:
            self._carry_out(segment, run)
        finally:
            with self._state:
                del self._active[segment.number]

    def _carry_out(self, segment: Segment, run: SegmentRun) -> None:
        try:
            result = run.run()
        except StepFailed as failed:
            with self._state:
                self._failed(segment, failed)
            let_go(failed)
        else:
            if result is not None:
                self._data[segment.last] = result
        self._forget(segment)

    def _failed(self, segment: Segment, failed: StepFailed) -> None:
        if self.error is None and not self.cancelled:
            self.error = {"step": failed.step_id, "code": failed.code, "message": failed.message}
            if failed.hint:
                self.error["hint"] = failed.hint
        for name in segment.steps:
            if self.records[name].state in (outcome.PENDING, outcome.RUNNING):
                if self.cancelled:
                    self.records[name].state = outcome.CANCELLED
                else:
                    self._skip(name, self._own_reason(name) or self._unwanted(segment))

    def _skipped(self, segment: Segment) -> bool:
        """Whether the segment cannot or shall not run; then each of its steps says why."""
        reasons = {name: self._own_reason(name) for name in segment.steps}
        stopped = self._stop_reason()
        if stopped is None and not any(reasons.values()):
            return False
        for name, reason in reasons.items():
            self._skip(name, reason or stopped or self._unwanted(segment))
        return True

    @staticmethod
    def _unwanted(segment: Segment) -> str:
        return f"only {segment.last} takes its rows, and that does not run"

    def _own_reason(self, name: str) -> str | None:
        for need in sorted(upstream_of(self._by_id[name])):
            state = self.records[need].state
            if state in (outcome.FAILED, outcome.SKIPPED):
                return f"it needs {need}, which {'failed' if state == outcome.FAILED else 'did not run'}"
        return None

    def _stop_reason(self) -> str | None:
        if self.error is not None and self.manifest.get("on_failure") == "stop":
            return f"the step {self.error['step']} failed, and on_failure is stop"
        return None

    def _skip(self, name: str, reason: str) -> None:
        self.records[name].state = outcome.SKIPPED
        self.event("step_skipped", name, reason=reason)

    def _forget(self, segment: Segment) -> None:
        """Give back the memory of rows that nobody takes any more."""
        with self._state:
            for name in segment.steps:
                if name not in self.resume.left:
                    for source in sources_of(self._by_id[name]):
                        self._readers[source] -= 1
            over = [self._data.pop(name) for name in list(self._data) if self._readers[name] <= 0]
        if self.cancelled:
            return  # the whole database is closed at once
        for data in over:
            data.release()

    def _outcome(self, peak: int | None) -> Outcome:
        for record in self.records.values():
            if record.state in (outcome.PENDING, outcome.RUNNING):
                record.state = outcome.CANCELLED
        state = outcome.CANCELLED if self.cancelled else outcome.FAILED if self.error else outcome.SUCCEEDED
        rows = {record.id: record.rows for record in self.records.values() if record.rows is not None}
        steps = [record.plain() for record in self.records.values()]
        for name in ("rows_written", "bytes_written"):
            self.logger.log_metric(f"run_{name}", self.totals.get(name, 0), name.partition("_")[0])
        if peak is not None:
            self.logger.log_metric("run_peak_memory", peak, "bytes")
        return Outcome(state, steps, None if state == outcome.CANCELLED else self.error, rows, peak)


def _remove_folder(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)
