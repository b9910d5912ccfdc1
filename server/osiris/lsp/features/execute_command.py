"""``workspace/executeCommand``: one module in ``commands/`` per command."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session


async def handle(session: Session, params: types.ExecuteCommandParams) -> Any:
    """Run the command; cancelling the request cancels the command."""
    from osiris.lsp.commands.arguments import Arguments
    from osiris.lsp.server import command

    return await command(params.command)(session, Arguments(params.arguments or [], params.work_done_token))
