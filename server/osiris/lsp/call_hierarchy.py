"""Steps as items of a call hierarchy, and back."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.ide.navigation.call_hierarchy import StepNode, find_node
from osiris.lsp.documents import Snapshot
from osiris.lsp.session import Session


def item_of(snapshot: Snapshot, node: StepNode) -> types.CallHierarchyItem:
    """A step as an item; ``data`` is what finds it again."""
    return types.CallHierarchyItem(
        name=node.name,
        kind=types.SymbolKind.Function,
        detail=node.detail or None,
        uri=snapshot.uri,
        range=snapshot.range(node.span),
        selection_range=snapshot.range(node.name_span),
        data={"name": node.name, "index": node.index},
    )


def step_of(session: Session, item: types.CallHierarchyItem) -> tuple[Snapshot, StepNode] | None:
    """The step behind an item, in the present version of its document; None when it is no longer there."""
    snapshot = session.snapshot(item.uri)
    if snapshot is None:
        return None
    data: Any = item.data
    index = data.get("index") if isinstance(data, dict) else None
    node = find_node(snapshot.analysis, item.name, index if isinstance(index, int) else -1)
    return (snapshot, node) if node is not None else None
