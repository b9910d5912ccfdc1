"""Starts runs, tells the client what happens in them, cancels them.

A run belongs to nobody's window: ``osiris run --detach`` leaves it to a supervisor of its own, and this server is only
one of those who read its events as they are written. When the server ends, the run goes on.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris.lsp.cli import Answer, run_osiris
from osiris.lsp.errors import RequestError, log
from osiris.lsp.run_lines import Event, line_of

if TYPE_CHECKING:
    from osiris.lsp.session import Session

RUN_EVENT = "osiris/runEvent"
LENSES = "workspace/codeLens/refresh"  # they show the last run
POLL_SECONDS = 0.05
STATE_SECONDS = 2.0
PATIENCE_SECONDS = 5.0
MOST_ATTACHED = 50  # of the newest runs, those that are looked at when a server starts


@dataclass(slots=True)
class Run:
    """A run that this server tells its client about. ``folder`` holds its files; ``token`` is its progress."""

    id: str
    name: str
    folder: Path
    token: str | int | None = None
    steps: int = 0
    done: int = 0
    current: list[str] = field(default_factory=list)


class Runs:
    """The runs that were started here and have not ended."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._active: dict[str, Run] = {}

    async def start(
        self,
        path: Path,
        profile: str | None,
        params: dict[str, Any],
        token: str | int | None = None,
        *,
        to: str | None = None,
        target: str | None = None,
    ) -> str:
        """Start a run of the saved file, all of it or only ``to`` a step, and follow it; returns its id.

        ``target``: where it runs; None: where the client's settings say, or else osiris.yaml.

        Raises RequestError with what the command said when the run does not start. When the caller is cancelled, the
        run is still followed, and cancelled as soon as its id is known: nobody can say whether it had begun.
        """
        starting = self._session.start(self._start(path, profile, params, token, to, target), f"starting {path.name}")
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(self._cancel_started)
            raise

    async def _start(
        self,
        path: Path,
        profile: str | None,
        params: dict[str, Any],
        token: str | int | None,
        to: str | None,
        target: str | None,
    ) -> str:
        project = self._session.projects.project_of(path)
        root = project.root if project is not None else path.parent
        arguments = ["run", str(path), "--detach", "--format", "json"]
        if profile:
            arguments += ["--profile", profile]
        if to:
            arguments.append(f"--to={to}")
        if target := target or self._session.settings_of(path).run_target:
            arguments.append(f"--target={target}")
        if params:
            arguments.append("--params-stdin")
        answer = await run_osiris(arguments, cwd=root, given=json.dumps(params).encode() if params else None)
        started = _json(answer.output)
        run_id, folder = started.get("run_id"), started.get("folder")
        if answer.code != 0 or not isinstance(run_id, str) or not isinstance(folder, str):
            raise RequestError(_refusal(path, answer, started))
        self._follow_run(Run(run_id, path.name, Path(folder), token))
        return run_id

    async def attach(self) -> None:
        """Follow again what still waits or runs in the projects of the workspace, from its first event.

        A server that was killed leaves its runs behind, and so does a window that was closed.
        """
        for root in self._roots():
            for run_id, name, path in await asyncio.to_thread(_still_active, root):
                if run_id not in self._active:
                    log.info("following %s again", run_id)
                    self._follow_run(Run(run_id, name, path))

    def _follow_run(self, run: Run) -> None:
        if run.id in self._active:
            return  # ``attach`` has found it before the command that started it said so
        self._active[run.id] = run
        self._session.refresh.request(LENSES)
        self._session.start(self._follow(run), f"following {run.id}")

    def _cancel_started(self, starting: asyncio.Task[str]) -> None:
        if not starting.cancelled() and starting.exception() is None:
            run_id = starting.result()
            self._session.start(self.cancel(run_id), f"cancelling {run_id}")

    async def cancel(self, run_id: str | None) -> str:
        """Cancel a run: the given one, or the one started last. Returns its id; RequestError when there is none."""
        if run_id is None:
            run_id = next(reversed(self._active), None)
        if run_id is None:
            raise RequestError("No run that was started here is active.")
        run = self._active.get(run_id)
        if run is None and not self._roots():
            raise RequestError(f"There is no run {run_id}: no folder is open.")
        await asyncio.to_thread(_cancel, run_id, run.folder.parent if run else None, self._roots())
        return run_id

    def _roots(self) -> list[Path]:
        """The roots of the projects that the folders of the workspace belong to."""
        projects = self._session.projects
        return list(dict.fromkeys(projects.project_in(folder).root for folder in projects.folders))

    def cancel_by_token(self, token: str | int) -> None:
        """Cancel the run whose progress has this token, if there is one."""
        for run in self._active.values():
            if run.token == token:
                self._session.start(self.cancel(run.id), f"cancelling {run.id}")

    # -- following

    async def _follow(self, run: Run) -> None:
        tell = self._tell_event if self._session.client.run_events else self._tell_progress
        if not self._session.client.run_events:
            await self._begin_progress(run)
        try:
            async for event in self._events(run):
                tell(run, event)
        finally:
            self._active.pop(run.id, None)
        self._session.refresh.request(LENSES)
        self._session.discovery.look()  # the run may have written to tables whose columns are known

    async def _events(self, run: Run) -> AsyncIterator[Event]:
        """The events as they are written, up to the last one; a made-up one where the run could not write its last."""
        from osiris.execution.folder import EventTail, ends_run

        tail, waited = EventTail(run.folder), 0.0
        while True:
            found = tail.read()
            for event in found:
                yield event
                if ends_run(event):
                    return
            waited = 0.0 if found else waited + POLL_SECONDS
            if waited >= STATE_SECONDS:
                waited = 0.0
                if (end := await asyncio.to_thread(_unwritten_end, run)) is not None:
                    yield end
                    return
            await asyncio.sleep(POLL_SECONDS)

    def _tell_event(self, run: Run, event: Event) -> None:
        self._session.protocol.notify(RUN_EVENT, {"runId": run.id, "event": event})

    async def _begin_progress(self, run: Run) -> None:
        """Use the progress of the request, or ask the client for one; without either there are log lines alone."""
        if run.token is None and self._session.client.work_done_progress:
            token = str(uuid.uuid4())
            create = self._session.protocol.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, {"token": token})
            try:
                await asyncio.wait_for(create, PATIENCE_SECONDS)
                run.token = token
            except (JsonRpcException, TimeoutError):
                log.info("the client gives no progress for %s; its log lines must do", run.id)
        self._progress(run, {"kind": "begin", "title": f"Running {run.name}", "cancellable": True, "percentage": 0})

    def _tell_progress(self, run: Run, event: Event) -> None:
        from osiris.execution.folder import ends_run

        line = line_of(event)
        if line is not None:
            self._session.log(f"{run.name}: {line[1]}", line[0])
        if isinstance(steps := event.get("steps"), int):
            run.steps = steps
        step = str(event.get("step_id", ""))
        match event.get("event"):
            case "step_start":
                run.current.append(step)
            case "step_complete" | "step_error" | "step_skipped":
                run.done += 1
                run.current = [name for name in run.current if name != step]
        if ends_run(event):
            self._progress(run, {"kind": "end", "message": line[1] if line else "ended"})
        elif step:
            report: dict[str, Any] = {"kind": "report", "message": ", ".join(run.current) or step}
            if run.steps:
                report["percentage"] = min(100, 100 * run.done // run.steps)
            self._progress(run, report)

    def _progress(self, run: Run, value: dict[str, Any]) -> None:
        if run.token is not None:
            self._session.protocol.notify(types.PROGRESS, {"token": run.token, "value": value})


def _json(data: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _cancel(run_id: str, logs: Path | None, roots: Sequence[Path]) -> None:
    """Cancel the run in the folder ``logs``, or else in the first project that has it. Raises OsirisError."""
    from osiris.core.config import Config
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.execution.runs import RunStore

    places = [logs] if logs is not None else [Config.load(root).logs_dir for root in roots]
    for place in places[:-1]:
        with suppress(ConfigurationError):  # it is none of this project's
            RunStore(place).cancel(run_id)
            return
    RunStore(places[-1]).cancel(run_id)


def _still_active(root: Path) -> list[tuple[str, str, Path]]:
    """Id, name and folder of the newest runs of a project that wait or run, the oldest of them first."""
    from osiris.core.config import Config
    from osiris.core.error_taxonomy import OsirisError
    from osiris.execution.runs import RunStore

    try:
        found = [run for run in RunStore(Config.load(root).logs_dir).newest(MOST_ATTACHED) if run.active]
    except OsirisError as problem:
        log.info("the runs of %s are not looked at: %s", root, problem)
        return []
    return [(run.id, run.pipeline or run.id, run.path) for run in reversed(found)]


def _unwritten_end(run: Run) -> Event | None:
    """The last event of a run that is over without one: interrupted, its folder removed, its disk full."""
    from osiris.core.error_taxonomy import OsirisError
    from osiris.execution.folder import FINAL_EVENTS
    from osiris.execution.runs import RunStore

    try:
        state = RunStore(run.folder.parent).show(run.id).state
    except OsirisError:
        return {"event": "run_error", "session": run.id, "message": "the folder of the run was removed"}
    if state == "interrupted":
        return {"event": "run_error", "session": run.id, "message": "the run was interrupted"}
    return {"event": FINAL_EVENTS[state], "session": run.id} if state in FINAL_EVENTS else None


def _refusal(path: Path, answer: Answer, said: dict[str, Any]) -> str:
    """Why a run did not start, in the words of the command."""
    findings = said.get("diagnostics")
    if isinstance(findings, list) and findings:
        errors = [item for item in findings if isinstance(item, dict) and item.get("severity") == "error"]
        first = (errors or findings)[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"{path.name} has errors, so nothing was run: {first.get('code')} {first.get('message')}{more}"
    text = str(said.get("error") or said.get("message") or "") or answer.errors.strip() or answer.output.strip()
    return text or f"{path.name} could not be run: the command ended with code {answer.code} and said nothing."
