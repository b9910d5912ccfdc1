"""``textDocument/documentHighlight``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.navigation.definitions import highlights
from osiris.lsp.navigation import opened_connections
from osiris.lsp.session import Session


async def handle(session: Session, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
    """The places of the thing at the position in this document, told apart: where it is set and where it is used."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is not None:
        found = highlights(snapshot.analysis, snapshot.offset(params.position))
        return [
            types.DocumentHighlight(
                range=snapshot.range(place.span),
                kind=types.DocumentHighlightKind.Write if place.writes else types.DocumentHighlightKind.Read,
            )
            for place in found
        ]
    file = opened_connections(session, params.text_document.uri)
    alias = file.at(params.position) if file is not None else None
    if file is None or alias is None:
        return None
    own = file.source.range(file.alias(alias))
    return [types.DocumentHighlight(range=own, kind=types.DocumentHighlightKind.Write)]
