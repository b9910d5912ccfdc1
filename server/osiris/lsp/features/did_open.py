"""``textDocument/didOpen``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """Take the document over and check it."""
    session.analyses.forget(params.text_document.uri)
    session.text_changed(session.documents.open(params.text_document))
