"""``textDocument/semanticTokens/full``. Plain JSON: there may be a hundred thousand numbers."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session
from osiris.lsp.token_data import tokens_of


async def handle(session: Session, params: types.SemanticTokensParams) -> dict[str, Any] | None:
    """All tokens of a pipeline, and an id to ask for changes to them."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    tokens = tokens_of(session, snapshot.uri)
    return {"data": await tokens.full(snapshot), "resultId": tokens.result_id}
