"""``textDocument/didSave``: look at the disk anew, and compile a saved pipeline."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """Check the open documents, which may depend on the saved file. Compile it where the user wants that and trusts."""
    session.projects.refresh()
    session.diagnostics.request_all()
    session.discovery.look()
    document = session.documents.get(params.text_document.uri)
    settings = session.settings_of(document.path if document is not None else None)
    if settings.compile_on_save and settings.trusted:
        session.compiler.compile_saved(params.text_document.uri)
