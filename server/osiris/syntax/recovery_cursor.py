"""Where the reader of a broken part stands: its line, the lists and mappings that are open, what it found."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from typing import NamedTuple

from osiris.syntax.aliases import Anchor
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import edit_fix, error
from osiris.syntax.recovery_lines import Line, is_dash, key_at, split_lines
from osiris.syntax.text import Span

FIRST_WORD = re.compile(r"[^\W\d][\w.-]*")
_TIGHT_DASH = re.compile(r"-(?=[^\W\d]|['\"])")


class Frame(NamedTuple):
    """An open block collection: the column of its keys or dashes."""

    column: int
    is_map: bool


class Cursor:
    """Goes through the lines of a part. ``at`` is the offset being read, ``column`` its column on the current line."""

    def __init__(self, text: str, kind: str, outer: MappingABC[str, Anchor], alias_budget: int) -> None:
        """Start at the first line of ``text``, a part of this ``kind``."""
        self.text = text
        self.kind = kind
        self.outer = outer
        self.budget = alias_budget
        self.anchors: dict[str, Anchor] = {}
        self.outside: set[str] = set()
        self.expanded = 0
        self.cuts: tuple[int, ...] = ()
        self.item_lines: list[int] = []
        self.colon = -1  # the first colon inside the plain value being read
        self.found: list[Diagnostic] = []
        self.frames: list[Frame] = []
        self.lines = split_lines(text)
        self.index = -1
        self.at = 0
        self.column = 0
        self.advance()

    def advance(self) -> None:
        """Go to the start of the next line that holds more than a comment."""
        self.go_to(self.index + 1)

    def go_to(self, index: int) -> None:
        """Go to the first line from ``index`` on that holds more than a comment."""
        while index < len(self.lines):
            line = self.lines[index]
            if not line.blank and self.text[line.at] != "#":
                self.at, self.column = line.at, line.column
                break
            index += 1
        self.index = index

    def more(self) -> bool:
        """Whether there is a current line."""
        return self.index < len(self.lines)

    @property
    def line(self) -> Line:
        """The current line."""
        return self.lines[self.index]

    def dash(self) -> bool:
        """Whether a list item starts here, with or without the space that belongs behind its dash."""
        return is_dash(self.text, self.at) or self.tight_dash()

    def tight_dash(self) -> bool:
        """Whether a dash stands here that must start a list item, but lacks the space behind it."""
        if self.at != self.line.at or not _TIGHT_DASH.match(self.text, self.at):
            return False
        if self.kind == "step" and not self.frames:
            return True
        return any(not frame.is_map and frame.column == self.column for frame in self.frames)

    def check_indent(self, column: int, what: str) -> None:
        """Report the current line when it is indented by a tab or not by ``column``."""
        line = self.line
        if self.at != line.at:
            return
        blanks = Span(line.start, line.at)
        if line.tab >= 0:
            end = line.tab + 1
            while end < line.at and self.text[end] == "\t":
                end += 1
            message = "A tab cannot indent a line in YAML. Use spaces: two for each level."
            fix = edit_fix("Replace the tab by spaces", blanks, " " * column)
            self.found.append(error("OML002", Span(line.tab, end), message, fix))
        elif self.column != column:
            word = FIRST_WORD.match(self.text, self.at)
            span = Span(*word.span()) if word and not self.dash() else Span(self.at, self.at + 1)
            key = key_at(self.text, self.at)
            span = key.span if key else span
            message = (
                f"The {what} is indented by {self.column} spaces, its neighbours by {column}. "
                "What belongs together must stand in one column."
            )
            fix = edit_fix(f"Indent by {column} spaces", blanks, " " * column)
            self.found.append(error("OML005", span, message, fix))

    def key_in_words(self) -> str:
        """How messages call the key that the current line starts with."""
        key = key_at(self.text, self.at)
        return f"key `{self.text[key.span.start : key.span.end]}`" if key else "key"

    def skip_blanks(self, at: int) -> int:
        """The first offset from ``at`` on that is no blank."""
        while at < len(self.text) and self.text[at] in " \t":
            at += 1
        return at

    def junk(self) -> None:
        """Report the rest of the current line, which is nothing that could stand here."""
        text, line = self.text, self.line
        end = line.at + len(text[line.at : line.end].rstrip(" \t"))
        span = Span(self.at, max(end, self.at + 1))
        if self.dash():
            message = "This list item has no list to belong to. Indent it below its key, or remove it."
            span = Span(self.at, self.at + 1)
        else:
            message = "This line is no `key: value`. Complete it, indent it below the text it belongs to, or remove it."
        self.found.append(error("OML001", span, message))
        self.advance()
