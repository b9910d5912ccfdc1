"""``textDocument/didClose``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.documents import PROJECT_FILES
from osiris.lsp.session import Session


def handle(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """Forget the document and take its diagnostics away."""
    uri = params.text_document.uri
    document = session.documents.close(uri)
    session.analyses.forget(uri)
    session.diagnostics.clear(uri)
    if document is not None and document.path is not None and document.path.name in PROJECT_FILES:
        session.projects.overlay(document.path, None)
        session.diagnostics.request_all()
