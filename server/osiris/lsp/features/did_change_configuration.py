"""``workspace/didChangeConfiguration``: settings pushed by the client, or a call to pull them anew."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: dict[str, Any]) -> None:
    """Take the pushed settings; ask for them where the client would rather be asked."""
    session.settings = session.settings.updated(params.get("settings"))
    if session.client.configuration:
        session.start(pull_settings(session), "reading the settings")


async def pull_settings(session: Session) -> None:
    """Ask the client for section ``osiris`` of its settings."""
    answer = await session.protocol.ask(types.WORKSPACE_CONFIGURATION, {"items": [{"section": "osiris"}]})
    for values in answer or []:
        session.settings = session.settings.updated(values)
