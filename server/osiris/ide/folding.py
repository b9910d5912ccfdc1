"""What an editor can fold: whatever takes several lines.

A fold starts on the line of its key or dash and ends on its last line of text, so that the blank lines and comments
behind it stay to be seen. Runs of comment lines fold as comments, and so does what stands between ``# region`` and
``# endregion``. The folds of a part of the document are kept with it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from osiris.syntax.document import Part
from osiris.syntax.text import LineIndex
from osiris.syntax.tree import Entry, Node, Scalar, Sequence, Style
from osiris.syntax.tree import Mapping as MappingNode

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis

_REGION = re.compile(r"#[ \t]*(end)?region\b")
_COMMENT_LINE = re.compile(r"(?:^|(?<=[\r\n]))[ \t]*(#[^\r\n]*)")

Kind = Literal["comment", "region"]
Lines = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines (0-based, both included, ``end`` behind ``start``) that fold into the first one.

    ``depth`` is how many folds there are around it.
    """

    start: int
    end: int
    kind: Kind | None
    depth: int


@dataclass(frozen=True, slots=True)
class PartFolds:
    """The folds of a part and the lines that are inside its texts; lines count from that of its base."""

    folds: tuple[Lines, ...]
    texts: tuple[Lines, ...]


_KNOWN: WeakKeyDictionary[Part, PartFolds] = WeakKeyDictionary()


def folds(analysis: Analysis, most: int | None = None) -> list[Fold]:
    """The folds, by their first line; with ``most``, so many of them at most, the outer ones first.

    At most one starts on a line: the outermost.
    """
    document, lines = analysis.document, analysis.document.lines
    found: dict[int, tuple[int, Kind | None]] = {}
    placed: list[tuple[int, PartFolds]] = []
    for index, one in enumerate((*document.sections, *document.steps)):
        part = _KNOWN.get(one.part)
        if part is None:
            part = part_folds(one.part.text, one.part.node, section=index < len(document.sections))
            _KNOWN[one.part] = part
        line = lines.line_of(one.base)
        placed.append((line, part))
        for start, end in part.folds:
            _add(found, line + start, line + end)
    last_line = max((line + end for line, part in placed[len(document.sections) :] for _, end in part.folds), default=0)
    if document.top is not None:
        placed.append((0, part_folds(document.text, document.top)))
        for start, end in placed[-1][1].folds:
            _add(found, start, end)
    if document.steps_entry is not None:
        base, entry = document.steps_entry
        ends = [base + entry.span.end, *(one.span(one.part.node.span).start for one in document.steps)]
        _add(found, lines.line_of(base + entry.key.span.start), max(last_line, lines.line_of(max(ends))))
    _comments(document.text, lines, _hidden(placed), found)
    return _chosen(_nested(found), most)


def part_folds(text: str, node: Node, *, section: bool = False) -> PartFolds:
    """The folds of a part of the document with this text and this node; of a ``section`` only those of its entries."""
    walk = _Walk(text)
    if section:
        walk.inside(node)
    else:
        walk.node(node)
    return PartFolds(tuple(walk.folds), tuple(walk.texts))


class _Walk:
    """Goes through one part; lines count from its start."""

    def __init__(self, text: str) -> None:
        self.folds: list[Lines] = []
        self.texts: list[Lines] = []
        self._text = text
        self._lines = LineIndex(text)

    def node(self, node: Node) -> None:
        """A node that folds at the line where it starts."""
        if not node.synthetic:
            self._add(node.span.start, node)
            self.inside(node)

    def _entry(self, entry: Entry) -> None:
        value = entry.value
        if not entry.synthetic and not value.synthetic and value.span.end > value.span.start:
            self._add(entry.key.span.start, value)
            self.inside(value)

    def inside(self, node: Node) -> None:
        """What stands in a node, without the node itself."""
        if isinstance(node, MappingNode):
            for entry in node.entries:
                self._entry(entry)
        elif isinstance(node, Sequence):
            for item in node.items:
                self.node(item)

    def _add(self, start: int, node: Node) -> None:
        end = min(_own_end(node), len(self._text))
        while end > start and self._text[end - 1] in " \t\r\n":
            end -= 1
        first, last = self._lines.line_of(start), self._lines.line_of(end)
        if last > first:
            self.folds.append((first, last))
            if isinstance(node, Scalar) and node.style is not Style.PLAIN:
                self.texts.append((self._lines.line_of(node.content.start), last))


def _own_end(node: Node) -> int:
    """The end of a node; of a block scalar that of its text."""
    if isinstance(node, Scalar) and node.style in (Style.LITERAL, Style.FOLDED):
        return node.content.end
    return node.span.end


def _add(found: dict[int, tuple[int, Kind | None]], start: int, end: int, kind: Kind | None = None) -> None:
    if end > start and found.get(start, (start, None))[0] < end:
        found[start] = (end, kind)


def _hidden(placed: list[tuple[int, PartFolds]]) -> list[Lines]:
    """The lines that are inside texts, in order: a ``#`` there starts no comment."""
    return sorted((line + start, line + end) for line, part in placed for start, end in part.texts)


def _comments(text: str, lines: LineIndex, hidden: list[Lines], found: dict[int, tuple[int, Kind | None]]) -> None:
    if "#" not in text:
        return
    regions: list[int] = []
    run: list[int] = []
    for match in _COMMENT_LINE.finditer(text):
        line = lines.line_of(match.start(1))
        at = bisect_right(hidden, line, key=itemgetter(0)) - 1
        if at >= 0 and line <= hidden[at][1]:
            continue
        if run and line != run[-1] + 1:
            _run(found, run)
            run = []
        marker = _REGION.match(match.group(1))
        if marker is None:
            run.append(line)
            continue
        _run(found, run)
        run = []
        if marker.group(1) is None:
            regions.append(line)
        elif regions:
            _add(found, regions.pop(), line, "region")
    _run(found, run)


def _run(found: dict[int, tuple[int, Kind | None]], lines: list[int]) -> None:
    if len(lines) > 1:
        found.setdefault(lines[0], (lines[-1], "comment"))


def _nested(found: dict[int, tuple[int, Kind | None]]) -> Iterator[Fold]:
    """The folds with their depth. One that would cross another one is left out."""
    ends: list[int] = []
    for start in sorted(found):
        end, kind = found[start]
        while ends and ends[-1] < start:
            ends.pop()
        if not ends or end <= ends[-1]:
            yield Fold(start, end, kind, len(ends))
            ends.append(end)


def _chosen(found: Iterator[Fold], most: int | None) -> list[Fold]:
    folds = list(found)
    if most is None or len(folds) <= most:
        return folds
    outer = sorted(folds, key=lambda fold: (fold.depth, fold.start))[:most]
    return sorted(outer, key=lambda fold: fold.start)
