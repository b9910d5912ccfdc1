"""The lines of a scalar that has several: moved to another column without a change of its value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from osiris.syntax.block import block_indent
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tokens import Token

_BREAK = re.compile(r"\r\n|\r|\n")
_HEADER = re.compile(r"[|>][-+]?([1-9]?)")
_BLANKS = " \t"


class Unmovable(Exception):  # noqa: N818 - it says what the text is
    """The scalar is written in a way that is best left as it is."""


def lines_of(text: str, start: int, end: int) -> Iterator[Span]:
    """The lines between two offsets, their line ends left out; the first and the last may be parts of lines."""
    at = start
    for found in _BREAK.finditer(text, start, end):
        yield Span(at, found.start())
        at = found.end()
    yield Span(at, end)


def move_block(text: str, token: Token, parent: Span) -> Iterator[TextEdit]:
    """Move the content of a block scalar along with the collection it stands in.

    ``parent`` holds the old and the new column of that collection's keys or dashes. Raises Unmovable.
    """
    lines = lines_of(text, token.start, token.end)
    header = next(lines)
    yield from trim_end(text, header)
    content = header.end + len(_line_end(text, header.end))
    if content >= token.end:
        return
    mark = _HEADER.match(text, token.start)
    explicit = int(mark.group(1) or 0) if mark else 0
    old = parent.start + explicit if explicit else block_indent(text, content, token.end)
    new = parent.end + (explicit or 2)
    for line in lines:
        written = text[line.start : line.end]
        if not written.strip(_BLANKS) and not written[old:]:
            if written:
                yield TextEdit(line, "")
        elif written[:old].strip(" "):
            raise Unmovable
        elif old != new:
            yield TextEdit(Span(line.start, line.start + old), " " * new)


def move_flow(text: str, token: Token, column: int) -> Iterator[TextEdit]:
    """Move the further lines of a plain or quoted scalar so that the leftmost of them starts at ``column``."""
    first, *rest = lines_of(text, token.start, token.end)
    yield from _trim_inner(text, first, token)
    leads = [_lead(text, line) for line in rest]
    widths = [lead.end - lead.start for lead, line in zip(leads, rest, strict=True) if lead.end < line.end]
    tabs = any("\t" in text[lead.start : lead.end] for lead in leads)
    by = column - min(widths, default=column)
    for lead, line in zip(leads, rest, strict=True):
        width = lead.end - lead.start
        if lead.end == line.end and line.end < token.end:
            if width:
                yield TextEdit(line, "")  # an empty line of the text
            continue
        wanted = " " * (column if tabs else width + by)
        if text[lead.start : lead.end] != wanted:
            yield TextEdit(lead, wanted)
        if line.end < token.end:
            yield from _trim_inner(text, Span(lead.end, line.end), token)


def trim_end(text: str, line: Span) -> Iterator[TextEdit]:
    """Take the blanks off the end of a line."""
    end = line.end
    while end > line.start and text[end - 1] in _BLANKS:
        end -= 1
    if end < line.end:
        yield TextEdit(Span(end, line.end), "")


def _trim_inner(text: str, line: Span, token: Token) -> Iterator[TextEdit]:
    for edit in trim_end(text, line):
        start = edit.span.start
        if token.style == '"' and text[start - 1] == "\\":
            start += (start - len(text[:start].rstrip("\\"))) % 2  # an escaped blank is text
        if start < edit.span.end:
            yield TextEdit(Span(start, edit.span.end), "")


def _lead(text: str, line: Span) -> Span:
    end = line.start
    while end < line.end and text[end] in _BLANKS:
        end += 1
    return Span(line.start, end)


def _line_end(text: str, at: int) -> str:
    found = _BREAK.match(text, at)
    return found.group() if found else ""
