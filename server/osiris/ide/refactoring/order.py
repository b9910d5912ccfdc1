"""Rewriting the order of steps: implicit needs made explicit, and steps sorted so that each stands behind its needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from osiris.ide.refactoring.catalogue import REWRITE, Asked, Refactoring
from osiris.ide.tree_place import TreePlace, tree_place
from osiris.language.analysis import Analysis
from osiris.language.edits import insert_key, scalar_text
from osiris.language.model import Step
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Sequence


def rewrite(asked: Asked) -> Iterator[Refactoring]:
    """Explicit needs of one step and of all, and sorting, where the cursor is among the steps but in no config."""
    analysis = asked.analysis
    place = tree_place(analysis, asked.span.start)
    if not _among_steps(analysis, place, asked.span.start):
        return
    step = place.step if place else None
    if step is not None and (edit := explicit_need(analysis, step)):
        before = analysis.pipeline.steps[step.index - 1].id
        yield Refactoring(REWRITE, f"Say that `{step.id or 'this step'}` needs `{before}`", lambda: (edit,))
    implicit = [
        s for index in sorted(analysis.graph.implicit) if _can_name_need(analysis, s := analysis.pipeline.steps[index])
    ]
    if len(implicit) > 1:
        title = f"Say what every step needs ({len(implicit)} steps)"
        yield Refactoring(REWRITE, title, lambda: tuple(e for s in implicit if (e := explicit_need(analysis, s))))
    if _can_sort(analysis):
        yield Refactoring(REWRITE, "Sort the steps by what they need", lambda: sort_steps(analysis))


def _among_steps(analysis: Analysis, place: TreePlace | None, offset: int) -> bool:
    entry = analysis.document.steps_entry
    if entry is not None and entry[1].key.span.shift(entry[0]).touches(offset):
        return True
    if place is None or place.step is None:
        return False
    return len(place.path) < 2 or place.path[0] in ("needs", "inputs")


# -- needs -------------------------------------------------------------------------------------------------------------


def _can_name_need(analysis: Analysis, step: Step) -> bool:
    """Whether the step before can be named, and the step is written so that a key can be put in."""
    before = analysis.pipeline.steps[step.index - 1]
    mapping = step.shape.mapping
    named = before.id is not None and analysis.graph.by_id.get(before.id) == before.index
    return named and step.shape.part.intact and mapping is not None and not mapping.synthetic


def explicit_need(analysis: Analysis, step: Step) -> TextEdit | None:
    """What makes a step's implicit need of the step before it explicit; None where it has none."""
    if step.index not in analysis.graph.implicit or not _can_name_need(analysis, step):
        return None
    return needs_edit(step, (analysis.pipeline.steps[step.index - 1].id or "",))


def needs_edit(step: Step, ids: tuple[str, ...]) -> TextEdit | None:
    """``needs`` with these ids in a step that has none, or an empty one."""
    mapping, text = step.shape.mapping, step.shape.part.text
    if mapping is None:
        return None
    value = f"[{', '.join(map(scalar_text, ids))}]"
    entry = mapping.entry("needs")
    if entry is None:
        edit = insert_key(text, mapping, "needs", value, after=mapping.entry("mode") or mapping.entry("component"))
    elif not entry.has_colon or entry.synthetic or isinstance(entry.value, Sequence):
        return None
    elif entry.value.span.end > entry.value.span.start:
        edit = TextEdit(entry.value.span, value)
    else:
        at = text.index(":", entry.key.span.end) + 1
        edit = TextEdit(Span(at, at), f" {value}")
    return TextEdit(step.place(edit.span), edit.new_text) if edit else None


# -- sorting -----------------------------------------------------------------------------------------------------------

# What may make the lines behind a step part of its last value, and marks that must stay in front of what uses them.
_KEEPS_LINES = re.compile(r"[|>]\d?\+")
_ANCHOR = re.compile(r"(?:^|[\s,\[{])&\S")


