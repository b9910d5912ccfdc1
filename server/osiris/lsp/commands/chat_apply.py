"""``osiris.chat.apply``: ``{"conversation", "uri"?}`` -> ``{"applied"}``.

Offers what was proposed last as an edit, which the user confirms. A draft with errors is refused, and so is a proposal
for a text that has changed since.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Have the client apply the edit; ``applied`` is what it says of that."""
    require_trust(session, "Applying what an AI model proposes")
    conversation = await session.chats.get(arguments.text("conversation", first=True), arguments.text("uri"))
    return {"applied": await session.chats.apply(conversation)}
