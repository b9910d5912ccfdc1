"""``textDocument/rename``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.renames import refusals, renamed
from osiris.lsp.session import Session


async def handle(session: Session, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """All places of the thing at the position under its new name; an error that says why it cannot be renamed."""
    with refusals():
        return await renamed(session, params)
