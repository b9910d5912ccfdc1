"""Reads what a step says by itself from its part of the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from osiris.language.model import HeldPlaceholder, InputRef, NeedRef, Path, StepShape
from osiris.language.placeholders import Placeholder, find_broken, find_placeholders
from osiris.language.templates import SHAPING, fill, holds_param
from osiris.syntax.document import Part
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Plain, Scalar, Sequence, Style
from osiris.syntax.tree import Mapping as MappingNode

_NO_VALUES: Mapping[str, Plain] = {}
_SHAPING_PATHS = frozenset((key,) for key in SHAPING)


def shape_step(part: Part, values: Mapping[str, Plain] = _NO_VALUES) -> StepShape:
    """Read a step's part; ``values`` are those of the parameters that may stand in it, by name."""
    node = part.node
    mapping = node if isinstance(node, MappingNode) else None
    found = {} if mapping is None else {e.key.text: e for e in reversed(mapping.entries)}
    config = found["config"].value if "config" in found else None
    held = tuple(_held(node, ())) if "${" in part.text else ()
    broken = tuple(_held(node, (), find_broken)) if "${" in part.text or "{{" in part.text else ()
    names = sorted({h.found.name for h in held if h.found.kind == "param"} | {h.found.name for h in broken})
    shaped_by = {h.found.name for h in held if h.found.kind == "param" and h.path[:1] in _SHAPING_PATHS}
    if shaped_by:
        found = {key: _filled(entry, values) if key in SHAPING else entry for key, entry in found.items()}
    id_node, component_node, mode_node = (_scalar(found.get(key)) for key in ("id", "component", "mode"))
    needs, inputs = _needs(found.get("needs")), _inputs(found.get("inputs"))
    step_id = None if holds_param(id_node) else _name(id_node)
    flow = (
        step_id,
        _name(component_node),
        _name(mode_node),
        None if needs is None else tuple(need.id for need in needs),
        None if inputs is None else tuple((i.table, i.id) for i in inputs),
    )
    return StepShape(
        part=part,
        mapping=mapping,
        flow=flow,
        id=step_id,
        id_node=id_node,
        component=_name(component_node),
        component_node=component_node,
        mode=_name(mode_node),
        mode_node=mode_node,
        needs=needs,
        inputs=inputs,
        config=config if isinstance(config, MappingNode) else None,
        placeholders=held,
        broken=broken,
        param_names=tuple(names),
        shaped_by=tuple(sorted(shaped_by)),
    )


def _filled(entry: Entry, values: Mapping[str, Plain]) -> Entry:
    """The entry with parameters in its value. One without a value leaves a need that is known to be unknown."""
    value = entry.value
    if isinstance(value, Sequence):
        items = [fill(item, values) or _unknown(item) for item in value.items]
        filled: Node = Sequence(value.span, tuple(items), value.flow, value.synthetic)
    else:
        filled = fill(value, values) or _unknown(value)
    if entry.key.text == "needs" and isinstance(filled, Scalar) and filled is not value and filled.text:
        filled = Sequence(value.span, (filled,), flow=True, synthetic=True)
    return entry if filled is value else Entry(entry.key, filled, entry.span, entry.has_colon, entry.synthetic)


def _unknown(node: Node) -> Node:
    """What stands for a parameter without a value: its text names it, and nothing is known of it."""
    text = node.text if isinstance(node, Scalar) else ""
    return Scalar(node.span, node.span, text, None, Style.PLAIN, synthetic=True)


def _scalar(entry: Entry | None) -> Scalar | None:
    return entry.value if entry is not None and isinstance(entry.value, Scalar) else None


def _name(node: Scalar | None) -> str | None:
    """The text of a scalar that is meant as a name. ``id: 2024`` is reported, but still names the step."""
    return None if node is None or node.value is None else node.text or None


def _says_nothing(entry: Entry | None) -> bool:
    """Whether a key is absent, or there without a value: both mean the same."""
    return entry is None or (isinstance(entry.value, Scalar) and entry.value.value is None)


def _needs(entry: Entry | None) -> tuple[NeedRef, ...] | None:
    if entry is None or _says_nothing(entry):
        return None
    value = entry.value
    # One id without brackets is reported as a wrong type, and read as it is meant.
    items = value.items if isinstance(value, Sequence) else (value,)
    return tuple(
        NeedRef(item.text, item)
        for item in items
        if isinstance(item, Scalar) and item.text and (item.value is not None or item.synthetic)
    )


def _inputs(entry: Entry | None) -> tuple[InputRef, ...] | None:
    if entry is None or _says_nothing(entry):
        return None
    if not isinstance(entry.value, MappingNode):
        return ()
    return tuple(_input(item) for item in entry.value.entries)


def _input(entry: Entry) -> InputRef:
    value = entry.value
    if isinstance(value, Scalar) and isinstance(value.value, str):
        found = list(find_placeholders(value.text))
        if len(found) == 1 and found[0].kind == "step" and found[0].span == (0, len(value.text)):
            # The id is found in the source only when nothing in it is written as an escape.
            start = value.span.start + (found[0].name_span.start + (value.content.start - value.span.start))
            span = Span(start, start + len(found[0].name))
            exact = value.content.end - value.content.start == len(value.text)
            return InputRef(entry.key.text, entry.key, value, found[0].name, span if exact else value.span)
    return InputRef(entry.key.text, entry.key, value, None, value.span)


def _held(
    node: Node, path: Path, find: Callable[[str], Iterator[Placeholder]] = find_placeholders
) -> Iterator[HeldPlaceholder]:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            for found in find(node.text):
                yield HeldPlaceholder(node, path, found)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _held(item, (*path, index), find)
    else:
        for entry in node.entries:
            if path or not entry.key.text.startswith("x-"):
                # In `inputs` stands `${step-id.df}`, which has rules of its own.
                inside = _held(entry.value, (*path, entry.key.text), find)
                if not path and entry.key.text == "inputs":
                    inside = (held for held in inside if held.found.kind == "param")
                yield from inside
