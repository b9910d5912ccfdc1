"""The events of a YAML reader to nodes, for one part of a document."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import Any

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

from osiris.syntax import findings
from osiris.syntax.aliases import Anchor, Merge, merge_entries, place_at
from osiris.syntax.block import block_content
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.limits import MAX_DEPTH
from osiris.syntax.scalars import KNOWN_TAGS, resolve_plain, resolve_tagged
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style
from osiris.syntax.yaml_reader import Trouble

_STYLES = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}
_PLAIN = Style.PLAIN


class Reading:
    """The result of reading one text. ``node`` is None for a text without content, or with ``trouble``.

    ``outside`` names the aliases whose anchors stand outside the text; ``expanded`` counts the nodes that aliases
    copied; ``second`` is where a second document starts (-1: nowhere).
    """

    __slots__ = ("anchors", "diagnostics", "expanded", "node", "outside", "second", "trouble")

    def __init__(self) -> None:
        """Nothing read yet."""
        self.node: Node | None = None
        self.trouble: Trouble | None = None
        self.diagnostics: list[Diagnostic] = []
        self.anchors: dict[str, Anchor] = {}
        self.outside: set[str] = set()
        self.expanded = 0
        self.second = -1


class _Frame:
    """A collection that is still open."""

    __slots__ = ("anchor", "flow", "is_map", "items", "key", "merges", "start")

    def __init__(self, is_map: bool, start: int, flow: bool, anchor: str | None) -> None:
        self.is_map = is_map
        self.start = start
        self.flow = flow
        self.anchor = anchor
        self.items: list[Any] = []
        self.key: Scalar | None = None
        self.merges: list[Merge] | None = None


class TreeBuilder:
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

    def consume(self, parser: Any) -> None:
        """Read all events, up to the end of the first document or to the nesting limit."""
        get_event = parser.get_event
        reading, stack, restore = self.reading, self.stack, self.restore
        documents = 0
        node: Node
        while True:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                style = _STYLES[event.style]
                if style is _PLAIN and event.anchor is None and event.tag is None and restore is None:
                    span = Span(event.start_mark.index, event.end_mark.index)
                    node = Scalar(span, span, event.value, resolve_plain(event.value), style)
                else:
                    node = self._scalar(event, style)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    self._stop_at_limit(event.start_mark.index)
                    return
                stack.append(self._open(event, kind is MappingStartEvent))
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = self._close(stack.pop(), event.end_mark.index)
            elif kind is AliasEvent:
                node = self._alias(event)
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    reading.second = event.start_mark.index
                    return
                continue
            elif kind is StreamEndEvent or event is None:
                return
            else:
                continue
            if not stack:
                reading.node = node
            elif stack[-1].is_map:
                self._attach(stack[-1], node)
            else:
                stack[-1].items.append(node)

    def _stop_at_limit(self, at: int) -> None:
        """Close everything that is open; what follows in this text is not read."""
        self.reading.diagnostics.append(findings.too_deep(at))
        node: Node = missing(at)
        while self.stack:
            frame = self.stack.pop()
            if frame.is_map:
                self._attach(frame, node)
            else:
                frame.items.append(node)
            node = self._close(frame, at)
        self.reading.node = node

    def _open(self, event: Any, is_map: bool) -> _Frame:
        start = event.start_mark.index
        if event.tag is not None or event.anchor is not None:
            if event.tag is not None and event.tag not in KNOWN_TAGS:
                self._unknown_tag(event)
            start = behind_properties(self.source, start)
        return _Frame(is_map, start, bool(event.flow_style), event.anchor)

    def _scalar(self, event: Any, style: Style) -> Scalar:
        start, end = event.start_mark.index, event.end_mark.index
        text: str = event.value
        if self.restore:
            text = text.translate(self.restore)
        if event.tag is not None or event.anchor is not None:
            start = end if style is _PLAIN and not text else min(behind_properties(self.source, start), end)
        span = Span(start, end)
        if style is _PLAIN:
            node = Scalar(span, span, text, resolve_plain(text), style)
        elif style is Style.SINGLE or style is Style.DOUBLE:
            node = Scalar(span, Span(start + 1, end - 1), text, text, style)
        else:
            content = block_content(self.source, start, end, text)
            node = Scalar(Span(start, content.end), content, text, text, style)
        if event.tag is not None:
            node = self._tagged(event, node)
        if event.anchor is not None:
            self.reading.anchors[event.anchor] = Anchor(node)
        return node

    def _tagged(self, event: Any, node: Scalar) -> Scalar:
        if event.tag not in KNOWN_TAGS:
            self._unknown_tag(event)
            return node
        value, suits = resolve_tagged(node.text, event.tag)
        if not suits:
            name = event.tag.rpartition(":")[2]
            message = f"This value is no {name}, as its tag `!!{name}` says. Remove the tag, or correct the value."
            self.reading.diagnostics.append(findings.error("OML001", node.span, message))
        return Scalar(node.span, node.content, node.text, value, node.style)

    def _unknown_tag(self, event: Any) -> None:
        start = event.start_mark.index
        while self.source[start] == "&":  # the anchor may stand before the tag
            start = _skip_blanks_and_comments(self.source, _word_end(self.source, start))
        span = Span(start, _word_end(self.source, start))
        message = f"The tag `{self.source[start : span.end]}` means nothing in OML and is ignored. Remove it."
        self.reading.diagnostics.append(Diagnostic("OML001", span, message, Severity.WARNING))

    def _alias(self, event: Any) -> Node:
        reading, name = self.reading, event.anchor
        span = Span(event.start_mark.index, event.end_mark.index)
        inside = any(frame.anchor == name for frame in self.stack)
        anchor = None if inside else reading.anchors.get(name)
        if anchor is None and not inside:
            reading.outside.add(name)
            anchor = self.outer.get(name)
        if anchor is None:
            reading.diagnostics.append(findings.no_such_anchor(name, span, inside=inside))
        elif len(self.stack) + anchor.depth > MAX_DEPTH:
            reading.diagnostics.append(findings.too_deep(span.start))
        elif reading.expanded + anchor.size > self.budget:
            reading.diagnostics.append(findings.too_many_copies(span))
        else:
            reading.expanded += anchor.size
            return place_at(anchor.node, span)
        return Scalar(span, span, "", None, _PLAIN, synthetic=True)

    def _attach(self, frame: _Frame, node: Node) -> None:
        """Put a key or a value into an open mapping."""
        key = frame.key
        if key is None:
            frame.key = self._key(node)
            return
        frame.key = None
        if key.text == "<<" and key.style is _PLAIN:
            if frame.merges is None:
                frame.merges = []
            frame.merges.append(Merge(node, key.span))
            return
        has_colon = True
        if (
            type(node) is Scalar
            and node.value is None
            and not node.text
            and node.style is _PLAIN
            and not node.synthetic
        ):
            # libyaml places a missing value at the next token; it belongs right behind its colon.
            colon = self.source.find(":", key.span.end, node.span.start + 1)
            has_colon = colon >= 0
            node = missing(colon + 1 if has_colon else key.span.end)
            if not has_colon and key.text:
                self.reading.diagnostics.append(findings.no_colon(key.span, key.text))
        start, end = key.span.start, node.span.end
        frame.items.append(Entry(key, node, Span(start, end if end > key.span.end else key.span.end), has_colon))

    def _key(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self.reading.diagnostics.append(findings.key_is_no_text(node.span))
            text = self.source[node.span.start : node.span.end]
            return Scalar(node.span, node.span, text, text, _PLAIN, node.synthetic)
        if not node.text and node.style is _PLAIN and not node.synthetic:
            colon = self.source.find(":", node.span.start)
            self.reading.diagnostics.append(findings.no_key(colon if colon >= 0 else max(node.span.start - 1, 0)))
        return node

    def _close(self, frame: _Frame, end: int) -> Node:
        items = frame.items
        # The end mark of a block collection is at the next token, behind blank lines and comments.
        written = frame.flow and self.source[end - 1 : end] in ("]", "}")
        node: Node
        if not frame.is_map:
            if not written:
                end = max(items[-1].span.end, frame.start + 1) if items else frame.start
            node = Sequence(Span(frame.start, end), tuple(items), frame.flow)
        else:
            if len(items) > 1:
                self.reading.diagnostics += findings.duplicates(items)
            if not written:
                end = items[-1].span.end if items else frame.start
                for merge in frame.merges or ():
                    end = max(end, merge.value.span.end)
            if frame.merges:
                self._merge(frame.merges, items)
            node = Mapping(Span(frame.start, max(end, frame.start)), tuple(items), frame.flow)
        if frame.anchor is not None:
            self.reading.anchors[frame.anchor] = Anchor(node)
        return node

    def _merge(self, merges: list[Merge], items: list[Entry]) -> None:
        for merge in merges:
            added = merge_entries(merge.value, items)
            if added is not None:
                items.extend(added)
            elif not (isinstance(merge.value, Scalar) and merge.value.synthetic and not merge.value.text):
                # A dead alias has its own finding already.
                span = merge.value.span
                self.reading.diagnostics.append(findings.no_merge(span if span.end > span.start else merge.key))


def missing(at: int) -> Scalar:
    """A value that is not there."""
    span = Span(at, at)
    return Scalar(span, span, "", None, _PLAIN)


def behind_properties(source: str, at: int) -> int:
    """Where the value whose anchor and tag start at ``at`` itself starts."""
    while at < len(source) and source[at] in "&!":
        at = _skip_blanks_and_comments(source, _word_end(source, at))
    return at


def _word_end(source: str, at: int) -> int:
    while at < len(source) and source[at] not in " \t\r\n":
        at += 1
    return at


def _skip_blanks_and_comments(source: str, at: int) -> int:
    while at < len(source):
        if source[at] == "#":
            while at < len(source) and source[at] not in "\r\n":
                at += 1
        elif source[at] in " \t\r\n":
            at += 1
        else:
            break
    return at
