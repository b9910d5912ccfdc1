"""Snapshots of the files of a project that are no pipelines: connections, settings, ``.env``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from osiris.lsp.documents import Kind, plain_range
from osiris.lsp.positions import PositionCodec
from osiris.syntax.text import LineIndex, Span

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.ide.project_files.files import ProjectFile
    from osiris.lsp.session import Session


@dataclass(frozen=True, slots=True)
class ProjectFileSnapshot:
    """One version of an open file; its positions are answered as those of a pipeline's snapshot are."""

    uri: str
    version: int
    file: ProjectFile
    lines: LineIndex
    codec: PositionCodec

    @property
    def text(self) -> str:
        """The text of this version."""
        return self.file.text

    def offset(self, position: types.Position) -> int:
        """The offset (code points) of an LSP position."""
        return self.codec.to_offset(self.text, self.lines, position.line, position.character)

    def range(self, span: Span) -> types.Range:
        """The LSP range of a span."""
        (line, start), (end_line, end) = (self.codec.to_position(self.text, self.lines, at) for at in span)
        return types.Range(start=types.Position(line, start), end=types.Position(end_line, end))

    def plain_range(self, span: Span) -> dict[str, Any]:
        """The LSP range of a span as plain JSON."""
        return plain_range(self.text, self.lines, self.codec, span)


def project_file(session: Session, uri: str) -> ProjectFileSnapshot | None:
    """The present version of an open file; None for one that is closed, or none of a project's own."""
    from osiris.core.project_file_checks import is_env_file_of
    from osiris.ide.project_files.files import FileKind, ProjectFile

    document = session.documents.get(uri)
    if document is None or document.kind not in (Kind.CONNECTIONS, Kind.SETTINGS, Kind.DOTENV):
        return None
    kind = FileKind(document.kind.value)
    project = session.projects.project_of(document.path)
    if kind is FileKind.DOTENV and not is_env_file_of(document.path, project):
        return None
    file = ProjectFile(
        kind,
        document.text,
        session.projects.environment_of(document.path),
        _dotenv_names(project) if kind is FileKind.CONNECTIONS else (),
        project.parameters() if project is not None and kind is FileKind.DOTENV else None,
    )
    return ProjectFileSnapshot(uri, document.version, file, document.lines, session.documents.codec)


def _dotenv_names(project: Project | None) -> tuple[str, ...]:
    from osiris.core.error_taxonomy import ConfigurationError

    if project is None:
        return ()
    try:
        return tuple(project.variables().file)
    except ConfigurationError:
        return ()  # validate, compile and run say that it cannot be read
