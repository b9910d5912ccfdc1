"""What navigation over several files shares: the connections file as a document, and questions to all pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from osiris.ide.navigation.connection_places import alias_span, connection_at
from osiris.ide.navigation.definitions import uses
from osiris.language.connections import parse_connections
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.lsp.documents import Kind
from osiris.lsp.edits import Source, source_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from osiris.core.project import Project
    from osiris.language.connections import Connection, Connections
    from osiris.language.symbols import SymbolKind
    from osiris.lsp.documents import Snapshot
    from osiris.lsp.session import Session
    from osiris.syntax.text import Span


@dataclass(frozen=True, slots=True)
class ConnectionsFile:
    """The connections file of a project as it is now, open or closed."""

    path: Path
    source: Source
    connections: Connections

    def at(self, position: types.Position) -> Connection | None:
        """The connection whose alias stands at a position."""
        return connection_at(self.connections, self.source.offset(position))

    def alias(self, connection: Connection) -> Span:
        """The place of an alias, in code points."""
        return alias_span(self.connections, connection)

    def location(self, family: str, alias: str) -> types.Location | None:
        """Where a connection is defined."""
        found = self.connections.get(family, alias)
        if found is None:
            return None
        return types.Location(uri=self.source.uri, range=self.source.range(self.alias(found)))


def connections_file(session: Session, path: Path | None) -> ConnectionsFile | None:
    """The connections file that counts for a file (None: for a document that is no file); None if there is none."""
    project = session.projects.project_of(path)
    if project is None:
        return None
    return _read(session, project, project.root / CONNECTIONS_FILE)


def opened_connections(session: Session, uri: str) -> ConnectionsFile | None:
    """The open document behind ``uri``, if it is the connections file of a project."""
    document = session.documents.get(uri)
    if document is None or document.kind is not Kind.CONNECTIONS or document.path is None:
        return None
    project = session.projects.project_of(document.path)
    return _read(session, project, document.path) if project is not None else None


def _read(session: Session, project: Project, path: Path) -> ConnectionsFile | None:
    source = source_of(session, path)
    if source is None or not source.exists:
        return None
    known = project.environment(path).connections
    if known is None and source.version is None:
        return None  # the project does not read it, as when it is a link that leads elsewhere
    if known is None or known.document.text != source.text:
        known = parse_connections(source.text)
    return ConnectionsFile(path, source, known)


async def neighbours(session: Session, asking: Snapshot) -> AsyncIterator[Snapshot]:
    """All pipelines of the project that a pipeline belongs to; itself alone when it lies outside any project."""
    if not belongs(session, asking.path) and asking.environment.connections is None:
        yield asking
        return
    async for snapshot in session.workspace.snapshots(asking.path):
        yield snapshot


def belongs(session: Session, path: Path | None) -> bool:
    """Whether a file lies in a folder that the user has opened."""
    return path is None or any(path.is_relative_to(folder) for folder in session.projects.folders)


def locations(snapshot: Snapshot, kind: SymbolKind, name: str) -> list[types.Location]:
    """The places of a pipeline that name a connection or a component."""
    return [
        types.Location(uri=snapshot.uri, range=snapshot.range(span)) for span in uses(snapshot.analysis, kind, name)
    ]
