"""``osiris.schemaText``: ``{"uri": "osiris-schema:..."}`` -> ``{"text"}``: the schema view of a connection."""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.schema_documents import target_of, view_of
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The text as of now; it never connects."""
    return {"text": view_of(target_of(session, arguments.uri())).text}
