"""Edits of ours as workspace edits of LSP."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from osiris.lsp.documents import OpenDocument, Snapshot
from osiris.lsp.session import Session
from osiris.syntax.diagnostic import Fix, TextEdit
from osiris.syntax.text import Span


def text_edits(snapshot: Snapshot, edits: Iterable[TextEdit]) -> list[types.TextEdit]:
    """Edits of the snapshot's document."""
    return [types.TextEdit(range=snapshot.range(edit.span), new_text=edit.new_text) for edit in edits]


def edit_of(session: Session, snapshot: Snapshot, edits: list[types.TextEdit]) -> types.WorkspaceEdit:
    """A workspace edit of one document; where the client can tell versions, it holds for this version alone."""
    return _edit(session, snapshot.uri, snapshot.version, edits)


def file_edit(session: Session, snapshot: Snapshot, fix: Fix) -> types.WorkspaceEdit | None:
    """A fix that edits another file of the project; None when that file cannot be read."""
    project = session.projects.project_of(snapshot.path)
    if project is None or fix.path is None:
        return None
    path = project.root / fix.path
    opened = next((document for document in session.documents if document.path == path), None)
    if opened is None:
        from osiris.core.error_taxonomy import ConfigurationError
        from osiris.core.source import read_source

        try:
            text = read_source(path)
        except ConfigurationError:
            return None
        opened = OpenDocument(path.as_uri(), "", 0, text, session.documents.codec)
    edits = [types.TextEdit(range=_range(opened, edit.span), new_text=edit.new_text) for edit in fix.edits]
    return _edit(session, opened.uri, opened.version or None, edits)


def _range(document: OpenDocument, span: Span) -> types.Range:
    start, end = (document.position(offset) for offset in span)
    return types.Range(start=start, end=end)


def _edit(session: Session, uri: str, version: int | None, edits: list[types.TextEdit]) -> types.WorkspaceEdit:
    if not session.client.document_changes:
        return types.WorkspaceEdit(changes={uri: edits})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=identifier, edits=list(edits))])
