"""Mends: every fix of every finding, and all the certain ones at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis


_UNCLOSED = "OML003"


@dataclass(frozen=True, slots=True)
class QuickFix:
    """A fix and the finding it mends."""

    diagnostic: Diagnostic
    fix: Fix


@dataclass(frozen=True, slots=True)
class FixAll:
    """All preferred fixes of a document that do not stand in each other's way."""

    edits: tuple[TextEdit, ...]
    count: int


def quick_fixes(analysis: Analysis, span: Span) -> Iterator[QuickFix]:
    """The fixes of the findings that touch ``span``, the preferred ones of each finding first."""
    for diagnostic in analysis.diagnostics:
        if diagnostic.span.start <= span.end and span.start <= diagnostic.span.end:
            for fix in sorted(diagnostic.fixes, key=lambda fix: not fix.preferred):
                yield QuickFix(diagnostic, fix)


def fix_all(analysis: Analysis) -> FixAll | None:
    """The preferred fixes of this document; of two that overlap the first in the file is taken. None without any.

    What closes brackets and quotes at one place is put there together, the innermost first.
    """
    taken: list[tuple[TextEdit, Diagnostic]] = []
    count = 0
    for diagnostic in analysis.diagnostics:
        fix = next((fix for fix in diagnostic.fixes if fix.preferred and fix.path is None), None)
        if fix is None or any(_in_the_way(edit, diagnostic, *other) for edit in fix.edits for other in taken):
            continue
        there = {edit for edit, _ in taken}
        taken.extend((edit, diagnostic) for edit in fix.edits if edit not in there)
        count += 1
    # Editors put insertions at one place in the order of the list.
    taken.sort(key=lambda found: (found[0].span, -found[1].span.start))
    return FixAll(tuple(edit for edit, _ in taken), count) if taken else None


def _in_the_way(edit: TextEdit, mended: Diagnostic, other: TextEdit, other_mended: Diagnostic) -> bool:
    if edit == other:
        return False
    if edit.span == other.span and mended.code == other_mended.code == _UNCLOSED:
        return False
    empty = edit.span.start == edit.span.end or other.span.start == other.span.end
    if empty:
        return edit.span.start <= other.span.end and other.span.start <= edit.span.end
    return edit.span.start < other.span.end and other.span.start < edit.span.end
