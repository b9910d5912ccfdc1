"""A new text of a pipeline in the clothes of the old one: what did not change keeps its comments and its layout.

The new text only says what the pipeline shall mean. It is turned into edits of the old text: entries and steps that
mean the same are left alone, others are replaced, added or removed as whole lines. Where the outcome would not mean
exactly what the new text does, the new text wins as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.document import Document, parse
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Plain, Scalar, to_plain
from osiris.syntax.tree import Sequence as List


def merged(before: str, after: str) -> str:
    """A text that means what ``after`` does, with the comments and the layout of ``before`` where both mean the same.

    A comment of ``after`` that ``before`` does not have is a wish of its own: then ``after`` is taken as it is.
    """
    old, new = parse(before), parse(after)
    if old.diagnostics or new.diagnostics or old.top is not None or new.top is not None or old.empty or new.empty:
        return after
    if not _comments(new) <= _comments(old):
        return after
    root, wanted = old.root(), new.root()
    if not isinstance(root, Mapping) or not isinstance(wanted, Mapping):
        return after
    try:
        edits = list(_Merge(before, after).mapping(root, wanted))
    except _TooDifferent:
        return after
    text = _applied(before, edits)
    result = parse(text)
    return text if not result.diagnostics and _same(to_plain(result.root()), to_plain(wanted)) else after


class _TooDifferent(Exception):  # noqa: N818 - a signal, not an error
    """The parts have no common shape: the outer one is replaced as a whole."""


@dataclass(frozen=True)
class _Merge:
    before: str
    after: str

    def mapping(self, old: Mapping, new: Mapping) -> Iterator[TextEdit]:
        """The edits that make ``old`` mean what ``new`` does."""
        have, want = _by_key(old.entries), _by_key(new.entries)
        if old.flow or new.flow or not have or not any(key in have for key in want):
            raise _TooDifferent
        first = old.entries[0]
        for key, entry in have.items():
            if key not in want:
                if entry is first:  # it may stand behind the dash of a list
                    raise _TooDifferent
                yield TextEdit(self._lines_of(entry.span), "")
        last: Entry | None = None
        column = _column(self.before, first.key.span.start)
        for key, entry in want.items():
            if key in have:
                last = have[key]
                yield from self._entry(last, entry)
            elif last is None:
                raise _TooDifferent
            else:
                place = _line_end(self.before, last.span.end)
                yield TextEdit(Span(place, place), f"\n{' ' * column}{self._moved(entry.span, column)}")

    def _entry(self, old: Entry, new: Entry) -> Iterator[TextEdit]:
        if _same(to_plain(old.value), to_plain(new.value)):
            return
        try:
            if isinstance(old.value, Mapping) and isinstance(new.value, Mapping):
                yield from list(self.mapping(old.value, new.value))
                return
            if isinstance(old.value, List) and isinstance(new.value, List):
                yield from list(self._steps(old.value, new.value))
                return
        except _TooDifferent:
            pass
        column = _column(self.before, old.key.span.start)
        yield TextEdit(_trimmed(self.before, old.span), self._moved(new.span, column))

    def _steps(self, old: List, new: List) -> Iterator[TextEdit]:
        have, want = _by_id(old.items), _by_id(new.items)
        kept = [name for name in want if name in have]
        if old.flow or new.flow or not kept or kept != [name for name in have if name in want]:
            raise _TooDifferent
        apart = "\n" if len(have) > 1 and self._stand_apart(old.items) else ""
        for name, item in have.items():
            if name not in want:
                yield TextEdit(self._lines_of(item.span), "")
        last: Mapping | None = None
        for name, item in want.items():
            if name in have:
                last = have[name]
                yield from self._item(last, item)
            elif last is None:
                raise _TooDifferent
            else:
                column = _column(self.before, last.span.start)
                dash = self.before.rfind("-", 0, last.span.start)
                head = " " * _column(self.before, dash) + "-".ljust(column - _column(self.before, dash))
                place = _line_end(self.before, _trimmed(self.before, last.span).end)
                yield TextEdit(Span(place, place), f"\n{apart}{head}{self._moved(item.span, column)}")

    def _item(self, old: Mapping, new: Mapping) -> Iterator[TextEdit]:
        if _same(to_plain(old), to_plain(new)):
            return
        try:
            yield from list(self.mapping(old, new))
        except _TooDifferent:
            column = _column(self.before, old.span.start)
            yield TextEdit(_trimmed(self.before, old.span), self._moved(new.span, column))

    def _moved(self, span: Span, column: int) -> str:
        """The part of the new text at ``span``, its later lines indented as for one that begins in ``column``."""
        lines = self.after[slice(*_trimmed(self.after, span))].split("\n")
        by = column - _column(self.after, span.start)
        return "\n".join([lines[0], *(_indented(line, by) for line in lines[1:])])

    def _lines_of(self, span: Span) -> Span:
        """The whole lines of an entry or a step that goes, and the comment that stands directly above it."""
        start = self.before.rfind("\n", 0, span.start) + 1
        end = _line_end(self.before, _trimmed(self.before, span).end)
        while start > 0:
            above = self.before.rfind("\n", 0, start - 1) + 1
            if not self.before[above:start].lstrip().startswith("#"):
                break
            start = above
        return Span(start, min(end + 1, len(self.before)))

    def _stand_apart(self, items: Sequence[Node]) -> bool:
        """Whether blank lines stand between the steps."""
        return all("\n\n" in self.before[one.span.end - 1 : other.span.start] for one, other in pairwise(items))


def _same(one: Plain, other: Plain) -> bool:
    """Whether both mean the same. ``1``, ``1.0`` and ``true`` are equal to Python, and not to a pipeline."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _by_key(entries: Sequence[Entry]) -> dict[str, Entry]:
    found = {entry.key.text: entry for entry in entries}
    if len(found) != len(entries) or any(entry.synthetic for entry in entries):
        raise _TooDifferent
    return found


def _by_id(items: Sequence[Node]) -> dict[str, Mapping]:
    found: dict[str, Mapping] = {}
    for item in items:
        name = item.get("id") if isinstance(item, Mapping) and not item.flow else None
        if not isinstance(item, Mapping) or not isinstance(name, Scalar) or name.text in found:
            raise _TooDifferent
        found[name.text] = item
    return found


def _comments(document: Document) -> set[str]:
    return {document.text[span.start : span.end].strip("# \t") for span in document.comments()}


def _column(text: str, offset: int) -> int:
    return offset - (text.rfind("\n", 0, offset) + 1)


def _line_end(text: str, offset: int) -> int:
    """The end of the line that ``offset`` is in, or is the end of."""
    at = offset - 1 if offset > 0 and text[offset - 1 : offset] == "\n" else offset
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _trimmed(text: str, span: Span) -> Span:
    """The span without the line ends and blanks at its end."""
    inner = text[span.start : span.end]
    return Span(span.start, span.start + len(inner.rstrip()))


def _indented(line: str, by: int) -> str:
    if not line.strip():
        return line
    return " " * by + line if by >= 0 else line[min(-by, len(line) - len(line.lstrip(" "))) :]


def _applied(text: str, edits: Sequence[TextEdit]) -> str:
    for edit in reversed(sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))):  # noqa: C413 - also of equals
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text
