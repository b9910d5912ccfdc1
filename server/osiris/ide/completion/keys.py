"""Keys: required ones first, those already there left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.ide.completion.insertion import key_text
from osiris.ide.completion.step_snippets import required_config, whole_steps
from osiris.ide.completion.suggestion import Item, ItemKind, Place, Topic
from osiris.ide.cursor import Role
from osiris.ide.vocabulary import Schema, schema_at, types_of
from osiris.language.naming import table_name
from osiris.syntax.text import Span

_PIPELINE_START = 'oml_version: "0.1.0"\nname: '
_PIPELINE = (
    _PIPELINE_START
    + "${1:my-pipeline}\n\nsteps:\n  - id: ${2:step-id}\n    component: $3\n    mode: ${4|read,transform,write|}$0"
)
_TOP_SNIPPETS = {
    "oml_version": 'oml_version: "0.1.0"$0',
    "params": "params:\n  ${1:name}: ${2:value}",
    "profiles": "profiles:\n  ${1:prod}:\n    params:\n      $0",
}


def holds_maps(place: Place) -> bool:
    """Whether the list item at the cursor is a map, whose keys are to be suggested."""
    schema = schema_at(place.cursor.path, place.spec)
    return schema is not None and types_of(schema) == ("object",)


def keys(place: Place) -> Iterable[Item]:
    """The keys for the map at the cursor; where a list is wanted instead, its items."""
    cursor = place.cursor
    schema = schema_at(cursor.path, place.spec)
    if schema is None:
        return []
    if types_of(schema) == ("array",):
        return items(place)
    within = cursor.within
    if cursor.step is not None and within == ("config",):
        return _config_keys(place)
    if cursor.step is not None and within == ("inputs",):
        return _input_tables(place)
    if cursor.path[:1] == ("profiles",) and cursor.path[2:] == ("params",):
        return (_key(place, name, None, detail="parameter") for name in _absent(place, place.analysis.pipeline.params))
    return _keys_of(schema, place)


def _keys_of(schema: Schema, place: Place) -> Iterator[Item]:
    cursor = place.cursor
    steps: Iterator[Item] = iter(())
    if cursor.role is Role.ITEM and cursor.path[:1] == ("steps",) and len(cursor.path) == 2 and not cursor.keys:
        steps = whole_steps(place, cursor.column, "")
        yield next(steps)
    if cursor.path == () and not cursor.keys and not cursor.flow:
        yield Item("pipeline", ItemKind.SNIPPET, _PIPELINE_START, _PIPELINE, detail="a whole pipeline")
    known: dict[str, Schema] = dict(schema.get("properties", {}))
    required = schema.get("required", ())
    for name in _absent(place, _required_first(known, required)):
        yield _key(place, name, known[name], required=name in required)
    yield from steps


def items(place: Place) -> Iterable[Item]:
    """New items for the list at the cursor, each with its dash."""
    from osiris.ide.completion.values import values

    path = place.cursor.path
    column = place.cursor.column
    if path == ("steps",):
        return whole_steps(place, column + 2, "- ")
    return [
        Item(item.label, item.kind, f"- {item.text}", None, item.detail, item.filter, item.again, item.topic)
        for item in values(place)
    ]


def _required_first(known: Iterable[str], required: Iterable[str]) -> list[str]:
    wanted = list(required)
    names = list(known)
    return [name for name in names if name in wanted] + [name for name in names if name not in wanted]


def _absent(place: Place, names: Iterable[str]) -> Iterator[str]:
    """Names that are not yet keys here; the one at the cursor may be typed again."""
    present = {key for key in place.cursor.keys if key != place.cursor.text}
    return (name for name in names if name not in present)


def _key(place: Place, name: str, schema: Schema | None, *, required: bool = False, detail: str = "") -> Item:
    cursor = place.cursor
    topic = Topic((*cursor.path, name), place.spec.name if place.spec else None) if schema is not None else None
    detail = detail or ("required" if required else "")
    if cursor.has_colon or cursor.begun:
        return Item(name, ItemKind.KEY, name if cursor.has_colon else f"{name}:", None, detail, topic=topic)
    text, snippet = key_text(name, schema, cursor.column, flow=cursor.flow)
    if cursor.path == () and not cursor.flow and cursor.role is Role.KEY and name in _TOP_SNIPPETS:
        return Item(name, ItemKind.KEY, text, _TOP_SNIPPETS[name], detail, topic=topic)
    if cursor.step is not None and cursor.path[2:] == () and name == "config" and place.spec is not None:
        snippet = None if cursor.flow else required_config(place.spec, place.env, cursor.column)
        return Item(name, ItemKind.KEY, text, snippet, detail, topic=topic)
    return Item(name, ItemKind.KEY, text, snippet, detail, again=_leads_on(place, name, text), topic=topic)


def _leads_on(place: Place, name: str, text: str) -> bool:
    """Whether there is something to suggest behind the ``text`` of a key: an editor that asks in vain says so."""
    from osiris.ide.completion.values import values

    cursor = place.cursor
    path = (*cursor.path, name)
    if text.endswith(("- ", "[]")):
        path = (*path, 0)
    schema = schema_at(path, place.spec)
    if schema is None or "x-osiris-sql" in schema:
        return False
    is_map = text.endswith(("\n" + " " * (cursor.column + 2), "- ")) and types_of(schema) == ("object",)
    role = Role.KEY if is_map else Role.VALUE
    behind = replace(
        place, cursor=replace(cursor, role=role, path=path, token=Span(0, 0), text="", prefix="", keys=(), flow=False)
    )
    return next(iter(keys(behind) if is_map else values(behind)), None) is not None


# -- config


def _config_keys(place: Place) -> Iterator[Item]:
    spec = place.spec
    if spec is None:
        return
    connected = spec.takes_connection
    required = spec.missing((), connection=connected)
    known = list(spec.properties)
    if connected:
        known.insert(0, CONNECTION_KEY)
    excluded = _excluded(place, spec)
    for name in _absent(place, _required_first(known, required)):
        schema = spec.property(name)
        policy = spec.connection_fields.get(name)
        if schema is None or schema.get("deprecated") or policy == "forbidden" or name in excluded:
            continue
        detail = "required" if name in required else "from the connection" if policy else ""
        yield _key(place, name, schema, detail=detail)


def _excluded(place: Place, spec: ComponentSpec) -> set[str]:
    """Keys that may not stand beside those that are there already."""
    present = {key for key in place.cursor.keys if key != place.cursor.text}
    rules = (rule for rule in spec.constraints if rule.kind in ("exactlyOneOf", "atMostOneOf") and not rule.when)
    return {key for rule in rules if present.intersection(rule.keys) for key in rule.keys}


# -- inputs


def _input_tables(place: Place) -> Iterator[Item]:
    """The tables that the steps which could come before this one would be; the nearest first."""
    from osiris.ide.completion.references import steps_with_data

    begun = place.cursor.has_colon or place.cursor.begun
    names = chain(["df"], (table_name(item.label) for item in steps_with_data(place)))
    for name in _absent(place, names):
        if begun:
            yield _key(place, name, None, detail="table")
        else:  # made here, for there may be many: behind each of them the same steps are suggested
            yield Item(name, ItemKind.KEY, f"{name}: ", None, "table", again=True)
