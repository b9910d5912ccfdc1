"""``textDocument/didClose``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.documents import PROJECT_FILES
from osiris.lsp.session import Session


def handle(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """Forget the document and take its diagnostics away."""
    document = session.documents.close(params.text_document.uri)
    if document is None:
        return
    session.analyses.forget(document.uri)
    session.diagnostics.clear(document.uri)
    if document.path is not None and document.path.name in PROJECT_FILES:
        session.projects.overlay(document.path, None)
        session.diagnostics.request_all()
