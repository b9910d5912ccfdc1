"""Carrying out one segment: attempts, time limits, and finding out which of its steps is to blame."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ExecutionError, OsirisError, describe
from osiris.drivers.context import StepContext, StepStopped, Stopper
from osiris.execution import outcome
from osiris.execution.attempts import TimeUp, outcome_unknown, pause_after, permanent
from osiris.execution.deadline import Deadline, woken_by_signals
from osiris.execution.known_tables import note_written
from osiris.execution.left_data import read, tee
from osiris.execution.letting_go import let_go
from osiris.execution.memory import own_memory
from osiris.execution.segments import Segment, sources_of
from osiris.sql.dataset import Dataset, as_dataset
from osiris.sql.messages import explain_engine_error, is_about_data

if TYPE_CHECKING:
    from osiris.execution.engine import Engine

TIMEOUT_CODE = "OML616"


class StepFailed(Exception):  # noqa: N818 - an end, told to the engine
    """A step ended badly (or was cancelled); everything about it is logged already."""

    def __init__(self, step_id: str, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.step_id = step_id
        self.code = code
        self.message = message
        self.hint = hint


class SegmentRun:
    """One segment on its way, in one thread."""

    def __init__(self, engine: Engine, segment: Segment, lane: int, *, signals: bool) -> None:
        """``lane``: the connection of the run's database that is its own. ``signals``: as in Engine."""
        self.engine = engine
        self.segment = segment
        self.lane = lane
        self.signals = signals and threading.current_thread() is threading.main_thread()
        self.stopper = Stopper(stopped=engine.stopping)
        self.current: str | None = None
        self.memory = 0  # the most that was seen of the whole run meanwhile, in bytes
        self.started: dict[str, float] = {}
        self.contexts: dict[str, StepContext] = {}

    def on_their_way(self) -> list[tuple[str, StepContext]]:
        """The steps of the segment that have begun, each with its context; safe from any thread."""
        return list(self.contexts.items())

    def stop(self) -> None:
        """Interrupt what is running; safe from any thread."""
        self.stopper.stop()
        self.engine.database.interrupt(self.lane)

    def run(self) -> Dataset | None:
        """The kept rows of the segment's last step, None when nobody takes them. Raises StepFailed."""
        engine, segment = self.engine, self.segment
        started, contexts = self.started, self.contexts
        results: dict[str, Dataset] = {}
        for name in segment.steps:
            started[name] = time.monotonic()
            self.current = name
            engine.records[name].state = outcome.RUNNING
            engine.event(
                "step_start",
                name,
                component=engine.steps[name].manifest["component"],
                segment=segment.number,
                all_or_nothing=engine.steps[name].all_or_nothing or None,
            )
            contexts[name] = self._context(name)
            if name != segment.last:
                result = self._guarded(segment, name, results, contexts)
                if result is not None:
                    results[name] = result
        final = self._attempts(segment, results, contexts)
        rows = self._rows(results, final)
        self.memory = max(self.memory, own_memory())
        for name in segment.steps:
            self._complete(name, rows.get(name))
        if final is not None and final.rows is not None and engine.has_readers(segment.last):
            engine.cache_result(segment.last, final, time.monotonic() - started[segment.steps[0]])
        if final is not None and not engine.has_readers(segment.last):
            final.release()
            return None
        return final

    def _guarded(
        self, segment: Segment, name: str, results: dict[str, Dataset], contexts: dict[str, StepContext]
    ) -> Dataset | None:
        try:
            return self._invoke(name, results, contexts[name])
        except (Exception, StepStopped) as error:
            raise self._failure(segment, name, error, results) from error

    def _attempts(
        self, segment: Segment, results: dict[str, Dataset], contexts: dict[str, StepContext]
    ) -> Dataset | None:
        """The last step, tried as often as its ``retry`` allows."""
        name = segment.last
        manifest = self.engine.steps[name].manifest
        retry = manifest.get("retry") or {}
        allowed = max(int(retry.get("attempts") or 1), 1)
        for attempt in range(1, allowed + 1):
            self.engine.records[name].attempts = attempt
            try:
                return self._timed(name, results, contexts[name], manifest.get("timeout"))
            except (Exception, StepStopped) as error:
                hopeless = permanent(error) or (isinstance(error, TimeUp) and self._may_have_written(name))
                if attempt == allowed or self.engine.stopping or hopeless:
                    raise self._failure(segment, name, error, results) from error
                message = self._explained(error)[1]
                delay = pause_after(attempt, retry)
                self.engine.event("step_retry", name, attempt=attempt, attempts=allowed, delay=delay, message=message)
                let_go(error)
                self.engine.wait(delay)
                self.stopper = contexts[name].stopper = Stopper(stopped=self.engine.stopping)
                contexts[name].begin_again()
                if self.engine.stopping:
                    raise self._failure(segment, name, error, results) from error
        raise AssertionError("the last attempt returns or raises")

    def _may_have_written(self, name: str) -> bool:
        """Whether a writer that was stopped may have got through all the same: one of ours never has."""
        step = self.engine.steps[name]
        return step.manifest.get("mode") == "write" and not step.own

    def _timed(
        self, name: str, results: dict[str, Dataset], context: StepContext, timeout: float | None
    ) -> Dataset | None:
        # A driver of ours ends by itself when it is told to, and so says truly whether it has written.
        signals = self.signals and not self.engine.steps[name].own
        deadline = Deadline(timeout, self.stop, signals=signals)
        try:
            with woken_by_signals(deadline.running) if signals else nullcontext(), deadline:
                result = self._invoke(name, results, context)
                if result is not None and not (result.rows is not None and not self.engine.has_readers(name)):
                    result = _kept(result, context.most_rows)
        except (Exception, StepStopped) as error:
            if deadline.expired and not self.engine.stopping:
                raise TimeUp(float(timeout or 0)) from error
            raise
        return result

    def _invoke(self, name: str, results: dict[str, Dataset], context: StepContext) -> Dataset | None:
        """Run the driver; what it yields as a Dataset, None when it yields nothing."""
        if self.engine.stopping:
            raise StepStopped(name)
        step = self.engine.steps[name]
        if (file := self.engine.resume.left.get(name)) is not None:
            return read(file, self.engine.database)
        inputs: dict[str, Any] = {
            table: results.get(source) or self.engine.data_of(source)
            for table, source in (step.manifest.get("inputs") or {}).items()
        }
        if len(sources_of(step.manifest)) == 1:
            inputs.setdefault("df", next(iter(inputs.values())))
        returned = step.driver.run(step_id=name, config=dict(step.config), inputs=inputs or None, ctx=context)
        if self.stopper.stopped and step.manifest.get("mode") != "write":
            raise StepStopped(name)  # what is written is written, and its step has succeeded
        if not isinstance(returned, dict) or returned.get("df") is None:
            if self.engine.has_readers(name):
                raise ExecutionError(f"The driver of {step.manifest['component']} returned no rows under 'df'.")
            return None
        result = as_dataset(returned["df"], self.engine.database)
        if result.once:
            result.count_by(context.advance)
            place = self.engine.place_for(name)
            if place is not None:
                result.through(lambda stream: tee(stream, place, lambda: self.engine.complete(name, place)))
        return result

    def _context(self, name: str) -> StepContext:
        engine = self.engine
        artifacts = engine.run_dir / "artifacts" / name
        if not engine.steps[name].own:
            artifacts.mkdir(parents=True, exist_ok=True, mode=0o700)
        return StepContext(
            session_id=engine.logger.session_id,
            working_dir=engine.root,
            artifacts_dir=artifacts,
            logger=engine.logger,
            step_id=name,
            database=engine.database,
            root=engine.root,
            spill=engine.spill,
            stopper=self.stopper,
            allowed=engine.allowed,
            known_files=engine.known_files,
            origin=engine.resume.origin or engine.logger.session_id,
            in_doubt_since=engine.resume.in_doubt.get(name),
            most_rows=engine.sample.most_of(name) if engine.sample is not None else None,
        )

    def _rows(self, results: Mapping[str, Dataset], final: Dataset | None) -> dict[str, int]:
        """How many rows each step read, made or wrote, where that is known without counting."""
        found: dict[str, int] = {}
        made: dict[str, int] = {}
        for name in reversed(self.segment.steps):
            step, counts = self.engine.steps[name], self.contexts[name].counts
            data = final if name == self.segment.last else results.get(name)
            reported = counts.get("rows_written", counts.get("rows_read"))
            if reported is not None:
                found[name] = int(reported)
            elif (rows := data.rows if data is not None and data.rows is not None else made.get(name)) is not None:
                found[name] = rows
                self.engine.logger.log_metric("rows_produced", rows, "rows", step_id=name)
            sources = sources_of(step.manifest)
            if "rows_written" in counts and len(sources) == 1 and step.own:
                made[next(iter(sources))] = found[name]  # a writer of ours writes all that the step before it made
        return found

    def _complete(self, name: str, rows: int | None) -> None:
        record = self.engine.records[name]
        record.rows = rows
        record.bytes = self.contexts[name].bytes_written
        took = self._measure(name)
        record.state = outcome.SUCCEEDED
        note_written(self.engine.steps[name].manifest, self.engine.steps[name].config, self.engine.root)
        self.engine.add_up(self.contexts[name].counts)
        self.engine.event(
            "step_complete",
            name,
            segment=self.segment.number,
            duration=took,
            reused=self.engine.resume.of if name in self.engine.resume.left else self.contexts[name].written_by,
            rows=record.rows,
            bytes=record.bytes,
        )

    def _measure(self, name: str) -> float:
        """Note how long a step took (the seconds) and how much memory, however it ended."""
        record = self.engine.records[name]
        record.duration = time.monotonic() - self.started[name]
        record.memory = self.memory or None
        self.engine.logger.log_metric("duration", round(record.duration, 3), "s", step_id=name)
        if record.memory is not None:
            self.engine.logger.log_metric("peak_memory", record.memory, "bytes", step_id=name)
        return round(record.duration, 3)

    def _failure(self, segment: Segment, name: str, error: BaseException, results: dict[str, Dataset]) -> StepFailed:
        """Find the step to blame, log it, and say it."""
        self.memory = max(self.memory, own_memory())
        if self.engine.stopping:
            # A driver of ours that came back with an error has written nothing, unless it says so.
            self._measure(name)
            self.engine.records[name].untouched = self.engine.steps[name].own and not outcome_unknown(error)
            return StepFailed(name, "OML617", "The run was cancelled.")
        culprit, cause = self._blame(segment, name, error, results)
        code, message, hint = self._explained(cause)
        for earlier in segment.steps[: segment.steps.index(culprit)]:
            if self.engine.records[earlier].state == outcome.RUNNING:
                self.engine.records[earlier].state = outcome.SUCCEEDED
                self.engine.event("step_complete", earlier, segment=segment.number)
        self.engine.records[culprit].state = outcome.FAILED
        attempts = self.engine.records[culprit].attempts
        took = self._measure(culprit)
        self.engine.event(
            "step_error",
            culprit,
            segment=segment.number,
            code=code,
            message=message,
            hint=hint,
            duration=took,
            attempts=attempts if attempts > 1 else None,
            line=cause.line if isinstance(cause, OsirisError) else None,
            column=cause.column if isinstance(cause, OsirisError) else None,
            outcome_unknown=True if outcome_unknown(cause) else None,
        )
        return StepFailed(culprit, code, message, hint)

    def _blame(
        self, segment: Segment, name: str, error: BaseException, results: dict[str, Dataset]
    ) -> tuple[str, BaseException]:
        """The step whose fault ``error`` is: rows computed together fail together, in the step that asks for them."""
        for source, data in results.items():
            broken = data.failure()
            if broken is not None:
                return source, broken
        if name == segment.last and len(segment.steps) > 1 and is_about_data(error):
            return self._step_by_step(segment) or (name, error)
        return name, error

    def _step_by_step(self, segment: Segment) -> tuple[str, BaseException] | None:
        """Compute the segment again, each step by itself; the first that fails, and how. None when all go well."""
        kept: dict[str, Dataset] = {}
        try:
            for name in segment.steps:
                last = name == segment.last
                if last and not self.engine.steps[name].lazy:
                    return None  # a writer: what it reads is fine, so the error is its own
                try:
                    result = self._invoke(name, kept, self._context(name))
                    if result is not None:
                        kept[name] = result.keep()
                except Exception as error:  # noqa: BLE001 - the point is to see which step raises what
                    broken = kept[name].failure() if name in kept else None
                    return name, broken or error
            return None
        finally:
            for data in kept.values():
                data.release()

    def _explained(self, error: BaseException) -> tuple[str, str, str | None]:
        """The code, the message and the hint of an error."""
        if isinstance(error, TimeUp):
            return TIMEOUT_CODE, str(error), "Raise the timeout of the step, or make its work smaller."
        if isinstance(error, OsirisError):
            return error.code, str(error), error.hint
        if type(error).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
            message, hint = explain_engine_error(error)
            return ExecutionError("").code, message, hint
        return ExecutionError("").code, describe(error), None


def _kept(result: Dataset, most: int | None) -> Dataset:
    """The rows, computed. Raises what broke their stream itself: DuckDB hands on no more than its text."""
    try:
        return result.keep(most)
    except Exception:
        broken = result.failure()
        if broken is None:
            raise
        raise broken from None
