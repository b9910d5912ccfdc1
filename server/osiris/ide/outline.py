"""The keys of a stretch of text by their columns, read line by line as a person does, whether it is valid or not.

The tree of ``osiris.syntax`` says what the text means. A cursor also stands where there is no node yet: on an empty
line, behind a dash, in a key without a colon. There only the columns of the lines around it say what could come next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from osiris.ide.flow import Flow, scan_flow
from osiris.syntax.text import Span

Path = tuple[str | int, ...]

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_KEY = re.compile(r"""("(?:[^"\\\r\n]|\\.)*"|'(?:[^'\r\n]|'')*'|[^\s#"'\[\]{},&*!|>%@`][^\r\n]*?)[ \t]*:(?=[ \t]|$)""")
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_COMMENT = re.compile(r"(?<![^ \t\r\n])#.*$")
_DASH = re.compile(r"-(?:[ \t]+|$)")
_TAG = re.compile(r"(?:[&!][^\s]*[ \t]+)+")


@dataclass(slots=True)
class Frame:
    """An open map or list: the column of its keys or dashes, and the way to it.

    ``last`` is the key (of a map) or the index (of a list) that was read last; ``filled`` whether it has a value.
    """

    column: int
    path: Path
    is_map: bool
    last: str | int | None = None
    filled: bool = True

    def child_path(self) -> Path:
        """The way to the value read last."""
        return self.path if self.last is None else (*self.path, self.last)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that the cursor may stand in, cut into what it says.

    ``tabs`` counts the tabs before the first character, which YAML does not allow; each is taken for two columns, one
    level, until it is mended. ``dashes`` are the columns of the dashes that start the line.
    ``content`` is what follows them, without comment and trailing space. ``key`` and ``value`` are ranges in the text;
    ``key`` is None where there is no colon, ``value`` is None where there is no key.
    """

    span: Span
    tabs: int
    dashes: tuple[int, ...]
    content: Span
    key: Span | None
    value: Span | None
    comment: int | None

    def column(self, offset: int) -> int:
        """The column of an offset."""
        width = offset - self.span.start
        return width + min(self.tabs, width)


@dataclass(slots=True)
class Outline:
    """What was read. ``frames`` are those open in front of the cursor's line."""

    frames: list[Frame]
    keys: dict[Path, list[str]] = field(default_factory=dict)
    line: Line | None = None
    inside: Path | None = None
    inside_span: Span | None = None
    flow: Flow | None = None
    flow_path: Path = ()


