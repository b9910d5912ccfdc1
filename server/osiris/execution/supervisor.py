"""The one who answers for a run: it owns the run's lock, hands the work to a worker, and writes how it ended.

In a foreground run it is the command itself; in a detached one a process of its own
(``python -m osiris.execution.supervisor``) that belongs to nobody's window. Exactly one final event and one final
status are written, always by the supervisor, whatever becomes of the worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from osiris.core.error_taxonomy import OsirisError
from osiris.core.files import atomic_write
from osiris.core.secrets_masking import Masker
from osiris.core.session_logging import SessionLogger, timestamp
from osiris.core.targets import HERE
from osiris.execution.folder import FINAL_EVENTS, RunFolder, make_logs_folder
from osiris.execution.left_data import Leaving
from osiris.execution.lock import locks_folder
from osiris.execution.process import Worker, WorkerLike, become_daemon, working_folder
from osiris.execution.queue import Turn
from osiris.execution.resume import RESUME_FILE, claim
from osiris.execution.retention import Keep, clean_old_runs
from osiris.execution.worker import GRACE_SECONDS

POLL_SECONDS = 0.05


@dataclass
class Request:
    """What starts a run. ``params`` may hold secrets, so a request travels over pipes only.

    ``attach``: no new run, but this one, which goes on elsewhere and has lost whoever answered for it.
    """

    manifest: Mapping[str, Any]
    root: Path
    logs_dir: Path
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    if_running: str = "wait"
    max_parallel: int | None = None
    memory: int | None = None
    parallel: int | None = None
    deterministic: bool = False
    resume: Mapping[str, Any] | None = None
    cache: bool = True
    keep: Keep = field(default_factory=Keep)
    target: str = HERE
    attach: str | None = None

    def plain(self) -> dict[str, Any]:
        """The request as JSON data."""
        return {**vars(self), "root": str(self.root), "logs_dir": str(self.logs_dir), "keep": asdict(self.keep)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Request:
        """The request in JSON data."""
        paths = {name: Path(data[name]) for name in ("root", "logs_dir")}
        return cls(**{**data, **paths, "keep": Keep(**data["keep"])})


class Supervisor:
    """One run from its first event to its last."""

    def __init__(self, request: Request, worker: WorkerLike | None = None) -> None:
        """Claim a place for the run and make its folder; its first event is written.

        ``worker`` is one that was started early. Raises AlreadyRunning, ConfigurationError or ExecutionError.
        """
        self.request = request
        self.worker = worker
        self._cancelled = threading.Event()
        self._temporary: list[str] = []
        self._started: float | None = None
        pipeline = request.manifest.get("pipeline") or {}
        self.head = {
            "pipeline": pipeline.get("name"),
            "profile": request.manifest.get("profile"),
            "target": request.target,
        }
        if request.resume is not None:
            self.head["resumes"] = request.resume["of"]
        locks = locks_folder(request.root, make_logs_folder(request.logs_dir))
        self.turn = Turn(locks, self.head, request.if_running, request.max_parallel)
        try:
            self.folder = RunFolder.create(request.logs_dir, request.manifest, self.head)
            self._claim_resumed()
            self.turn.note(self.folder.run_id)
            # Sensitive parameters are the only secrets that this process knows.
            self._masker = Masker([str(value) for value in request.params.values()])
            self.logger = SessionLogger(self.folder.path, self.folder.run_id, self._masker)
            queued = {**self.head, "waits_for": self.turn.waits_for}
            self.logger.log_event("run_queued", {key: value for key, value in queued.items() if value is not None})
        except BaseException:
            self.turn.release()
            raise

    def _claim_resumed(self) -> None:
        """Take over the run that this one goes on with, unless somebody else has; then this run never was."""
        resume = self.request.resume
        if resume is None:
            return
        try:
            atomic_write(self.folder.path / RESUME_FILE, json.dumps(dict(resume)).encode(), private=True)
            claim(self.request.logs_dir, str(resume["of"]), self.folder.run_id)
        except BaseException:
            self.folder.release()
            shutil.rmtree(self.folder.path, ignore_errors=True)
            raise

    def cancel(self) -> None:
        """Ask the run to stop; may be called from a signal handler."""
        self._cancelled.set()

    def run(self) -> dict[str, Any]:
        """Carry the run to its end; its final status. Runs that nobody keeps any more are removed meanwhile."""
        request = self.request
        cleaning = threading.Thread(
            target=clean_old_runs, args=(request.root, request.logs_dir, request.keep), daemon=True
        )
        try:
            with contextlib.suppress(RuntimeError):  # no room for a thread: another run cleans
                cleaning.start()
            try:
                outcome = self._outcome()
            except (OSError, RuntimeError, OsirisError) as error:
                outcome = self._not_carried_out(error)
            return self._finish(outcome)
        finally:
            self.logger.close()
            self.turn.release()
            self.folder.release()

    def _outcome(self) -> dict[str, Any]:
        while not self.turn.take():
            if self._stop_wanted():
                self._dismiss()
                return self._cancelled_outcome()
            self._dismiss()  # who knows how long it takes: a run that waits keeps no process ready
            self._cancelled.wait(self.turn.pause)
        if self._stop_wanted() and self.request.attach is None:  # what goes on elsewhere must be ended there
            self._dismiss()
            return self._cancelled_outcome()
        self._started = self._begun()
        self.folder.write_status({"state": "running", "started": self.folder.status.get("started") or timestamp()})
        worker = self.worker if self.worker is not None and self.worker.alive() else self._new_worker()
        self.worker = worker
        worker.channel.send(
            {
                "run_dir": str(self.folder.path),
                "root": str(self.request.root),
                "params": dict(self.request.params),
                "memory": self.request.memory,
                "parallel": self.request.parallel,
                "deterministic": self.request.deterministic,
                "resume": self.request.resume,
                "cache": self.request.cache,
            }
        )
        return self._watch(worker)

    def _begun(self) -> float:
        return time.time()

    def _new_worker(self) -> WorkerLike:
        if self.request.target == HERE:
            return Worker()
        from osiris.execution.remote.targets import remote_worker

        return remote_worker(self.request, self.folder.path, self.logger)

    def _not_carried_out(self, error: Exception) -> dict[str, Any]:
        """The machine gave us no process, or no thread to listen to it."""
        if self.worker is not None:
            self.worker.kill()
            self._clean()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = {
            "code": "OML618",
            "message": f"The process that carries out the run could not be started: {reason.rstrip('.')}.",
            "hint": "Look at the limits of processes, memory and open files of this user, or of the container.",
        }
        steps, _ = self.folder.steps_so_far()
        for step in steps:
            if step["state"] in ("running", "pending"):
                step["state"] = "skipped"
        return {"state": "failed", "error": problem, "steps": steps, "rows": {}}

    def _watch(self, worker: WorkerLike) -> dict[str, Any]:
        """Wait for the worker's word, for its death, or for somebody who wants the run to stop."""
        result: list[dict[str, Any]] = []
        over = threading.Event()

        def listen() -> None:
            while (message := worker.channel.receive()) is not None:
                if "temporary" in message:
                    self._temporary = message["temporary"]
                else:
                    result.append(message)
                    break
            over.set()

        threading.Thread(target=listen, daemon=True).start()
        deadline: float | None = None
        while not over.wait(POLL_SECONDS):
            if deadline is None and self._stop_wanted():
                worker.channel.send({"cancel": True})
                deadline = time.monotonic() + GRACE_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                worker.kill()
                self._clean()
                return self._cancelled_outcome()
        if result:
            if not worker.wait(GRACE_SECONDS):
                worker.kill()
            outcome: dict[str, Any] = result[0]["outcome"]
            # What breaks after somebody wanted the run to stop breaks because of that.
            return self._cancelled_outcome() if result[0].get("broken") and self._stop_wanted() else outcome
        if not worker.wait(GRACE_SECONDS):
            worker.kill()
        self._clean()
        if self._stop_wanted():
            return self._cancelled_outcome()
        return self._dead_worker(worker)

    def _dead_worker(self, worker: WorkerLike) -> dict[str, Any]:
        steps, running = self.folder.steps_so_far()
        verb = "step {} was" if len(running) == 1 else "steps {} were"
        where = f" while the {verb.format(' and '.join(running))} running" if running else ""
        for step in steps:
            if step["state"] in ("running", "pending"):
                step["state"] = "failed" if step["id"] in running else "skipped"
        error = {
            "step": running[-1] if running else None,
            "code": "OML618",
            "message": f"The process that carried out the run is gone{where}: {worker.ended_how()}.",
            "hint": "If memory ran out, lower runs.memory_limit in osiris.yaml: data goes to disk earlier then.",
        }
        return {
            "state": "failed",
            "error": {k: v for k, v in error.items() if v is not None},
            "steps": steps,
            "rows": {},
        }

    def _cancelled_outcome(self) -> dict[str, Any]:
        steps, _ = self.folder.steps_so_far()
        for step in steps:
            if step["state"] in ("running", "pending"):
                step["state"] = "cancelled"
        return {"state": "cancelled", "error": None, "steps": steps, "rows": {}}

    def _finish(self, outcome: dict[str, Any]) -> dict[str, Any]:
        outcome = {**outcome, "error": self._masker.data(outcome["error"])}
        finished = time.time()
        duration = round(finished - self._started, 3) if self._started is not None else 0.0
        status = self.folder.write_status({**outcome, "finished": timestamp(), "duration": duration})
        body: dict[str, Any] = {"duration": duration}
        if outcome["state"] == "failed":
            error = dict(outcome["error"] or {})
            if "step" in error:
                error["step_id"] = error.pop("step")
            body |= error
        else:
            body["steps"] = len([step for step in outcome["steps"] if step["state"] == "succeeded"])
        self.logger.log_event(FINAL_EVENTS[outcome["state"]], body)
        self.logger.log_metric("run_duration", duration, "s")
        return status

    def _stop_wanted(self) -> bool:
        return self._cancelled.is_set() or self.folder.cancel_wanted()

    def _dismiss(self) -> None:
        if self.worker is not None:
            self.worker.dismiss()
            self.worker = None

    def _clean(self) -> None:
        """Remove what a worker that was killed left behind: half-written files, its spill folder."""
        for path in self._temporary:
            for leftover in (path, path + "-journal"):
                with contextlib.suppress(OSError):
                    os.unlink(leftover)
        shutil.rmtree(self.folder.path / "spill", ignore_errors=True)
        Leaving(self.request.root, self.folder.run_id).remove_parts()


def supervisor_for(request: Request) -> Supervisor:
    """Who answers for a run from now on. Raises as Supervisor does."""
    if request.attach is None:
        return Supervisor(request)
    from osiris.execution.remote.attach import AttachedSupervisor

    return AttachedSupervisor(request)


@contextlib.contextmanager
def cancelled_by_signals(supervisor: Supervisor) -> Any:
    """Inside the block (in the main thread), Ctrl-C and SIGTERM cancel the run instead of ending this process.

    So does the end of the terminal, unless the user said that it shall not (``nohup``).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.cancel()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> None:
    """Supervise one detached run: the request comes over standard input, the answer is the run's id."""
    channel = become_daemon()
    data = channel.receive()
    if data is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    request = Request.of(data)
    working_folder(request.root)  # not where the starter stood: that folder may go away
    try:
        supervisor = supervisor_for(request)
    except OsirisError as error:
        channel.send({"error": str(error), "hint": error.hint, "code": error.code, "kind": type(error).__name__})
        return
    signal.signal(signal.SIGTERM, lambda number, frame: supervisor.cancel())
    channel.send({"run_id": supervisor.folder.run_id, "run_dir": str(supervisor.folder.path)})
    channel.close()
    supervisor.run()


if __name__ == "__main__":
    main()
