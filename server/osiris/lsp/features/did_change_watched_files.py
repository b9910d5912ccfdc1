"""``workspace/didChangeWatchedFiles``: connections, settings or pipelines changed outside the editor."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.session import Session


def handle(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """Check the open documents anew. A project may have come or gone, so projects are looked for anew too."""
    session.projects.refresh()
    session.diagnostics.request_all()
