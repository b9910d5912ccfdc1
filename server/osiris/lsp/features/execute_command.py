"""``workspace/executeCommand``: one module in ``commands/`` per command."""

from __future__ import annotations

from typing import Any

from osiris.lsp.session import Session


async def handle(session: Session, params: dict[str, Any]) -> Any:
    """Run the command; cancelling the request cancels the command. The parameters are plain JSON."""
    from osiris.lsp.commands.arguments import Arguments
    from osiris.lsp.server import command

    arguments = Arguments(params.get("arguments"), params.get("workDoneToken"))
    return await command(str(params.get("command")))(session, arguments)
