"""``osiris.chat.run``: ``{"conversation", "uri"?}`` -> ``{"runId"}``: run the pipeline of a conversation.

It must have been applied and saved. What happens then is told as for ``osiris.run``.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Start the run: only the user can say so, never the model."""
    require_trust(session, "Running a pipeline")
    conversation = await session.chats.get(arguments.text("conversation", first=True), arguments.text("uri"))
    return {"runId": await session.chats.run(conversation, arguments.token)}
