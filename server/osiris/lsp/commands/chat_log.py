"""``osiris.chat.log``: ``{"uri"?, "conversation"?}`` -> what was sent to models, the latest first.

When, to whom, how much, and of which tables it told; never the words. It is there to look at, also where a project
forbids AI by now.
"""

from __future__ import annotations

import asyncio
from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> list[dict[str, Any]]:
    """Look it up."""
    from osiris.core.conversation_store import ConversationStore

    require_trust(session, "Looking at conversations")
    project = session.chats.project_for(arguments.text("uri", first=True))
    store = ConversationStore(project.root)
    found = await asyncio.to_thread(store.sent, arguments.text("conversation"))
    return [
        {
            "at": one.at,
            "conversation": one.conversation,
            "provider": one.provider,
            "model": one.model,
            "host": one.host,
            "bytes": one.bytes,
            "tables": list(one.tables),
            "rows": one.rows,
            "outcome": one.outcome,
            "inputTokens": one.input_tokens,
            "outputTokens": one.output_tokens,
        }
        for one in found
    ]
