"""``textDocument/selectionRange``."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.ide.selection import selections
from osiris.lsp.session import Session


async def handle(session: Session, params: types.SelectionRangeParams) -> list[dict[str, Any]] | None:
    """For each position the ranges around it, each as the parent of the one inside it."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    answer: list[dict[str, Any]] = []
    for position in params.positions:
        made: dict[str, Any] = {}
        for span in reversed(selections(snapshot.analysis, snapshot.offset(position))):
            made = {"range": snapshot.plain_range(span), **({"parent": made} if made else {})}
        answer.append(made)
    return answer
