"""``textDocument/didClose``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """Forget the document and take its diagnostics away."""
    uri = params.text_document.uri
    session.documents.close(uri)
    session.analyses.forget(uri)
    session.diagnostics.clear(uri)
