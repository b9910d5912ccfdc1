"""Which part of a document an offset belongs to.

Parts in block style start on lines of their own. In flow style several are read in one stretch and share its text and
its start; there the place of the node tells them apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from osiris.syntax.document import Document
from osiris.syntax.parts import Placed


def step_at(document: Document, offset: int) -> int | None:
    """The index of the step that ``offset`` (code points) is in or behind; None in front of their lines."""
    return _last(document.steps, offset)


def part_at(document: Document, offset: int) -> tuple[Placed, int | None] | None:
    """The part that ``offset`` (code points) is in or behind, and its index if it is a step; None in front of all."""
    step, section = _last(document.steps, offset), _last(document.sections, offset)
    if step is None or section is None:
        if step is not None:
            return document.steps[step], step
        return (document.sections[section], None) if section is not None else None
    one, other = document.steps[step], document.sections[section]
    return (one, step) if _rank(one, offset) >= _rank(other, offset) else (other, None)


def _last(parts: tuple[Placed, ...], offset: int) -> int | None:
    index = bisect_right(parts, offset, key=_base) - 1
    if index < 0:
        return None
    if index and parts[index - 1].base == parts[index].base:
        first = bisect_left(parts, parts[index].base, hi=index, key=_base)
        index = max(bisect_right(parts, offset, first, index + 1, key=_start) - 1, first)
    return index


def _rank(placed: Placed, offset: int) -> tuple[int, int]:
    start = _start(placed)
    return placed.base, start if start <= offset else -1


def _base(placed: Placed) -> int:
    return placed.base


def _start(placed: Placed) -> int:
    return placed.base + placed.part.node.span.start
