"""Snippets of steps: the config that a component needs, what follows its name, and whole steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.ide.completion.insertion import choice, escape, literal
from osiris.ide.completion.suggestion import Item, ItemKind, Place, Topic
from osiris.ide.vocabulary import Schema, types_of
from osiris.language.environment import Environment

_MODES = ("read", "transform", "write")
_VERBS = {"read": "extract", "transform": "transform", "write": "write"}


def connections_of(family: str, env: Environment) -> list[str]:
    """The references of a family's connections, the default one first."""
    known = env.connections
    if known is None:
        return []
    found = sorted(known.families.get(family, {}).values(), key=lambda c: (not c.is_default, c.alias))
    return [connection.reference for connection in found]


def required_config(spec: ComponentSpec, env: Environment, column: int, first: int = 1) -> str:
    """The snippet of ``config:`` with the keys that must be there, each with its own tab stop from ``first`` on.

    ``column`` is that of ``config``. A connection is there when the project has one for the component; the only one is
    put in without a question.
    """
    pad = "\n" + " " * (column + 2)
    lines: list[str] = []
    number = first
    if spec.takes_connection and (references := connections_of(spec.family, env)):
        quoted = [f'"{reference}"' for reference in references]
        lines.append(f"{CONNECTION_KEY}: " + (choice(number, quoted) if len(quoted) > 1 else escape(quoted[0])))
        number += len(quoted) > 1
    wanted = list(spec.missing((), connection=bool(lines)))
    for rule in spec.constraints:
        if rule.kind in ("exactlyOneOf", "anyOf") and not rule.when and not any(key in wanted for key in rule.keys):
            wanted.append(rule.keys[0])
    # A block of text goes last: a tab stop behind one would not be seen.
    for key in sorted(wanted, key=lambda key: "x-osiris-sql" in (spec.property(key) or {})):
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


def behind_component(spec: ComponentSpec, env: Environment, present: Collection[str], column: int) -> str | None:
    """The name of a component and, on the lines below, the mode and config that the step does not have yet.

    ``present`` are the keys of the step, ``column`` is theirs. None when there is nothing to add.
    """
    pad = "\n" + " " * column
    parts = [escape(spec.name)]
    number = 1
    if "mode" not in present and spec.modes:
        parts.append("mode: " + (choice(1, list(spec.modes)) if len(spec.modes) > 1 else spec.modes[0]))
        number += len(spec.modes) > 1
    if "config" not in present:
        parts.append(required_config(spec, env, column, number))
    return pad.join(parts) if len(parts) > 1 else None


def whole_steps(place: Place, column: int, dash: str) -> Iterator[Item]:
    """New steps for the list of steps: an empty one, then one for each component that can run, readers first.

    ``column`` is that of their keys; ``dash`` stands in front of the first, where it is not there yet.
    """
    pad = "\n" + " " * column
    typed = place.cursor.prefix
    yield Item(
        "step",
        ItemKind.SNIPPET,
        f"{dash}id: ",
        f"{dash}id: ${{1:step-id}}{pad}component: $2{pad}mode: ${{3|read,transform,write|}}$0",
        detail="a new step",
        filter=typed if typed and "step".startswith(typed) else "step",
        topic=Topic(("steps", 0, "id")),
    )
    taken = {step.id for step in place.analysis.pipeline.steps}
    runnable = [spec for spec in place.env.registry.specs() if spec.driver]
    for mode in _MODES:
        for spec in (spec for spec in runnable if mode in spec.modes):
            name = _fresh_id(spec, mode, taken)
            config = required_config(spec, place.env, column, 2)
            yield Item(
                f"{mode} {spec.name}",
                ItemKind.SNIPPET,
                f"{dash}id: {name}{pad}component: {spec.name}{pad}mode: {mode}",
                f"{dash}id: ${{1:{name}}}{pad}component: {escape(spec.name)}{pad}mode: {mode}{pad}{config}",
                detail=spec.title,
                topic=Topic(component=spec.name),
            )


def _fresh_id(spec: ComponentSpec, mode: str, taken: Collection[str | None]) -> str:
    family, _, kind = spec.name.partition(".")
    word = kind.partition("_")[0] if "_" in kind else family
    base = _VERBS[mode] if mode == "transform" else f"{_VERBS[mode]}-{word}"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