class Reader:
    """Reads the lines of ``text[start:end]`` and remembers where the cursor is."""

    def __init__(self, text: str, start: int, end: int, cursor: int, frames: list[Frame]) -> None:
        self._text = text
        self._at = start
        self._end = end
        self._cursor = cursor
        self._frames = frames
        self._out = Outline([])

    def read(self) -> Outline:
        """All of it; the cursor's line is set in any case."""
        last = False
        while not last:
            match = _LINE.match(self._text, self._at, self._end)
            assert match is not None
            last = not match.group(2)
            line = _cut(self._text, match.start(), match.end(1))
            self._at = match.end()
            if line.span.start <= self._cursor <= line.span.end:
                self._note(line)
            if line.content.start < line.content.end or line.dashes:
                self._take(line)
        if self._out.line is None:
            start = _line_start(self._text, self._cursor)
            match = _LINE.match(self._text, start)
            assert match is not None
            self._note(_cut(self._text, start, match.end(1)))
        return self._out

    def _note(self, line: Line) -> None:
        """Keep the cursor's line, and what is open in front of it."""
        if self._out.line is None:
            self._out.line = line
            self._out.frames = [Frame(f.column, f.path, f.is_map, f.last, f.filled) for f in self._frames]

    # -- one line

    def _take(self, line: Line) -> None:
        for dash in line.dashes:
            self._dash(dash)
        column = line.column(line.content.start)
        if line.key is None or line.value is None:
            self._bare(line)
            return
        frame = self._map_at(column, nested=bool(line.dashes))
        key = _unquote(self._text[line.key.start : line.key.end])
        frame.last = key
        frame.filled = line.value.start < line.value.end
        self._out.keys.setdefault(frame.path, []).append(key)
        if frame.filled:
            self._value(line.value, frame.child_path(), column)

    def _dash(self, column: int) -> None:
        frames = self._frames
        while len(frames) > 1 and frames[-1].column > column:
            frames.pop()
        top = frames[-1]
        if top.is_map or top.column != column:
            parent = top
            top = Frame(column, parent.child_path(), is_map=False)
            parent.filled = True
            frames.append(top)
        top.last = top.last + 1 if isinstance(top.last, int) else 0
        top.filled = False

    def _map_at(self, column: int, *, nested: bool) -> Frame:
        frames = self._frames
        if not nested:
            while len(frames) > 1 and (
                frames[-1].column > column or (not frames[-1].is_map and frames[-1].column >= column)
            ):
                frames.pop()
        top = frames[-1]
        if top.is_map and top.column >= column:
            return top
        top.filled = True
        frames.append(Frame(column, top.child_path(), is_map=True))
        return frames[-1]

    def _bare(self, line: Line) -> None:
        """A line without a key: an item, a flow list, a half-typed key, or the next line of a plain scalar."""
        top = self._frames[-1]
        if line.dashes and line.content.start < line.content.end:
            top.filled = True
            self._value(line.content, top.child_path(), line.dashes[-1])
            return
        deeper = not line.dashes and line.column(line.content.start) > top.column
        if deeper and top.is_map and not top.filled and self._text[line.content.start] in "[{\"'":
            top.filled = True
            self._value(line.content, top.child_path(), top.column)

    def _value(self, value: Span, path: Path, column: int) -> None:
        """Pass over a value that may go on for more lines; ``column`` is that of its key or dash."""
        start = value.start
        if tag := _TAG.match(self._text, start, value.end):
            start = tag.end()
        first = self._text[start : start + 1]
        if _BLOCK.match(self._text, start, value.end):
            self._block(path, column)
        elif first in ("[", "{"):
            flow = scan_flow(self._text, start, self._end, path)
            for parent, keys in flow.keys.items():
                self._out.keys.setdefault(parent, []).extend(keys)
            if flow.span.start < self._cursor <= flow.span.end and not (flow.closed and self._cursor == flow.span.end):
                self._out.flow, self._out.flow_path = flow, path
            self._skip_to(flow.span.end)
        elif first in ("'", '"'):
            end = _end_of_quoted(self._text, start, self._end)
            if end > value.end and value.end < self._cursor <= end:
                self._out.inside, self._out.inside_span = path, Span(start, end)
            if end > value.end:
                self._skip_to(end)

    def _block(self, path: Path, column: int) -> None:
        start = self._at
        end = start
        while self._at < self._end:
            match = _LINE.match(self._text, self._at, self._end)
            assert match is not None
            body = match.group(1)
            if body.strip() and len(body) - len(body.lstrip(" ")) <= column:
                break
            self._at = end = match.end()
            if match.end() == match.start():
                break
        if not start <= self._cursor <= end or start == end:
            return
        line_start = _line_start(self._text, self._cursor)
        behind = not self._text[line_start:end].strip() and self._cursor - line_start <= column
        if behind:  # An empty line behind the scalar: what is typed there is no part of it.
            self._at = line_start
        else:
            self._out.inside, self._out.inside_span = path, Span(start, end)

    def _skip_to(self, end: int) -> None:
        """Go on with the line after the one that holds ``end``."""
        match = _LINE.match(self._text, end, self._end)
        assert match is not None
        if self._at < match.end():
            self._at = match.end()


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _cut(text: str, start: int, end: int) -> Line:
    raw = text[start:end]
    indent = raw[: len(raw) - len(raw.lstrip(" \t"))]
    tabs = indent.count("\t")
    at = start + len(indent)
    dashes = []
    while match := _DASH.match(text, at, end):
        dashes.append(at - start + tabs)
        at = match.end()
    comment = None
    stop = end
    key_match = _KEY.match(text, at, end)
    tail = key_match.end() if key_match else at
    quoted = text[tail:end].lstrip(" \t")[:1] in ("'", '"')
    found = None if quoted else _COMMENT.search(text, tail, end)
    if found is not None and found.start() >= tail:
        comment = stop = found.start()
    if key_match and comment is not None and comment < key_match.end():
        key_match = None
    while stop > at and text[stop - 1] in " \t":
        stop -= 1
    content = Span(at, max(at, stop))
    key = value = None
    if key_match is not None:
        key = Span(*key_match.span(1))
        value_start = key_match.end()
        while value_start < stop and text[value_start] in " \t":
            value_start += 1
        value = Span(min(value_start, max(stop, key_match.end())), max(stop, key_match.end()))
        if value.start > value.end:
            value = Span(key_match.end(), key_match.end())
    return Line(Span(start, end), tabs, tuple(dashes), content, key, value, comment)


def _unquote(key: str) -> str:
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] and key[0] in "'\"" else key


def _end_of_quoted(text: str, start: int, limit: int) -> int:
    """The offset behind the closing quote; the end of the line when it is not closed within the text."""
    quote = text[start]
    pattern = r'"(?:[^"\\]|\\.)*"' if quote == '"' else r"'(?:[^']|'')*'"
    match = re.compile(pattern, re.DOTALL).match(text, start, limit)
    if match is not None:
        return match.end()
    line = _LINE.match(text, start, limit)
    assert line is not None
    return line.end(1)
