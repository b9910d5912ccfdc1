"""``textDocument/codeLens``: where lenses stand. What they say and do comes when they are seen, by ``resolve``."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.ide.code_lenses import lenses
from osiris.lsp.session import Session


async def handle(session: Session, params: types.CodeLensParams) -> list[dict[str, Any]] | None:
    """The lenses of a pipeline that can be run: a file in a workspace that is trusted. Plain JSON: one per step."""
    document = session.documents.get(params.text_document.uri)
    if document is None or document.path is None:
        return None
    settings = session.settings_of(document.path)
    if not settings.code_lens or not settings.trusted:
        return None
    snapshot = session.snapshot(document.uri)
    if snapshot is None:
        return None
    last = await session.last_runs.of(snapshot.path, snapshot.analysis.pipeline.name)
    return [
        {
            "range": snapshot.plain_range(lens.span),
            "data": {"uri": snapshot.uri, "kind": lens.kind, **({"step": lens.step} if lens.step else {})},
        }
        for lens in lenses(snapshot.analysis, last.result if last else None)
    ]
