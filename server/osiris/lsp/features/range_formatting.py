"""``textDocument/rangeFormatting``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.formatting import formatting_edits
from osiris.lsp.session import Session


async def handle(session: Session, params: types.DocumentRangeFormattingParams) -> list[types.TextEdit] | None:
    """The edits that give the lines of a range their layout."""
    return await formatting_edits(session, params.text_document.uri, params.range)
