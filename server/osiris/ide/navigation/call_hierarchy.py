"""Steps as a call hierarchy: a step "calls" those whose work it needs.

So the outgoing calls of a step are the steps that it waits for, and its incoming calls those that wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.language.symbols import step_names, symbol_at
from osiris.syntax.lookup import step_at
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.model import Step


@dataclass(frozen=True, slots=True)
class StepNode:
    """A step in the hierarchy: ``span`` is all of it and ``name_span``, which lies inside, its id."""

    index: int
    name: str
    detail: str
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """The other step, and the places in the one that waits which say so: an item of ``needs``, an input, a table.

    Where nothing says it (the step just stands below the other one) the place is the id of the step that waits.
    """

    node: StepNode
    places: tuple[Span, ...]


def step_node_at(analysis: Analysis, offset: int) -> StepNode | None:
    """The step that is named at ``offset`` (code points), else the one that the place belongs to."""
    symbol = symbol_at(analysis, offset)
    index = analysis.graph.by_id.get(symbol.name) if symbol is not None and symbol.kind == "step" else None
    steps = analysis.pipeline.steps
    if index is None:
        around = step_at(analysis.document, offset)
        index = around if around is not None and steps[around].span.touches(offset) else None
    return step_node(steps[index]) if index is not None else None


def step_node(step: Step) -> StepNode:
    """A step as a node."""
    anchor, span = step.anchor, step.span
    around = Span(min(span.start, anchor.start), max(span.end, anchor.end))
    detail = " · ".join(word for word in (step.component, step.mode) if word)
    return StepNode(step.index, step.id or f"step {step.index + 1}", detail, around, anchor)


def find_node(analysis: Analysis, name: str, index: int) -> StepNode | None:
    """A node that was given out for an earlier version of the document: the step with its name, else at its place."""
    steps = analysis.pipeline.steps
    found = analysis.graph.by_id.get(name, index if index < len(steps) and steps[index].id is None else None)
    return step_node(steps[found]) if found is not None else None


def incoming(analysis: Analysis, index: int) -> tuple[Call, ...]:
    """The steps that wait for the one at ``index``."""
    steps, graph = analysis.pipeline.steps, analysis.graph
    return tuple(Call(step_node(steps[i]), _places(analysis, steps[i], index)) for i in graph.downstream(index))


def outgoing(analysis: Analysis, index: int) -> tuple[Call, ...]:
    """The steps that the one at ``index`` waits for."""
    steps, graph = analysis.pipeline.steps, analysis.graph
    return tuple(Call(step_node(steps[i]), _places(analysis, steps[index], i)) for i in graph.upstream[index])


def _places(analysis: Analysis, waiting: Step, needed: int) -> tuple[Span, ...]:
    name = analysis.pipeline.steps[needed].id
    names = step_names(analysis, waiting.index)
    found = [own.span for own in names.symbols if own.kind == "step" and not own.writes and own.name == name]
    tables = {table.lower() for table, index in analysis.graph.tables(waiting.index).items() if index == needed}
    found += [own.span for own in names.sql if own.role == "table" and own.name.lower() in tables]
    return tuple(waiting.place(span) for span in dict.fromkeys(sorted(found))) or (waiting.anchor,)
