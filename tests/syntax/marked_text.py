"""Texts whose ranges of findings stand between ⟦ and ⟧, and what is asked of documents made of them."""

from __future__ import annotations

import re

from osiris.syntax.diagnostic import Fix
from osiris.syntax.document import Document
from osiris.syntax.text import Span
from osiris.syntax.tree import Plain, to_plain

Case = tuple[str, Plain, list[str]]
"""The text of a step with its marks, what is kept of it, and the codes of the findings in order."""

FIRST = "name: demo\nsteps:\n  - id: first\n    component: a.b\n"
LAST = "  - id: last\n    mode: read\n"


def unmark(marked: str, base: int) -> tuple[str, list[Span]]:
    """The text without its marks, and the marked ranges in a document where it starts at ``base``."""
    spans: list[Span] = []
    start = 0
    for removed, mark in enumerate(re.finditer("[⟦⟧]", marked)):
        at = mark.start() - removed + base
        if mark.group() == "⟦":
            start = at
        else:
            spans.append(Span(start, at))
    return re.sub("[⟦⟧]", "", marked), spans


def steps_of(document: Document) -> list[Plain]:
    return [to_plain(placed.part.node) for placed in document.steps]


def preferred_fixes(document: Document) -> list[Fix]:
    return [fix for one in document.diagnostics for fix in one.fixes if fix.preferred]


def apply(text: str, fixes: list[Fix]) -> str:
    edits = sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: edit.span, reverse=True)
    for edit in edits:
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text
