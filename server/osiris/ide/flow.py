"""Flow collections, ``[a, b]`` and ``{k: v}``, as far as they are typed."""

from __future__ import annotations

from dataclasses import dataclass, field

from osiris.syntax.text import Span

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place between two delimiters. ``is_key``: a key stands or could stand here; else a value or an item."""

    span: Span
    path: Path
    is_key: bool
    has_colon: bool = False


@dataclass(slots=True)
class Flow:
    """A flow collection and its slots in written order; ``closed`` tells whether its last bracket is there."""

    span: Span
    closed: bool = False
    slots: list[Slot] = field(default_factory=list)
    keys: dict[Path, list[str]] = field(default_factory=dict)

    def at(self, offset: int) -> Slot | None:
        """The slot that a cursor at ``offset`` stands in: the innermost, and of two that touch the first."""
        found = [slot for slot in self.slots if slot.span.touches(offset)]
        return min(found, key=lambda slot: slot.span.end - slot.span.start, default=None)


@dataclass(slots=True)
class _Open:
    is_map: bool
    path: Path
    start: int
    index: int = 0
    key: str | None = None
    filled: bool = False


def scan_flow(text: str, start: int, limit: int, path: Path) -> Flow:
    """Read the collection that opens at ``start``. One that is never closed ends with its line."""
    flow = _scan(text, start, limit, path)
    if not flow.closed:
        ends = [i for i in (text.find("\n", start, limit), text.find("\r", start, limit)) if i >= 0]
        flow = _scan(text, start, min(ends, default=limit), path)
    return flow


def _scan(text: str, start: int, limit: int, path: Path) -> Flow:
    flow = Flow(Span(start, limit))
    stack: list[_Open] = []
    at = start
    while at < limit:
        char = text[at]
        if char in "[{":
            inner = path if not stack else _value_path(stack[-1])
            stack.append(_Open(char == "{", inner, at + 1))
        elif char in "]}":
            if stack:
                _close_slot(text, flow, stack.pop(), at)
            if not stack:
                flow.span, flow.closed = Span(start, at + 1), True
                return flow
            stack[-1].start, stack[-1].filled = at + 1, True
        elif char == ",":
            _close_slot(text, flow, stack[-1], at)
            stack[-1].start, stack[-1].index, stack[-1].key = at + 1, stack[-1].index + 1, None
            stack[-1].filled = False
        elif char == ":" and stack[-1].is_map and stack[-1].key is None and text[at + 1 : at + 2] in " ,]}\r\n\"'":
            _take_key(text, flow, stack[-1], at)
        elif char in "\"'" and not text[stack[-1].start : at].strip():
            at = _skip_quoted(text, at, limit)
            continue
        elif char == "#" and text[at - 1] in " \t\r\n":
            while at < limit and text[at] not in "\r\n":
                at += 1
            continue
        at += 1
    while stack:
        _close_slot(text, flow, stack.pop(), limit)
    return flow


def _value_path(frame: _Open) -> Path:
    return (*frame.path, (frame.key or "") if frame.is_map else frame.index)


def _take_key(text: str, flow: Flow, frame: _Open, at: int) -> None:
    span = _trim(text, Span(frame.start, at))
    frame.key = text[span.start : span.end].strip("\"'")
    flow.keys.setdefault(frame.path, []).append(frame.key)
    flow.slots.append(Slot(span, frame.path, is_key=True, has_colon=True))
    frame.start = at + 1


def _close_slot(text: str, flow: Flow, frame: _Open, at: int) -> None:
    raw = Span(frame.start, at)
    span = _trim(text, raw)
    slot_span = raw if span.start == span.end else span
    if frame.filled and span.start == span.end:
        return  # behind a collection nothing more can stand
    if frame.is_map and frame.key is None:
        flow.slots.append(Slot(slot_span, frame.path, is_key=True))
    else:
        flow.slots.append(Slot(slot_span, _value_path(frame), is_key=False))


def _trim(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start] in " \t\r\n":
        start += 1
    while end > start and text[end - 1] in " \t\r\n":
        end -= 1
    return Span(start, end)


def _skip_quoted(text: str, at: int, limit: int) -> int:
    quote = text[at]
    at += 1
    while at < limit:
        if quote == '"' and text[at] == "\\":
            at += 2
            continue
        if text[at] == quote:
            return at + 1
        at += 1
    return limit
