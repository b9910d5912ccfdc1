"""The outline of the YAML files of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.ide.navigation.document_symbols import Symbol, SymbolKind
from osiris.syntax.document import parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar

if TYPE_CHECKING:
    from osiris.ide.project_files.files import ProjectFile


def symbols(file: ProjectFile) -> tuple[Symbol, ...]:
    """Families with their connections, or sections with their settings."""
    root = parse(file.text).root()
    if file.kind.value == "connections":
        connections = root.get("connections") if isinstance(root, Mapping) else None
        return _entries(connections, (SymbolKind.GROUP, SymbolKind.CONNECTION))
    return _entries(root, (SymbolKind.SETTING,) * 3)


def _entries(node: Node | None, kinds: tuple[SymbolKind, ...]) -> tuple[Symbol, ...]:
    if not kinds or not isinstance(node, Mapping):
        return ()
    return tuple(_symbol(entry, kinds) for entry in node.entries if entry.key.text.strip() and not entry.synthetic)


def _symbol(entry: Entry, kinds: tuple[SymbolKind, ...]) -> Symbol:
    children = _entries(entry.value, kinds[1:])
    kind = SymbolKind.GROUP if children else kinds[0]
    end = max(entry.key.span.end, entry.value.span.end, *(child.span.end for child in children), 0)
    return Symbol(entry.key.text, kind, Span(entry.key.span.start, end), entry.key.span, _detail(entry, kind), children)


def _detail(entry: Entry, kind: SymbolKind) -> str:
    if kind is SymbolKind.CONNECTION:
        default = entry.value.get("default") if isinstance(entry.value, Mapping) else None
        return "default" if isinstance(default, Scalar) and default.value is True else ""
    return entry.value.text if kind is SymbolKind.SETTING and isinstance(entry.value, Scalar) else ""
