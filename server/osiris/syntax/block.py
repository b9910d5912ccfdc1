"""From decoded text back to source: which code point of the file a code point of a scalar's text came from."""

from __future__ import annotations

import re
from bisect import bisect_right

from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

_SPACE_RUN = re.compile(r"[ \t\r\n]+")
_BREAK = re.compile(r"\r\n|\r|\n")
_HEADER = re.compile(r"[|>]([-+]?)([1-9]?)([-+]?)")
_LAST_LINES = re.compile(r"(?:\r\n|\r|\n)([ \t]*)")
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
_HEX = re.compile(r"[0-9A-Fa-f]+\Z")

Decoded = tuple[str, list[int]]
"""Text and, for each of its code points and for its end, the source offset."""


class SourceMap:
    """Maps an index in ``scalar.text`` to an offset in the scalar's part, and back.

    One code point of text may come from several of the source (an escape, a folded line end): then ``to_source`` gives
    the first, and ``to_text`` of any of them the same index. Both clamp to the scalar.
    """

    __slots__ = ("_end", "_linear", "_offsets", "_size")

    def __init__(self, scalar: Scalar, source: str) -> None:
        """Map ``scalar`` whose spans are offsets in ``source`` (its part's text)."""
        content = scalar.content
        self._size = len(scalar.text)
        self._linear = -1
        self._offsets: list[int] = []
        self._end = content.end
        if scalar.synthetic:
            self._offsets = [scalar.span.start] * (self._size + 1)
        elif content.end - content.start == self._size and source.startswith(scalar.text, content.start):
            self._linear = content.start
        else:
            text, offsets = decode_scalar(scalar, source)
            if text != scalar.text:  # a scalar the recovering parser cut short
                offsets = [min(content.start + i, content.end) for i in range(self._size + 1)]
            self._offsets = offsets

    def to_source(self, index: int) -> int:
        """The part offset of ``text[index]``; for ``len(text)`` the end of the content."""
        index = min(max(index, 0), self._size)
        return self._linear + index if self._linear >= 0 else self._offsets[index]

    def to_text(self, offset: int) -> int:
        """The index of the code point of the text that ``offset`` belongs to."""
        if self._linear >= 0:
            return min(max(offset - self._linear, 0), self._size)
        return max(bisect_right(self._offsets, offset) - 1, 0)

    def span(self, start: int, end: int) -> Span:
        """The source range of ``text[start:end]``."""
        first = self.to_source(start)
        if end <= start:
            return Span(first, first)
        if self._linear >= 0:
            return Span(first, max(first, self.to_source(end)))
        return Span(first, max(first, self._after(end)))

    def _after(self, end: int) -> int:
        # The end of a range is where its last code point ends, not where the next one starts: between the two there
        # may be the indentation of the next line.
        end = min(end, self._size)
        following = self._offsets[end]
        last = self._offsets[end - 1] if end else following
        return following if following - last <= 1 else min(following, self._token_end(last, following))

    def _token_end(self, last: int, following: int) -> int:
        return following if self._size == 0 else max(last + 1, min(following, self._end))


def decode_scalar(scalar: Scalar, source: str) -> Decoded:
    """Read the source of ``scalar`` anew, keeping where each code point came from."""
    content = scalar.content
    if scalar.style in (Style.LITERAL, Style.FOLDED):
        return _decode_block_scalar(scalar, source)
    return decode_flow(source, content.start, content.end, scalar.style)


def decode_flow(source: str, start: int, end: int, style: Style) -> Decoded:
    """Decode the content ``source[start:end]`` of a plain, single or double quoted scalar."""
    chars: list[str] = []
    offsets: list[int] = []
    at = start
    while at < end:
        char = source[at]
        if char in " \t\r\n":
            run = _SPACE_RUN.match(source, at, end)
            stop = run.end() if run else at + 1
            _fold(source, at, stop, chars, offsets)
            at = stop
        elif char == "'" and style is Style.SINGLE:
            chars.append("'")
            offsets.append(at)
            at += 2 if source.startswith("'", at + 1) else 1
        elif char == "\\" and style is Style.DOUBLE:
            at = _unescape(source, at, end, chars, offsets)
        else:
            chars.append(char)
            offsets.append(at)
            at += 1
    offsets.append(end)
    return "".join(chars), offsets


def _fold(source: str, start: int, stop: int, chars: list[str], offsets: list[int]) -> None:
    breaks = [m.start() for m in _BREAK.finditer(source, start, stop)]
    if not breaks:
        chars.extend(source[start:stop])
        offsets.extend(range(start, stop))
    elif len(breaks) == 1:
        chars.append(" ")
        offsets.append(breaks[0])
    else:
        chars.extend("\n" * (len(breaks) - 1))
        offsets.extend(breaks[1:])


def _unescape(source: str, at: int, end: int, chars: list[str], offsets: list[int]) -> int:
    code = source[at + 1] if at + 1 < end else ""
    if code in _HEX_ESCAPES:
        digits = source[at + 2 : min(at + 2 + _HEX_ESCAPES[code], end)]
        if len(digits) == _HEX_ESCAPES[code] and _HEX.match(digits) and int(digits, 16) <= 0x10FFFF:
            chars.append(chr(int(digits, 16)))
            offsets.append(at)
            return at + 2 + len(digits)
    elif code in ("\r", "\n") and code:
        # An escaped line end joins the lines; only the empty lines after it count.
        run = _SPACE_RUN.match(source, at + 1, end)
        stop = run.end() if run else at + 2
        for extra in list(_BREAK.finditer(source, at + 1, stop))[1:]:
            chars.append("\n")
            offsets.append(extra.start())
        return stop
    elif code in _ESCAPES:
        chars.append(_ESCAPES[code])
        offsets.append(at)
        return at + 2
    chars.append("\\")
    offsets.append(at)
    return at + 1


