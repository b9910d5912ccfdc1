"""What the thing under the cursor is: a component, a key, a connection, a parameter, a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide import documentation
from osiris.ide.cursor import Cursor, Role, cursor_at
from osiris.language.naming import table_name
from osiris.language.placeholders import find_placeholders
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment
    from osiris.language.model import Step


@dataclass(frozen=True, slots=True)
class Hover:
    """A Markdown text about what stands in ``span``."""

    span: Span
    markdown: str


def hover(analysis: Analysis, env: Environment, offset: int) -> Hover | None:
    """What to say about the place at ``offset`` (code points); None where there is nothing to say."""
    cursor = cursor_at(analysis.document, offset)
    step = _step_of(analysis, cursor)
    spec = analysis.specs[step.index] if step is not None else None
    if (found := _placeholder(analysis, cursor)) is not None:
        return found
    if cursor.token.start == cursor.token.end:
        return None
    text: str | None = None
    if cursor.role is Role.KEY:
        text = _param(analysis, cursor.text) if _holds_params(cursor) else None
        text = text or documentation.of_key((*cursor.path, cursor.text), spec, _connection_name(step))
    elif cursor.role in (Role.VALUE, Role.ITEM):
        text = _value(analysis, env, cursor, spec)
    return Hover(cursor.token, text) if text else None


def _step_of(analysis: Analysis, cursor: Cursor) -> Step | None:
    steps = analysis.pipeline.steps
    return steps[cursor.step] if cursor.step is not None and cursor.step < len(steps) else None


def _holds_params(cursor: Cursor) -> bool:
    """Whether the keys around are names of parameters: where they are declared, or in a profile."""
    return cursor.path == ("params",) or (cursor.path[:1] == ("profiles",) and cursor.path[2:] == ("params",))


def _connection_name(step: Step | None) -> str | None:
    scalar = step.shape.connection if step is not None else None
    return scalar.text if scalar is not None and scalar.text.startswith("@") else None


def _value(analysis: Analysis, env: Environment, cursor: Cursor, spec: ComponentSpec | None) -> str | None:
    if cursor.step is None:
        return documentation.of_key(cursor.path, spec)
    match cursor.within:
        case ("component",):
            named = env.registry.get(cursor.text)
            return documentation.of_component(named) if named is not None else None
        case ("id",):
            return _step(analysis, cursor.text)
        case ("needs",) | ("needs", _):
            return _step(analysis, cursor.text)
        case ("config", "connection"):
            return _connection(env, cursor.text)
    return documentation.of_key(cursor.path, spec)


def _connection(env: Environment, reference: str) -> str | None:
    family, _, alias = reference.removeprefix("@").partition(".")
    known = env.connections
    connection = known.families.get(family, {}).get(alias) if known is not None else None
    if connection is None:
        return None
    fields = env.registry.connection_fields(family)
    secret = {name for name, schema in fields.items() if schema.get("x-secret")}
    return documentation.of_connection(connection, secret, env)


def _step(analysis: Analysis, step_id: str) -> str | None:
    step = analysis.pipeline.step(step_id)
    if step is None:
        return None
    steps, graph = analysis.pipeline.steps, analysis.graph
    lines = [" · ".join([f"**{step_id}**", *(f"`{word}`" for word in (step.component, step.mode) if word)]), ""]
    if isinstance(node := step.get("description"), object) and (text := getattr(node, "text", "")):
        lines += [text, ""]
    waits = [f"`{steps[i].id}`" for i in graph.upstream[step.index]]
    if waits:
        implied = " (the step above: nothing else is said)" if step.index in graph.implicit else ""
        lines += [f"Waits for: {', '.join(waits)}{implied}", ""]
    if tables := graph.tables(step.index):
        lines += ["Tables: " + ", ".join(f"`{name}`" for name in tables), ""]
    followers = [f"`{steps[i].id}`" for i in graph.downstream(step.index)]
    if followers:
        lines.append(f"Its data is `{table_name(step_id)}` for: {', '.join(followers)}")
    return "\n".join(lines).strip()


def _placeholder(analysis: Analysis, cursor: Cursor) -> Hover | None:
    """The parameter or step inside a ``${...}`` that the cursor stands in."""
    if cursor.step is None or cursor.role not in (Role.VALUE, Role.TEXT, Role.ITEM):
        return None
    text = analysis.document.text
    lines = analysis.document.lines
    line = lines.line_span(lines.line_of(cursor.offset), text)
    for found in find_placeholders(text[line.start : line.end]):
        span = found.span.shift(line.start)
        if span.touches(cursor.offset):
            about = _param(analysis, found.name) if found.kind == "param" else _step(analysis, found.name)
            return Hover(span, about) if about else None
    return None


_SOURCES = {
    "given": "as given",
    "environment": "from the environment",
    "profile": "from the profile",
    "default": "the default",
}


def _param(analysis: Analysis, name: str) -> str | None:
    param = analysis.pipeline.params.get(name)
    if param is None:
        return None
    lines = [f"**params.{name}**" + (f" · {param.type}" if param.type else ""), ""]
    if param.description:
        lines += [param.description, ""]
    value = analysis.values.values.get(name)
    if param.sensitive:
        lines.append("This is a secret. Its value is never shown; the run gets it from the environment.")
    elif value is not None:
        lines.append(f"Value: {documentation.shown(value.value)}, {_SOURCES[value.source]}")
    else:
        lines.append("No value: it must be given when the pipeline is compiled or run.")
    for profile in analysis.pipeline.profiles.values():
        if name in profile.values and not param.sensitive:
            lines += ["", f"In profile `{profile.name}`: {documentation.shown(profile.values[name].value)}"]
    return "\n".join(lines).strip()
