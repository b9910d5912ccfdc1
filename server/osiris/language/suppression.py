"""``# osiris: ignore[OML504]``: on a line, or alone on the line above; in SQL also ``-- osiris: ignore[OML405]``.

On (or above) the line where a block of text starts, as in ``query: |``, the comment holds for the whole block; above a
text in quotes or without that goes on over several lines, for all of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from osiris.language.findings import finding, replacement
from osiris.language.suggest import nearest
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Fix
from osiris.syntax.document import Document
from osiris.syntax.lookup import part_at
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Scalar, Sequence, Style, shift_node

_COMMENT = re.compile(r"(?P<mark>#|--)[ \t]*osiris:[ \t]*ignore[ \t]*\[(?P<codes>[^\]\r\n]*)\]")
_CODE = re.compile(r"[A-Za-z0-9]+")
_BLOCK = re.compile(r":[ \t]*(?:&\S+[ \t]+)?[|>][-+0-9]*[ \t]*(?:#.*)?$")


@dataclass(slots=True, eq=False)
class Suppression:
    """One code in one comment. ``first`` and ``last`` are the 0-based lines that it covers."""

    code: str
    span: Span
    comment: Span
    first: int
    last: int
    used: bool = field(default=False)


def find_suppressions(document: Document) -> list[Suppression]:
    """All suppressions of a document, in order."""
    text = document.text
    if "osiris:" not in text:
        return []
    comments: list[Span] | None = None
    found: list[Suppression] = []
    for match in _COMMENT.finditer(text):
        if match["mark"] == "#":
            if comments is None:
                comments = list(document.comments())
            at = bisect_right(comments, match.start(), key=lambda span: span.start) - 1
            if at < 0 or match.start() >= comments[at].end:
                continue
        line = document.lines.line_of(match.start())
        first, last = covered_lines(document, line, match.start())
        for code in _CODE.finditer(match["codes"]):
            at = match.start("codes")
            span = Span(at + code.start(), at + code.end())
            found.append(Suppression(code[0].upper(), span, Span(*match.span()), first, last))
    return found


def covered_lines(document: Document, line: int, offset: int) -> tuple[int, int]:
    """The first and last line (from 0) that a comment at ``offset`` in ``line`` holds for."""
    own = document.lines.line_span(line, document.text)
    target = line
    if not document.text[own.start : offset].strip():
        target = min(line + 1, len(document.lines.starts) - 1)
    source = document.lines.line_span(target, document.text)
    header = document.text[source.start : source.end]
    if not _BLOCK.search(header):
        going_on = crossing_scalar(document, source.end) if target != line else None
        return (line, document.lines.line_of(going_on.span.end) if going_on else target)
    indent = len(header) - len(header.lstrip(" -"))
    last = target
    for following in range(target + 1, len(document.lines.starts)):
        span = document.lines.line_span(following, document.text)
        body = document.text[span.start : span.end]
        if body.strip():
            if len(body) - len(body.lstrip(" ")) <= indent - (2 if header.lstrip().startswith("- ") else 0):
                break
            last = following
    return (line, last)


def crossing_scalar(document: Document, offset: int) -> Scalar | None:
    """The key or value that ``offset`` (a line end) is inside of, so that a comment there would be part of its text.

    Its spans are absolute. The header of a block of text is not inside of it.
    """
    found = part_at(document, offset)
    if found is None:
        return None
    around, _ = found
    at, line = (one - around.base for one in (offset, document.lines.starts[document.lines.line_of(offset)]))
    todo: list[Node] = [around.part.node]
    while todo:
        node = todo.pop()
        if isinstance(node, Scalar):
            block, content = node.style in (Style.LITERAL, Style.FOLDED), node.content
            inside = content.start <= line < content.end if block else node.span.start < at < node.span.end
            if inside and not node.synthetic:
                placed = shift_node(node, around.base)
                return placed if isinstance(placed, Scalar) else None
        elif node.span.start <= at <= node.span.end and not node.synthetic:
            children = node.items if isinstance(node, Sequence) else [n for e in node.entries for n in (e.key, e.value)]
            todo += children
    return None


def apply_suppressions(
    document: Document, diagnostics: Iterable[Diagnostic], suppressions: list[Suppression]
) -> Iterator[Diagnostic]:
    """The findings that are left, and one for every suppression that is unused or without effect."""
    by_line: dict[tuple[str, int], list[Suppression]] = {}
    for suppression in suppressions:
        code = CODES.get(suppression.code)
        if code is not None and code.configurable:
            for line in range(suppression.first, suppression.last + 1):
                by_line.setdefault((suppression.code, line), []).append(suppression)
    for diagnostic in diagnostics:
        hits = by_line.get((diagnostic.code, document.lines.line_of(diagnostic.span.start)), ())
        for suppression in hits:
            suppression.used = True
        if not hits:
            yield diagnostic
    codes_of = Counter(suppression.comment for suppression in suppressions)
    for suppression in suppressions:
        remove = _without_code if codes_of[suppression.comment] > 1 else _without_comment
        yield from _judge(suppression, remove(document.text, suppression))


def _without_comment(text: str, suppression: Suppression) -> Fix:
    start = suppression.comment.start
    while start and text[start - 1] in " \t":
        start -= 1
    return replacement("Remove the comment", Span(start, suppression.comment.end), "")


def _without_code(text: str, suppression: Suppression) -> Fix:
    """The code goes with the comma behind it, or the last one with that before it."""
    start, end = suppression.span
    behind = re.compile(r"[^A-Za-z0-9\]]*").match(text, end)
    if behind and text[behind.end()] != "]":
        end = behind.end()
    else:
        start = len(text[:start].rstrip(" \t,"))
    return replacement(f"Remove {suppression.code} from the comment", Span(start, end), "")


def _judge(suppression: Suppression, fix: Fix) -> Iterator[Diagnostic]:
    code = CODES.get(suppression.code)
    if code is None:
        near = nearest(suppression.code, CODES)
        hint = f" Did you mean {near}?" if near else ""
        better = replacement(f"Replace by {near}", suppression.span, near) if near else None
        yield finding("OML191", suppression.span, f"There is no code {suppression.code}.{hint}", better, fix)
    elif not code.configurable:
        message = f"{suppression.code} ({code.title.lower()}) is an error that cannot be ignored. Mend it instead."
        yield finding("OML191", suppression.span, message, fix)
    elif not suppression.used:
        message = f"Nothing here is reported as {suppression.code}. Remove it."
        yield finding("OML190", suppression.span, message, fix, unnecessary=True)
