"""What a selection grows to, step by step: from the word at the cursor to the whole document.

word, part of a query or placeholder, text of a scalar, scalar with its quotes, entry, map, step, ``steps``, document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from osiris.language.placeholders import find_placeholders
from osiris.language.rules.sql_tables import word_set
from osiris.syntax.block import SourceMap
from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Scalar, Sequence

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.syntax.document import Document

_WORD = re.compile(r"\w+")
_CLAUSES = word_set("SELECT FROM WHERE GROUP HAVING ORDER LIMIT QUALIFY WINDOW UNION EXCEPT INTERSECT")


def selections(analysis: Analysis, offset: int) -> list[Span]:
    """The ranges around a cursor at ``offset``, the smallest first; each holds the one before and is larger."""
    document = analysis.document
    offset = min(max(offset, 0), len(document.text))
    found = {Span(0, len(document.text)), *_words(document.text, offset)}
    for base, text, node in _parts(document):
        if base + node.span.start <= offset <= base + node.span.end:
            found |= {span.shift(base) for span in _Grown(text, offset - base).of(node)}
    found |= set(_items(document, offset))
    found = {_trimmed(document.text, span) for span in found}
    if document.text:
        found.add(Span(0, len(document.text)))
    chain: list[Span] = []
    for span in sorted(found, key=lambda span: (span.end - span.start, span.start)):
        if not span.start <= offset <= span.end:
            continue
        if not chain or (span.start <= chain[-1].start and chain[-1].end <= span.end and span != chain[-1]):
            chain.append(span)
    return chain or [Span(offset, offset)]


def _words(text: str, offset: int) -> Iterator[Span]:
    start = offset
    while start and _WORD.match(text, start - 1):
        start -= 1
    match = _WORD.match(text, start)
    if match is not None:
        yield Span(*match.span())


def _parts(document: Document) -> Iterator[tuple[int, str, Node]]:
    for placed in (*document.sections, *document.steps):
        yield placed.base, placed.part.text, placed.part.node
    if document.top is not None:
        yield 0, document.text, document.top


def _items(document: Document, offset: int) -> Iterator[Span]:
    """The step with its dash, the list of steps, and the whole entry."""
    spans = [_with_dash(document.text, placed.span(placed.part.node.span)) for placed in document.steps]
    yield from (span for span in spans if span.start <= offset <= span.end)
    if document.steps_entry is None:
        return
    base, entry = document.steps_entry
    key = entry.key.span.shift(base)
    whole = Span(key.start, max([base + entry.span.end, *(span.end for span in spans)]))
    yield key
    if spans:
        yield Span(min(span.start for span in spans), max(span.end for span in spans))
    yield whole


def _with_dash(text: str, span: Span) -> Span:
    at = span.start
    while at and text[at - 1] in " \t":
        at -= 1
    return Span(at - 1, span.end) if at and at < span.start and text[at - 1] == "-" else span


def _trimmed(text: str, span: Span) -> Span:
    """Without the line ends and blanks in front of the first word and behind the last one."""
    start, end = span
    while end > start and text[end - 1] in " \t\r\n":
        end -= 1
    while start < end and text[start] in " \t\r\n":
        start += 1
    return Span(start, end) if end > start else span


class _Grown:
    """The ranges in one part that hold an offset of it."""

    def __init__(self, text: str, offset: int) -> None:
        self._text = text
        self._offset = offset

    def of(self, node: Node) -> Iterator[Span]:
        """Those of a node and of all inside it."""
        if node.synthetic or not self._holds(node.span):
            return
        yield node.span
        if isinstance(node, Scalar):
            yield from self._scalar(node)
        elif isinstance(node, Sequence):
            for item in node.items:
                yield from self.of(item)
        else:
            for entry in node.entries:
                yield from self._entry(entry)

    def _entry(self, entry: Entry) -> Iterator[Span]:
        whole = Span(entry.key.span.start, max(entry.span.end, entry.value.span.end, entry.key.span.end))
        if not entry.synthetic and self._holds(whole):
            yield whole
            yield from self.of(entry.key)
            yield from self.of(entry.value)

    def _scalar(self, node: Scalar) -> Iterator[Span]:
        if not self._holds(node.content):
            return
        yield node.content
        if not isinstance(node.value, str):
            return
        places = SourceMap(node, self._text)
        at = places.to_text(self._offset)
        inside = [span for found in find_placeholders(node.text) for span in (found.span, found.name_span)]
        if any(mark in node.text for mark in (" ", "\n", "(")):
            inside += _in_query(node.text, at)
        yield from (places.span(*span) for span in inside if span.start <= at <= span.end)

    def _holds(self, span: Span) -> bool:
        return span.start <= self._offset <= span.end


def _in_query(text: str, at: int) -> list[Span]:
    """Token, clauses and parentheses around ``at``, if the text is a query."""
    tokens = [token for token in tokenize_sql(text) if token.kind != "comment"]
    if not tokens or tokens[0].text.upper() not in ("SELECT", "WITH", "FROM", "(", "VALUES", "PIVOT", "UNPIVOT"):
        return []
    found = [token.span for token in tokens if token.span.touches(at)]
    stack: list[int] = []
    levels: list[tuple[int, int]] = []
    for position, token in enumerate(tokens):
        if token.text == "(" and token.kind == "operator":
            stack.append(position)
        elif token.text == ")" and token.kind == "operator" and stack:
            start = stack.pop()
            if tokens[start].span.start <= at <= token.span.end:
                levels.append((start + 1, position))
                found.append(Span(tokens[start].span.start, token.span.end))
                if position > start + 1:
                    found.append(Span(tokens[start + 1].span.start, tokens[position - 1].span.end))
    for first, last in (*levels, (0, len(tokens))):
        found += _clauses(tokens, first, last, at)
    return found


def _clauses(tokens: list[SqlToken], first: int, last: int, at: int) -> Iterator[Span]:
    """The clause around ``at`` among the tokens of one level of parentheses."""
    depth = 0
    starts: list[int] = []
    for position in range(first, last):
        token = tokens[position]
        if token.kind == "operator" and token.text in "()":
            depth += 1 if token.text == "(" else -1
        elif depth == 0 and token.kind == "word" and token.text.upper() in _CLAUSES:
            starts.append(position)
    for start, end in pairwise([*starts, last]):
        if tokens[start].span.start <= at <= tokens[end - 1].span.end:
            yield Span(tokens[start].span.start, tokens[end - 1].span.end)
