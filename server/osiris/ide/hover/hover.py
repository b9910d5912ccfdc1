"""What the thing under the cursor is: a component, a key, a connection, a parameter, a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from osiris.ide import documentation
from osiris.ide.code_lenses import step_title
from osiris.ide.cursor import Cursor, Role, cursor_at
from osiris.ide.hover.names import about_name
from osiris.ide.hover.sql import about_result, about_sql
from osiris.ide.hover.texts import about_config_key, about_param, about_step
from osiris.ide.navigation.table_places import table_at_cursor
from osiris.ide.vocabulary import Path
from osiris.language.placeholders import find_placeholders
from osiris.language.suppression import find_suppressions
from osiris.language.symbols import symbol_at
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.ide.code_lenses import RunResult
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment
    from osiris.language.model import Step


@dataclass(frozen=True, slots=True)
class Hover:
    """A Markdown text about what stands in ``span``; ``step`` is the id of the step that it is about, if it is."""

    span: Span
    markdown: str
    step: str | None = None


def with_last_run(found: Hover, run: RunResult | None) -> Hover:
    """The hover of a step with what became of it in the last run of the pipeline."""
    result = run.steps.get(found.step) if run is not None and found.step is not None else None
    title = step_title(result) if result is not None else ""
    return replace(found, markdown=f"{found.markdown}\n\nLast run: {title}") if title else found


def hover(analysis: Analysis, env: Environment, offset: int) -> Hover | None:
    """What to say about the place at ``offset`` (code points); None where there is nothing to say."""
    cursor = cursor_at(analysis.document, offset)
    step = _step_of(analysis, cursor)
    spec = analysis.specs[step.index] if step is not None else None
    inside = _code(analysis, cursor) or _placeholder(analysis, env, cursor) or _in_sql(analysis, env, cursor)
    if inside is not None:
        return inside
    if cursor.token.start == cursor.token.end:
        return None
    text: str | None = None
    if cursor.role is Role.KEY:
        text = about_param(analysis, env, cursor.text) if _holds_params(cursor) else None
        text = text or _key(step, spec, (*cursor.path, cursor.text), env)
    elif cursor.role in (Role.VALUE, Role.ITEM):
        if cursor.within[:1] in (("id",), ("needs",)) and cursor.step is not None:
            return _step(analysis, cursor.token, cursor.text)
        if (named := table_at_cursor(analysis, env, cursor)) is not None:
            return Hover(named.origin, named.markdown())
        if (text := about_name(analysis, env, cursor, spec)) is not None:
            return Hover(cursor.token, text)
        text = _value(env, cursor, step, spec)
    return Hover(cursor.token, text) if text else None


def _key(step: Step | None, spec: ComponentSpec | None, path: Path, env: Environment) -> str | None:
    if step is not None and spec is not None and len(path) == 4 and path[2] == "config":
        return about_config_key(step, spec, str(path[3]), env)
    return documentation.of_key(path, spec)


def _step(analysis: Analysis, span: Span, step_id: str) -> Hover | None:
    text = about_step(analysis, step_id)
    return Hover(span, text, step_id) if text else None


def _step_of(analysis: Analysis, cursor: Cursor) -> Step | None:
    steps = analysis.pipeline.steps
    return steps[cursor.step] if cursor.step is not None and cursor.step < len(steps) else None


def _holds_params(cursor: Cursor) -> bool:
    """Whether the keys around are names of parameters: where they are declared, or in a profile."""
    return cursor.path == ("params",) or (cursor.path[:1] == ("profiles",) and cursor.path[2:] == ("params",))


def _value(env: Environment, cursor: Cursor, step: Step | None, spec: ComponentSpec | None) -> str | None:
    if cursor.step is not None:
        match cursor.within:
            case ("component",):
                return _component(env, cursor.text)
            case ("config", "connection"):
                return _connection(env, cursor.text)
    return _key(step, spec, cursor.path, env)


def _component(env: Environment, name: str) -> str | None:
    spec = env.registry.get(name)
    if spec is None:
        return None
    file = env.registry.file_of(name)
    link = f"\n\n[Its specification]({file.as_uri()})" if file is not None else ""
    return documentation.of_component(spec) + link


def _connection(env: Environment, reference: str) -> str | None:
    family, _, alias = reference.removeprefix("@").partition(".")
    known = env.connections
    connection = known.families.get(family, {}).get(alias) if known is not None else None
    if connection is None:
        return None
    fields = env.registry.connection_fields(family)
    secret = {name for name, schema in fields.items() if schema.get("x-secret")}
    return documentation.of_connection(connection, secret, env)


def _placeholder(analysis: Analysis, env: Environment, cursor: Cursor) -> Hover | None:
    """The parameter or step inside a ``${...}`` that the cursor stands in."""
    if cursor.step is None or cursor.role not in (Role.VALUE, Role.TEXT, Role.ITEM):
        return None
    text = analysis.document.text
    lines = analysis.document.lines
    line = lines.line_span(lines.line_of(cursor.offset), text)
    for found in find_placeholders(text[line.start : line.end]):
        span = found.span.shift(line.start)
        if span.touches(cursor.offset):
            if found.kind != "param":
                return _step(analysis, span, found.name)
            about = about_param(analysis, env, found.name)
            return Hover(span, about) if about else None
    return None


def _in_sql(analysis: Analysis, env: Environment, cursor: Cursor) -> Hover | None:
    """The step whose data a table name in a query is; else what the name at the cursor means to the query."""
    if cursor.step is None:
        return None
    symbol = symbol_at(analysis, cursor.offset)
    if symbol is not None and symbol.kind == "step":
        if cursor.within[:1] != ("config",) or cursor.role not in (Role.VALUE, Role.TEXT):
            return None
        found = _step(analysis, symbol.span, symbol.name)
        index = analysis.graph.by_id.get(symbol.name)
        if found is None or index is None:
            return found
        return replace(found, markdown=found.markdown + about_result(analysis, env, index))
    about = about_sql(analysis, env, cursor)
    return Hover(*about) if about is not None else None


def _code(analysis: Analysis, cursor: Cursor) -> Hover | None:
    """The code in a comment that suppresses findings."""
    if cursor.role not in (Role.NOTHING, Role.TEXT):
        return None
    for found in find_suppressions(analysis.document):
        if found.span.touches(cursor.offset):
            text = documentation.of_code(found.code)
            return Hover(found.span, text) if text else None
    return None
