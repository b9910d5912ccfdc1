"""What the agent can be asked to do at a place of a pipeline, and the words it is asked in.

A task is found again when it is chosen: its words are made from the document as it is then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from osiris.ide.fixes.quick_fixes import touched
from osiris.language.analysis import Analysis
from osiris.language.model import Step
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.document import Document
from osiris.syntax.text import Span

_MOST_FINDINGS = 20
_FEWEST_WORDS = 2


class Task(StrEnum):
    """What is asked for. The values are what a client names it by."""

    FIX = "fix"
    EXPLAIN = "explain"
    WRITE_STEP = "writeStep"
    GENERATE = "generate"


@dataclass(frozen=True, slots=True)
class ChatTask:
    """``title`` is what the user picks, ``message`` what the agent is asked. ``diagnostic``: the finding it is for."""

    task: Task
    title: str
    message: str
    diagnostic: Diagnostic | None = None


def chat_tasks(analysis: Analysis, span: Span) -> Iterator[ChatTask]:
    """The tasks at ``span`` (code points of the document)."""
    document = analysis.document
    if document.empty:
        yield _generate(document)
        return
    findings = list(islice(touched(analysis, span), _MOST_FINDINGS))
    if findings:
        told = "\n".join(f"- line {_line(document, f.span.start)}: {f.code} {f.message}" for f in findings)
        message = f"Fix these findings of the open pipeline with as small a change as possible:\n{told}"
        yield ChatTask(Task.FIX, "Fix with Osiris", message, findings[0])
        asked = f"Explain these findings of the open pipeline, and what to do about them. Change nothing.\n{told}"
        yield ChatTask(Task.EXPLAIN, "Explain with Osiris", asked, findings[0])
    step = _step_at(analysis, span)
    wish = _wish_at(document, span)
    if wish is not None:
        line, text = wish
        message = (
            f"In the open pipeline, write the step that the comment in line {line} asks for, at that place, and change "
            f"nothing else. The comment says:\n{text}"
        )
        yield ChatTask(Task.WRITE_STEP, "Write this step with Osiris", message)
    elif step is not None and step.component is None:
        name = f"the step `{step.id}`" if step.id else "the step"
        line = _line(document, _start(step))
        message = f"In the open pipeline, {name} in line {line} is not written yet. Write it, and change nothing else."
        yield ChatTask(Task.WRITE_STEP, "Write this step with Osiris", message)
    if step is not None and not findings:
        name = f"the step `{step.id}`" if step.id else "the step"
        where = _line(document, _start(step))
        message = f"Explain what {name} in line {where} of the open pipeline does. Change nothing."
        yield ChatTask(Task.EXPLAIN, "Explain with Osiris", message)


def _start(step: Step) -> int:
    return step.base + step.shape.span.start


def _generate(document: Document) -> ChatTask:
    wish = "\n".join(document.text[span.start : span.end].strip("# \t\r\n") for span in document.comments()).strip()
    message = (
        f"Write the pipeline that these comments of the empty document ask for:\n{wish}"
        if wish
        else "The document is empty. Look at the connections of the project, and let me choose, in one question, which "
        "pipeline to write into it."
    )
    return ChatTask(Task.GENERATE, "Generate pipeline with Osiris", message)


def _step_at(analysis: Analysis, span: Span) -> Step | None:
    """The step that the span touches; its first line counts from the dash."""
    for step in analysis.pipeline.steps:
        begin, end = _start(step), step.base + step.shape.span.end
        if analysis.document.text.rfind("\n", 0, begin) < span.end and span.start <= end:
            return step
    return None


def _wish_at(document: Document, span: Span) -> tuple[int, str] | None:
    """Line (from 1) and words of the block of comments that the span touches, each on a line of its own."""
    comments = [c for c in document.comments() if not _before(document, c).strip()]
    lines = {_line(document, c.start): document.text[c.start : c.end].strip("# \t\r\n") for c in comments}
    here = next(
        (_line(document, c.start) for c in comments if _line_start(document, c) <= span.end and span.start <= c.end),
        None,
    )
    if here is None:
        return None
    first = last = here
    while first - 1 in lines:
        first -= 1
    while last + 1 in lines:
        last += 1
    text = "\n".join(lines[n] for n in range(first, last + 1)).strip()
    return (first, text) if len(text.split()) >= _FEWEST_WORDS else None


def _before(document: Document, comment: Span) -> str:
    """What stands before a comment on its line."""
    return document.text[_line_start(document, comment) : comment.start]


def _line_start(document: Document, comment: Span) -> int:
    return document.text.rfind("\n", 0, comment.start) + 1


def _line(document: Document, offset: int) -> int:
    return document.lines.line_column(offset)[0] + 1
