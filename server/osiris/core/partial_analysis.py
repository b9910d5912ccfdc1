"""The part of an analysed pipeline that one step needs, and what was found in it."""

from __future__ import annotations

from collections.abc import Collection

from osiris.language.analysis import Analysis
from osiris.syntax.diagnostic import Diagnostic


def steps_up_to(analysis: Analysis, step: str) -> frozenset[int] | None:
    """The step of that id and all that it waits for, directly or not, by index; None when there is no such step."""
    start = analysis.graph.by_id.get(step)
    if start is None:
        return None
    found: set[int] = set()
    todo = [start]
    while todo:
        index = todo.pop()
        if index not in found:
            found.add(index)
            todo += (*analysis.graph.upstream[index], *analysis.graph.data_inputs[index].values())
    return frozenset(found)


def findings_for(analysis: Analysis, only: Collection[int]) -> tuple[Diagnostic, ...]:
    """What was found that concerns the steps ``only``.

    What stands in other steps does not; but text that is no YAML does, since nobody knows where it was to end, and so
    does another step of the same id.
    """
    steps = analysis.pipeline.steps
    ids = {steps[index].id for index in only}
    others = [step.span for step in steps if step.index not in only and step.id not in ids]
    return tuple(
        found
        for found in analysis.diagnostics
        if found.code.startswith("OML0")
        or not any(span.start <= found.span.start and found.span.end <= span.end for span in others)
    )
