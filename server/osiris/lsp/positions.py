"""LSP positions to offsets in code points and back, in the encoding agreed with the client.

Inside Osiris every place is an offset in code points. Columns in UTF-8 or UTF-16 units exist only here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from osiris.syntax.text import LineIndex

Encoding = Literal["utf-8", "utf-16", "utf-32"]
ENCODINGS: tuple[Encoding, ...] = ("utf-32", "utf-8", "utf-16")


def choose_encoding(offered: Sequence[str] | None) -> Encoding:
    """The first encoding of the client's list that we know; UTF-16, which every client must know, otherwise."""
    for name in offered or ():
        for encoding in ENCODINGS:
            if name == encoding:
                return encoding
    return "utf-16"


def _units_utf8(char: str) -> int:
    code = ord(char)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


def _units_utf16(char: str) -> int:
    return 2 if ord(char) > 0xFFFF else 1


@dataclass(frozen=True, slots=True)
class PositionCodec:
    """Converts places of one text; ``encoding`` says what a column counts."""

    encoding: Encoding

    def to_offset(self, text: str, lines: LineIndex, line: int, character: int) -> int:
        """The offset of an LSP position. A position behind the end of a line or text means that end."""
        if line >= len(lines.starts):
            return lines.length
        if line < 0:
            return 0
        span = lines.line_span(line, text)
        if self.encoding == "utf-32" or text.isascii():
            return min(span.start + max(character, 0), span.end)
        content = text[span.start : span.end]
        if content.isascii():
            return span.start + min(max(character, 0), len(content))
        return span.start + self._chars_in(content, character)

    def to_position(self, text: str, lines: LineIndex, offset: int) -> tuple[int, int]:
        """The 0-based ``(line, character)`` of an offset; clamped to the text."""
        line, column = lines.line_column(offset)
        if self.encoding == "utf-32" or text.isascii():
            return line, column
        before = text[lines.starts[line] : lines.starts[line] + column]
        return line, self.units(before)

    def units(self, text: str) -> int:
        """The length of ``text`` in units of the encoding."""
        if self.encoding == "utf-32" or text.isascii():
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def _chars_in(self, content: str, units: int) -> int:
        """How many characters ``units`` cover; a position inside a character means its start."""
        measure = _units_utf8 if self.encoding == "utf-8" else _units_utf16
        passed = 0
        for index, char in enumerate(content):
            passed += measure(char)
            if passed > units:
                return index
        return len(content)
