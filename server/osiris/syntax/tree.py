"""The positioned tree. Spans are relative to the part (see ``document.Part``) that a node belongs to.

The tree holds no aliases and no merge keys: both are expanded while it is built (within limits), and what came from
them is marked ``synthetic``, with every span set to the place of the alias, so that no edit is ever offered inside.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from osiris.syntax.text import Span


class Style(enum.Enum):
    """How a scalar is written."""

    PLAIN = "plain"
    SINGLE = "single"
    DOUBLE = "double"
    LITERAL = "literal"
    FOLDED = "folded"


ScalarValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A leaf.

    ``span`` covers the whole token with its quotes or block header; ``content`` only what is between the quotes, or
    the lines below a block header. ``text`` is the decoded text, ``value`` what YAML 1.2's core schema makes of it.
    A value that is not there (``key:``) is a plain scalar with ``value`` None and an empty span behind the colon.
    """

    span: Span
    content: Span
    text: str
    value: ScalarValue
    style: Style
    synthetic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A ``key: value`` pair; ``has_colon`` is False for a key that is still being typed."""

    key: Scalar
    value: Node
    span: Span
    has_colon: bool = True
    synthetic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping in written order. Duplicate keys all stay; merged entries stand last and never repeat a written key."""

    span: Span
    entries: tuple[Entry, ...]
    flow: bool = False
    synthetic: bool = False

    def entry(self, name: str) -> Entry | None:
        """The first entry with this key."""
        for entry in self.entries:
            if entry.key.text == name:
                return entry
        return None

    def get(self, name: str) -> Node | None:
        """The value under this key, None when the key is absent."""
        entry = self.entry(name)
        return entry.value if entry else None


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    span: Span
    items: tuple[Node, ...]
    flow: bool = False
    synthetic: bool = False


Node = Scalar | Mapping | Sequence
Plain = ScalarValue | list["Plain"] | dict[str, "Plain"]


def to_plain(node: Node) -> Plain:
    """The node as plain Python data; of duplicate keys the first counts, keys are their text."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    result: dict[str, Plain] = {}
    for entry in node.entries:
        result.setdefault(entry.key.text, to_plain(entry.value))
    return result


def walk_scalars(node: Node) -> Iterator[Scalar]:
    """All value scalars below ``node`` (keys left out), in document order."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from walk_scalars(item)
    else:
        for entry in node.entries:
            yield from walk_scalars(entry.value)


def shift_node(node: Node, by: int) -> Node:
    """A copy of ``node`` whose spans are ``by`` code points further on."""
    if isinstance(node, Scalar):
        return Scalar(node.span.shift(by), node.content.shift(by), node.text, node.value, node.style, node.synthetic)
    if isinstance(node, Sequence):
        items = tuple([shift_node(item, by) for item in node.items])
        return Sequence(node.span.shift(by), items, node.flow, node.synthetic)
    entries = tuple([shift_entry(entry, by) for entry in node.entries])
    return Mapping(node.span.shift(by), entries, node.flow, node.synthetic)


def shift_entry(entry: Entry, by: int) -> Entry:
    """A copy of ``entry`` whose spans are ``by`` code points further on."""
    key = entry.key
    name = Scalar(key.span.shift(by), key.content.shift(by), key.text, key.value, key.style, key.synthetic)
    return Entry(name, shift_node(entry.value, by), entry.span.shift(by), entry.has_colon, entry.synthetic)
