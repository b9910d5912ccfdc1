"""``textDocument/references``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.navigation.definitions import name_in_spec, references
from osiris.language.connections import parse_reference
from osiris.language.symbols import Symbol, symbol_at
from osiris.lsp.documents import Snapshot
from osiris.lsp.edits import source_of
from osiris.lsp.navigation import connections_file, locations, neighbours, opened_connections
from osiris.lsp.session import Session


async def handle(session: Session, params: types.ReferenceParams) -> list[types.Location] | None:
    """Every place that names the thing at the position; of a connection or component in all pipelines."""
    snapshot = session.snapshot(params.text_document.uri)
    declaration = params.context.include_declaration
    if snapshot is None:
        return await _of_alias(session, params, declaration=declaration)
    symbol = symbol_at(snapshot.analysis, snapshot.offset(params.position))
    if symbol is None:
        return None
    if symbol.kind in ("connection", "component"):
        found = _declared(session, snapshot, symbol) if declaration else []
        async with session.progress(f"Looking for {symbol.name}", params.work_done_token):
            async for other in neighbours(session, snapshot):
                found += locations(other, symbol.kind, symbol.name)
        return found
    places = references(snapshot.analysis, symbol, declaration=declaration)
    return [types.Location(uri=snapshot.uri, range=snapshot.range(span)) for span in places]


async def _of_alias(
    session: Session, params: types.ReferenceParams, *, declaration: bool
) -> list[types.Location] | None:
    file = opened_connections(session, params.text_document.uri)
    alias = file.at(params.position) if file is not None else None
    if file is None or alias is None:
        return None
    own = file.location(alias.family, alias.alias) if declaration else None
    found = [own] if own is not None else []
    async with session.progress(f"Looking for {alias.reference}", params.work_done_token):
        async for snapshot in session.workspace.snapshots(file.path):
            found += locations(snapshot, "connection", alias.reference)
    return found


def _declared(session: Session, snapshot: Snapshot, symbol: Symbol) -> list[types.Location]:
    """Where a connection or component is defined."""
    if symbol.kind == "connection":
        file, parsed = connections_file(session, snapshot.path), parse_reference(symbol.name)
        place = file.location(*parsed) if file is not None and parsed is not None else None
        return [place] if place is not None else []
    path = snapshot.environment.registry.file_of(symbol.name)
    source = source_of(session, path) if path is not None else None
    if source is None:
        return []
    return [types.Location(uri=source.uri, range=source.range(name_in_spec(source.text)))]
