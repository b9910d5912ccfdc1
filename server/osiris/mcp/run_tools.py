"""Runs as agents see them: started, followed, cancelled; without the values that messages of engines quote."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osiris.core.agent.redaction import without_values
from osiris.core.project import Project

if TYPE_CHECKING:
    from osiris.core.manifest import Manifest
    from osiris.execution.runs import RunInfo, RunStore

_MOST_EVENTS = 60
_LOOK_SECONDS = 0.1
# Names, times and states. Any other text may quote what a database or an engine says, and so rows.
_NAMES = "id run_id session pipeline component connection step step_id to target profile path code state event"
_OTHERS = "ts queued started finished waits_for resumes reused fingerprint oml_fingerprint"
_WITHOUT_ROWS = frozenset(f"{_NAMES} {_OTHERS}".split())


def listed(project: Project, limit: int, values: bool) -> dict[str, Any]:
    """The newest runs, without their steps. ``values``: messages keep what they quote."""
    runs = _store(project).newest(limit)
    return {"runs": [{k: v for k, v in _plain(project, run, values).items() if k != "steps"} for run in runs]}


def shown(project: Project, run: str, values: bool) -> dict[str, Any]:
    """One run with its steps. Raises ConfigurationError when there is no such run."""
    from osiris.execution.folder import steps_by_events

    store = _store(project)
    info = store.show(run)
    steps = info.status.get("steps") or []
    steps = steps_by_events(steps, store.events(info.id) if info.active else ())[0]
    return {**_plain(project, info, values), "steps": steps}


def followed(
    project: Project, run: str, after: int, seconds: float, values: bool, cancel: threading.Event
) -> dict[str, Any]:
    """The events of a run from ``after`` on: as soon as it is over, else when the time is, or ``cancel`` is set."""
    from osiris.execution.folder import ends_run

    store = _store(project)
    end = time.monotonic() + seconds
    while True:
        info = store.show(run)
        events = store.events(info.id)
        over = not info.active or (bool(events) and ends_run(events[-1]))
        if over or time.monotonic() >= end or len(events) - after >= _MOST_EVENTS:
            break
        if cancel.wait(_LOOK_SECONDS):
            break
    part = events[after : after + _MOST_EVENTS]
    steps = _steps_of(info)
    told = [_without_rows(event, steps, values) for event in part if event["event"] != "step_progress"]
    upto = min(after + len(part), max(len(events), after))
    return {
        "run_id": info.id,
        "state": store.show(info.id).state,
        "next": upto,
        "over": over and upto >= len(events),
        "events": told,
    }


def started(project: Project, manifest: Manifest, params: Mapping[str, Any], to: str | None) -> dict[str, Any]:
    """Start a run that depends on nobody, where the user's settings say: to which machines data goes is not for agents
    to choose. Raises AlreadyRunning, ConfigurationError, ExecutionError or RemoteError."""
    from osiris.core.partial_manifest import manifest_up_to
    from osiris.execution.local import start_run

    wanted = manifest_up_to(manifest, to) if to is not None else manifest
    left_open = {name: value for name, value in params.items() if name in wanted["run_params"]}
    result = start_run(wanted, root=project.root, detach=True, params=left_open, if_running="fail")
    return {"ok": True, "run_id": result.run_id, "state": result.state}


def cancelled(project: Project, run: str) -> dict[str, Any]:
    """Ask for a run to be stopped; ``ok``: it was not over yet."""
    store = _store(project)
    elsewhere = store.show(run).elsewhere
    info = store.cancel(run)
    return {"ok": info.active or elsewhere, "run_id": info.id, "state": info.state}


def _store(project: Project) -> RunStore:
    from osiris.core.config import Config
    from osiris.execution.runs import RunStore

    return RunStore(Config.load(project.root).logs_dir)


def _plain(project: Project, info: RunInfo, values: bool) -> dict[str, Any]:
    told: dict[str, Any] = _without_rows(info.plain(), _steps_of(info), values)
    return {**told, "path": project.relative(info.path)}


def _steps_of(info: RunInfo) -> frozenset[str]:
    return frozenset(str(step["id"]) for step in info.status.get("steps") or [] if "id" in step)


def _without_rows(value: Any, keep: frozenset[str], values: bool, key: str = "") -> Any:
    if values:
        return value
    if isinstance(value, Mapping):
        return {name: _without_rows(item, keep, values, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_rows(item, keep, values, key) for item in value]
    return without_values(value, keep) if isinstance(value, str) and key not in _WITHOUT_ROWS else value
