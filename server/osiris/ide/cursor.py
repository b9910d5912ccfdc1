"""What stands at an offset, and what could be typed there. The base of completion, hover and all navigation.

Right in broken text as well: a cursor is found by the columns of the lines of its own step or section alone, so that
nothing that is wrong elsewhere, and nothing half typed here, moves it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from osiris.ide.outline import Frame, Line, Outline, Path, Reader
from osiris.syntax.document import Document
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar

_LINE_END = re.compile(r"\r\n|\r|\n")
_NEXT_LINE = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*( *)(?=[^ \t\r\n#])(-(?=[ \t\r\n]|\Z))?")


class Role(enum.Enum):
    """What a cursor stands in."""

    KEY = "key"
    """A key, or a place where a key could start. ``path`` leads to its map."""
    VALUE = "value"
    """A value on the line of its key, or in a flow collection. ``path`` leads to it."""
    ITEM = "item"
    """Behind the dash of a list item that has nothing or a single word so far. ``path`` leads to the item."""
    DASH = "dash"
    """An empty place where a new item of the list at ``path`` could start; its dash is not there yet."""
    TEXT = "text"
    """Inside a block scalar or a quoted text of several lines. ``path`` leads to it."""
    NOTHING = "nothing"
    """A comment, or a place where YAML allows nothing."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a document.

    ``path`` leads from the top (``("steps", 2, "config", "query")``; see ``Role`` for what it leads to).
    ``token`` is what stands there, without quotes, or an empty span; ``text`` and ``prefix`` are all of it and the part
    in front of the offset. ``column`` is that of the keys (or dashes) around; ``keys`` are the other keys of the map.
    ``indent`` is the blank stretch in front that has the wrong width for ``column``, when there is one.
    ``quote`` is the quote around the token, ``has_colon`` whether a colon follows a key, ``gap`` whether a blank must
    be put in front of a value (``mode:|``), ``flow`` whether the place is inside ``[]`` or ``{}``, ``begun`` whether
    the value of a key that has no colon yet stands on the lines below.
    """

    offset: int
    role: Role
    path: Path
    token: Span
    text: str
    prefix: str
    column: int = 0
    keys: tuple[str, ...] = ()
    indent: Span | None = None
    quote: str = ""
    has_colon: bool = False
    gap: bool = False
    flow: bool = False
    begun: bool = False

    @property
    def step(self) -> int | None:
        """The index of the step that the cursor is in."""
        path = self.path
        return path[1] if len(path) > 1 and path[0] == "steps" and isinstance(path[1], int) else None

    @property
    def within(self) -> Path:
        """The way from the step (or, outside steps, from the top)."""
        return self.path[2:] if self.step is not None else self.path


def cursor_at(document: Document, offset: int) -> Cursor:
    """What stands at ``offset`` (code points, clamped to the text)."""
    offset = min(max(offset, 0), len(document.text))
    start, end, frames = _region(document, offset)
    outline = Reader(document.text, start, end, offset, frames).read()
    top = [key for placed in document.sections for key in _keys_of(placed.part.node)]
    if document.steps_entry is not None:
        top.append("steps")
    outline.keys[()] = [*outline.keys.get((), ()), *(key for key in top if key not in outline.keys.get((), ()))]
    return _Place(document.text, offset, outline, between_steps=_between_steps(document, offset)).find()


def _between_steps(document: Document, offset: int) -> bool:
    """Whether ``offset`` is below ``steps:`` and steps follow: then only steps can start here, whatever the column."""
    if document.steps_entry is None or not document.steps:
        return False
    base, entry = document.steps_entry
    return base + entry.key.span.end < offset < document.steps[-1].base


def _keys_of(node: object) -> list[str]:
    return [entry.key.text for entry in getattr(node, "entries", ())]


def _region(document: Document, offset: int) -> tuple[int, int, list[Frame]]:
    """The step or section around ``offset``, with what is open in front of it."""
    root = Frame(0, (), is_map=True)
    if document.top is not None:
        return 0, len(document.text), [root]
    starts = [(placed.base, -1) for placed in document.sections]
    if document.steps_entry is not None:
        base = document.steps_entry[0]
        starts.append((base, -1))
        starts += [(placed.base, index) for index, placed in enumerate(document.steps) if placed.base > base]
    starts.sort()
    chosen = max((i for i, (base, _) in enumerate(starts) if base <= offset), default=None)
    if chosen is None:
        return 0, starts[0][0] if starts else len(document.text), [root]
    base, index = starts[chosen]
    end = starts[chosen + 1][0] if chosen + 1 < len(starts) else len(document.text)
    if index < 0:
        _leave_open(document, base, root)
        return base, end, [root]
    root.last = "steps"
    dash = document.text.find("-", base, end)
    line_start = max(document.text.rfind("\n", 0, dash), document.text.rfind("\r", 0, dash)) + 1
    steps = Frame(max(dash - line_start, 0), ("steps",), is_map=False, last=index - 1 if index else None)
    return base, end, [root, steps]


def _leave_open(document: Document, base: int, root: Frame) -> None:
    """Note in ``root`` that the entry in front of ``base`` has no value: what follows may be meant for it."""
    entries = [
        (placed.base, entry) for placed in document.sections for entry in getattr(placed.part.node, "entries", ())[-1:]
    ]
    if document.steps_entry is not None and not document.steps:
        entries.append(document.steps_entry)
    _, before = max((e for e in entries if e[0] < base), key=lambda e: e[0], default=(0, None))
    if before is not None and before.has_colon and isinstance(before.value, Scalar) and before.value.value is None:
        root.last, root.filled = before.key.text, False


class _Place:
    """Turns an outline into a cursor."""

    def __init__(self, text: str, offset: int, outline: Outline, *, between_steps: bool) -> None:
        self._text = text
        self._offset = offset
        self._outline = outline
        self._between_steps = between_steps
        assert outline.line is not None
        self._line: Line = outline.line

    def find(self) -> Cursor:
        line, offset = self._line, self._offset
        if self._outline.flow is not None:
            return self._in_flow()
        if self._outline.inside is not None:
            span = self._outline.inside_span or Span(offset, offset)
            return self._make(Role.TEXT, self._outline.inside, span)
        has_text = line.content.start < line.content.end or bool(line.dashes)
        if line.comment is not None and (offset > line.comment or not has_text):
            return self._make(Role.NOTHING, (), Span(offset, offset))
        if line.key is not None and line.value is not None and offset > line.key.end:
            return self._value(line.value)
        starts = line.content.start
        if line.dashes and line.content.start == line.content.end:
            starts = line.span.start + line.dashes[-1] + 1 - line.tabs
        if has_text and offset < starts:
            return self._make(Role.NOTHING, (), Span(offset, offset))
        return self._key_or_item()

    def _make(self, role: Role, path: Path, token: Span, **more: object) -> Cursor:
        prefix = self._text[token.start : min(max(self._offset, token.start), token.end)]
        text = self._text[token.start : token.end]
        return Cursor(self._offset, role, path, token, text, prefix, **more)  # type: ignore[arg-type]

    # -- values

    def _value(self, value: Span) -> Cursor:
        line = self._line
        assert line.key is not None
        frame_path, column = self._map_path()
        path = (*frame_path, self._key_text(line.key))
        gap = self._text[self._offset - 1 : self._offset] == ":"
        if value.start == value.end or self._offset < value.start:
            token = Span(self._offset, self._offset)
            if value.start < value.end or self._begins_below(column):
                return self._make(Role.NOTHING, path, token)
            keys = self._others(frame_path)
            return self._make(Role.VALUE, path, token, column=column, keys=keys, gap=gap)
        return self._scalar(path, value, column)

    def _scalar(self, path: Path, value: Span, column: int) -> Cursor:
        token, quote = self._unquoted(value)
        is_header = self._text[value.start] in "|>"
        if is_header or not token.touches(self._offset):
            return self._make(Role.NOTHING, path, Span(self._offset, self._offset))
        keys = self._others(path[:-1])
        return self._make(Role.VALUE, path, token, column=column, keys=keys, quote=quote)

    def _unquoted(self, token: Span) -> tuple[Span, str]:
        """What is between the quotes, and the quote; a quote that is not closed yet goes to the end."""
        quote = self._text[token.start : token.start + 1]
        if token.start == token.end or quote not in ("'", '"'):
            return token, ""
        closed = token.end - token.start > 1 and self._text[token.end - 1] == quote
        return Span(token.start + 1, token.end - 1 if closed else token.end), quote

    def _in_flow(self) -> Cursor:
        flow, here = self._outline.flow, Span(self._offset, self._offset)
        assert flow is not None
        slot = flow.at(self._offset)
        if slot is None:
            return self._make(Role.NOTHING, self._outline.flow_path, here, flow=True)
        blank = not self._text[slot.span.start : slot.span.end].strip()
        token, quote = (here, "") if blank else self._unquoted(slot.span)
        if not token.touches(self._offset):
            return self._make(Role.NOTHING, slot.path, here, flow=True)
        role = Role.KEY if slot.is_key else Role.VALUE
        keys = tuple(self._outline.keys.get(slot.path, ())) if slot.is_key else ()
        gap = blank and role is Role.VALUE and self._text[self._offset - 1] == ":"
        return self._make(role, slot.path, token, keys=keys, quote=quote, has_colon=slot.has_colon, gap=gap, flow=True)

    # -- keys and items

    def _key_text(self, key: Span) -> str:
        return self._text[key.start : key.end].strip("\"'")

    def _map_path(self) -> tuple[Path, int]:
        """The way to the map that the key of this line stands in, and its column."""
        line = self._line
        column = line.column(line.content.start)
        if line.dashes:
            return self._item_path(), column
        frames = [f for f in self._outline.frames if f.column < column or (f.is_map and f.column <= column)]
        top = frames[-1] if frames else self._outline.frames[0]
        if top.is_map and top.column == column:
            return top.path, column
        return top.child_path(), column

    def _item_path(self) -> Path:
        """The way to the item that the last dash of this line starts."""
        path: Path | None = None
        for dash in self._line.dashes:
            if path is not None:
                path = (*path, 0)
                continue
            frames = [f for f in self._outline.frames if f.column <= dash]
            top = frames[-1] if frames else self._outline.frames[0]
            if not top.is_map and top.column == dash:
                path = (*top.path, top.last + 1 if isinstance(top.last, int) else 0)
            else:
                path = (*top.child_path(), 0)
        assert path is not None
        return path

    def _key_or_item(self) -> Cursor:
        line, text = self._line, self._text
        has_colon = line.key is not None
        token, quote = (line.key, "") if line.key is not None else self._unquoted(line.content)
        here = Span(self._offset, self._offset)
        if quote and line.dashes and not token.touches(self._offset):
            return self._make(Role.NOTHING, self._item_path(), here)  # beside a quoted item
        if not token.touches(self._offset):  # behind it, or within the blanks of an empty line
            token = here
        if line.dashes:
            path = self._item_path()
            role = Role.KEY if has_colon else Role.ITEM
            column = line.column(line.content.start)
            if line.content.start == line.content.end:
                column = max(line.column(self._offset), line.dashes[-1] + 2)
            gap = text[self._offset - 1 : self._offset] == "-"
            keys = self._others(path)
            return self._make(role, path, token, column=column, keys=keys, quote=quote, has_colon=has_colon, gap=gap)
        column = line.column(line.content.start)
        if line.content.start == line.content.end:
            column = line.column(self._offset)
        return self._key_at(column, token, has_colon)

    def _key_at(self, column: int, token: Span, has_colon: bool) -> Cursor:
        """A key, or an empty place at ``column``: in which of the open maps and lists it can only be meant."""
        frames = self._outline.frames
        left = [frame for frame in frames if frame.column <= column]
        top = left[-1] if left else frames[0]
        deeper = frames[len(left) :]
        if top.last is not None and not top.filled and not has_colon:
            below = self._below()
            if below is not None and below[0] > top.column:  # its value has begun, on a line further down
                return self._first_of(top.child_path(), below, column, token)
        if self._between_steps and top is frames[0] and deeper and not has_colon:
            return self._in_frame(deeper[0], column, token, has_colon)  # the left margin between two steps
        if self._between_steps and top is frames[0] and not deeper and not has_colon and token.start < token.end:
            below = self._below()
            if below is not None and below[1]:  # a word in the left margin, which cuts the steps in two
                return self._first_of(("steps",), below, column, token)
        if top.column == column:
            return self._in_frame(top, column, token, has_colon)
        if not top.filled and top.last is not None:  # the first key of a map that has not begun
            return self._key(top.child_path(), column, column, token, has_colon)
        # Between two columns the deeper one is meant; further in than all of them, the innermost.
        return self._in_frame(deeper[0] if deeper else top, column, token, has_colon)

    def _below(self) -> tuple[int, bool] | None:
        """The column of the next line that says something, and whether a dash stands there."""
        at = _LINE_END.search(self._text, self._line.span.end)
        found = _NEXT_LINE.match(self._text, at.end()) if at is not None else None
        return (len(found[1]), found[2] == "-") if found is not None else None

    def _begins_below(self, column: int) -> bool:
        """Whether the value of the key in ``column`` begins on a line further down."""
        below = self._below()
        return below is not None and (below[0] > column or (below[1] and below[0] == column and not self._line.dashes))

    def _first_of(self, path: Path, below: tuple[int, bool], column: int, token: Span) -> Cursor:
        """In front of the first key or item of the map or list at ``path``, which stand in the column ``below``."""
        wanted, is_list = below
        indent = self._misplaced(column, wanted)
        if is_list:
            return self._make(Role.DASH, path, token, column=wanted, indent=indent)
        return self._key(path, wanted, column, token, has_colon=False)

    def _in_frame(self, frame: Frame, column: int, token: Span, has_colon: bool) -> Cursor:
        if frame.is_map:
            return self._key(frame.path, frame.column, column, token, has_colon)
        if has_colon:
            return self._make(Role.NOTHING, frame.path, token)
        indent = self._misplaced(column, frame.column)
        return self._make(Role.DASH, frame.path, token, column=frame.column, indent=indent)

    def _key(self, path: Path, wanted: int, column: int, token: Span, has_colon: bool) -> Cursor:
        indent = self._misplaced(column, wanted)
        keys = self._others(path)
        begun = token.start < token.end and not has_colon and self._begins_below(wanted)
        return self._make(
            Role.KEY, path, token, column=wanted, keys=keys, has_colon=has_colon, indent=indent, begun=begun
        )

    def _misplaced(self, column: int, wanted: int) -> Span | None:
        start, tabs = self._line.span.start, self._line.tabs
        if column == wanted and not tabs:
            return None
        return Span(start, start + (column - tabs if column >= 2 * tabs else column // 2))

    def _others(self, path: Path) -> tuple[str, ...]:
        """The keys of the map at ``path``, without the one on this line."""
        keys = list(self._outline.keys.get(path, ()))
        if self._line.key is not None and (own := self._key_text(self._line.key)) in keys:
            keys.remove(own)
        return tuple(keys)
