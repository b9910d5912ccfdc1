"""``textDocument/prepareCallHierarchy``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.navigation.call_hierarchy import step_node_at
from osiris.lsp.call_hierarchy import item_of
from osiris.lsp.session import Session


async def handle(session: Session, params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem] | None:
    """The step that is named at the position, else the one around it."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    node = step_node_at(snapshot.analysis, snapshot.offset(params.position))
    return [item_of(snapshot, node)] if node is not None else None
