"""``textDocument/semanticTokens/range``: what the editor shows, before the rest."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session
from osiris.lsp.token_data import tokens_of
from osiris.syntax.text import Span


async def handle(session: Session, params: types.SemanticTokensRangeParams) -> dict[str, Any] | None:
    """The tokens that touch the range."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    start, end = snapshot.offset(params.range.start), snapshot.offset(params.range.end)
    return {"data": tokens_of(session, snapshot.uri).within(snapshot, Span(start, max(start, end)))}
