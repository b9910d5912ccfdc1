"""The parts of a document: what is read on its own, kept by its text, and shared between versions."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass

from osiris.syntax.aliases import Anchor
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import error
from osiris.syntax.limits import MAX_ALIAS_NODES
from osiris.syntax.masking import mask
from osiris.syntax.recovery import ABOUT_SYNTAX, is_half_key, recover
from osiris.syntax.split import PieceKind
from osiris.syntax.strict import read_strictly
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style
from osiris.syntax.tree_builder import Reading, missing
from osiris.syntax.yaml_reader import Trouble


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Part:
    """A stretch of the document that is read on its own. Spans in it are relative to its start.

    ``node`` of a top-level part is a mapping with (normally) one entry, of a step's part the list item.
    ``intact`` is False when the part is not valid YAML and the recovering parser had to read it. What is found out
    about a part is kept in ``WeakKeyDictionary``s, and goes with it.
    """

    text: str
    node: Node
    diagnostics: tuple[Diagnostic, ...]
    intact: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A part and where it starts in the document."""

    base: int
    part: Part

    def span(self, span: Span) -> Span:
        """The absolute range of ``span``, which is relative to the part."""
        return Span(span.start + self.base, span.end + self.base)


class Record:
    """A part with what its document must know of it.

    ``items`` are parts for the items of a ``steps`` list written inside the part. ``runs_on`` is ``quoted`` or ``flow``
    when a quote or bracket is open at its end, so that the part may have been cut off too early. ``scalar`` is what the
    part is when it is all of the document and no key, with the findings that then count.
    """

    __slots__ = ("anchors", "cuts", "expanded", "items", "outside", "part", "runs_on", "scalar", "scalar_findings")

    def __init__(self, part: Part, reading: Reading, outer: MappingABC[str, Anchor]) -> None:
        """Note what ``reading`` depended on."""
        self.part = part
        self.anchors = reading.anchors
        self.outside = {name: outer.get(name) for name in reading.outside}
        self.expanded = reading.expanded
        self.runs_on = "" if reading.trouble is None else _runs_on(reading.trouble, part.text)
        self.items = _items(part)
        self.cuts: tuple[int, ...] = ()
        self.scalar: Scalar | None = None
        self.scalar_findings: tuple[Diagnostic, ...] = ()

    def fits(self, outer: MappingABC[str, Anchor]) -> bool:
        """Whether the anchors before the part are those it was read with."""
        return all(outer.get(name) is anchor for name, anchor in self.outside.items())


Records = MappingABC[str, MappingABC[str, Record]]
"""By kind of piece and by text. Never changed once a document has been read."""


class PartCache:
    """The parts of the last version of one open document, by their text."""

    __slots__ = ("records",)

    def __init__(self, records: Records | None = None) -> None:
        """An empty cache, or one of the parts of some document."""
        self.records: Records = records or {}


def read_part(
    kind: PieceKind,
    source: str,
    readable: str,
    outer: MappingABC[str, Anchor],
    alias_budget: int = MAX_ALIAS_NODES,
) -> Record:
    """Read one piece of a document.

    ``readable`` is ``source`` with merge conflicts hidden; ``outer`` holds the anchors before the piece.
    """
    if kind == "header":
        return Record(_header(source), Reading(), outer)
    if kind == "stray":
        return _stray(read_part("section", source, readable, outer, alias_budget))
    masked = mask(readable)
    reading = read_strictly(source, masked.text, masked.restore, outer, alias_budget)
    node = reading.node
    cuts: tuple[int, ...] = ()
    alone: Scalar | None = None
    if kind == "step" and isinstance(node, Sequence) and not node.flow and len(node.items) == 1:
        node = node.items[0]
    elif isinstance(node, Mapping) and (kind == "bare" or (kind == "section" and _is_section(node, source))):
        pass
    else:
        if isinstance(node, Scalar) and not is_half_key(node):
            alone = node
        if reading.trouble is None:
            reading.trouble = Trouble("could not find expected ':'", 0, "")
        node = None
    if node is None:
        recovered = recover(readable, kind, reading.trouble or Trouble("", 0, ""), outer, alias_budget)
        found = (*masked.diagnostics, *recovered.diagnostics)
        reading.anchors, reading.outside, reading.expanded = recovered.anchors, recovered.outside, recovered.expanded
        cuts = recovered.cuts
        part = Part(source, recovered.node, found, intact=False)
    else:
        part = Part(source, node, (*masked.diagnostics, *reading.diagnostics), intact=True)
    record = Record(part, reading, outer)
    record.cuts = cuts
    if alone is not None:
        record.scalar = alone
        record.scalar_findings = (*masked.diagnostics, *reading.diagnostics)
    return record


def _stray(record: Record) -> Record:
    """``record`` of a key that stands in the middle of the steps, with that as its one finding about the layout."""
    part = record.part
    first = part.node.entries[0].key.span if isinstance(part.node, Mapping) and part.node.entries else None
    if first is None:
        return record
    message = (
        f"`{part.text[first.start : first.end]}` stands in the middle of the steps, where only steps can be. Indent "
        "it, so that it belongs to a step, or move it above `steps`."
    )
    others = [found for found in part.diagnostics if found.code not in ABOUT_SYNTAX]
    record.part = Part(part.text, part.node, (*others, error("OML005", first, message)), intact=False)
    record.scalar = None
    return record


def _is_section(node: Mapping, source: str) -> bool:
    """Whether ``node`` can stand among top-level keys: its first key is on the first line of its piece."""
    if node.flow or not node.entries:
        return False
    before = source[: node.entries[0].key.span.start]
    return "\n" not in before and "\r" not in before


def _runs_on(trouble: Trouble, source: str) -> str:
    if trouble.offset < len(source.rstrip(" \t\r\n")):
        return ""
    return next((what for what in ("quoted", "flow") if what in trouble.context), "")


def _items(part: Part) -> tuple[Part, ...]:
    """The items of a ``steps`` list that was read as one part with its key."""
    if isinstance(part.node, Mapping) and (entry := part.node.entry("steps")) and isinstance(entry.value, Sequence):
        return tuple([Part(part.text, item, (), part.intact) for item in entry.value.items])
    return ()


def _header(source: str) -> Part:
    """The line ``steps:`` above its list; the items are parts of their own."""
    start = len(source) - len(source.lstrip(" "))
    colon = source.index(":", start)
    span = Span(start, start + len(source[start:colon].rstrip()))
    quote = source[start]
    if quote in "'\"":
        style = Style.SINGLE if quote == "'" else Style.DOUBLE
        key = Scalar(span, Span(span.start + 1, span.end - 1), "steps", "steps", style)
    else:
        key = Scalar(span, span, "steps", "steps", Style.PLAIN)
    entry = Entry(key, missing(colon + 1), Span(start, colon + 1))
    return Part(source, Mapping(entry.span, (entry,)), (), intact=True)
