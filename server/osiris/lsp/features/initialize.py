"""``initialize``: read what the client can do, say what the server can do."""

from __future__ import annotations

from typing import Any

import osiris
from osiris.lsp.capabilities import Client, server_capabilities
from osiris.lsp.errors import INVALID_REQUEST, RequestError
from osiris.lsp.positions import PositionCodec
from osiris.lsp.session import Session
from osiris.lsp.settings import Settings


async def handle(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    """Answer with the capabilities. The parameters are plain JSON; nothing in them is required."""
    from osiris.lsp.server import COMMANDS

    if session.protocol.initialized:
        raise RequestError("The server is initialized already.", INVALID_REQUEST)
    session.client = Client.read(params)
    session.settings = session.initial_settings = Settings().updated(params.get("initializationOptions"))
    session.documents.codec = PositionCodec(session.client.encoding)
    session.projects.set_folders(params)
    if isinstance(process_id := params.get("processId"), int):
        session.watch_parent(process_id)
    session.protocol.initialized = True
    return {
        "capabilities": server_capabilities(session.client, COMMANDS),
        "serverInfo": {"name": "osiris", "version": osiris.__version__},
    }
