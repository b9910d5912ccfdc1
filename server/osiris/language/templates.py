"""Parameters outside of ``config``: in what a step is, what it waits for and how it is run.

Unlike a value of ``config``, which a run may still fill in, these decide the shape of the manifest, so their values
must be known when the pipeline is compiled. A node that a parameter stands for is marked ``synthetic``: findings point
at the ``${params.x}``, and no edit is ever offered inside.
"""

from __future__ import annotations

from collections.abc import Mapping

from osiris.language.placeholders import find_placeholders
from osiris.language.substitution import as_text, substitute_text
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Plain, Scalar, Sequence, Style
from osiris.syntax.tree import Mapping as MappingNode

DECIDED = ("component", "mode", "needs", "retry", "timeout", "description")
"""Keys of a step in which a parameter is filled in when the pipeline is compiled."""

SHAPING = ("component", "mode", "needs")
"""Those of them on which the graph and the meaning of the other keys depend."""

FIXED = ("id", "inputs")
"""Keys of a step that other places refer to by name, so that they are the same under every profile."""


def holds_param(node: Node | None) -> bool:
    """Whether ``node`` is a text with a ``${params.x}`` in it."""
    return (
        isinstance(node, Scalar)
        and isinstance(node.value, str)
        and any(found.kind == "param" for found in find_placeholders(node.text))
    )


def fill(node: Node | None, values: Mapping[str, Plain]) -> Node | None:
    """``node`` with ``values`` (by parameter name) in its texts; a text that is one parameter keeps its type.

    None when a parameter in it has no value. In lists and maps such items are left out.
    """
    if node is None:
        return None
    if isinstance(node, Scalar):
        if not holds_param(node):
            return node
        done = substitute_text(node.text, values)
        return None if done.open else _as_node(done.value, node.span)
    if isinstance(node, Sequence):
        items = [fill(item, values) for item in node.items]
        if all(new is old for new, old in zip(items, node.items, strict=True)):
            return node
        return Sequence(node.span, tuple(item for item in items if item is not None), node.flow, node.synthetic)
    filled = [(entry, fill(entry.value, values)) for entry in node.entries]
    if all(value is entry.value for entry, value in filled):
        return node
    entries = [
        entry if value is entry.value else Entry(entry.key, value, entry.span, entry.has_colon, entry.synthetic)
        for entry, value in filled
        if value is not None
    ]
    return MappingNode(node.span, tuple(entries), node.flow, node.synthetic)


def _as_node(value: Plain, span: Span) -> Node:
    if isinstance(value, list):
        return Sequence(span, tuple(_as_node(item, span) for item in value), flow=True, synthetic=True)
    if isinstance(value, dict):
        entries = [
            Entry(_scalar(key, key, span), _as_node(item, span), span, synthetic=True) for key, item in value.items()
        ]
        return MappingNode(span, tuple(entries), flow=True, synthetic=True)
    return _scalar(as_text(value), value, span)


def _scalar(text: str, value: str | int | float | bool | None, span: Span) -> Scalar:
    return Scalar(span, span, text, value, Style.PLAIN, synthetic=True)
