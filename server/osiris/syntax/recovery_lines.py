"""The lines of a broken part, and what can be said of one line alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from osiris.syntax.text import Span

STEP_KEYS = frozenset({"id", "component", "mode", "config", "needs", "inputs", "retry", "timeout", "description"})
TAB_WIDTH = 4

_LINE = re.compile(r"([ \t]*)([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_DOUBLE = re.compile(r'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"')
_SINGLE = re.compile(r"'[^'\r\n]*+(?:''[^'\r\n]*+)*+'")
_COLON = re.compile(r"[ \t]*+:(?=[ \t\r\n]|\Z)")
_KEY_STOP = re.compile(r":(?=[ \t\r\n]|\Z)|[ \t]#|[\r\n]|\Z")
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[\-?:](?=[^\s,\[\]{}])")
_WORD = re.compile(r"[^\W\d][\w.$-]*")


class Line(NamedTuple):
    """One line: where it starts, where its first character that is no blank is, and where it ends (line end excluded).

    ``column`` counts a tab as the way to the next multiple of ``TAB_WIDTH``; ``tab`` is the first tab before the text.
    """

    start: int
    at: int
    end: int
    column: int
    tab: int

    @property
    def blank(self) -> bool:
        """Whether nothing but white space stands on it."""
        return self.at == self.end


def split_lines(text: str) -> list[Line]:
    """All lines of ``text``."""
    lines: list[Line] = []
    at = 0
    while at < len(text):
        found = _LINE.match(text, at)
        if found is None:  # cannot be: every part of the pattern may be empty
            break
        blanks = found.group(1)
        tab = blanks.find("\t")
        column = len(blanks.expandtabs(TAB_WIDTH)) if tab >= 0 else len(blanks)
        lines.append(Line(at, found.start(2), found.end(2), column, at + tab if tab >= 0 else -1))
        at = found.end()
    return lines


class KeyToken(NamedTuple):
    """A key: the range of its token, and the offset of its colon."""

    span: Span
    colon: int


def quoted_end(text: str, at: int) -> int:
    """The end of the quoted scalar that opens at ``at`` and closes on the same line; -1 when it does not."""
    found = (_DOUBLE if text[at] == '"' else _SINGLE).match(text, at)
    return found.end() if found else -1


def key_at(text: str, at: int) -> KeyToken | None:
    """The key with a colon that starts at ``at``."""
    if at >= len(text):
        return None
    if text[at] in "'\"":
        end = quoted_end(text, at)
        colon = _COLON.match(text, end) if end >= 0 else None
        return KeyToken(Span(at, end), colon.end() - 1) if colon else None
    if not _PLAIN_START.match(text, at):
        return None
    stop = _KEY_STOP.search(text, at)
    if stop is None or not stop.group().startswith(":"):
        return None
    end = stop.start()
    while end > at and text[end - 1] in " \t":
        end -= 1
    return KeyToken(Span(at, end), stop.start())


def is_dash(text: str, at: int) -> bool:
    """Whether a list item starts at ``at``."""
    return text.startswith("-", at) and (at + 1 == len(text) or text[at + 1] in " \t\r\n")


def is_word(text: str) -> bool:
    """Whether ``text`` may be a key that is still being typed."""
    return _WORD.fullmatch(text) is not None


def is_end_of_value(text: str, at: int) -> bool:
    """Whether nothing but blanks or a comment stands between ``at`` and the end of its line."""
    start = at
    while at < len(text) and text[at] in " \t":
        at += 1
    return at >= len(text) or text[at] in "\r\n" or (text[at] == "#" and at > start)
