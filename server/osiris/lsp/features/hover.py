"""``textDocument/hover``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.hover import hover
from osiris.lsp.markup import markup
from osiris.lsp.session import Session


async def handle(session: Session, params: types.HoverParams) -> types.Hover | None:
    """What stands at the position: component, key, connection, param or step."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    found = hover(snapshot.analysis, snapshot.environment, snapshot.offset(params.position))
    if found is None:
        return None
    contents = markup(found.markdown, session.client.hover_formats)
    return types.Hover(contents=contents, range=snapshot.range(found.span))
