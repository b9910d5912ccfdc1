"""``osiris.run``: ``{"uri", "profile"?, "params"?, "to"?, "target"?}`` -> ``{"runId"}``.

``to`` is a step: only it and what it waits for are run. ``target`` says where: ``local`` or ``e2b``, by default where
the setting ``run.target`` of the client, or else osiris.yaml says. What happens then comes as ``osiris/runEvent``, or
as progress and log lines.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.packages import require_run_packages
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Start a run of the saved file in a process of its own."""
    require_trust(session, "Running a pipeline")
    path = arguments.saved_file(session)
    target = arguments.text("target")
    await require_run_packages(session, path, target)
    profile, params, to = arguments.text("profile"), arguments.params(), arguments.text("to")
    run_id = await session.runs.start(path, profile, params, arguments.token, to=to, target=target)
    return {"runId": run_id}
