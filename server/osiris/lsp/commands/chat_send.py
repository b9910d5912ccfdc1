"""``osiris.chat.send``: ``{"conversation", "message", "uri"?}`` -> ``{"conversation"}``; the answer comes as events.

``uri`` says the project of a conversation that this server has not opened yet.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.errors import INVALID_PARAMS, RequestError
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Begin to answer a message."""
    require_trust(session, "Talking to an AI model")
    message = arguments.text("message")
    if not message or not message.strip():
        raise RequestError('The command needs a "message".', INVALID_PARAMS)
    conversation = await session.chats.get(arguments.text("conversation"), arguments.text("uri"))
    session.chats.send(conversation, message, arguments.token)
    return {"conversation": conversation.id}
