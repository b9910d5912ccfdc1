"""Keys: required ones first, those already there left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.ide.cursor import Role
from osiris.ide.insertion import choice, escape, key_text, literal
from osiris.ide.suggestion import Item, ItemKind, Place, Topic
from osiris.ide.vocabulary import Schema, schema_at, types_of
from osiris.language.environment import Environment
from osiris.language.naming import table_name
from osiris.syntax.text import Span


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
    if cursor.role is Role.ITEM and cursor.path[:1] == ("steps",) and len(cursor.path) == 2 and not cursor.keys:
        yield _whole_step(cursor.column, "", cursor.prefix)
    known: dict[str, Schema] = dict(schema.get("properties", {}))
    required = schema.get("required", ())
    for name in _absent(place, _required_first(known, required)):
        yield _key(place, name, known[name], required=name in required)


def items(place: Place) -> Iterable[Item]:
    """New items for the list at the cursor, each with its dash."""
    from osiris.ide.suggest_values import values

    path = place.cursor.path
    column = place.cursor.column
    if path == ("steps",):
        return [_whole_step(column + 2, "- ", place.cursor.prefix)]
    return [
        Item(item.label, item.kind, f"- {item.text}", None, item.detail, item.filter, item.again, item.topic)
        for item in values(place)
    ]


def _whole_step(column: int, dash: str, typed: str) -> Item:
    pad = "\n" + " " * column
    snippet = f"{dash}id: ${{1:step-id}}{pad}component: $2{pad}mode: ${{3|read,transform,write|}}$0"
    return Item(
        "step",
        ItemKind.SNIPPET,
        f"{dash}id: ",
        snippet,
        detail="a new step",
        filter=typed or "step",
        topic=Topic(("steps", 0, "id")),
    )


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
    if cursor.has_colon:
        return Item(name, ItemKind.KEY, name, None, detail, topic=topic)
    text, snippet = key_text(name, schema, cursor.column, flow=cursor.flow)
    if cursor.step is not None and cursor.path[2:] == () and name == "config" and place.spec is not None:
        snippet = None if cursor.flow else _required_config(place.spec, place.env, cursor.column)
        return Item(name, ItemKind.KEY, text, snippet, detail, topic=topic)
    return Item(name, ItemKind.KEY, text, snippet, detail, again=_leads_on(place, name, text), topic=topic)


def _leads_on(place: Place, name: str, text: str) -> bool:
    """Whether there is something to suggest behind the ``text`` of a key: an editor that asks in vain says so."""
    from osiris.ide.suggest_values import values

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


def _required_config(spec: ComponentSpec, env: Environment, column: int) -> str:
    """The snippet of ``config:`` with the keys that must be there, each with its own tab stop."""
    pad = "\n" + " " * (column + 2)
    lines: list[str] = []
    number = 1
    if spec.takes_connection and (references := connections_of(spec.family, env)):
        quoted = [f'"{reference}"' for reference in references]
        lines.append(f"{CONNECTION_KEY}: " + (choice(number, quoted) if len(quoted) > 1 else escape(quoted[0])))
        number += len(quoted) > 1
    wanted = list(spec.missing((), connection=bool(lines)))
    for rule in spec.constraints:
        if rule.kind in ("exactlyOneOf", "anyOf") and not rule.when and not any(key in wanted for key in rule.keys):
            wanted.append(rule.keys[0])
    for key in wanted:
        lines.append(_with_stop(key, spec.property(key) or {}, number, column + 2))
        number += 1
    return "config:" + pad + (pad.join(lines) if lines else "$0")


def _with_stop(key: str, schema: Schema, number: int, column: int) -> str:
    if "x-osiris-sql" in schema:
        return f"{key}: |\n{' ' * (column + 2)}${number}"
    if allowed := schema.get("enum"):
        return f"{key}: {choice(number, [literal(value) for value in allowed])}"
    if types_of(schema) == ("array",):
        return f"{key}: [${number}]"
    return f"{key}: ${number}"


def connections_of(family: str, env: Environment) -> list[str]:
    """The references of a family's connections, the default one first."""
    known = env.connections
    if known is None:
        return []
    found = sorted(known.families.get(family, {}).values(), key=lambda c: (not c.is_default, c.alias))
    return [connection.reference for connection in found]


# -- inputs


def _input_tables(place: Place) -> Iterator[Item]:
    """The tables that the steps which could come before this one would be; the nearest first."""
    from osiris.ide.suggest_references import needed_steps

    names = ["df", *(table_name(item.label) for item in needed_steps(place))]
    for name in _absent(place, names):
        yield _key(place, name, {"type": "string"}, detail="table")
