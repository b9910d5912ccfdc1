"""What an editor can show between the words: what a step waits for without saying so, and values of parameters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.documentation import shown
from osiris.ide.refactoring.order import explicit_need
from osiris.language.edits import line_end
from osiris.language.naming import table_name
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.model import Step

_LONGEST_VALUE = 30


@dataclass(frozen=True, slots=True)
class Hint:
    """A word or two to show at ``offset``, with a blank in front.

    ``before`` and ``name`` are the text; ``target`` is the place that the name leads to. ``edit`` writes into the
    document what the hint says, where that can be done.
    """

    offset: int
    before: str
    name: str
    target: Span | None
    tooltip: str
    edit: TextEdit | None = None


def implicit_needs(analysis: Analysis, within: Span) -> Iterator[Hint]:
    """A hint at each step in ``within`` that waits for the step above because it does not say what it needs."""
    for step in _steps(analysis, within):
        if step.index not in analysis.graph.implicit:
            continue
        above = analysis.pipeline.steps[step.index - 1]
        at = _place(analysis, step)
        if above.id is None or not within.start <= at <= within.end:
            continue
        text = f"This step does not say what it needs, so it waits for the one above, `{above.id}`."
        if above.index in analysis.graph.data[step.index]:
            text += f" The data of that is the table `{table_name(above.id)}` here."
        yield Hint(at, "needs: ", above.id, above.anchor, text, explicit_need(analysis, step))


def param_values(analysis: Analysis, within: Span) -> Iterator[Hint]:
    """A hint behind each ``${params.x}`` in ``within`` with the value that counts. Secrets have none."""
    for step in _steps(analysis, within):
        text = step.shape.part.text
        for held in step.shape.placeholders:
            if held.found.kind != "param" or held.scalar.synthetic:
                continue
            param = analysis.pipeline.params.get(held.found.name)
            value = analysis.values.values.get(held.found.name)
            at = step.base + SourceMap(held.scalar, text).span(*held.found.span).end
            if param is None or value is None or param.sensitive or not within.start <= at <= within.end:
                continue
            written = shown(value.value).strip("`")
            short = written if len(written) <= _LONGEST_VALUE else written[: _LONGEST_VALUE - 1] + "…"
            yield Hint(at, "= ", short, param.key, "")


def _steps(analysis: Analysis, within: Span) -> tuple[Step, ...]:
    """The steps that touch ``within``."""
    steps = analysis.pipeline.steps
    first = bisect_right(steps, within.start, key=lambda step: step.span.start) - 1
    last = bisect_left(steps, within.end + 1, key=lambda step: step.span.start)
    return steps[max(first, 0) : last]


def _place(analysis: Analysis, step: Step) -> int:
    node = step.shape.id_node
    if node is not None and step.id is not None and not node.synthetic:
        return step.base + node.span.end
    return line_end(analysis.document.text, step.anchor.start)
