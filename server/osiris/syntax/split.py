"""Where the parts of a document start: its top-level keys, and the items of a block list under ``steps``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from osiris.syntax.dashless import first_step
from osiris.syntax.recovery_lines import STEP_KEYS

_FIRST = re.compile(r"^([ \t]*)([^ \t\n#][^\n]*)", re.MULTILINE)
_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\n]|\Z)", re.MULTILINE)
_START_MARKER = re.compile(r"---[ \t]*(?:[ \t]#[^\n]*)?(?:\n|\Z)")
_BARE_MARKER = re.compile(r"(?:---|\.\.\.)[ \t]*(?:[ \t]#[^\n]*)?(?:\n|\Z)")
_VERSION = re.compile(r"%YAML 1\.[0-9]{1,3}[ \t]*(?:[ \t]#[^\n]*)?\n")
_KEY_LINE = re.compile(r"^( *)(?:[^\W\d][\w.-]*|\"[^\"\n]*\"|'[^'\n]*')[ \t]*:(?=[ \t\n]|\Z)", re.MULTILINE)
_STEPS_KEY = re.compile(r"(?:steps|\"steps\"|'steps')[ \t]*:(?=[ \t\n]|\Z)")
_STEPS_HEADER = re.compile(r"(?:steps|\"steps\"|'steps')[ \t]*:[ \t]*(?:(?<=[ \t])#[^\n]*)?(?:\n|\Z)")
_FIRST_ITEM = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*( *)-(?=[ \t\n]|\Z)")
_OF_STEP = re.compile(rf"(?:{'|'.join(sorted(STEP_KEYS))})(?=[ \t]*(?::|\n))")
_STEP_KEY = re.compile(r"[ \t]+(?:id|component)[ \t]*:(?=[ \t\n])")
_DOES = re.compile(r"\n? +(?:component|mode)[ \t]*:(?=[ \t\n])")
_CLOSES = {'"': '"', "'": "'", "[": "]", "{": "}"}
_LISTS = ("x-", "steps", "tasks", "outputs", "connectors", "metadata", "schedule", "params", "profiles")
_ANY_ITEM = re.compile(r"\n( *)-(?:(?=[ \t\n]|\Z)|(?=[^\W\d]))")

PieceKind = Literal["section", "header", "step", "bare", "stray"]


class Piece(NamedTuple):
    """A stretch of whole lines that is read on its own.

    ``header`` is ``steps:`` above a block list, ``bare`` a step whose dash is missing, ``stray`` a key at
    the margin in the middle of the steps.
    """

    kind: PieceKind
    start: int
    end: int


class Layout(NamedTuple):
    """The pieces of a block mapping in order; ``indent`` is that of its keys, ``step_indent`` that of the dashes.

    ``first_indent`` is that of the first line, which by mistake may be deeper.
    """

    pieces: list[Piece]
    indent: int = 0
    step_indent: int = -1
    first_indent: int = 0


class Body(NamedTuple):
    """The first document of a file. ``second`` is where another one begins, -1 when there is none.

    ``plain`` is False when the file starts in a way that only a whole read understands.
    """

    start: int
    end: int
    second: int
    plain: bool


@lru_cache(maxsize=64)
def _section_starts(indent: int) -> re.Pattern[str]:
    # A closing bracket at the margin belongs to the value above it; so does a dash.
    return re.compile(rf"\n {{{indent}}}(?=[^ \t\n#\]}},])(?!-(?:[ \t\n]|\Z))")


@lru_cache(maxsize=64)
def _item_starts(indent: int) -> re.Pattern[str]:
    return re.compile(rf"\n {{{indent}}}-(?=[ \t\n]|\Z)")


def find_body(text: str) -> Body:
    """Where the first document of ``text`` (all of whose lines end in ``\\n``) starts and ends."""
    end = len(text)
    if not ("---" in text or "..." in text or text.startswith("%") or "\n%" in text):
        return Body(0, end, -1, True)
    start = 0
    first = _FIRST.search(text)
    if first is not None and not first.group(1):
        at = first.start()
        if version := _VERSION.match(text, at):
            at = version.end()
        if bare := _START_MARKER.match(text, at):
            start = bare.end()
        elif at != first.start() or text.startswith("%", at) or _MARKER.match(text, at):
            return Body(0, end, -1, False)
    marker = _MARKER.search(text, start)
    if marker is None:
        return Body(start, end, -1, True)
    if not _BARE_MARKER.match(text, marker.start()):
        return Body(start, marker.start(), marker.start(), True)  # something stands behind the marker
    rest = _FIRST.search(text, marker.start() + 3)
    second = -1
    if rest is not None and not _BARE_MARKER.fullmatch(text, rest.start(), end):
        second = marker.start() if text.startswith("---", marker.start()) else rest.start(2)
    return Body(start, marker.start(), second, True)


def split(text: str, start: int, end: int) -> Layout | None:
    """The layout of ``text[start:end]``; ``\\n`` alone ends its lines. None when it is no block mapping."""
    first = _FIRST.search(text, start, end)
    if first is None:
        return Layout([])
    first_indent, head = len(first.group(1)), first.group(2)
    if "\t" in first.group(1) or head[0] in "[{&!" or head in "?-" or head[:2] in ("? ", "- ", "?\t", "-\t"):
        return None
    indent = first_indent
    if indent:  # one line further left is enough to show that the first one is wrong
        indent = min((len(m.group(1)) for m in _KEY_LINE.finditer(text, first.start(), end)), default=indent)
        indent = min(indent, first_indent)
    starts = [first.start(), *(m.start() + 1 for m in _section_starts(indent).finditer(text, first.start(2), end))]
    pieces: list[Piece] = []
    step_indent, seen_steps = -1, False
    for at, stop in zip(starts, [*starts[1:], end], strict=True):
        key = at + (first_indent if at == first.start() else indent)
        if text.startswith(("? ", "?\n"), key):
            return None
        header = None if seen_steps else _STEPS_HEADER.match(text, key, stop)
        seen_steps = seen_steps or _STEPS_KEY.match(text, key, stop) is not None
        item = _FIRST_ITEM.match(text, header.end(), stop) if header else None
        bare = first_step(text, header.end(), stop) if header and item is None else None
        if item is not None and len(item.group(1)) >= indent:
            step_indent, first_item = len(item.group(1)), item.start(1)
        elif bare is not None:
            first_item, step_indent = bare
            step_indent = max(step_indent, indent)
        elif step_indent >= 0 and (swallowed := _swallowed(text, key, stop, step_indent)) >= 0:
            # A key typed in the middle of the steps, too far to the left; the step above may well be what it is of.
            if pieces[-1].kind in ("step", "bare") and _OF_STEP.match(text, key):
                pieces[-1] = pieces[-1]._replace(end=swallowed)
            else:
                pieces.append(Piece("stray", at, swallowed))
            pieces.extend(_steps(text, swallowed, stop, step_indent))
            continue
        else:
            pieces.append(Piece("section", at, stop))
            continue
        pieces.append(Piece("header", at, first_item))
        steps = _steps(text, first_item, stop, step_indent)
        pieces.extend([Piece("bare", *steps[0][1:]), *steps[1:]] if bare else steps)
    return Layout(pieces, indent, step_indent, first_indent)


def _steps(text: str, first: int, stop: int, step_indent: int) -> list[Piece]:
    """The pieces of a list of steps; the first one starts at ``first``."""
    starts = [first, *(m.start() + 1 for m in _item_starts(step_indent).finditer(text, first, stop))]
    return [Piece("step", a, b) for a, b in zip(starts, [*starts[1:], stop], strict=True)]


def _swallowed(text: str, key: int, stop: int, step_indent: int) -> int:
    """Where in a section behind the steps the first step stands that its key, at ``key``, cuts off from the others.

    -1 when the list there may well be meant as the value of the key.
    """
    item = _item_starts(step_indent).search(text, key, stop)
    if item is None or not _STEP_KEY.match(text, item.end(), stop):
        return -1
    line_end = text.find("\n", key)
    name, colon, value = text[key:line_end].partition(":")
    value = value.partition(" #")[0].strip()
    if value.startswith(("|", ">", "&", "!")) or (value[:1] in _CLOSES and not value[1:].endswith(_CLOSES[value[0]])):
        return -1  # what follows is the rest of the value
    if colon and not value:
        behind = _item_starts(step_indent).search(text, item.end(), stop)
        does = _DOES.search(text, item.end(), behind.start() if behind else stop)
        if does is None or name.strip().strip("'\"").startswith(_LISTS):
            return -1
    return item.start() + 1


def misplaced_items(text: str, piece: Piece, layout: Layout) -> list[int]:
    """Line starts in a broken step at which dashes stand that are meant to start steps, but at a wrong indent.

    Such a dash stands further left than the dashes of the list, or one column to the right of them; or at the right
    place, but without the space behind it.
    """
    if layout.step_indent < 0:
        return []
    found = [(len(m.group(1)), m.start() + 1) for m in _ANY_ITEM.finditer(text, piece.start, piece.end)]
    left = [width for width, _ in found if layout.indent <= width < layout.step_indent]
    wanted = (min(left),) if left else (layout.step_indent, layout.step_indent + 1)
    return [start for width, start in found if width in wanted]
