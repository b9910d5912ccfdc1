"""``callHierarchy/incomingCalls``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.navigation.call_hierarchy import incoming
from osiris.lsp.call_hierarchy import item_of, step_of
from osiris.lsp.session import Session


async def handle(
    session: Session, params: types.CallHierarchyIncomingCallsParams
) -> list[types.CallHierarchyIncomingCall] | None:
    """The steps that wait for the step, each with the places in it that say so."""
    found = step_of(session, params.item)
    if found is None:
        return None
    snapshot, node = found
    return [
        types.CallHierarchyIncomingCall(
            from_=item_of(snapshot, call.node), from_ranges=[snapshot.range(span) for span in call.places]
        )
        for call in incoming(snapshot.analysis, node.index)
    ]
