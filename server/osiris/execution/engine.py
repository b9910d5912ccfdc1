"""Running the steps of a manifest in one process.

The engine goes through the segments in an order in which what a segment needs is there; segments that are ready at the
same time do not depend on each other, so several could be worked on at once. A failure stops what depends on it and
nothing else, unless the manifest says ``on_failure: stop``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.session_logging import SessionLogger
from osiris.execution import outcome
from osiris.execution.outcome import Outcome, StepRecord
from osiris.execution.preparation import SPILL, Preparation
from osiris.execution.progress import ProgressTicker
from osiris.execution.segments import Segment, plan, sources_of, upstream_of
from osiris.execution.steps import SegmentRunner, StepFailed
from osiris.sql.database import RunDatabase
from osiris.sql.dataset import Dataset


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
    ) -> None:
        """``signals``: this process is ours, so a signal may end what the main thread waits for."""
        self.manifest = manifest
        self.logger = logger
        self.root = root
        self.run_dir = run_dir
        self.steps = prepared.steps
        self.connections = prepared.connections
        self.database = RunDatabase(prepared.limits)
        self.records = {name: StepRecord(name) for name in self.steps}
        self.error: dict[str, Any] | None = None
        self._by_id = {name: step.manifest for name, step in self.steps.items()}
        self._data: dict[str, Dataset] = {}
        self._readers = dict.fromkeys(self.steps, 0)
        for step in self._by_id.values():
            for source in sources_of(step):
                self._readers[source] += 1
        self._cancelled = threading.Event()
        self.runner = SegmentRunner(self, signals=signals)

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
        self.runner.stop()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until the run is cancelled."""
        self._cancelled.wait(seconds)

    def run(self) -> Outcome:
        """Carry out all steps. Never raises for what goes wrong in a step; the Outcome says it."""
        segments = plan([step.manifest for step in self.steps.values()], lambda step: self.steps[str(step["id"])].lazy)
        self._announce(segments)
        self.spill.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with ProgressTicker(self):
                self._work(segments)
        finally:
            self.database.close()
            _remove_folder(self.spill)
        return self._outcome()

    def data_of(self, step_id: str) -> Dataset:
        """The rows that an earlier segment left for later ones."""
        return self._data[step_id]

    def has_readers(self, step_id: str) -> bool:
        """Whether a later step takes the rows of this one."""
        return self._readers[step_id] > 0

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
        )
        for name, reference in self.connections.items():
            self.event("connection_resolve_complete", name, connection=reference)

    def _work(self, segments: list[Segment]) -> None:
        waiting = {segment.number: segment for segment in segments}
        done: set[int] = set()
        while waiting:
            # The first one that is ready; a pool of workers would take them all.
            segment = next(segment for segment in waiting.values() if segment.needs <= done)
            del waiting[segment.number]
            if not self.cancelled and not self._skipped(segment):
                self._carry_out(segment)
            done.add(segment.number)

    def _carry_out(self, segment: Segment) -> None:
        try:
            result = self.runner.run(segment)
        except StepFailed as failed:
            self._failed(segment, failed)
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
                    self._skip(name, f"the step {failed.step_id}, computed together with it, failed")

    def _skipped(self, segment: Segment) -> bool:
        """Whether the segment cannot or shall not run; then each of its steps says why."""
        reasons = {name: self._own_reason(name) for name in segment.steps}
        stopped = self._stop_reason()
        if stopped is None and not any(reasons.values()):
            return False
        unwanted = f"only {segment.last} takes its rows, and that does not run"
        for name, reason in reasons.items():
            self._skip(name, reason or stopped or unwanted)
        return True

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
        for name in segment.steps:
            for source in sources_of(self._by_id[name]):
                self._readers[source] -= 1
        for name in [name for name in self._data if self._readers[name] <= 0]:
            self._data.pop(name).release()

    def _outcome(self) -> Outcome:
        for record in self.records.values():
            if record.state in (outcome.PENDING, outcome.RUNNING):
                record.state = outcome.CANCELLED
        state = outcome.CANCELLED if self.cancelled else outcome.FAILED if self.error else outcome.SUCCEEDED
        rows = {record.id: record.rows for record in self.records.values() if record.rows is not None}
        steps = [record.plain() for record in self.records.values()]
        return Outcome(state, steps, None if state == outcome.CANCELLED else self.error, rows)


def _remove_folder(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)
