"""``textDocument/didOpen``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """Take the document over and check it; in a moment see whether the databases that it uses are known."""
    before = session.documents.get(params.text_document.uri)
    if before is not None:
        session.analyses.forget(before.uri)
    session.text_changed(session.documents.open(params.text_document))
    session.discovery.look()
