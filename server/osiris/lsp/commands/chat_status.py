"""``osiris.chat.status``: ``{"uri"?}`` -> ``{"allowed", "ready", "problem", "hint", "provider", "model", "host",
"keyFor"}``.

``allowed``: the workspace is trusted and the project does not forbid AI; without that a client shows nothing of it.
``ready``: a model can be asked; ``problem`` and ``hint`` say why not. ``keyFor``: what a key would be kept for, the
name of a provider or the address of another server.
"""

from __future__ import annotations

import asyncio
from typing import Any

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.errors import RequestError
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Look it up; nothing is sent."""
    if not session.settings.trusted:
        return _answer(allowed=False, problem="Talking to an AI model needs a trusted workspace.")
    try:
        project = session.chats.project_for(arguments.text("uri", first=True))
    except RequestError as error:
        return _answer(problem=str(error))
    await session.chats.look_for_keys()
    found = await asyncio.to_thread(session.chats.models.chosen, project, asyncio.get_running_loop())
    return _answer(**found)


def _answer(**known: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("problem", "hint", "provider", "model", "host", "keyFor"))
    return {"allowed": True, "ready": False, **nothing, **known}
