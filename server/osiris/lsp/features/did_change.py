"""``textDocument/didChange``: the hot path. Text only here; the check follows when no change is waiting."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """Apply the edits and check the document."""
    document = session.documents.change(params)
    if document is not None:
        session.text_changed(document)
