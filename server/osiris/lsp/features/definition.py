"""``textDocument/definition``."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from osiris.ide.navigation.definitions import Definition, definition_of, name_in_spec
from osiris.language.connections import FILE_NAME
from osiris.lsp.documents import Snapshot
from osiris.lsp.edits import Source, source_of
from osiris.lsp.navigation import opened_connections
from osiris.lsp.session import Session
from osiris.syntax.text import Span

Answer = list[types.LocationLink] | types.Location


async def handle(session: Session, params: types.DefinitionParams) -> Answer | None:
    """Where the thing at the position is defined: in the document, the connections file or a component's spec."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return _of_alias(session, params)
    found = definition_of(snapshot.analysis, snapshot.environment, snapshot.offset(params.position))
    source = _file(session, snapshot, found) if found is not None else None
    if found is None or source is None:
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


def _file(session: Session, snapshot: Snapshot, found: Definition) -> Source | None:
    if found.file == "document":
        return source_of(session, snapshot)
    path: Path | None
    if found.file == "spec":
        path = snapshot.environment.registry.file_of(found.name)
    else:
        project = session.projects.project_of(snapshot.path)
        path = project.root / FILE_NAME if project is not None else None
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
