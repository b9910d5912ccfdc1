"""``textDocument/documentSymbol``."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.ide.navigation.document_symbols import Symbol, SymbolKind, symbols
from osiris.ide.project_files.files import symbols_of_file
from osiris.lsp.documents import Snapshot
from osiris.lsp.project_file_snapshot import ProjectFileSnapshot, project_file
from osiris.lsp.session import Session

_KINDS = {
    SymbolKind.PARAM: types.SymbolKind.Variable.value,
    SymbolKind.PROFILE: types.SymbolKind.Namespace.value,
    SymbolKind.STEP: types.SymbolKind.Function.value,
    SymbolKind.GROUP: types.SymbolKind.Module.value,
    SymbolKind.CONNECTION: types.SymbolKind.Interface.value,
    SymbolKind.SETTING: types.SymbolKind.Property.value,
    SymbolKind.VARIABLE: types.SymbolKind.Variable.value,
}


async def handle(session: Session, params: types.DocumentSymbolParams) -> list[dict[str, Any]] | None:
    """The outline: a tree, or a flat list for clients that cannot show a tree. Plain JSON, for there may be many."""
    uri = params.text_document.uri
    snapshot = session.snapshot(uri) or project_file(session, uri)
    if snapshot is None:
        return None
    if isinstance(snapshot, ProjectFileSnapshot):
        tree = symbols_of_file(snapshot.file)
    else:
        tree = symbols(snapshot.analysis)
    if session.client.hierarchical_symbols:
        return [_nested(snapshot, symbol) for symbol in tree]
    return [info for symbol in tree for info in _flat(snapshot, symbol, None)]


def _nested(snapshot: Snapshot | ProjectFileSnapshot, symbol: Symbol) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": symbol.name,
        "kind": _KINDS[symbol.kind],
        "range": snapshot.plain_range(symbol.span),
        "selectionRange": snapshot.plain_range(symbol.name_span),
        "children": [_nested(snapshot, child) for child in symbol.children],
    }
    if symbol.detail:
        made["detail"] = symbol.detail
    return made


def _flat(snapshot: Snapshot | ProjectFileSnapshot, symbol: Symbol, container: str | None) -> list[dict[str, Any]]:
    own: dict[str, Any] = {
        "name": symbol.name,
        "kind": _KINDS[symbol.kind],
        "location": {"uri": snapshot.uri, "range": snapshot.plain_range(symbol.span)},
    }
    if container is not None:
        own["containerName"] = container
    return [own, *(info for child in symbol.children for info in _flat(snapshot, child, symbol.name))]
