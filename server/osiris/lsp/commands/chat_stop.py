"""``osiris.chat.stop``: ``{"conversation"?}`` -> ``{"stopped"}``: how many answers end; without an id, all of them."""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Have the model stop. What it has said until then is kept."""
    return {"stopped": session.chats.stop(arguments.text("conversation", first=True))}
