"""Source text: spans in code points and a line index that splits where LSP splits."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, count
from operator import add
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\r|\n")


class Span(NamedTuple):
    """A half-open range of code points, ``start <= end``."""

    start: int
    end: int

    def shift(self, by: int) -> Span:
        """The same range, ``by`` code points further on."""
        return Span(self.start + by, self.end + by)

    def touches(self, offset: int) -> bool:
        """Whether a cursor at ``offset`` stands in or directly at the end of the range."""
        return self.start <= offset <= self.end


class LineIndex:
    """Maps offsets to lines and back. Only ``\\n``, ``\\r\\n`` and ``\\r`` end a line (LSP 3.17)."""

    __slots__ = ("length", "starts")

    def __init__(self, text: str) -> None:
        """Index ``text``; the first line starts at 0 even when the text is empty."""
        if "\r" in text:
            self.starts = [0, *(m.end() for m in _LINE_END.finditer(text))]
        else:
            # The same several times faster: the ends of the lines without their line ends, plus one for each.
            ends = accumulate(map(len, text.split("\n")))
            self.starts = [0, *map(add, ends, count(1))]
            self.starts.pop()
        self.length = len(text)

    def line_of(self, offset: int) -> int:
        """The 0-based line of ``offset`` (clamped to the text)."""
        return bisect_right(self.starts, min(max(offset, 0), self.length)) - 1

    def line_column(self, offset: int) -> tuple[int, int]:
        """The 0-based line and the 0-based column in code points of ``offset``."""
        offset = min(max(offset, 0), self.length)
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]

    def line_span(self, line: int, text: str) -> Span:
        """The range of a 0-based line of ``text``, its line end left out."""
        start = self.starts[line]
        end = self.starts[line + 1] if line + 1 < len(self.starts) else self.length
        while end > start and text[end - 1] in "\r\n":
            end -= 1
        return Span(start, end)
