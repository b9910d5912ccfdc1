"""``osiris.chat.showPrompt``: ``{"uri"?, "conversation"?, "message"}`` -> ``{"text"}``: all that would be sent."""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Make the request, masked, and send nothing; a client without a window for it has it in the log."""
    require_trust(session, "Talking to an AI model")
    message, known = arguments.text("message") or "", arguments.text("conversation")
    text = await session.chats.prompt(message, known, arguments.text("uri"))
    if not session.client.chat_events:
        session.log(text)
    return {"text": text}
