"""The files outside the open documents on which diagnostics depend."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session

PATTERNS = ("**/osiris_connections.yaml", "**/osiris.yaml", "**/.env", "**/*.oml", "**/*.oml.{yaml,yml}")


async def watch_project_files(session: Session) -> None:
    """Ask the client to tell when one of them changes."""
    registration = {
        "id": "osiris.projectFiles",
        "method": types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        "registerOptions": {"watchers": [{"globPattern": pattern} for pattern in PATTERNS]},
    }
    await session.protocol.ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]})
