"""Mends: every fix of every finding, and all the certain ones at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis


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
    """The preferred fixes of this document; of two that overlap the first in the file is taken. None without any."""
    taken: list[TextEdit] = []
    count = 0
    for diagnostic in analysis.diagnostics:
        fix = next((fix for fix in diagnostic.fixes if fix.preferred and fix.path is None), None)
        if fix is None or any(_overlap(edit, other) for edit in fix.edits for other in taken):
            continue
        taken.extend(edit for edit in fix.edits if edit not in taken)
        count += 1
    return FixAll(tuple(sorted(taken, key=lambda edit: edit.span)), count) if taken else None


def _overlap(edit: TextEdit, other: TextEdit) -> bool:
    if edit == other:
        return False
    empty = edit.span.start == edit.span.end or other.span.start == other.span.end
    if empty:
        return edit.span.start <= other.span.end and other.span.start <= edit.span.end
    return edit.span.start < other.span.end and other.span.start < edit.span.end
