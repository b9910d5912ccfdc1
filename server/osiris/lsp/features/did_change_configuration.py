"""``workspace/didChangeConfiguration``: settings pushed by the client, or a call to pull them anew."""

from __future__ import annotations

from typing import Any

from osiris.lsp.configuration import pull_settings, take_settings
from osiris.lsp.session import Session


def handle(session: Session, params: dict[str, Any]) -> None:
    """Take the pushed settings; ask for them where the client would rather be asked."""
    take_settings(session, params.get("settings"))
    if session.client.configuration:
        session.start(pull_settings(session), "reading the settings")
