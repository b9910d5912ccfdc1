"""``textDocument/foldingRange``. Plain JSON: there may be thousands."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.ide.folding import Fold, folds
from osiris.lsp.documents import Snapshot
from osiris.lsp.session import Session


async def handle(session: Session, params: types.FoldingRangeParams) -> list[dict[str, Any]] | None:
    """The folds; whole lines alone, and no more of them, where the client wants it so."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    client = session.client
    found = folds(snapshot.analysis, client.fold_limit)
    return [_range(snapshot, fold, client.fold_lines_only) for fold in found]


def _range(snapshot: Snapshot, fold: Fold, lines_only: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"startLine": fold.start, "endLine": fold.end}
    if not lines_only:
        made["startCharacter"] = _length(snapshot, fold.start)
        made["endCharacter"] = _length(snapshot, fold.end)
    if fold.kind is not None:
        made["kind"] = fold.kind
    return made


def _length(snapshot: Snapshot, line: int) -> int:
    """The length of a line in units of the encoding."""
    return snapshot.position(snapshot.analysis.document.lines.line_span(line, snapshot.text).end).character
