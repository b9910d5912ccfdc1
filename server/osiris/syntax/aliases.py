"""Anchors, aliases and merge keys: both are copied into the tree, marked as synthetic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence


class Anchor:
    """An anchored node, how many nodes a copy of it has, and how deep it is (a scalar: 1)."""

    __slots__ = ("depth", "node", "size")

    def __init__(self, node: Node) -> None:
        """Measure ``node``."""
        self.node = node
        self.size, self.depth = measure(node)


class Merge(NamedTuple):
    """A ``<<`` entry: its value, and where its key stands."""

    value: Node
    key: Span


def measure(node: Node) -> tuple[int, int]:
    """How many nodes ``node`` consists of, itself and keys included, and how deep they are nested."""
    size = depth = 0
    level: list[Node] = [node]
    while level:
        depth += 1
        size += len(level)
        below: list[Node] = []
        for current in level:
            if isinstance(current, Sequence):
                below.extend(current.items)
            elif isinstance(current, Mapping):
                size += len(current.entries)
                below.extend([entry.value for entry in current.entries])
        level = below
    return size, depth


def place_at(node: Node, span: Span) -> Node:
    """A synthetic copy of ``node`` all of whose spans are ``span``. Its depth must be within the nesting limit."""
    if isinstance(node, Scalar):
        return Scalar(span, span, node.text, node.value, node.style, synthetic=True)
    if isinstance(node, Sequence):
        return Sequence(span, tuple([place_at(item, span) for item in node.items]), node.flow, synthetic=True)
    return Mapping(span, tuple([place_entry(entry, span) for entry in node.entries]), node.flow, synthetic=True)


def place_entry(entry: Entry, span: Span) -> Entry:
    """A synthetic copy of one entry."""
    key = entry.key
    return Entry(
        Scalar(span, span, key.text, key.value, key.style, synthetic=True),
        place_at(entry.value, span),
        span,
        entry.has_colon,
        synthetic=True,
    )


def merge_entries(source: Node, written: Iterable[Entry]) -> list[Entry] | None:
    """The entries that ``<<: source`` adds to those written; None when ``source`` is no mapping or list of them."""
    sources = source.items if isinstance(source, Sequence) else (source,)
    seen = {entry.key.text for entry in written}
    added: list[Entry] = []
    for mapping in sources:
        if not isinstance(mapping, Mapping):
            return None
        for entry in mapping.entries:
            if entry.key.text not in seen:
                seen.add(entry.key.text)
                added.append(entry if entry.synthetic else place_entry(entry, source.span))
    return added
