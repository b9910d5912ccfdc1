"""``textDocument/documentSymbol``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.symbols import Symbol, SymbolKind, symbols
from osiris.lsp.documents import Snapshot
from osiris.lsp.session import Session

_KINDS = {
    SymbolKind.PARAM: types.SymbolKind.Variable,
    SymbolKind.PROFILE: types.SymbolKind.Namespace,
    SymbolKind.STEP: types.SymbolKind.Function,
    SymbolKind.GROUP: types.SymbolKind.Module,
}


async def handle(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation] | None:
    """The outline: a tree, or a flat list for clients that cannot show a tree."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    tree = symbols(snapshot.analysis)
    if session.client.hierarchical_symbols:
        return [_nested(snapshot, symbol) for symbol in tree]
    return [info for symbol in tree for info in _flat(snapshot, symbol, None)]


def _nested(snapshot: Snapshot, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=symbol.name,
        detail=symbol.detail or None,
        kind=_KINDS[symbol.kind],
        range=snapshot.range(symbol.span),
        selection_range=snapshot.range(symbol.name_span),
        children=[_nested(snapshot, child) for child in symbol.children],
    )


def _flat(snapshot: Snapshot, symbol: Symbol, container: str | None) -> list[types.SymbolInformation]:
    location = types.Location(uri=snapshot.uri, range=snapshot.range(symbol.span))
    own = types.SymbolInformation(
        name=symbol.name, kind=_KINDS[symbol.kind], location=location, container_name=container
    )
    return [own, *(info for child in symbol.children for info in _flat(snapshot, child, symbol.name))]
