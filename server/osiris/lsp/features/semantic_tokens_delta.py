"""``textDocument/semanticTokens/full/delta``."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session
from osiris.lsp.token_data import tokens_of


async def handle(session: Session, params: types.SemanticTokensDeltaParams) -> dict[str, Any] | None:
    """What has changed since the answer that the client has; all tokens when that is not known here any more."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    tokens = tokens_of(session, snapshot.uri)
    edits = await tokens.delta(snapshot, params.previous_result_id)
    answer: dict[str, Any] = {"data": tokens.data} if edits is None else {"edits": edits}
    return {**answer, "resultId": tokens.result_id}
