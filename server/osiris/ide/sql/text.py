"""The SQL around a cursor: which text of which step it is, and how a piece of it is written into the document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.cursor import Cursor, Role
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.lookup import step_at
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.model import Step

_BREAK = re.compile(r"[\r\n]")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NOT_PLAIN = re.compile(r": |:\Z| #")
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_FLOW = frozenset(",[]{}")


@dataclass(frozen=True, slots=True, eq=False)
class SqlText:
    """A query and the cursor in it.

    ``text`` is the query without the marks of YAML, ``index`` the cursor in it. ``style`` is how the scalar is written,
    ``flow`` whether it stands inside ``[]`` or ``{}``. ``edits`` put the indentation of the cursor's line right.
    """

    step: Step
    key: str
    dialect: str
    text: str
    index: int
    style: Style
    flow: bool
    edits: tuple[TextEdit, ...]
    _scalar: Scalar
    _source: str
    _places: SourceMap
    _offset: int

    def span(self, span: Span) -> Span | None:
        """A range around the cursor in the document; None when it has no place on one line there."""
        if self._splits():
            return None
        if span.start == span.end == self.index:
            return Span(self._offset, self._offset)
        found = self._places.span(*span)
        if span.end == self.index:
            found = Span(found.start, max(found.start, self._offset - self.step.base))
        placed = found.shift(self.step.base)
        if _BREAK.search(self._source, found.start, found.end) or not placed.touches(self._offset):
            return None  # in broken text it may also be none that the cursor stands in
        return placed

    def _splits(self) -> bool:
        """Whether the cursor stands between the two halves of an escape, such as a doubled quote."""
        before, at = self._places.to_source(self.index), self._offset - self.step.base
        mark = {Style.SINGLE: "'", Style.DOUBLE: "\\"}.get(self.style)
        return mark is not None and before < at and self._source.startswith(mark, before)

    def place(self, span: Span) -> Span:
        """A range of the query in the document, on however many lines."""
        return self._places.span(*span).shift(self.step.base)

    def written(self, text: str, at: int, *, lines: bool = False) -> str | None:
        """``text`` as it is written at the index ``at`` of the query; None where that style of YAML cannot hold it.

        ``lines``: line ends in it are wanted, and the lines are indented as the block is.
        """
        if _UNSAFE.search(text.replace("\n", "") if lines else text):
            return None
        if self.style is Style.SINGLE:
            return text.replace("'", "''")
        if self.style is Style.DOUBLE:
            return text.replace("\\", "\\\\").replace('"', '\\"')
        if self.style is Style.PLAIN:
            unsafe = _NOT_PLAIN.search(text) or (at == 0 and text[:1] in _INDICATORS) or text != text.strip()
            unsafe = unsafe or text.startswith("#") or (self.flow and not _FLOW.isdisjoint(text))
            return None if unsafe else text
        return text


def sql_text(analysis: Analysis, cursor: Cursor) -> SqlText | None:
    """The query that the cursor stands in; None when it stands in none."""
    offset, step_index = cursor.offset, cursor.step
    if step_index is None:
        step_index = step_at(analysis.document, offset)
    if step_index is None or step_index >= len(analysis.pipeline.steps):
        return None
    step, spec = analysis.pipeline.steps[step_index], analysis.specs[step_index]
    if spec is None or step.config is None:
        return None
    for key, dialect in spec.sql_keys.items():
        node = step.config.get(key)
        if dialect == "graphql" or not isinstance(node, Scalar) or node.synthetic:
            continue
        in_block = cursor.role is Role.TEXT and cursor.within == ("config", key)
        found = _at(analysis.document.text, step, key, dialect, node, offset, in_block=in_block, flow=cursor.flow)
        if found is not None:
            return found
    return None


def _at(
    text: str, step: Step, key: str, dialect: str, node: Scalar, offset: int, *, in_block: bool, flow: bool
) -> SqlText | None:
    source, at = step.shape.part.text, offset - step.base
    blanks = _blanks_behind(node, source, at)
    inside = node.content.start <= at <= node.content.end or bool(blanks)
    is_block = node.style in (Style.LITERAL, Style.FOLDED)
    if is_block and not in_block:
        return None
    if not inside and not in_block:
        return None
    if not is_block and (not node.text or not isinstance(node.value, str)) and node.style is Style.PLAIN:
        return None
    places = SourceMap(node, source)
    query = node.text
    edits: tuple[TextEdit, ...] = ()
    index = places.to_text(at)
    while index and places.to_source(index - 1) == at:  # the line end that closes a block stands where the block ends
        index -= 1
    if blanks:
        query, index = query + blanks, len(query) + len(blanks)
    elif not is_block and (line_end := _line_end_around(source, node, at)) is not None:
        if not _takes_words(source, node, at):
            return None
        # Blanks in front of a line end are no part of the text: behind them is behind the blank that it becomes.
        index = places.to_text(line_end.start - 1) + (1 if at == line_end.start else 2)
    if is_block and (at > node.content.end or not query.strip()):
        if at < node.content.start and query.strip():
            return None
        query = query if query.endswith("\n") or not query else query + "\n"
        index = len(query)
        inside = False
    if is_block:
        fitted = _indentation(text, source, node, offset)
        if fitted is None:
            return None
        edits = fitted
    return SqlText(step, key, dialect, query, index, node.style, flow, edits, node, source, places, offset)


def _blanks_behind(node: Scalar, source: str, at: int) -> str:
    """The blanks between the end of a text that is no block and the cursor: YAML leaves them out, its author is not
    at the end yet."""
    if node.style in (Style.LITERAL, Style.FOLDED) or not node.text.strip():
        return ""
    end = node.content.start + len(source[node.content.start : min(node.content.end, at)].rstrip(" \t"))
    blanks = source[end:at]
    ends_there = SourceMap(node, source).to_text(end) >= len(node.text.rstrip(" \t"))
    return blanks if blanks and ends_there and not blanks.strip(" \t") and not node.text.endswith(" ") else ""


def _line_end_around(source: str, node: Scalar, at: int) -> Span | None:
    """The white space around a place in a text that is no block, when a line ends in it."""
    start, end = node.content
    if not start < at < end:
        return None
    first = start + len(source[start:at].rstrip(" \t\r\n"))
    last = end - len(source[at:end].lstrip(" \t\r\n"))
    return Span(first, last) if start < first and at < last and _BREAK.search(source, first, last) else None


def _takes_words(source: str, node: Scalar, at: int) -> bool:
    """Whether something may be typed at a place in the white space between two lines of a text that is no block: behind
    what stands on a line, and on an empty line that is indented as the others are."""
    start = max(source.rfind("\n", 0, at), source.rfind("\r", 0, at)) + 1
    before = source[start:at]
    if start <= node.content.start or before.strip():
        return True
    end = _BREAK.search(source, at, node.content.end)
    lines = [line for line in source[node.content.start : node.content.end].splitlines()[1:] if line.strip()]
    deep = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return end is not None and not source[at : end.start()].strip() and len(before) >= deep


def _indentation(text: str, source: str, node: Scalar, offset: int) -> tuple[TextEdit, ...] | None:
    """The edit that brings the line of the cursor to the column of the block; None inside the indentation of text."""
    lines = [line for line in source[node.content.start : node.content.end].splitlines() if line.strip()]
    width = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    before = text[start:offset]
    if before.strip(" ") or len(before) >= width:
        return ()
    end = _BREAK.search(text, offset)
    if text[offset : end.start() if end is not None else len(text)].strip():
        return None
    return (TextEdit(Span(start, offset), " " * width),)
