"""The layout of one stretch of lines: from its tokens, the edits of the blanks between them.

Every edit replaces blanks and line ends by blanks and line ends, so that nothing but the layout can change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from osiris.ide.formatting.scalars import move_block, move_flow, trim_end
from osiris.language.edits import line_start
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tokens import Kind, Token

INDENT = 2

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_SILENT = frozenset((Kind.BLOCK_MAP, Kind.BLOCK_LIST, Kind.BLOCK_END, Kind.KEY))
_OPENING = frozenset((Kind.OPEN_MAP, Kind.OPEN_LIST))
_CLOSING = frozenset((Kind.CLOSE_MAP, Kind.CLOSE_LIST))
_PROPERTIES = frozenset((Kind.ANCHOR, Kind.TAG))
_MAP, _LIST, _INDENTLESS = "map", "list", "indentless list"


class Column(NamedTuple):
    """Where something starts now, and where it shall start. ``old`` -1: nothing is there, the text ends."""

    old: int
    new: int


class _Frame(NamedTuple):
    """An open block collection and the columns of its keys or dashes. An indentless list has those of its key."""

    kind: str
    old: int
    new: int


class _Line(NamedTuple):
    """A line, or what is left of it: its start, its end, and where the next one starts."""

    start: int
    end: int
    after: int


@dataclass(slots=True)
class _Flow:
    """An open flow collection: the new columns of its bracket, of lines in it, and of its closing bracket.

    ``hanging``: its content starts on the next line. ``key``: the old column of its key, when it stands behind one.
    """

    bracket: int
    base: int
    key: int = -1
    content: int = 0
    hanging: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """What is around a stretch of lines.

    ``outer`` is the collection that it stands in, ``first`` the column its own keys or dashes go to. ``after`` is what
    follows it, ``leads_in`` says that this belongs below the last key of the stretch. ``at_start``, ``at_end``: nothing
    but blank lines stands before it, or behind it.
    """

    outer: Column
    first: int
    after: Column
    leads_in: bool = False
    at_start: bool = False
    at_end: bool = False
    line_end: str = "\n"


def lay_out(text: str, tokens: Sequence[Token], place: Place) -> list[TextEdit]:
    """The edits that give ``text`` its layout. Raises Unmovable when something in it is best left alone."""
    layout = _Layout(text, place)
    for token in tokens:
        layout.take(token)
    if "\r" in text and "\n" in text:
        return [edit for edit in layout.edits if not _joins_line_ends(text, edit)]
    return layout.edits


def _joins_line_ends(text: str, edit: TextEdit) -> bool:
    r"""Whether a ``\r`` and a ``\n`` that are two line ends would become one."""
    start, end = edit.span
    return not edit.new_text and text[start - 1 : start] == "\r" and text[end : end + 1] == "\n"


class _Layout:
    def __init__(self, text: str, place: Place) -> None:
        self.text = text
        self.place = place
        self.edits: list[TextEdit] = []
        self.frames: list[_Frame] = [_Frame(_MAP, *place.outer)]
        self.flows: list[_Flow] = []
        self.waiting: list[Token] = []
        self.line = Column(0, 0)  # of the first token on the line
        self.line_in_flow = False
        self.before = Token(Kind.END, 0, 0)  # the last token with a width
        self.at = 0  # where it ends
        self.shift = 0  # how many columns further on the text at ``at`` will stand

    def take(self, token: Token) -> None:
        """Lay out the gap before ``token``, and its own lines where it has several."""
        if token.kind in _SILENT:
            self.waiting.append(token)
            return
        gap = self.text[self.at : token.start]
        if self.at > 0 and token.kind is not Kind.END and "\n" not in gap and "\r" not in gap:
            self._beside(token, gap)
        else:
            self._below(token)
        self.waiting.clear()
        kind = token.kind
        if kind in _OPENING:
            self._open(token)
        elif kind in _CLOSING:
            self.flows.pop()
        self.before, self.at = token, token.end
        if kind is Kind.SCALAR:
            self._move_lines(token)

    # -- on one line

    def _beside(self, token: Token, gap: str) -> None:
        wanted = self._blanks(token, gap)
        self.shift += wanted - len(gap)
        if gap != " " * wanted:
            self.edits.append(TextEdit(Span(self.at, token.start), " " * wanted))
        old = 0
        if self.waiting or self.before.kind in _OPENING:
            old = token.start - line_start(self.text, token.start)
        if self.waiting:
            self._follow(Column(old, old + self.shift), token)
        if self.before.kind in _OPENING and self.flows and not self.flows[-1].content:
            self.flows[-1].content = old + self.shift

    def _blanks(self, token: Token, gap: str) -> int:
        """How many spaces belong between the last token and this one."""
        before, kind = self.before.kind, token.kind
        if kind is Kind.COLON or kind is Kind.COMMA or kind in _CLOSING:
            if before in _PROPERTIES or before is Kind.COLON or (before is Kind.ALIAS and kind is Kind.COLON):
                return 1 if gap or before is Kind.COLON else 0
            return 0
        if before in _OPENING:
            return 0
        return 1 if gap or before in (Kind.COLON, Kind.COMMA, Kind.DASH) else 0

    # -- on a line of its own

    def _below(self, token: Token) -> None:
        """Lay out the lines between the last token and this one, which is the first on its line, or the end."""
        frames = self.frames[:]
        leads_in = self._leads_in(token)
        stop = token.start
        if token.kind is Kind.END:
            column = self.place.after
        else:
            stop = line_start(self.text, token.start)
            old = token.start - stop
            self._follow(Column(old, -1), token)
            column = Column(old, self._column(token))
        self._lines_between(stop, _Comments(frames, self.flows, column, self.before.kind, leads_in), leads_in)
        if token.kind is not Kind.END:
            self.line, self.shift, self.line_in_flow = column, column.new - column.old, bool(self.flows)
            if self.shift or "\t" in self.text[stop : token.start]:
                self.edits.append(TextEdit(Span(stop, token.start), " " * column.new))

    def _lines_between(self, stop: int, comments: _Comments, leads_in: bool) -> None:
        """Lay out the rest of the last token's line, and the lines of blanks and comments down to ``stop``."""
        lines = list(_whole_lines(self.text, self.at, stop))
        kept: _Line | None = None
        if self.at > 0:
            kept = lines.pop(0)
            self._end_of_line(kept)
        at_end = self.place.at_end and stop == len(self.text)
        while at_end and lines and not self._holds_comment(lines[-1]):
            stop = lines.pop().start
        skip = leads_in or (self.at == 0 and self.place.at_start)
        for line in lines:
            if self._holds_comment(line):
                self._move_comment(line, comments)
                skip = False
            elif skip:
                self._remove(line)
                continue
            else:
                self.edits += trim_end(self.text, Span(line.start, line.end))
                skip = True
            kept = line
        if stop < len(self.text) and at_end:
            self.edits.append(TextEdit(Span(stop, len(self.text)), ""))
        if at_end and kept is not None and kept.end == kept.after and not self._counts_line_end():
            self.edits.append(TextEdit(Span(kept.end, kept.end), self.place.line_end))

    def _holds_comment(self, line: _Line) -> bool:
        return not self.text[line.start : line.end].isspace() and line.end > line.start

    def _remove(self, line: _Line) -> None:
        start = line.start
        if self.edits and self.edits[-1].span.end == start and not self.edits[-1].new_text:
            start = self.edits.pop().span.start
        self.edits.append(TextEdit(Span(start, line.after), ""))

    def _move_comment(self, line: _Line, comments: _Comments) -> None:
        text = self.text[line.start : line.end]
        start = len(text) - len(text.lstrip())
        column = comments.column(start, text[start:])
        if text[:start] != " " * column:
            self.edits.append(TextEdit(Span(line.start, line.start + start), " " * column))
        self.edits += trim_end(self.text, Span(line.start, line.end))

    def _end_of_line(self, line: _Line) -> None:
        text = self.text[line.start : line.end]
        comment = len(text) - len(text.lstrip())
        if comment < len(text) and "\t" in text[:comment]:
            self.edits.append(TextEdit(Span(line.start, line.start + comment), " "))
        # Other blanks before a comment stay, since they may align it with its neighbours.
        start = line.start + (comment if comment < len(text) else 0)
        self.edits += trim_end(self.text, Span(start, line.end))

    def _counts_line_end(self) -> bool:
        """Whether a line end at the end of the text would be one more of the value of a block scalar."""
        last = self.before
        return last.style in ("|", ">") and last.end == self.at and "-" not in self.text[last.start : last.start + 3]

    def _leads_in(self, token: Token) -> bool:
        """Whether the token is the beginning of the value of the key or dash before it."""
        before = self.before.kind
        if before in _OPENING:
            return True
        if before is not Kind.COLON and before is not Kind.DASH and before not in _PROPERTIES:
            return False
        if token.kind is Kind.END:
            return self.place.leads_in
        kinds = [one.kind for one in self.waiting]
        if Kind.BLOCK_END in kinds or (Kind.KEY in kinds and Kind.BLOCK_MAP not in kinds):
            return False
        return not (token.kind is Kind.DASH and before is Kind.DASH and not kinds)

    def _column(self, token: Token) -> int:
        """Where the token goes, which is the first on its line."""
        if self.flows:
            return self._column_in_flow(token)
        if token.kind is Kind.DASH or (self.waiting and self.waiting[-1].kind is Kind.KEY):
            return self.frames[-1].new
        return self.frames[-1].new + INDENT

    def _column_in_flow(self, token: Token) -> int:
        flow = self.flows[-1]
        if self.before.kind in _OPENING:
            flow.hanging = True
            flow.content = flow.base + INDENT
        if token.kind not in _CLOSING:
            return flow.content + (INDENT if self.before.kind is Kind.COLON else 0)
        if not flow.hanging:
            return flow.bracket
        # At the column of its key is where most people put it; deeper is what the YAML specification asks for.
        column = token.start - line_start(self.text, token.start)
        return flow.base + (INDENT if 0 <= flow.key < column else 0)

    # -- what is open

    def _follow(self, start: Column, token: Token) -> None:
        """Open and close the block collections that start or end before ``token``; ``start.new`` -1: not known yet."""
        frames = self.frames
        for one in self.waiting:
            if one.kind is Kind.BLOCK_END or one.kind is Kind.KEY:
                if frames[-1].kind is _INDENTLESS and not self.flows:
                    frames.pop()
                if one.kind is Kind.BLOCK_END:
                    frames.pop()
            else:
                kind = _MAP if one.kind is Kind.BLOCK_MAP else _LIST
                new = self.place.first if len(frames) == 1 else frames[-1].new + INDENT
                frames.append(_Frame(kind, start.old, start.new if start.new >= 0 else new))
        if token.kind is Kind.DASH and frames[-1].kind is _MAP:
            frames.append(_Frame(_INDENTLESS, frames[-1].old, frames[-1].new + INDENT))

    def _open(self, token: Token) -> None:
        old = token.start - line_start(self.text, token.start)
        here = Column(old, old + self.shift)
        top = self.frames[-1]
        if here == self.line or (self.flows and self.line_in_flow):
            self.flows.append(_Flow(here.new, self.line.new))
        elif self.flows:
            self.flows.append(_Flow(here.new, self.flows[-1].base))
        elif top.kind is _MAP:
            self.flows.append(_Flow(here.new, top.new, key=top.old))
        else:
            self.flows.append(_Flow(here.new, top.new + INDENT))

    def _move_lines(self, token: Token) -> None:
        frame = self.frames[-1]
        written = self.text[token.start : token.end]
        if "\n" not in written and "\r" not in written:
            return
        if token.style in ("|", ">"):
            self.edits += move_block(self.text, token, Span(frame.old, frame.new))
            return
        column = (self.flows[-1].content if self.flows else frame.new) + INDENT
        edits = list(move_flow(self.text, token, column))
        self.edits += edits
        last = line_start(self.text, token.end)
        moved = [edit for edit in edits if edit.span.start == last]
        self.shift = sum(len(edit.new_text) - (edit.span.end - edit.span.start) for edit in moved)


