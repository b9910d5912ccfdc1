"""A whole document: its parts, each read on its own and shared between versions of the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from osiris.syntax.aliases import Anchor
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.limits import MAX_ALIAS_NODES, MAX_BYTES
from osiris.syntax.masking import mask
from osiris.syntax.recovery import recover
from osiris.syntax.split import Layout, Piece, split
from osiris.syntax.strict import Builder, Reading, duplicate
from osiris.syntax.text import LineIndex, Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style

__all__ = ["MAX_BYTES", "Document", "Part", "PartCache", "Placed", "parse"]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A stretch of the document that is read on its own. Spans in it are relative to its start.

    ``node`` of a top-level part is a mapping with (normally) one entry, of a step's part the list item.
    ``intact`` is False when the part is not valid YAML and the recovering parser had to read it.
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


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One version of a document."""

    text: str
    lines: LineIndex
    sections: tuple[Placed, ...]
    steps_entry: tuple[int, Entry] | None
    steps: tuple[Placed, ...]
    top: Node | None
    empty: bool
    diagnostics: tuple[Diagnostic, ...]

    def root(self) -> Node:
        """The whole tree with absolute spans. Slow: for tests and formatters."""
        if self.top is not None:
            return self.top
        entries: list[Entry] = []
        for placed in self.sections:
            node = rebase(placed.part.node, placed.base)
            if isinstance(node, Mapping):
                entries.extend(node.entries)
        if self.steps_entry is not None:
            base, entry = self.steps_entry
            key = rebase(entry.key, base)
            value: Node = rebase(entry.value, base)
            if isinstance(value, Sequence):
                items = tuple(rebase(placed.part.node, placed.base) for placed in self.steps)
                value = Sequence(value.span, items, value.flow, value.synthetic)
            assert isinstance(key, Scalar)
            entries.append(Entry(key, value, entry.span.shift(base), entry.has_colon, entry.synthetic))
        entries.sort(key=lambda entry: entry.span.start)
        span = Span(entries[0].span.start, entries[-1].span.end) if entries else Span(0, 0)
        return Mapping(span, tuple(entries))

    def comments(self) -> Iterator[Span]:
        """The comments, each from its ``#`` to the end of its line."""
        return iter(())


