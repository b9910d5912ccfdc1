"""A whole document: its parts in order, each read on its own, with all findings of the syntax."""

from __future__ import annotations

import gc
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from osiris.syntax.assembly import Assembly, Source
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.encoding import decode
from osiris.syntax.findings import error
from osiris.syntax.limits import MAX_ALIAS_NODES, MAX_BYTES, MAX_DEPTH, MAX_DIAGNOSTICS, MAX_PURE_CHARS
from osiris.syntax.parts import Part, PartCache, Placed, Records
from osiris.syntax.split import Piece
from osiris.syntax.text import LineIndex, Span
from osiris.syntax.tree import Entry, Mapping, Node, Sequence, Style, shift_entry, shift_node
from osiris.syntax.yaml_reader import HAS_LIBYAML

__all__ = [
    "MAX_ALIAS_NODES",
    "MAX_BYTES",
    "MAX_DEPTH",
    "Document",
    "Part",
    "PartCache",
    "Placed",
    "decode",
    "parse",
]

_COMMENT = re.compile(r"(?:(?<![^ \t\r\n])|(?<=\A\ufeff))#[^\r\n]*")
_LARGE = 20_000  # code points from which the collector's pauses outweigh the parse


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One version of a document.

    ``sections`` are the top-level entries but ``steps``, in order. ``steps_entry`` is the ``steps`` entry with the
    offset its spans count from; when its value is a list, the value has no items here: they are the parts in ``steps``.
    ``top`` is set only when the top level is not a mapping. ``empty``: there is nothing but comments.
    ``diagnostics`` are all findings of the syntax, absolute and sorted. ``pieces`` are the stretches of whole lines
    that were read on their own, in order, each with what was read; none when the document was read in one go.
    ``records``: what a ``PartCache`` starts from that is to read a text with the same parts.
    """

    text: str
    lines: LineIndex
    sections: tuple[Placed, ...]
    steps_entry: tuple[int, Entry] | None
    steps: tuple[Placed, ...]
    top: Node | None
    empty: bool
    diagnostics: tuple[Diagnostic, ...]
    pieces: tuple[tuple[Piece, Part], ...] = ()
    records: Records = field(default_factory=dict, repr=False)

    def root(self) -> Node:
        """The whole tree with absolute spans. Slow: for tests and formatters."""
        if self.top is not None:
            return self.top
        entries: list[Entry] = []
        for placed in self.sections:
            node = shift_node(placed.part.node, placed.base)
            if isinstance(node, Mapping):
                entries.extend(node.entries)
        if self.steps_entry is not None:
            base, entry = self.steps_entry
            own = shift_entry(entry, base)
            value = own.value
            if isinstance(value, Sequence):
                items = tuple([shift_node(placed.part.node, placed.base) for placed in self.steps])
                value = Sequence(value.span, items, value.flow, value.synthetic)
            entries.append(Entry(own.key, value, own.span, own.has_colon, own.synthetic))
        entries.sort(key=lambda entry: entry.span.start)
        span = Span(entries[0].span.start, max(e.span.end for e in entries)) if entries else Span(0, 0)
        flow = any(isinstance(node, Mapping) and node.flow for node in (one.part.node for one in self.sections))
        return Mapping(span, tuple(entries), flow)

    def comments(self) -> Iterator[Span]:
        """The comments, each from its ``#`` to the end of its line, absolute and in order."""
        if "#" not in self.text:
            return
        starts, ends = self._strings()
        at = 0
        while match := _COMMENT.search(self.text, at):
            before = bisect_right(starts, match.start()) - 1
            if before >= 0 and ends[before] > match.start():
                at = ends[before]
            else:
                yield Span(*match.span())
                at = match.end()

    def _strings(self) -> tuple[list[int], list[int]]:
        """Starts and ends of all quoted and block scalars: a ``#`` in them starts no comment."""
        found: list[Span] = []
        placed = [*self.sections, *self.steps]
        if self.steps_entry is not None:
            base, entry = self.steps_entry
            placed.append(Placed(base, Part("", Mapping(entry.span, (entry,)), (), intact=True)))
        if self.top is not None:
            placed.append(Placed(0, Part("", self.top, (), intact=True)))
        for one in placed:
            found += [one.span(span) for span in _string_spans(one.part.node)]
        found.sort()
        return [span.start for span in found], [span.end for span in found]


def _string_spans(node: Node) -> Iterator[Span]:
    todo = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, Sequence):
            todo.extend(current.items)
        elif isinstance(current, Mapping):
            for entry in current.entries:
                todo += (entry.key, entry.value)
        elif not current.synthetic and current.style is not Style.PLAIN:
            quoted = current.style in (Style.SINGLE, Style.DOUBLE)
            yield current.span if quoted else current.content


def parse(text: str, cache: PartCache | None = None) -> Document:
    """Read ``text``. Total: it never raises.

    With a ``cache`` (one per open document), parts whose text did not change are the same objects as before.
    """
    limit = MAX_BYTES if HAS_LIBYAML else MAX_PURE_CHARS
    if len(text) > limit:
        return _too_large(text, limit)
    if len(text) < _LARGE or not gc.isenabled():
        return _parse(text, cache)
    # The nodes built here hold no cycles; collecting while they pile up would double the time.
    gc.disable()
    try:
        return _parse(text, cache)
    finally:
        gc.enable()


def _parse(text: str, cache: PartCache | None) -> Document:
    source = Source(text)
    cache = PartCache() if cache is None else cache
    assembly = Assembly(source, cache)
    assembly.run()
    found = assembly.diagnostics
    found.sort(key=lambda one: (one.span, one.code))
    return Document(
        text,
        LineIndex(text),
        tuple(assembly.sections),
        assembly.steps_entry,
        tuple(assembly.steps),
        assembly.top,
        assembly.empty,
        tuple(found[:MAX_DIAGNOSTICS]),
        assembly.pieces,
        cache.records,
    )


def _too_large(text: str, limit: int) -> Document:
    lines = LineIndex(text)
    message = (
        f"This file is too large to be read: it has {len(text):,} characters, and {limit:,} is the most. "
        "Move data out of the pipeline file."
    )
    return Document(text, lines, (), None, (), None, False, (error("OML010", lines.line_span(0, text), message),))
