"""``workspace/symbol``: pipelines, steps and parameters of all folders by a few letters."""

from __future__ import annotations

from heapq import nsmallest
from typing import Any

from lsprotocol import types

from osiris.ide.navigation.document_symbols import SymbolKind
from osiris.ide.navigation.workspace_symbols import NamedThing, named_like
from osiris.lsp.documents import Snapshot
from osiris.lsp.session import Session

MOST_SYMBOLS = 200  # more than anybody looks through; another letter finds the rest

_KINDS = {
    "pipeline": types.SymbolKind.Module.value,
    SymbolKind.STEP: types.SymbolKind.Function.value,
    SymbolKind.PARAM: types.SymbolKind.Variable.value,
}
_Found = tuple[int, str, str, int, dict[str, Any]]


async def handle(session: Session, params: types.WorkspaceSymbolParams) -> list[dict[str, Any]]:
    """The best matches, the best first. Files that are not open are read between other messages."""
    best: list[_Found] = []
    async with session.progress("Looking through all pipelines", params.work_done_token):
        async for snapshot in session.workspace.all_snapshots():
            name = snapshot.path.name if snapshot.path is not None else snapshot.uri
            found = [_ranked(snapshot, thing) for thing in named_like(snapshot.analysis, params.query, name)]
            if found:
                best = nsmallest(MOST_SYMBOLS, best + found, key=lambda one: one[:4])
    return [symbol for *_, symbol in best]


def _ranked(snapshot: Snapshot, thing: NamedThing) -> _Found:
    symbol: dict[str, Any] = {
        "name": thing.name,
        "kind": _KINDS[thing.kind],
        "location": {"uri": snapshot.uri, "range": snapshot.plain_range(thing.span)},
    }
    if thing.container:
        symbol["containerName"] = thing.container
    return (thing.score, thing.name, snapshot.uri, thing.span.start, symbol)
