"""The comment that suppresses a finding, put where it is a comment and joined with the one that is there."""

from __future__ import annotations

from dataclasses import dataclass

from osiris.language.analysis import Analysis
from osiris.language.edits import line_end, line_start, newline_of
from osiris.language.suppression import crossing_scalar, find_suppressions
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, TextEdit
from osiris.syntax.document import Document
from osiris.syntax.lookup import part_at
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

# What is said about suppressions themselves is mended, not suppressed.
_ABOUT_SUPPRESSIONS = frozenset(("OML190", "OML191"))


@dataclass(frozen=True, slots=True)
class Ignore:
    """The edit that suppresses one finding."""

    title: str
    edit: TextEdit


def ignore(analysis: Analysis, diagnostic: Diagnostic) -> Ignore | None:
    """The comment for a finding of ``analysis``; None for findings that cannot be suppressed, and in broken text.

    The comment stands at the end of the line; in text of several lines at its header, or above where it starts, and
    then holds for all of that text.
    """
    code, document = CODES.get(diagnostic.code), analysis.document
    if code is None or not code.configurable or diagnostic.code in _ABOUT_SUPPRESSIONS:
        return None
    line = document.lines.line_of(diagnostic.span.start)
    joined = _join(document, line, diagnostic.code)
    if joined is not None:
        return Ignore(f"Ignore {diagnostic.code} here, too", joined)
    if not _is_intact(document, diagnostic.span.start):
        return None
    text = document.text
    start = line_start(text, diagnostic.span.start)
    holder = crossing_scalar(document, line_end(text, start))
    comment = f"# osiris: ignore[{diagnostic.code}]"
    if holder is None:
        return Ignore(f"Ignore {diagnostic.code} on this line", _behind(text, start, comment))
    title = f"Ignore {diagnostic.code} in this text"
    if holder.style in (Style.LITERAL, Style.FOLDED):
        return Ignore(title, _behind(text, holder.span.start, comment))
    above = _above(document, holder, comment)
    return Ignore(title, above) if above else None


def _join(document: Document, line: int, code: str) -> TextEdit | None:
    """The code in the list of a comment that covers the line already."""
    for suppression in find_suppressions(document):
        at = suppression.comment
        if suppression.first <= line <= suppression.last and document.text[at.start] == "#":
            end = at.end - 1
            while document.text[end - 1] in " \t,":
                end -= 1
            return TextEdit(Span(end, end), f", {code}")
    return None


def _is_intact(document: Document, offset: int) -> bool:
    """Whether the part around ``offset`` could be read, so that it is known where its strings end."""
    found = part_at(document, offset)
    return found is None or found[0].part.intact


def _behind(text: str, offset: int, comment: str) -> TextEdit:
    end = line_end(text, offset)
    while end > 0 and text[end - 1] in " \t":
        end -= 1
    gap = "" if end == line_start(text, offset) else "  "
    return TextEdit(Span(end, end), gap + comment)


def _above(document: Document, holder: Scalar, comment: str) -> TextEdit | None:
    text = document.text
    start = line_start(text, holder.span.start)
    before = crossing_scalar(document, start - 1) if start else None
    if before is not None and before.style not in (Style.LITERAL, Style.FOLDED):
        return None
    indent = text[start : start + len(text[start:]) - len(text[start:].lstrip(" "))]
    return TextEdit(Span(start, start), f"{indent}{comment}{newline_of(text)}")
