"""``textDocument/diagnostic``: the findings of one document, for clients that ask for them."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.session import Session


async def handle(session: Session, params: types.DocumentDiagnosticParams) -> dict[str, Any]:
    """All findings, or word that they are those the client has. Plain JSON, for there may be many."""
    document = session.documents.get(params.text_document.uri)
    if document is None:
        return {"kind": "full", "items": []}
    report = session.reports.of_document(document)
    if report.result_id == params.previous_result_id:
        return {"kind": "unchanged", "resultId": report.result_id}
    return {"kind": "full", "resultId": report.result_id, "items": report.items}
