"""Where the parts of a document start: its top-level keys, and the items of a block list under ``steps``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_FIRST = re.compile(r"^([ \t]*)([^\s#].*)", re.MULTILINE)
_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\n]|\Z)", re.MULTILINE)
_STEPS_HEADER = re.compile(r"(steps|\"steps\"|'steps')[ \t]*:[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_FIRST_ITEM = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*( *)-(?=[ \t\n]|\Z)")
_DASH = re.compile(r"-(?:[ \t\n]|\Z)")

PieceKind = Literal["section", "steps", "step"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of whole lines that is read on its own."""

    kind: PieceKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces in order. ``item_indent`` is that of the dashes under ``steps`` (-1: no block list there)."""

    pieces: list[Piece]
    item_indent: int = -1


@lru_cache(maxsize=64)
def _section_starts(indent: int) -> re.Pattern[str]:
    return re.compile(rf"^ {{{indent}}}(?=[^\s#\]}},])(?!-(?:[ \t\n]|\Z))", re.MULTILINE)


@lru_cache(maxsize=64)
def _item_starts(indent: int) -> re.Pattern[str]:
    return re.compile(rf"^ {{{indent}}}-(?=[ \t\n]|\Z)", re.MULTILINE)


def split(text: str, start: int, end: int) -> Layout | None:
    """The layout of ``text[start:end]``; ``\\n`` alone ends its lines. None when it is no block mapping."""
    first = _FIRST.search(text, start, end)
    if first is None:
        return Layout([])
    indent = len(first.group(1))
    head = first.group(2)
    if "\t" in first.group(1) or head[0] in "[{" or head[:2] in ("? ", "- ") or head in ("?", "-"):
        return None
    starts = [m.start() for m in _section_starts(indent).finditer(text, start, end)]
    pieces: list[Piece] = []
    item_indent = -1
    for at, stop in zip(starts, [*starts[1:], end], strict=True):
        header = _STEPS_HEADER.match(text, at + indent, stop) if item_indent < 0 else None
        item = _FIRST_ITEM.match(text, header.end(), stop) if header else None
        if item is None or len(item.group(1)) < indent:
            pieces.append(Piece("section", at, stop))
            continue
        item_indent = len(item.group(1))
        steps = [m.start() for m in _item_starts(item_indent).finditer(text, item.start(1), stop)]
        pieces.append(Piece("steps", at, steps[0]))
        pieces.extend(Piece("step", a, b) for a, b in zip(steps, [*steps[1:], stop], strict=True))
    return Layout(pieces, item_indent)


def first_document(text: str, start: int) -> tuple[int, int, int]:
    """Start and end of the first document's content, and where a second one begins (-1: there is none)."""
    if not ("\n---" in text or "\n..." in text or text.startswith(("---", "..."), start)):
        return start, len(text), -1
    markers = [m.start() for m in _MARKER.finditer(text, start)]
    return start, len(text), -1 if not markers else -1
