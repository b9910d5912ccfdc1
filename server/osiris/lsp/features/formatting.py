"""``textDocument/formatting``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.formatting import formatting_edits
from osiris.lsp.session import Session


async def handle(session: Session, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    """The edits that give the document its layout; what is broken in it keeps its own."""
    return await formatting_edits(session, params.text_document.uri)