class PartCache:
    """The parts of the last version of one open document, by their text."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        """An empty cache."""
        self.parts: dict[tuple[str, str], Part] = {}


def rebase(node: Node, by: int) -> Node:
    """A copy of ``node`` whose spans are ``by`` code points further on."""
    if isinstance(node, Scalar):
        return Scalar(node.span.shift(by), node.content.shift(by), node.text, node.value, node.style, node.synthetic)
    if isinstance(node, Sequence):
        items = tuple(rebase(item, by) for item in node.items)
        return Sequence(node.span.shift(by), items, node.flow, node.synthetic)
    entries = []
    for entry in node.entries:
        key = rebase(entry.key, by)
        assert isinstance(key, Scalar)
        value = rebase(entry.value, by)
        entries.append(Entry(key, value, entry.span.shift(by), entry.has_colon, entry.synthetic))
    return Mapping(node.span.shift(by), tuple(entries), node.flow, node.synthetic)


def parse(text: str, cache: PartCache | None = None) -> Document:
    """Read ``text``. Total: it never raises.

    With a ``cache`` (one per open document), parts whose text did not change are the same objects as before.
    """
    cache = cache or PartCache()
    masked = mask(text)
    shadow = masked.text.replace("\r", "\n") if "\r" in masked.text else masked.text
    layout = split(shadow, 0, len(text))
    diagnostics = list(masked.diagnostics)
    if layout is None:
        reading = Builder(text, masked.restore, {}, MAX_ALIAS_NODES).read(masked.text)
        return _whole(text, reading, diagnostics)
    fresh: dict[tuple[str, str], Part] = {}
    anchors: dict[str, Anchor] = {}
    sections: list[Placed] = []
    steps: list[Placed] = []
    entry: tuple[int, Entry] | None = None
    for piece in layout.pieces:
        source = text[piece.start : piece.end]
        key = (piece.kind, source)
        part = fresh.get(key) or cache.parts.get(key)
        if part is None:
            part = _read(piece, source, masked.text[piece.start : piece.end], masked.restore, anchors)
        fresh[key] = part
        placed = Placed(piece.start, part)
        diagnostics.extend(d.shift(piece.start) for d in part.diagnostics)
        if piece.kind == "step":
            steps.append(placed)
        elif piece.kind == "steps":
            assert isinstance(part.node, Mapping)
            entry = (piece.start, part.node.entries[0])
        elif entry is None and isinstance(part.node, Mapping) and (own := part.node.entry("steps")):
            entry = (piece.start, own)
            if isinstance(own.value, Sequence):
                steps = [Placed(piece.start, Part(source, item, (), part.intact)) for item in own.value.items]
        else:
            sections.append(placed)
    cache.parts = fresh
    return Document(
        text,
        LineIndex(text),
        tuple(sections),
        entry,
        tuple(steps),
        None,
        not layout.pieces,
        tuple(sorted(diagnostics, key=lambda d: d.span)),
    )


def _read(piece: Piece, source: str, masked: str, restore: dict[int, str] | None, outer: dict[str, Anchor]) -> Part:
    if piece.kind == "steps":
        start = len(source) - len(source.lstrip(" "))
        colon = source.index(":", start)
        word = source[start:colon].rstrip()
        key = Scalar(Span(start, start + len(word)), Span(start, start + len(word)), "steps", "steps", Style.PLAIN)
        value = Sequence(Span(len(source), len(source)), ())
        span = Span(start, len(source))
        return Part(source, Mapping(span, (Entry(key, value, span),)), (), True)
    reading = Builder(source, restore, outer, MAX_ALIAS_NODES).read(masked)
    outer.update(reading.anchors)
    node = reading.node
    if reading.trouble is None and node is not None:
        if piece.kind == "section" and isinstance(node, Mapping):
            return Part(source, node, tuple(reading.diagnostics), True)
        if piece.kind == "step" and isinstance(node, Sequence) and node.items:
            return Part(source, node.items[0], tuple(reading.diagnostics), True)
    from osiris.syntax.strict import Trouble

    node, found = recover(source, reading.trouble or Trouble("a key without a colon", 0, "", 0))
    return Part(source, node, tuple(found), False)


def _whole(text: str, reading: Reading, diagnostics: list[Diagnostic]) -> Document:
    node = reading.node
    diagnostics.extend(reading.diagnostics)
    if reading.trouble:
        node, found = recover(text, reading.trouble)
        diagnostics.extend(found)
    sections: list[Placed] = []
    steps: list[Placed] = []
    entry: tuple[int, Entry] | None = None
    if isinstance(node, Mapping):
        for own in node.entries:
            if own.key.text == "steps" and entry is None:
                entry = (0, own)
                if isinstance(own.value, Sequence):
                    steps = [Placed(0, Part(text, item, (), True)) for item in own.value.items]
            else:
                sections.append(Placed(0, Part(text, Mapping(own.span, (own,), node.flow), (), True)))
    top = None if isinstance(node, Mapping) else node
    return Document(
        text,
        LineIndex(text),
        tuple(sections),
        entry,
        tuple(steps),
        top,
        node is None,
        tuple(sorted(diagnostics, key=lambda d: d.span)),
    )


def decode(data: bytes) -> tuple[str, Diagnostic | None]:
    """The text of a file: UTF-8 with or without BOM, or UTF-16 with BOM; its BOM is left out.

    When it is no text, what can be read comes with a diagnostic OML014.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding, start = ("utf-16-le" if data[0] == 0xFF else "utf-16-be"), 2
    else:
        encoding, start = "utf-8", 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        text = data[start:].decode(encoding, errors="replace")
        return text, _not_text(f"byte {error.start + start} is not valid {encoding.upper()}")
    if "\0" in text:
        at = len(text[: text.index("\0")].encode(encoding)) + start
        return text, _not_text(f"byte {at} is a NUL, so it is probably a binary file")
    return text, None


def _not_text(why: str) -> Diagnostic:
    return Diagnostic(
        "OML014",
        Span(0, 0),
        f"This file is not text: {why}. OML files are UTF-8; save it in that encoding or pick another file.",
        Severity.ERROR,
    )
