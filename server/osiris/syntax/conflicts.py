"""Merge conflict markers: the other side is hidden from the reader, so that one side stays a whole document."""

from __future__ import annotations

import re

from osiris.syntax.diagnostic import Diagnostic, Fix, Severity, TextEdit
from osiris.syntax.text import Span

_MARKER = re.compile(r"^(?:(<{7})(?: [^\n]*)?|(\|{7})(?: [^\n]*)?|(={7})|(>{7})(?: [^\n]*)?)(?:\n|\Z)", re.MULTILINE)
_MOST = 100  # conflicts that are searched for stray markers inside them
_NOT_LINE_END = re.compile(r"[^\r\n]")


def has_conflicts(text: str) -> bool:
    """Whether a look for markers is worth while."""
    return "<<<<<<<" in text or ">>>>>>>" in text or "\n=======" in text


def hide_conflicts(text: str, lines: str) -> tuple[str, list[Diagnostic]]:
    """``text`` with markers and the second side of each conflict blanked at equal length, and what to say of them.

    ``lines`` is the same text with all line ends written as ``\\n``.
    """
    hidden: list[Span] = []
    found: list[Diagnostic] = []
    stray: list[re.Match[str]] = []
    ours: re.Match[str] | None = None
    base: re.Match[str] | None = None
    theirs: re.Match[str] | None = None
    for marker in _MARKER.finditer(lines):
        if marker.group(4) and ours and theirs:
            hidden += [Span(*ours.span()), Span((base or theirs).start(), marker.end())]
            found.append(_conflict(text, ours, base, theirs, marker))
            ours = base = theirs = None
        elif marker.group(1):
            stray += [m for m in (ours, base, theirs) if m]
            ours, base, theirs = marker, None, None
        elif marker.group(2) and ours and not (base or theirs):
            base = marker
        elif marker.group(3) and ours and not theirs:
            theirs = marker
        else:
            stray.append(marker)
    stray += [m for m in (ours, base, theirs) if m]
    conflicts = list(hidden)
    for marker in stray:
        if not any(span.start <= marker.start() < span.end for span in conflicts[:_MOST]):
            found.append(_stray(marker))
        hidden.append(Span(*marker.span()))
    pieces: list[str] = []
    at = 0
    for span in sorted(hidden):
        if span.end <= at:
            continue
        start = max(at, span.start)
        pieces += [text[at:start], _NOT_LINE_END.sub(" ", text[start : span.end])]
        at = span.end
    return "".join([*pieces, text[at:]]), found


def _conflict(
    text: str, ours: re.Match[str], base: re.Match[str] | None, theirs: re.Match[str], end: re.Match[str]
) -> Diagnostic:
    cut = (base or theirs).start()
    first = TextEdit(Span(*ours.span()), "")
    keep_first = (first, TextEdit(Span(cut, end.end()), ""))
    keep_second = (TextEdit(Span(ours.start(), theirs.end()), ""), TextEdit(Span(*end.span()), ""))
    return Diagnostic(
        "OML001",
        Span(ours.start(), ours.start() + len(ours.group().rstrip("\n"))),
        "A merge left both sides of a conflict in this file; the first side is read. Keep one of them.",
        Severity.ERROR,
        (Fix("Keep the first side", keep_first), Fix("Keep the second side", keep_second)),
    )


def _stray(marker: re.Match[str]) -> Diagnostic:
    return Diagnostic(
        "OML001",
        Span(marker.start(), marker.start() + len(marker.group().rstrip("\n"))),
        "This conflict marker was left behind by a merge and has no counterpart. Remove the line.",
        Severity.ERROR,
        (Fix("Remove the line", (TextEdit(Span(*marker.span()), ""),)),),
    )
