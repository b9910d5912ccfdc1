"""What an editor can fold: whatever takes several lines.

A fold starts on the line of its key or dash and ends on its last line of text, so that the blank lines and comments
behind it stay to be seen. Runs of comment lines fold as comments, and so do ``# region`` and ``# endregion``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from osiris.syntax.tree import Entry, Node, Scalar, Sequence, Style
from osiris.syntax.tree import Mapping as MappingNode

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis

_REGION = re.compile(r"#[ \t]*(end)?region\b")


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines (0-based, both included, ``end`` behind ``start``) that fold into the first one.

    ``depth`` is how many folds there are around it. ``start_offset`` and ``end_offset`` are the places, for editors
    that can fold parts of lines: the end of the first line and that of the last one.
    """

    start: int
    end: int
    kind: Literal["comment", "region"] | None
    depth: int
    start_offset: int
    end_offset: int


def folds(analysis: Analysis, most: int | None = None) -> list[Fold]:
    """The folds, by their first line; with ``most``, so many of them at most, the outer ones first.

    At most one starts on a line: the outermost.
    """
    return _Folder(analysis).run(most)


class _Folder:
    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._document = analysis.document
        self._text = self._document.text
        self._lines = self._document.lines
        self._found: dict[int, tuple[int, Literal["comment", "region"] | None]] = {}

    def run(self, most: int | None) -> list[Fold]:
        document = self._document
        if document.steps_entry is not None:
            base, entry = document.steps_entry
            ends = [self._end(placed.base, placed.part.node) for placed in document.steps]
            ends.append(base + entry.span.end)
            self._add(base + entry.key.span.start, max(ends))
            for placed in document.steps:
                self._node(placed.base, placed.part.node)
        for placed in document.sections:
            for entry in getattr(placed.part.node, "entries", ()):
                self._entry(placed.base, entry)
        if document.top is not None:
            self._node(0, document.top)
        self._comments()
        return _chosen(self._nested(), most)

    def _node(self, base: int, node: Node) -> None:
        """A node that is an item of a list: it folds at the line where it starts."""
        if getattr(node, "synthetic", False):
            return
        self._add(base + node.span.start, self._end(base, node))
        if isinstance(node, MappingNode):
            for entry in node.entries:
                self._entry(base, entry)
        elif isinstance(node, Sequence):
            for item in node.items:
                self._node(base, item)

    def _entry(self, base: int, entry: Entry) -> None:
        value = entry.value
        if entry.synthetic or value.synthetic or value.span.end <= value.span.start:
            return
        self._add(base + entry.key.span.start, self._end(base, value))
        if isinstance(value, MappingNode):
            for inner in value.entries:
                self._entry(base, inner)
        elif isinstance(value, Sequence):
            for item in value.items:
                self._node(base, item)

    def _end(self, base: int, node: Node) -> int:
        """Where the node's text ends: blank lines behind it do not count."""
        start = base + node.span.start
        end = min(base + _own_end(node), len(self._text))
        while end > start and self._text[end - 1] in " \t\r\n":
            end -= 1
        return end

    def _add(self, start: int, end: int, kind: Literal["comment", "region"] | None = None) -> None:
        first, last = self._lines.line_of(start), self._lines.line_of(end)
        if last > first and self._found.get(first, (first, None))[0] < last:
            self._found[first] = (last, kind)

    def _comments(self) -> None:
        starts: list[int] = []
        run: list[int] = []
        for span in self._document.comments():
            line = self._lines.line_of(span.start)
            marker = _REGION.match(self._text, span.start)
            alone = not self._text[self._lines.starts[line] : span.start].strip()
            if marker is not None and alone:
                self._run(run)
                run = []
                if marker.group(1) is None:
                    starts.append(span.start)
                elif starts:
                    self._add(starts.pop(), span.end, "region")
                continue
            if run and line != run[-1] + 1:
                self._run(run)
                run = []
            if alone:
                run.append(line)
        self._run(run)

    def _run(self, lines: list[int]) -> None:
        if len(lines) > 1:
            self._found.setdefault(lines[0], (lines[-1], "comment"))

    def _nested(self) -> Iterator[Fold]:
        """The folds with their depth. One that would cross another one is left out."""
        open_ends: list[int] = []
        for start in sorted(self._found):
            end, kind = self._found[start]
            while open_ends and open_ends[-1] < start:
                open_ends.pop()
            if open_ends and end > open_ends[-1]:
                continue
            first, last = (self._lines.line_span(line, self._text).end for line in (start, end))
            yield Fold(start, end, kind, len(open_ends), first, last)
            open_ends.append(end)


def _chosen(found: Iterator[Fold], most: int | None) -> list[Fold]:
    folds = list(found)
    if most is None or len(folds) <= most:
        return folds
    outer = sorted(folds, key=lambda fold: (fold.depth, fold.start))[: max(most, 0)]
    return sorted(outer, key=lambda fold: fold.start)


def _own_end(node: Node) -> int:
    """The end of a node; of a block scalar that of its text."""
    if isinstance(node, Scalar) and node.style in (Style.LITERAL, Style.FOLDED):
        return node.content.end
    return node.span.end
