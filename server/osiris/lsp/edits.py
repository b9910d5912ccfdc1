"""Edits of ours as workspace edits of LSP: of one file or of many, open, closed or not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from osiris.lsp.documents import Snapshot, path_of
from osiris.lsp.positions import PositionCodec
from osiris.lsp.session import Session
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import LineIndex, Span

if TYPE_CHECKING:
    from osiris.core.project import Project

Target = Snapshot | Path | str
"""A file to edit: a version of an open pipeline, a path, or a URI. Paths and URIs mean the text as it is now."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file, open or closed. ``version`` is None for a file that is not open, ``exists`` False for one
    that is neither open nor on disk (its text is empty)."""

    uri: str
    text: str
    version: int | None
    lines: LineIndex
    codec: PositionCodec
    exists: bool = True

    def offset(self, position: types.Position) -> int:
        """The offset (code points) of an LSP position."""
        return self.codec.to_offset(self.text, self.lines, position.line, position.character)

    def range(self, span: Span) -> types.Range:
        """The LSP range of a span (code points)."""
        (line, start), (end_line, end) = (self.codec.to_position(self.text, self.lines, at) for at in span)
        return types.Range(start=types.Position(line, start), end=types.Position(end_line, end))


def source_of(session: Session, target: Target) -> Source | None:
    """The present text of a file; an open document wins over the disk. None for a file that cannot be read."""
    codec = session.documents.codec
    if isinstance(target, Snapshot):
        return Source(target.uri, target.text, target.version, target.analysis.document.lines, target.codec)
    path = target if isinstance(target, Path) else path_of(target)
    document = session.documents.get(target) if isinstance(target, str) else None
    if document is None and path is not None:
        document = session.documents.of_file(path)
    if document is not None:
        return Source(document.uri, document.text, document.version, document.lines, codec)
    if path is None:
        return None
    uri = target if isinstance(target, str) else path.as_uri()
    if not path.exists() and not path.is_symlink():
        return Source(uri, "", None, LineIndex(""), codec, exists=False)
    text = _on_disk(path)
    return None if text is None else Source(uri, text, None, LineIndex(text), codec)


def source_in(session: Session, project: Project, name: str) -> Source | None:
    """The present text of a file of a project, to be edited; ``name`` is relative to its root.

    None for a file that cannot be read, and for one behind a link that leads out of the project: a folder that somebody
    made must not decide what else of the user's is written.
    """
    from osiris.core.files import is_inside

    path = project.root / name
    return source_of(session, path) if is_inside(path, project.root) else None


def text_edits(snapshot: Snapshot, edits: Iterable[TextEdit]) -> list[types.TextEdit]:
    """Edits of the snapshot's document."""
    return [types.TextEdit(range=snapshot.range(edit.span), new_text=edit.new_text) for edit in edits]


def workspace_edit(session: Session, edits: Mapping[Target, Iterable[TextEdit]]) -> types.WorkspaceEdit | None:
    """One edit over several files; where the client can tell versions, it holds for these versions alone.

    Spans (code points) count in the text that ``source_of`` gives for the same target. A file that is not there is
    made first. None when one of the files cannot be read, or would have to be made and the client cannot do that:
    half an edit would be worse than none.
    """
    changes: dict[str, list[types.TextEdit]] = {}
    documents: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    for target, of_file in edits.items():
        source = source_of(session, target)
        if source is None or not (source.exists or session.client.create_files):
            return None
        found = [types.TextEdit(range=source.range(edit.span), new_text=edit.new_text) for edit in of_file]
        if not found:
            continue
        if not source.exists:
            documents.append(types.CreateFile(uri=source.uri, options=types.CreateFileOptions(ignore_if_exists=True)))
        changes[source.uri] = found
        identifier = types.OptionalVersionedTextDocumentIdentifier(uri=source.uri, version=source.version)
        documents.append(types.TextDocumentEdit(text_document=identifier, edits=list(found)))
    if session.client.document_changes:
        return types.WorkspaceEdit(document_changes=documents)
    return types.WorkspaceEdit(changes=changes)


def _on_disk(path: Path) -> str | None:
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.source import read_source

    try:
        return read_source(path)
    except ConfigurationError:
        return None
