"""``textDocument/didSave``: compile a saved pipeline; check everything when a file of the project was saved."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.documents import PROJECT_FILES
from osiris.lsp.session import Session


def handle(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """Compile on save where the user wants it and trusts the workspace."""
    uri = params.text_document.uri
    if uri.rsplit("/", 1)[-1] in PROJECT_FILES:
        session.projects.refresh()
        session.diagnostics.request_all()
    elif session.settings.compile_on_save and session.settings.trusted:
        session.compiler.compile_saved(uri)
