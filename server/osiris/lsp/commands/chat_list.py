"""``osiris.chat.list``: ``{"uri"?}`` -> the project's conversations, the latest first."""

from __future__ import annotations

import asyncio
from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> list[dict[str, Any]]:
    """Look them up."""
    from osiris.core.conversation_store import ConversationStore

    require_trust(session, "Looking at conversations")
    project = session.chats.project_for(arguments.text("uri", first=True))
    session.chats.require_allowed(project)
    found = await asyncio.to_thread(ConversationStore(project.root).listed)
    return [
        {
            "conversation": one.id,
            "title": one.title,
            "state": one.state,
            "path": one.path,
            "messages": one.messages,
            "changedAt": one.changed_at,
        }
        for one in found
    ]
