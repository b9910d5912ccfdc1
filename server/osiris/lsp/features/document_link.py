"""``textDocument/documentLink``."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.ide.navigation.document_links import document_links
from osiris.lsp.session import Session


async def handle(session: Session, params: types.DocumentLinkParams) -> list[dict[str, Any]] | None:
    """The files and connections that the document names. Plain JSON, for there may be many."""
    snapshot = session.snapshot(params.text_document.uri)
    project = session.projects.project_of(snapshot.path) if snapshot is not None else None
    if snapshot is None or project is None:
        return None
    found: list[dict[str, Any]] = []
    for link in document_links(snapshot.analysis, snapshot.environment):
        path = project.root / link.path
        if path.is_file():
            target = path.as_uri()
            if link.place is not None:  # editors that know no such place open the file at its start
                target += f"#L{link.place[0] + 1},{link.place[1] + 1}"
            found.append({"range": snapshot.plain_range(link.span), "target": target})
    return found
