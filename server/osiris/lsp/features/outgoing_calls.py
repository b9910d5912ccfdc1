"""``callHierarchy/outgoingCalls``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.navigation.call_hierarchy import outgoing
from osiris.lsp.call_hierarchy import item_of, step_of
from osiris.lsp.session import Session


async def handle(
    session: Session, params: types.CallHierarchyOutgoingCallsParams
) -> list[types.CallHierarchyOutgoingCall] | None:
    """The steps that the step waits for, each with the places in this step that say so."""
    found = step_of(session, params.item)
    if found is None:
        return None
    snapshot, node = found
    return [
        types.CallHierarchyOutgoingCall(
            to=item_of(snapshot, call.node), from_ranges=[snapshot.range(span) for span in call.places]
        )
        for call in outgoing(snapshot.analysis, node.index)
    ]
