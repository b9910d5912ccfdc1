"""``codeLens/resolve``: what one lens says, and the command behind it, which every client can execute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from osiris.core.secrets_masking import mask_secrets
from osiris.ide.code_lenses import run_title, step_title
from osiris.lsp.session import Session

if TYPE_CHECKING:
    from osiris.lsp.documents import Snapshot
    from osiris.lsp.last_runs import LastRun


async def handle(session: Session, params: types.CodeLens) -> types.CodeLens:
    """The same lens with its command; one with foreign data, or of a document that is closed by now, as it came."""
    data = params.data
    if not isinstance(data, dict) or not isinstance(uri := data.get("uri"), str):
        return params
    step = data.get("step")
    argument = {"uri": uri, **({"to": step} if isinstance(step, str) else {})}
    match data.get("kind"):
        case "run":
            params.command = types.Command("▶ Run", "osiris.run", arguments=[argument])
        case "run_to":
            params.command = types.Command("▶ Run to here", "osiris.run", arguments=[argument])
        case "compile":
            params.command = types.Command("Compile", "osiris.compile", arguments=[argument])
        case "last" | "last_step":
            params.command = await _result(session, uri, step)
    return params


async def _result(session: Session, uri: str, step: Any) -> types.Command | None:
    snapshot = session.snapshot(uri)
    last = await session.last_runs.of(snapshot.path, snapshot.analysis.pipeline.name) if snapshot is not None else None
    if snapshot is None or last is None:
        return types.Command("no run", "osiris.showRun", arguments=[{"uri": uri}])
    if isinstance(step, str) and (result := last.result.steps.get(step)) is not None:
        title = step_title(result)
    else:
        title = run_title(last.result, time.time(), changed=_changed(snapshot, last))
    argument = {"uri": uri, "runId": last.result.id}
    return types.Command(mask_secrets(title), "osiris.showRun", arguments=[argument])


def _changed(snapshot: Snapshot, last: LastRun) -> bool:
    """Whether the pipeline, as it stands in the editor, means something else than it did in that run."""
    from osiris.core.manifest_build import oml_fingerprint

    if last.fingerprint is None:
        return False
    try:
        return oml_fingerprint(snapshot.analysis) != last.fingerprint
    except ValueError:  # something that JSON cannot hold, which the run cannot have held
        return True
