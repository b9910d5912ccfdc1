"""How each pipeline of a project ran the last time, from the run folders.

Only the newest folders are looked at. What a run that is over says is read once; the list of folders is read again
when it has changed. Folders lie in the workspace, or where its settings say: nothing in them is taken for true without
a look at its type, and nothing at all is looked at in a workspace that is not trusted.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osiris.execution.runs import RunInfo
    from osiris.ide.code_lenses import RunResult, StepResult
    from osiris.lsp.session import Session

MOST_RUNS = 100


@dataclass(slots=True)
class _Folder:
    """What is known of one logs folder."""

    changed: int = -1
    runs: list[RunInfo] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a pipeline; ``fingerprint`` is that of the pipeline as it was then, ``error`` why it failed."""

    pipeline: str
    result: RunResult
    fingerprint: str | None
    error: str | None
    folder: Path


class LastRuns:
    """Looks up runs, off the loop."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folders: dict[Path, _Folder] = {}

    async def of(self, path: Path | None, name: str | None) -> LastRun | None:
        """The last run of the pipeline ``name`` in the project of ``path``; None when there is none."""
        if not name:
            return None
        found = next((run for run in await self._newest(path) if run.pipeline == name), None)
        return _last_run(found) if found is not None else None

    async def run(self, path: Path | None, run_id: str) -> LastRun | None:
        """One of the runs that are looked at, by its id."""
        found = next((run for run in await self._newest(path) if run.id == run_id), None)
        return _last_run(found) if found is not None else None

    async def _newest(self, path: Path | None) -> list[RunInfo]:
        """The newest runs of the project of ``path``; none in a workspace that is not trusted."""
        project = self._session.projects.project_of(path)
        if project is None or not self._session.settings.trusted:
            return []
        return await asyncio.to_thread(self._runs, project.root)

    def _runs(self, root: Path) -> list[RunInfo]:
        from osiris.core.config import Config
        from osiris.core.error_taxonomy import ConfigurationError
        from osiris.execution.folder import FINAL_STATES
        from osiris.execution.runs import RunStore

        try:
            store = RunStore(Config.load(root).logs_dir)
            changed = os.stat(store.logs_dir).st_mtime_ns
        except (ConfigurationError, OSError):
            return []
        known = self._folders.setdefault(root, _Folder())
        if changed != known.changed:
            over = {run.id: run for run in known.runs if run.state in FINAL_STATES}
            names = store.newest_names(MOST_RUNS)
            known.runs = [over[name] if name in over else store.at(name) for name in names]
            known.changed = changed
        else:
            known.runs = [run if run.state in FINAL_STATES else store.at(run.id) for run in known.runs]
        return known.runs


def _last_run(info: RunInfo) -> LastRun:
    from osiris.ide.code_lenses import RunResult

    status = info.status
    error = status.get("error")
    failed, message = (error.get("step"), error.get("message")) if isinstance(error, dict) else (None, None)
    result = RunResult(
        info.id,
        info.state,
        at=_time(status.get("finished")) or _time(status.get("started")) or _time(status.get("queued")),
        duration=_number(status.get("duration")),
        failed_step=_text(failed),
        to=_text(status.get("to")),
        profile=_text(status.get("profile")),
        steps=dict(_steps(status.get("steps"))),
    )
    fingerprint = _text(status.get("oml_fingerprint"))
    return LastRun(_text(info.pipeline) or info.id, result, fingerprint, _text(message), info.path)


def _steps(steps: Any) -> list[tuple[str, StepResult]]:
    from osiris.ide.code_lenses import StepResult

    found = []
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and isinstance(name := step.get("id"), str):
            rows = step.get("rows")
            count = rows if isinstance(rows, int) and not isinstance(rows, bool) else None
            found.append((name, StepResult(str(step.get("state")), count, _number(step.get("duration")))))
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _time(value: Any) -> float | None:
    try:
        return datetime.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
