"""``textDocument/prepareRename``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.renames import prepared, refusals
from osiris.lsp.session import Session


async def handle(session: Session, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    """The range and present name of what would be renamed; an error that says why it cannot be."""
    with refusals():
        return prepared(session, params.text_document.uri, params.position)
