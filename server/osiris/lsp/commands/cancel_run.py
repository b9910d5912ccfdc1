"""``osiris.cancelRun``: ``{"runId"?}`` -> ``{"runId"}``; without an id, the run that was started last."""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Ask the run to stop; it ends by force when it does not."""
    require_trust(session, "Cancelling a run")
    return {"runId": await session.runs.cancel(arguments.text("runId", first=True))}
