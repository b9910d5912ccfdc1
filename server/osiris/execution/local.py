"""Runs on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.execution_adapter import ExecutionContext, PreparedRun
from osiris.core.targets import HERE
from osiris.execution.adapter import EngineAdapter
from osiris.execution.folder import follow_events
from osiris.execution.process import Worker, start_detached
from osiris.execution.queue import AlreadyRunning
from osiris.execution.retention import Keep
from osiris.execution.supervisor import Request, Supervisor, cancelled_by_signals

if TYPE_CHECKING:
    from osiris.core.manifest import Manifest
    from osiris.execution.resume import Resume

__all__ = ["AlreadyRunning", "LocalAdapter", "RunResult", "Worker", "start_run"]

EXIT_CODES = {"succeeded": 0, "queued": 0, "failed": 1, "cancelled": 1, "interrupted": 1}


@dataclass(frozen=True)
class RunResult:
    """A run that was started: ``state`` is its final one, or ``queued`` when it was detached."""

    run_id: str
    path: Path
    state: str
    status: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        return EXIT_CODES[self.state]


def start_run(
    manifest: Mapping[str, Any],
    *,
    root: Path | str,
    logs_dir: Path | str | None = None,
    detach: bool = False,
    params: Mapping[str, Any] | None = None,
    if_running: str = "wait",
    worker: Worker | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    resume: Resume | None = None,
    cache: bool = True,
    target: str | None = None,
) -> RunResult:
    """Run ``manifest`` in a worker process of its own, or on another machine.

    ``root`` is the project folder; ``logs_dir`` defaults to what its osiris.yaml says. ``params`` are values of
    parameters that the manifest leaves open. ``worker`` is one that the caller started early (``Worker()``), to save
    time. In the foreground the call returns when the run is over; ``on_event`` gets each event as it happens, in a
    thread of its own; Ctrl-C and SIGTERM cancel the run. With ``detach`` it returns after the first event, and the run
    depends on nobody. ``resume`` is what ``plan_resume`` found; without ``cache`` nothing is used again that an
    earlier run made, and nothing is kept for a later one. ``target`` says where it runs; None: where osiris.yaml says.
    Raises AlreadyRunning, ConfigurationError or ExecutionError when no run was started.
    """
    try:
        request = _request(manifest, Path(root), logs_dir, params, if_running, resume, cache, target)
        if request.target != HERE:
            _refuse_beside_a_lost_one(request)
        if detach:
            return _detached(request, worker)
        if worker is not None and request.target != HERE:
            worker.dismiss()  # it carries out runs of this machine
            worker = None
        supervisor = Supervisor(request, worker)
    except BaseException:
        if worker is not None:
            worker.dismiss()
        raise
    listener: threading.Thread | None = None
    if on_event is not None:
        listener = threading.Thread(target=_tell, args=(supervisor.folder.path, on_event), daemon=True)
        listener.start()
    with cancelled_by_signals(supervisor):
        status = supervisor.run()
    if listener is not None:
        listener.join()
    return RunResult(supervisor.folder.run_id, supervisor.folder.path, str(status["state"]), status)


def _refuse_beside_a_lost_one(request: Request) -> None:
    """Raise AlreadyRunning when the same pipeline may be at work there for a run that nobody here follows any more:
    no lock tells of it, and waiting would not end it."""
    from osiris.execution.runs import RunStore

    same = ((request.manifest.get("pipeline") or {}).get("name"), request.manifest.get("profile"), request.target)
    for run in RunStore(request.logs_dir).list():
        if same == (run.pipeline, run.status.get("profile"), run.status.get("target")) and run.elsewhere:
            error = AlreadyRunning(
                f"The pipeline {run.pipeline} may still be at work elsewhere as {run.id}, whose process here is gone.",
                hint=f"Follow it again: osiris runs attach {run.id}, or end it: osiris runs cancel {run.id}.",
            )
            error.run_id = run.id
            raise error


def _request(
    manifest: Mapping[str, Any],
    root: Path,
    logs_dir: Path | str | None,
    params: Mapping[str, Any] | None,
    if_running: str,
    resume: Resume | None,
    cache: bool,
    target: str | None,
) -> Request:
    from osiris.core.config import Config

    root = root.absolute()
    config = Config.load(root, overrides={"runs.logs_dir": str(logs_dir) if logs_dir is not None else None})
    runtime = config.runtime
    return Request(
        manifest=dict(manifest),
        root=root,
        logs_dir=config.logs_dir.absolute(),
        params=dict(params or {}),
        if_running=if_running,
        max_parallel=runtime.max_parallel,
        memory=runtime.memory_bytes,
        parallel=runtime.max_parallel_steps,
        deterministic=runtime.deterministic,
        resume=resume.plain() if resume is not None else None,
        cache=cache,
        keep=Keep(runtime.keep_days, runtime.keep_gb * 1e9),
        target=checked_target(target or runtime.target),
    )


def checked_target(target: str) -> str:
    """The target, when it is there and set up. Raises ConfigurationError or RemoteError."""
    if target != HERE:
        from osiris.execution.remote.targets import machines_of

        machines_of(target).check()
    return target


def _detached(request: Request, worker: Worker | None) -> RunResult:
    if worker is not None:
        worker.dismiss()  # it belongs to this process; a detached run needs one of its own
    answer = start_detached("osiris.execution.supervisor", request.plain())
    if "run_id" in answer:
        return RunResult(answer["run_id"], Path(answer["run_dir"]), "queued")
    kinds: dict[str, type[ExecutionError | ConfigurationError]] = {
        "AlreadyRunning": AlreadyRunning,
        "ConfigurationError": ConfigurationError,
    }
    raise kinds.get(answer["kind"], ExecutionError)(answer["error"], hint=answer.get("hint"))


def _tell(path: Path, on_event: Callable[[dict[str, Any]], None]) -> None:
    for event in follow_events(path):
        on_event(event)


class LocalAdapter(EngineAdapter):
    """Runs a manifest in this very process, for users of the Python API; drivers registered here are found.

    adapter = AdapterFactory.create(target="local")
    prepared = adapter.prepare(manifest, context)
    adapter.execute(prepared, context)
    adapter.collect(prepared, context)
    """

    def prepare(self, manifest: dict[str, Any], context: ExecutionContext) -> PreparedRun:
        """Look up everything that the run needs. Raises ConfigurationError when something is missing."""
        from osiris.execution.preparation import prepare

        run_dir = context.logger.run_dir
        root = context.working_dir.absolute()
        prepared = prepare(cast("Manifest", manifest), root=root, run_dir=run_dir, session_id=context.session_id)
        return PreparedRun(manifest, run_dir, {"preparation": prepared, "root": root})

    def execute(self, prepared: PreparedRun, context: ExecutionContext) -> dict[str, Any]:
        """Execute the pipeline; how it ended. Raises ExecutionError when a step fails."""
        from osiris.execution.engine import Engine

        preparation = prepared.details["preparation"]
        context.logger.hide(preparation.secrets)
        engine = Engine(
            prepared.manifest,
            preparation,
            logger=context.logger,
            root=prepared.details["root"],
            run_dir=prepared.run_dir,
        )
        return self.ended(engine.run().plain(), prepared, context)