def _can_sort(analysis: Analysis) -> bool:
    """Whether the steps are out of order, and each is whole, in block style, and can be moved."""
    graph, steps, document = analysis.graph, analysis.pipeline.steps, analysis.document
    if graph.order == tuple(range(len(steps))) or graph.cycles or len({step.base for step in steps}) < len(steps):
        return False
    if any(finding.code < "OML1" for finding in document.diagnostics):
        return False
    text = document.text
    if _ANCHOR.search(text, steps[0].base) or _KEEPS_LINES.search(text, steps[0].base):
        return False
    if steps[-1].base + len(steps[-1].shape.part.text) == len(text) and not text.endswith(("\n", "\r")):
        return False  # what the last line is worth may change with the line end that it gets
    return all(_is_movable(analysis, step) for step in steps)


def _is_movable(analysis: Analysis, step: Step) -> bool:
    mapping, named = step.shape.mapping, step.id is not None and analysis.graph.by_id.get(step.id) == step.index
    return named and step.shape.part.intact and mapping is not None and not mapping.synthetic


def sort_steps(analysis: Analysis) -> tuple[TextEdit, ...]:
    """The steps in the order in which they could run, each with the comments right above it and in it.

    Blank lines and comments that stand apart stay where they are. A step that waits for the one before it without
    saying so says so where it would come to stand behind another.
    """
    graph, steps, text = analysis.graph, analysis.pipeline.steps, analysis.document.text
    chunks = _chunks(analysis)
    edits: list[TextEdit] = []
    for position, index in enumerate(graph.order):
        chunk = chunks[index]
        body = text[chunk.start : chunk.end]
        before = graph.order[position - 1] if position else None
        wanted = _unsaid_needs(analysis, steps[index], before)
        if wanted is not None:
            need = needs_edit(steps[index], wanted)
            if need is None:
                return ()
            start, end = need.span.start - chunk.start, need.span.end - chunk.start
            body = body[:start] + need.new_text + body[end:]
        place = chunks[position]
        if text[place.start : place.end] != body:
            edits.append(TextEdit(place, body))
    return tuple(edits)


def _unsaid_needs(analysis: Analysis, step: Step, before: int | None) -> tuple[str, ...] | None:
    """What a step that says no needs has to say when it stands behind the step ``before``; None when nothing."""
    if step.index in analysis.graph.implicit:
        return None if before == step.index - 1 else (analysis.pipeline.steps[step.index - 1].id or "",)
    unsaid = step.shape.needs is None and step.shape.inputs is None
    return () if unsaid and before is not None else None


def _chunks(analysis: Analysis) -> list[Span]:
    """The text of each step without its last line end: from the comments right above its dash to its last line."""
    document, steps = analysis.document, analysis.pipeline.steps
    text, lines = document.text, document.lines
    chunks: list[Span] = []
    first_free = lines.line_of(document.steps_entry[0]) + 1 if document.steps_entry else 0
    column = text.index("-", steps[0].base) - steps[0].base
    for step in steps:
        first = lines.line_of(step.base)
        last = lines.line_of(step.base + len(step.shape.part.text) - 1)
        while last > first and _is_apart(text, lines.line_span(last, text), column):
            last -= 1
        while first > first_free and _is_comment(text, lines.line_span(first - 1, text), column):
            first -= 1
        first_free = last + 1
        chunks.append(Span(lines.starts[first], lines.line_span(last, text).end))
    return chunks


def _is_apart(text: str, line: Span, column: int) -> bool:
    """Whether a line behind a step is none of its own: blank, or a comment that stands no deeper than its dash."""
    return not text[line.start : line.end].strip() or _is_comment(text, line, column)


def _is_comment(text: str, line: Span, column: int) -> bool:
    content = text[line.start : line.end]
    return content.lstrip(" ").startswith("#") and len(content) - len(content.lstrip(" ")) <= column