@dataclass(frozen=True, slots=True)
class _Comments:
    """Finds the column for each comment between two tokens: that of what it belongs to."""

    frames: Sequence[_Frame]
    flows: Sequence[_Flow]
    following: Column
    before: Kind
    leads_in: bool

    def column(self, old: int, comment: str) -> int:
        """Where a comment goes that starts in column ``old``.

        A comment belongs to what follows it, unless it stands further right: then to the innermost collection before
        it whose keys or dashes do not stand further right than the comment.
        """
        if self.flows:
            return self.flows[-1].content
        if old <= self.following.old or self.leads_in:
            return self.following.new
        top = self.frames[-1]
        if (self.before is Kind.COLON or self.before is Kind.DASH) and old > top.old:
            return top.new + INDENT  # the value that is missing may have been made a comment
        for frame in reversed(self.frames):
            if frame.kind is _INDENTLESS and not comment[1:].lstrip().startswith("- "):
                continue  # below a list that stands at the column of its key, only an item looks like one of it
            if self.following.old < frame.old <= old:
                return frame.new
        return self.following.new


def _whole_lines(text: str, start: int, stop: int) -> Iterator[_Line]:
    """The lines of ``text[start:stop]``, the first from ``start`` on; ``stop`` is the end of a line or of the text."""
    at = start
    while at < stop or at == start:
        found = _LINE.match(text, at, stop)
        assert found is not None
        yield _Line(at, found.end(1), found.end())
        if found.end() == at:
            return
        at = found.end()
