"""``textDocument/definition``."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from osiris.ide.navigation.definitions import Definition, definition_of, name_in_spec
from osiris.ide.navigation.table_places import table_at
from osiris.language.project_file_names import CONNECTIONS_FILE
from osiris.lsp.connection_use import Target
from osiris.lsp.documents import Snapshot
from osiris.lsp.edits import Source, source_of
from osiris.lsp.navigation import opened_connections
from osiris.lsp.schema_documents import source_of_view
from osiris.lsp.session import Session
from osiris.syntax.text import Span

Answer = list[types.LocationLink] | types.Location


async def handle(session: Session, params: types.DefinitionParams) -> Answer | None:
    """Where the thing at the position is defined: in the document, the connections file or a component's spec;
    of a table or column of a database: the schema view."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return _of_alias(session, params)
    offset = snapshot.offset(params.position)
    found = definition_of(snapshot.analysis, snapshot.environment, offset)
    if found is None:
        return _of_table(session, snapshot, offset)
    source = _file(session, snapshot, found)
    if source is None:
        return None
    span = found.span or name_in_spec(source.text)
    return _answer(session, source, span, found.whole or span, snapshot.range(found.origin))


def _of_alias(session: Session, params: types.DefinitionParams) -> Answer | None:
    """An alias in the connections file is its own definition: from there editors show who uses it."""
    file = opened_connections(session, params.text_document.uri)
    found = file.at(params.position) if file is not None else None
    if file is None or found is None:
        return None
    place = file.alias(found)
    return _answer(session, file.source, place, found.whole, file.source.range(place))


def _of_table(session: Session, snapshot: Snapshot, offset: int) -> Answer | None:
    """A table or column of a database is defined in the schema view of its connection."""
    found = table_at(snapshot.analysis, snapshot.environment, offset)
    project = session.projects.project_of(snapshot.path)
    if found is None or project is None:
        return None
    view = found.view()
    span = found.span_in(view)
    if span is None:
        return None
    source = source_of_view(session, Target(project, found.connection), view)
    return _answer(session, source, span, span, snapshot.range(found.origin))


def _file(session: Session, snapshot: Snapshot, found: Definition) -> Source | None:
    if found.file == "document":
        return source_of(session, snapshot)
    path: Path | None
    if found.file == "spec":
        path = snapshot.environment.registry.file_of(found.name)
    else:
        project = session.projects.project_of(snapshot.path)
        path = project.root / CONNECTIONS_FILE if project is not None else None
    source = source_of(session, path) if path is not None else None
    return source if source is not None and source.exists else None


def _answer(session: Session, source: Source, span: Span, whole: Span, origin: types.Range) -> Answer:
    place = source.range(span)
    if not session.client.definition_links:
        return types.Location(uri=source.uri, range=place)
    return [
        types.LocationLink(
            target_uri=source.uri,
            target_range=source.range(whole),
            target_selection_range=place,
            origin_selection_range=origin,
        )
    ]
