"""Valid YAML to nodes: the events of libyaml (or of its stand-in in Python) for one part of a document."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from osiris.syntax.aliases import Anchor, merge_entries, node_size, place_at
from osiris.syntax.block import block_content
from osiris.syntax.diagnostic import Diagnostic, Related, Severity
from osiris.syntax.limits import MAX_DEPTH
from osiris.syntax.scalars import KNOWN_TAGS, resolve_plain, resolve_tagged
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style

HAS_LIBYAML: bool = yaml.__with_libyaml__


class _PureParser(Reader, Scanner, Parser):
    """PyYAML's own reader, for Pythons without libyaml."""

    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)


def _parser_class() -> Any:
    if not HAS_LIBYAML:
        return _PureParser
    from yaml._yaml import CParser

    return CParser


_Parser = _parser_class()

_STYLES = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What libyaml could not read: its words and the offset it blames."""

    problem: str
    offset: int
    context: str
    context_offset: int


@dataclass(slots=True)
class Reading:
    """The result of reading one part. ``node`` is None for a part without content or with ``trouble``."""

    node: Node | None = None
    trouble: Trouble | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    anchors: dict[str, Anchor] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    expanded: int = 0
    more_documents: int = -1
    too_deep: bool = False


@dataclass(slots=True)
class _Frame:
    """A collection that is still open."""

    is_map: bool
    start: int
    flow: bool
    anchor: str | None
    items: list[Any]
    key: Scalar | None = None
    merges: list[tuple[Node, Span]] | None = None
    tail: int = -1


class Builder:
    """Turns the events of one text into nodes whose spans are offsets in that text."""

    def __init__(
        self, source: str, restore: dict[int, str] | None, outer: MappingABC[str, Anchor], alias_budget: int
    ) -> None:
        self.source = source
        self.restore = restore
        self.outer = outer
        self.budget = alias_budget
        self.reading = Reading()
        self.stack: list[_Frame] = []

    def read(self, masked: str) -> Reading:
        """Read ``masked`` (the source with what libyaml cannot take replaced, at equal length)."""
        reading = self.reading
        try:
            self._consume(_Parser(masked))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = error.context_mark or mark
            reading.trouble = Trouble(
                error.problem or error.context or "it is not valid YAML",
                mark.index if mark else 0,
                error.context or "",
                context.index if context else 0,
            )
            reading.node = None
        except yaml.YAMLError as error:  # the reader's own: a character it cannot take
            reading.trouble = Trouble(str(error), getattr(error, "position", 0) or 0, "", 0)
            reading.node = None
        return reading

    def _consume(self, parser: Any) -> None:
        get_event = parser.get_event
        reading, stack = self.reading, self.stack
        documents = 0
        while True:
            event = get_event()
            kind = type(event)
            node: Node
            if kind is ScalarEvent:
                node = self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    self._too_deep(event.start_mark.index)
                    return
                stack.append(self._frame(event, kind is MappingStartEvent))
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = self._close(stack.pop(), event.end_mark.index)
            elif kind is AliasEvent:
                node = self._alias(event)
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    reading.more_documents = event.start_mark.index
                    return
                continue
            elif kind is StreamEndEvent or event is None:
                return
            else:
                continue
            if stack:
                self._attach(stack[-1], node)
            else:
                reading.node = node

    def _too_deep(self, at: int) -> None:
        self.reading.too_deep = True
        self.reading.diagnostics.append(
            Diagnostic(
                "OML009",
                Span(at, at + 1),
                f"Lists and mappings are nested more than {MAX_DEPTH} levels deep; what lies deeper is not read. "
                "Flatten this value.",
                Severity.ERROR,
            )
        )
        node: Node = _missing(at)
        while self.stack:
            self._attach(self.stack[-1], node)
            frame = self.stack.pop()
            node = self._close(frame, at)
        self.reading.node = node

    def _frame(self, event: Any, is_map: bool) -> _Frame:
        start = event.start_mark.index
        if event.tag is not None or event.anchor is not None:
            start = self._behind_properties(start, event.end_mark.index)
            if event.tag is not None and event.tag not in KNOWN_TAGS:
                self._unknown_tag(event)
        return _Frame(is_map, start, bool(event.flow_style), event.anchor, [])

    def _behind_properties(self, start: int, end: int) -> int:
        """Where the value itself starts behind its anchor and tag."""
        source = self.source
        at = start
        while at < len(source) and source[at] in "&!":
            while at < len(source) and source[at] not in " \t\r\n":
                at += 1
            while at < len(source):
                if source[at] in " \t\r\n":
                    at += 1
                elif source[at] == "#":
                    while at < len(source) and source[at] not in "\r\n":
                        at += 1
                else:
                    break
        return at

    def _scalar(self, event: Any) -> Scalar:
        start, end = event.start_mark.index, event.end_mark.index
        text: str = event.value
        style = _STYLES[event.style]
        if self.restore:
            text = text.translate(self.restore)
        if event.tag is not None or event.anchor is not None:
            return self._decorated(event, text, style)
        if style is Style.PLAIN:
            span = Span(start, end)
            return Scalar(span, span, text, resolve_plain(text), style)
        return self._quoted(start, end, text, style)

    def _quoted(self, start: int, end: int, text: str, style: Style) -> Scalar:
        if style is Style.PLAIN:
            span = Span(start, end)
            return Scalar(span, span, text, resolve_plain(text), style)
        if style is Style.SINGLE or style is Style.DOUBLE:
            return Scalar(Span(start, end), Span(start + 1, end - 1), text, text, style)
        content = block_content(self.source, start, end)
        return Scalar(Span(start, content.end), content, text, text, style)

    def _decorated(self, event: Any, text: str, style: Style) -> Scalar:
        """A scalar with an anchor or a tag."""
        start, end = event.start_mark.index, event.end_mark.index
        if style is Style.PLAIN and not text:
            start = end
        else:
            start = min(self._behind_properties(start, end), end)
        node = self._quoted(start, end, text, style)
        tag = event.tag
        if tag is not None:
            if tag in KNOWN_TAGS:
                value, suits = resolve_tagged(text, tag)
                if not suits:
                    self._report(
                        "OML001",
                        node.span,
                        f"`{text}` is no {tag.rpartition(':')[2]}, as its tag says. "
                        "Remove the tag or correct the value.",
                    )
                node = Scalar(node.span, node.content, text, value, style)
            else:
                self._unknown_tag(event)
        if event.anchor is not None:
            self.reading.anchors[event.anchor] = Anchor(node, 1)
        return node

    def _unknown_tag(self, event: Any) -> None:
        start = event.start_mark.index
        end = start
        while end < len(self.source) and self.source[end] not in " \t\r\n":
            end += 1
        self._report(
            "OML001",
            Span(start, end),
            f"The tag `{event.tag}` has no meaning in OML and is ignored. Remove it.",
            Severity.WARNING,
        )

    def _report(self, code: str, span: Span, message: str, severity: Severity = Severity.ERROR) -> None:
        self.reading.diagnostics.append(Diagnostic(code, span, message, severity))

    def _alias(self, event: Any) -> Node:
        name = event.anchor
        span = Span(event.start_mark.index, event.end_mark.index)
        anchor = self.reading.anchors.get(name)
        if anchor is None:
            self.reading.outside.add(name)
            anchor = self.outer.get(name)
        if anchor is None:
            inside = any(frame.anchor == name for frame in self.stack)
            why = "it would contain itself" if inside else "no anchor `&" + name + "` stands before it"
            self._report("OML007", span, f"The alias `*{name}` points nowhere: {why}. Define the anchor first.")
            return Scalar(span, span, "", None, Style.PLAIN, synthetic=True)
        if self.reading.expanded + anchor.size > self.budget:
            self._report(
                "OML008",
                span,
                "The aliases of this file copy too much: this one is not expanded. Write the value out or use fewer "
                "aliases.",
            )
            return Scalar(span, span, "", None, Style.PLAIN, synthetic=True)
        self.reading.expanded += anchor.size
        return place_at(anchor.node, span)

    def _attach(self, frame: _Frame, node: Node) -> None:
        if not frame.is_map:
            frame.items.append(node)
            return
        key = frame.key
        if key is None:
            frame.key = node if isinstance(node, Scalar) and node.style is not None else self._odd_key(node)
            if type(node) is Scalar and not node.text and node.span.start == node.span.end and not node.synthetic:
                self._report(
                    "OML013",
                    Span(node.span.start, node.span.start + 1),
                    "There is no key before this colon. Write one, or remove the line.",
                )
            return
        frame.key = None
        if key.text == "<<" and key.style is Style.PLAIN:
            if frame.merges is None:
                frame.merges = []
            frame.merges.append((node, key.span))
            frame.tail = max(frame.tail, node.span.end)
            return
        has_colon = node.span.start != node.span.end or self._colon_between(key.span.end, node.span.end)
        frame.items.append(Entry(key, node, Span(key.span.start, max(key.span.end, node.span.end)), has_colon))

    def _colon_between(self, start: int, end: int) -> bool:
        return ":" in self.source[start:end]

    def _odd_key(self, node: Node) -> Scalar:
        span = node.span
        self._report("OML013", span, "A key must be text, not a list or a mapping. Put it in quotes.")
        text = self.source[span.start : span.end]
        return Scalar(span, span, text, text, Style.PLAIN, synthetic=node.synthetic)

    def _close(self, frame: _Frame, end: int) -> Node:
        items = frame.items
        node: Node
        if not frame.is_map:
            if not frame.flow:
                end = max(items[-1].span.end, frame.start + 1) if items else frame.start
            node = Sequence(Span(frame.start, end), tuple(items), frame.flow)
        else:
            if frame.key is not None:
                items.append(Entry(frame.key, _missing(frame.key.span.end), frame.key.span, has_colon=False))
            if len({entry.key.text for entry in items}) != len(items):
                self._duplicates(items)
            if not frame.flow:
                end = max(items[-1].span.end if items else frame.start, frame.tail)
            if frame.merges:
                self._merge(frame, items)
            node = Mapping(Span(frame.start, max(end, frame.start)), tuple(items), frame.flow)
        if frame.anchor is not None:
            self.reading.anchors[frame.anchor] = Anchor(node, node_size(node))
        return node

    def _merge(self, frame: _Frame, items: list[Entry]) -> None:
        for source, key_span in frame.merges or ():
            added = merge_entries(source, items, self.budget - self.reading.expanded)
            if added is None:
                self._report(
                    "OML001",
                    source.span if source.span.end > source.span.start else key_span,
                    "`<<` merges mappings: its value must be an alias of a mapping, or a list of them.",
                )
            else:
                items.extend(added)

    def _duplicates(self, items: list[Entry]) -> None:
        report_duplicates(items, self.reading.diagnostics)


def report_duplicates(entries: list[Entry], diagnostics: list[Diagnostic]) -> None:
    """OML006 at every repeated key, pointing to the first."""
    first: dict[str, Entry] = {}
    for entry in entries:
        name = entry.key.text
        if entry.synthetic:
            continue
        if name in first:
            diagnostics.append(duplicate(name, entry.key.span, first[name].key.span))
        else:
            first[name] = entry


def duplicate(name: str, second: Span, first: Span) -> Diagnostic:
    """The finding for a repeated key."""
    return Diagnostic(
        "OML006",
        second,
        f"The key `{name}` stands here a second time; only the first one counts. Remove or rename one of them.",
        Severity.ERROR,
        related=(Related(first, f"`{name}` is first set here."),),
    )


def _missing(at: int) -> Scalar:
    return Scalar(Span(at, at), Span(at, at), "", None, Style.PLAIN)