def _decode_block_scalar(scalar: Scalar, source: str) -> Decoded:
    header = _HEADER.match(source, scalar.span.start)
    chomping = (header.group(1) or header.group(3)) if header else ""
    folded = scalar.style is Style.FOLDED
    content = scalar.content
    end = content.end
    for width in _block_indents(source, content, int(header.group(2) or 0) if header else 0):
        text, offsets = decode_block(source, content.start, end, width, folded=folded, chomping=chomping)
        if text == scalar.text:
            return text, offsets
    return text, offsets


def _block_indents(source: str, content: Span, explicit: int) -> list[int]:
    """Widths the indentation may have; an explicit one counts from a parent the scalar does not know."""
    if not explicit:
        return [block_indent(source, content.start, content.end)]
    longest = max((len(line) - len(line.lstrip(" ")) for line in _lines(source, content)), default=explicit)
    return list(range(explicit, max(longest, explicit) + 1))


def _lines(source: str, content: Span) -> list[str]:
    return _BREAK.split(source[content.start : content.end])


def block_indent(source: str, start: int, end: int) -> int:
    """The indentation of the first line in ``source[start:end]`` that is not blank; of none, the widest of all."""
    widest = 0
    for line in _BREAK.split(source[start:end]):
        width = len(line) - len(line.lstrip(" "))
        if width < len(line):
            return width
        widest = max(widest, width)
    return widest


def decode_block(source: str, start: int, end: int, indent: int, *, folded: bool, chomping: str) -> Decoded:
    """Decode the lines ``source[start:end]`` of a block scalar (the last line's own end may lie behind ``end``)."""
    chars: list[str] = []
    offsets: list[int] = []
    leading_break = -1  # offset of the break behind the last line of text
    breaks: list[int] = []  # offsets of the breaks of the blank lines after it
    was_blank_led = False
    at = start
    while True:
        found = _BREAK.search(source, at, end)
        stop = found.start() if found else end
        body = min(at + indent, stop)
        if source[at:body].strip(" "):  # less indented than it should be: recovered text
            body = at + len(source[at:body]) - len(source[at:body].lstrip(" "))
        if body == stop:
            breaks.append(stop)
        else:
            blank_led = source[body] in " \t"
            if folded and leading_break >= 0 and not was_blank_led and not blank_led:
                if not breaks:
                    chars.append(" ")
                    offsets.append(leading_break)
            elif leading_break >= 0:
                chars.append("\n")
                offsets.append(leading_break)
            chars.extend("\n" * len(breaks))
            offsets.extend(breaks)
            chars.extend(source[body:stop])
            offsets.extend(range(body, stop))
            breaks, leading_break, was_blank_led = [], stop, blank_led
        if found is None:
            break
        at = found.end()
    _chomp(source, end, chomping, leading_break, breaks, chars, offsets)
    return "".join(chars), offsets


def _chomp(
    source: str, end: int, chomping: str, last: int, breaks: list[int], chars: list[str], offsets: list[int]
) -> None:
    closing = [last] if last >= 0 else []
    wanted = [] if chomping == "-" else closing + breaks if chomping == "+" else closing
    for offset in wanted:
        if offset < len(source) or not closing:
            chars.append("\n")
            offsets.append(offset)
    offsets.append(end)


def block_content(source: str, start: int, end: int, text: str) -> Span:
    """The content of the block scalar ``text`` whose header is at ``start`` and whose lines end before ``end``.

    From the start of the line after the header to the end of the last line of content, its line end left out.
    Blank lines at the end count only with the ``+`` indicator. Without content: empty, at the end of the header.
    """
    header = _BREAK.search(source, start, end)
    if header is None:
        return Span(end, end)
    first = header.end()
    mark = _HEADER.match(source, start)
    if mark is not None and "+" in mark.groups():
        last = _before_break(source, first, end)
        return Span(first, last) if end > first else Span(header.start(), header.start())
    trimmed = len(source[first:end].rstrip(" \t\r\n"))
    if not trimmed:
        return Span(header.start(), header.start())
    close = _BREAK.search(source, first + trimmed, end)
    if close is None:
        return Span(first, end)
    last_line = text.rstrip("\n").rpartition("\n")[2]
    if last_line and not last_line.strip(" \t"):
        # A line of blanks that is indented deeper than the block is text.
        indent = block_indent(source, first, end)
        at = close.start()
        for found in _LAST_LINES.finditer(source, at, end):
            if found.end() - found.start(1) > indent and found.group(1).endswith(last_line):
                at = found.end()
        return Span(first, at)
    return Span(first, close.start())


def _before_break(source: str, start: int, end: int) -> int:
    if end > start and source[end - 1] == "\n":
        end -= 1
    if end > start and source[end - 1] == "\r":
        end -= 1
    return end
