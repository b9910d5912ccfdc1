"""Mends: every fix of every finding, all the certain ones of one code, and all of a document."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from osiris.ide.fixes.edit_log import EditLog
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.text import Span

_UNCLOSED = "OML003"
# A mend may bring to light what the next one mends; more than this are no chain but a circle.
_MOST_ROUNDS = 20


class Checked(Protocol):
    """A document of any kind that was checked: an analysis, the connections, the settings."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings, sorted by place."""
        ...


@dataclass(frozen=True, slots=True)
class QuickFix:
    """A fix and the finding it mends."""

    diagnostic: Diagnostic
    fix: Fix


@dataclass(frozen=True, slots=True)
class FixAll:
    """The preferred fixes of a document that do not stand in each other's way, and how many they are."""

    edits: tuple[TextEdit, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """A finding with a preferred fix, and how many of its code a document has."""

    diagnostic: Diagnostic
    count: int


def touched(checked: Checked, span: Span) -> Iterator[Diagnostic]:
    """The findings that touch ``span``."""
    for diagnostic in checked.diagnostics:
        if diagnostic.span.start <= span.end and span.start <= diagnostic.span.end:
            yield diagnostic


def quick_fixes(checked: Checked, span: Span) -> Iterator[QuickFix]:
    """The fixes of the findings that touch ``span``, the preferred ones of each finding first."""
    for diagnostic in touched(checked, span):
        for fix in sorted(diagnostic.fixes, key=lambda fix: not fix.preferred):
            yield QuickFix(diagnostic, fix)


def repeated(checked: Checked, span: Span) -> Iterator[Repeated]:
    """Findings at ``span`` with a preferred fix, of codes of which the document has more such findings."""
    here = {d.code: d for d in touched(checked, span) if preferred_fix(d)}
    for code, diagnostic in here.items():
        count = sum(1 for other in checked.diagnostics if other.code == code and preferred_fix(other))
        if count > 1:
            yield Repeated(diagnostic, count)


def preferred_fix(diagnostic: Diagnostic) -> Fix | None:
    """The fix of a finding that is right without a choice and stays in the document."""
    return next((fix for fix in diagnostic.fixes if fix.preferred and fix.path is None), None)


def fix_all(
    checked: Checked,
    text: str = "",
    recheck: Callable[[str], Checked] | None = None,
    *,
    code: str | None = None,
) -> FixAll | None:
    """The preferred fixes of a document (of one ``code``); of two that overlap the first in the file is taken.

    With ``recheck`` (what checks a changed ``text``) they are applied again and again until none is left, so that the
    result needs no second time. None without any.
    """
    found = _round(checked, code)
    if found is None or recheck is None:
        return found
    log, seen, count = EditLog(text), {text}, 0
    for _ in range(_MOST_ROUNDS):
        log.apply(found.edits)
        count += found.count
        following = None if log.text in seen else _round(recheck(log.text), code)
        if following is None:
            break
        seen.add(log.text)
        found = following
    edits = log.edits()
    return FixAll(edits, count) if edits else None


def _round(checked: Checked, code: str | None) -> FixAll | None:
    """What can be applied at once. What closes brackets and quotes at one place is put there together, the innermost
    first."""
    taken: list[tuple[Span, TextEdit, Diagnostic]] = []  # sorted, and so are their ends: they do not overlap
    there: set[TextEdit] = set()
    count = 0
    for diagnostic in checked.diagnostics:
        fix = preferred_fix(diagnostic) if code in (None, diagnostic.code) else None
        if fix is None or any(_has_no_room(edit, diagnostic, taken) for edit in fix.edits if edit not in there):
            continue
        for edit in fix.edits:
            if edit not in there:
                there.add(edit)
                insort(taken, (edit.span, edit, diagnostic), key=lambda one: one[0])
        count += 1
    # Editors put insertions at one place in the order of the list.
    taken.sort(key=lambda found: (found[0], -found[2].span.start))
    return FixAll(tuple(edit for _, edit, _ in taken), count) if taken else None


def _has_no_room(edit: TextEdit, mended: Diagnostic, taken: list[tuple[Span, TextEdit, Diagnostic]]) -> bool:
    first = bisect_left(taken, edit.span.start, key=lambda one: one[0].end)
    for _, other, other_mended in taken[first:]:
        if other.span.start > edit.span.end:
            return False
        if _in_the_way(edit, mended, other, other_mended):
            return True
    return False


def _in_the_way(edit: TextEdit, mended: Diagnostic, other: TextEdit, other_mended: Diagnostic) -> bool:
    if edit.span == other.span and mended.code == other_mended.code == _UNCLOSED:
        return False
    empty = edit.span.start == edit.span.end or other.span.start == other.span.end
    if empty:
        return edit.span.start <= other.span.end and other.span.start <= edit.span.end
    return edit.span.start < other.span.end and other.span.start < edit.span.end
