"""Values: components, modes, ids in ``needs``, connections, and whatever a schema allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from osiris.ide.completion.insertion import in_quotes, literal
from osiris.ide.completion.paths import holds_path, paths
from osiris.ide.completion.references import needed_steps, param_references, step_outputs
from osiris.ide.completion.schema import names
from osiris.ide.completion.step_snippets import behind_component, connections_of
from osiris.ide.completion.suggestion import Item, ItemKind, Place, Topic
from osiris.ide.documentation import shown
from osiris.ide.vocabulary import schema_at, types_of


def values(place: Place) -> Iterable[Item]:
    """What may stand as the value at the cursor."""
    cursor = place.cursor
    if cursor.step is not None:
        match cursor.within:
            case ("component",):
                return _components(place)
            case ("mode",):
                return _modes(place)
            case ("needs",) if not cursor.flow and cursor.role.name == "VALUE":
                return [_in_brackets(item) for item in needed_steps(place)]
            case ("needs",) | ("needs", _):
                return needed_steps(place)
            case ("inputs", _):
                return step_outputs(place)
            case ("config", "connection"):
                return chain(_connections(place), param_references(place))
            case ("config", _):
                ahead = paths(place) if holds_path(place) else ()
                return chain(ahead, _named_or_allowed(place), param_references(place))
            case ("config", _, *_):
                return chain(_named_or_allowed(place), param_references(place))
    return _allowed(place)


def _named_or_allowed(place: Place) -> Iterable[Item]:
    """What is there in the database; where that is not known, what the component says of the key."""
    known = list(names(place))
    return known or _allowed(place)


def value_item(place: Place, value: Any, kind: ItemKind = ItemKind.VALUE, detail: str = "") -> Item:
    """An item that puts ``value`` in, quoted as its place needs it."""
    label = value if isinstance(value, str) and value.strip() else literal(value)
    quote = place.cursor.quote
    text = in_quotes(value, quote) if quote else literal(value)
    return Item(label, kind, text, None, detail)


def _in_brackets(item: Item) -> Item:
    return Item(item.label, item.kind, f"[{item.text}]", None, item.detail, item.filter)


def _components(place: Place) -> Iterator[Item]:
    step = place.cursor.step
    steps = place.analysis.pipeline.steps
    mode = steps[step].mode if step is not None and step < len(steps) else None
    present, adds_lines = place.cursor.keys, _ends_line(place)
    others: list[Item] = []
    for spec in place.env.registry.specs():
        detail = spec.title if spec.driver else f"{spec.title} (no driver yet)"
        # Who has typed the whole name and presses Enter wants a new line, and not ours.
        adds = adds_lines and place.cursor.prefix != spec.name
        snippet = behind_component(spec, place.env, present, place.cursor.column) if adds else None
        item = Item(spec.name, ItemKind.COMPONENT, spec.name, snippet, detail, topic=Topic(component=spec.name))
        if mode is None or mode in spec.modes:
            yield item
        else:
            others.append(item)
    yield from others


def _ends_line(place: Place) -> bool:
    """Whether further lines may follow the value at the cursor: it is the last of its line, and no flow is around."""
    cursor, text = place.cursor, place.analysis.document.text
    behind = text[cursor.token.end : cursor.token.end + 200].splitlines()
    return not cursor.flow and not cursor.quote and not (behind and behind[0].strip())


def _modes(place: Place) -> list[Item]:
    known = schema_at(("steps", 0, "mode"), None) or {}
    modes = place.spec.modes if place.spec is not None else known.get("enum", ())
    return [Item(mode, ItemKind.VALUE, mode) for mode in modes]


def _connections(place: Place) -> list[Item]:
    cursor = place.cursor
    if place.spec is None and place.env.connections is not None:  # which component it will be is not said yet
        known = place.env.connections.references()
        return [Item(name, ItemKind.CONNECTION, name if cursor.quote else f'"{name}"') for name in known]
    if place.spec is None or not place.spec.takes_connection:
        return []
    found = []
    for position, reference in enumerate(connections_of(place.spec.family, place.env)):
        text = reference if cursor.quote else f'"{reference}"'
        connection = (place.env.connections.families if place.env.connections else {})[place.spec.family]
        is_default = position == 0 and any(c.is_default for c in connection.values())
        found.append(Item(reference, ItemKind.CONNECTION, text, None, "default" if is_default else ""))
    return found


def _allowed(place: Place) -> Iterator[Item]:
    """What the schema of the place lists: allowed values, booleans, the default, examples."""
    schema = schema_at(place.cursor.path, place.spec)
    if schema is None or (place.cursor.path[-1:] == ("config",)):
        return
    seen: set[str] = set()
    default = schema.get("default")
    candidates: list[tuple[Any, str]] = [(value, "") for value in schema.get("enum", ())]
    if "boolean" in types_of(schema):
        candidates += [(True, ""), (False, "")]
    if "default" in schema and not isinstance(default, dict | list):
        candidates.append((default, "default"))
    candidates += [(value, "example") for value in schema.get("examples", ()) if not isinstance(value, dict | list)]
    if "x-osiris-sql" in schema:
        return
    for value, detail in candidates:
        name = shown(value)
        if name not in seen:
            seen.add(name)
            is_default = (
                "default" in schema and value == default and isinstance(value, bool) == isinstance(default, bool)
            )
            yield value_item(place, value, detail="default" if is_default else detail)
