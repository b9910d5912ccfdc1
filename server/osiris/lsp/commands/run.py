"""``osiris.run``: ``{"uri", "profile"?, "params"?}`` -> ``{"runId"}``.

What happens then comes as ``osiris/runEvent``, or as progress and log lines.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Start a run of the saved file in a process of its own."""
    require_trust(session, "Running a pipeline")
    path = arguments.saved_file(session)
    run_id = await session.runs.start(path, arguments.text("profile"), arguments.params(), arguments.token)
    return {"runId": run_id}
