"""``osiris.showRun``: ``{"uri", "runId"?}`` -> ``{"runId", "state", "lines"}``; without an id, the last run.

The lines go into the client's log as well; how the run ended is shown as a message.
"""

from __future__ import annotations

import time
from typing import Any

from lsprotocol import types

from osiris.core.secrets_masking import mask_secrets
from osiris.ide.code_lenses import run_title, step_title
from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.errors import RequestError
from osiris.lsp.last_runs import LastRun
from osiris.lsp.session import Session

_SHOWN_AS = {"failed": types.MessageType.Error, "interrupted": types.MessageType.Warning}


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Say how a run of the pipeline went, step by step."""
    require_trust(session, "Looking at runs")
    path = arguments.file()
    wanted = arguments.text("runId")
    snapshot = session.snapshot(arguments.uri())
    name = snapshot.analysis.pipeline.name if snapshot is not None else None
    run = await session.last_runs.run(path, wanted) if wanted else await session.last_runs.of(path, name)
    if run is None:
        raise RequestError(f"There is no run {wanted}." if wanted else f"{path.name} has not been run yet.")
    lines = [mask_secrets(line) for line in _lines(run)]
    session.log("\n".join(lines), "error" if run.result.state == "failed" else "info")
    kind = _SHOWN_AS.get(run.result.state, types.MessageType.Info)
    session.protocol.notify(types.WINDOW_SHOW_MESSAGE, {"type": kind.value, "message": lines[0]})
    return {"runId": run.result.id, "state": run.result.state, "lines": lines}


def _lines(run: LastRun) -> list[str]:
    result = run.result
    first = f"{run.pipeline}: {run_title(result, time.time(), changed=False)}"
    if run.error:
        first += f": {run.error}"
    steps = [f"  {name}: {title}" for name, step in result.steps.items() if (title := step_title(step))]
    return [first, *steps, f"  log: {run.folder}"]
