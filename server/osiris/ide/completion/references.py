"""Names of other things in the document: steps in ``needs`` and ``inputs``, parameters in ``${params...}``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from osiris.ide.completion.suggestion import Completions, Item, ItemKind, Place
from osiris.ide.cursor import Role
from osiris.ide.documentation import shown
from osiris.ide.vocabulary import schema_at
from osiris.language.graph import Graph
from osiris.language.model import Step
from osiris.language.params import ParamValue
from osiris.syntax.text import Span

_OPEN = re.compile(r"\$\{([\w.\-]*)\Z")
_REST = re.compile(r"[\w.\-]*(\}?)")


def needed_steps(place: Place) -> Iterator[Item]:
    """The steps that this one may wait for: none that waits for it already, none named twice; the nearest first."""
    for other in _steps_before(place):
        yield Item(str(other.id), ItemKind.STEP, str(other.id), None, _detail(other))


def steps_with_data(place: Place) -> Iterator[Item]:
    """Those of them whose data this one may take: writers hand on none."""
    for other in _steps_before(place):
        if other.mode != "write":
            yield Item(str(other.id), ItemKind.STEP, str(other.id), None, _detail(other))


def _steps_before(place: Place) -> Iterator[Step]:
    step = place.cursor.step
    assert step is not None
    steps = place.analysis.pipeline.steps
    own = steps[step].shape.needs if step < len(steps) else ()  # broken text may hold fewer steps than its lines say
    listed = {need.id for need in own or () if need.id != place.cursor.text}
    after = _waiting_for(step, place.analysis.graph)
    for other in sorted(steps, key=lambda s: (s.index > step, abs(s.index - step))):
        if other.index != step and other.index not in after and other.id and other.id not in listed:
            yield other


def step_outputs(place: Place) -> Iterator[Item]:
    """The data of other steps, as ``inputs`` names them."""
    for item in steps_with_data(place):
        text = f"${{{item.label}.df}}"
        yield Item(text, ItemKind.STEP, text if place.cursor.quote else f'"{text}"', None, item.detail, filter=text)


def _waiting_for(step: int, graph: Graph) -> set[int]:
    """All steps that wait for this one, directly or not."""
    followers: dict[int, list[int]] = {}
    for index, ups in enumerate(graph.upstream):
        for up in ups:
            followers.setdefault(up, []).append(index)
    found: set[int] = set()
    todo = [step]
    while todo:
        for follower in followers.get(todo.pop(), ()):
            if follower not in found:
                found.add(follower)
                todo.append(follower)
    return found


def _detail(step: Step) -> str:
    return " · ".join(word for word in (step.component, step.mode) if word)


def param_references(place: Place) -> Iterator[Item]:
    """The parameters, as a whole value in a config."""
    schema = schema_at(place.cursor.path, place.spec)
    if schema is not None and "x-osiris-sql" in schema and not place.cursor.quote:
        return  # a query is written in a block, and parameters inside it come with `${`
    for item in _params(place):
        text = f"${{{item.label}}}"
        yield Item(text, ItemKind.PARAM, text if place.cursor.quote else f'"{text}"', None, item.detail, filter=text)


def placeholder(place: Place) -> Completions | None:
    """Suggestions inside a ``${`` that is being typed in a string of a step; None elsewhere."""
    cursor, text = place.cursor, place.analysis.document.text
    if cursor.step is None or cursor.role not in (Role.VALUE, Role.TEXT, Role.ITEM, Role.KEY):
        return None
    line_start = max(text.rfind("\n", 0, cursor.offset), text.rfind("\r", 0, cursor.offset)) + 1
    opened = _OPEN.search(text, line_start, cursor.offset)
    if opened is None:
        return None
    rest = _REST.match(text, cursor.offset)
    assert rest is not None
    span = Span(opened.start(1), rest.end())
    if cursor.within[:1] == ("inputs",):
        items = [
            Item(f"{item.label}.df", ItemKind.STEP, f"{item.label}.df}}", None, item.detail)
            for item in steps_with_data(place)
        ]
    elif cursor.within[:1] == ("config",):
        items = list(_params(place))
    else:
        return None
    return Completions(span, tuple(items)) if items else None


def _params(place: Place) -> Iterator[Item]:
    values = place.analysis.values.values
    for name, param in place.analysis.pipeline.params.items():
        value = values.get(name)
        detail = "secret" if param.sensitive else _value(value) if value is not None else param.type or ""
        yield Item(f"params.{name}", ItemKind.PARAM, f"params.{name}}}", None, detail)


def _value(value: ParamValue) -> str:
    """The value, unless it comes from outside: what stands in an environment is not shown around."""
    return "from the environment" if value.source == "environment" else shown(value.value)
