"""Edits of the source that keep its style: a key into a map, an item into a list, an entry away."""

from __future__ import annotations

import re
from collections.abc import Iterable

from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Sequence

_SAFE_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
# What some reader of YAML may take for a number, a date or a boolean.
_LIKE_A_NUMBER = re.compile(r"[0-9][0-9A-Fa-fxotz_. -]*", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_TEXT = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def quoted(text: str) -> str:
    """``text`` as a double quoted scalar."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped.replace(chr(9), chr(92) + "t")}"'


def scalar_text(text: str) -> str:
    """``text`` as a scalar: plain where that is safe, else in quotes."""
    sound = _SAFE_PLAIN.fullmatch(text) and not _LIKE_A_NUMBER.fullmatch(text) and text.lower() not in _NOT_TEXT
    return text if sound else quoted(text)


def applied(text: str, edits: Iterable[TextEdit]) -> str:
    """The text after edits that do not overlap; insertions at one place keep their order."""
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        pieces += (text[at : edit.span.start], edit.new_text)
        at = edit.span.end
    return "".join((*pieces, text[at:]))


def line_start(text: str, offset: int) -> int:
    """The offset of the first character of the line of ``offset``."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def line_end(text: str, offset: int) -> int:
    """The offset of the end of the line of ``offset``, its line end left out."""
    ends = [at for at in (text.find("\n", offset), text.find("\r", offset)) if at >= 0]
    return min(ends, default=len(text))


def newline_of(text: str) -> str:
    """The line end that ``text`` uses: that of its first line."""
    first = _LINE_END.search(text)
    return first.group() if first else "\n"


def append_lines(text: str, lines: str, at: int | None = None) -> TextEdit:
    r"""Put ``lines`` behind the last line of ``text``, or in front of the line at ``at``.

    Each of them ends in ``\n`` and gets the line end of ``text``; so does a last line that has none.
    """
    at = len(text) if at is None else at
    newline = newline_of(text)
    gap = newline if at and text[at - 1] not in "\r\n" else ""
    return TextEdit(Span(at, at), gap + lines.replace("\n", newline))


def column(text: str, offset: int) -> int:
    """The column of ``offset`` in code points."""
    return offset - line_start(text, offset)


def node_end(text: str, node: Node) -> int:
    """Where a node's last visible character ends: trailing line ends and blanks of a block scalar do not count."""
    end = min(node.span.end, len(text))
    while end > node.span.start and text[end - 1] in " \t\r\n":
        end -= 1
    return end


def insert_key(text: str, mapping: Mapping, key: str, value: str, *, after: Entry | None = None) -> TextEdit | None:
    """Insert ``key: value`` into a map, behind ``after`` or as its last entry; ``value`` may hold lines of its own
    (without indentation, which is added). None where no edit can be made: the map is an alias, or empty and in block
    style."""
    if mapping.synthetic:
        return None
    last = after or next((e for e in reversed(mapping.entries) if not e.synthetic), None)
    if mapping.flow:
        flat = f"{key}: {value}"
        if last is None:
            return TextEdit(Span(mapping.span.start + 1, mapping.span.start + 1), flat)
        end = max(node_end(text, last.value), last.key.span.end)
        return TextEdit(Span(end, end), f", {flat}")
    if last is None:
        return None
    indent = " " * column(text, mapping.entries[0].key.span.start)
    end = max(node_end(text, last.value), last.key.span.end, last.span.start)
    at = line_end(text, end)
    body = f"{key}:{value}" if value[:1] in ("", "\n") else f"{key}: {value}"
    lines = (newline_of(text) + indent).join(body.split("\n"))
    return TextEdit(Span(at, at), newline_of(text) + indent + lines)


def append_item(text: str, sequence: Sequence, item: str) -> TextEdit | None:
    """Append ``item`` to a list; None for an alias and for an empty list in block style."""
    if sequence.synthetic:
        return None
    if sequence.flow:
        if not sequence.items:
            return TextEdit(Span(sequence.span.start + 1, sequence.span.start + 1), item)
        end = node_end(text, sequence.items[-1])
        return TextEdit(Span(end, end), f", {item}")
    if not sequence.items:
        return None
    start = line_start(text, sequence.items[-1].span.start)
    dash = text.find("-", start)
    indent = " " * (dash - start)
    at = line_end(text, node_end(text, sequence.items[-1]))
    return TextEdit(Span(at, at), f"{newline_of(text)}{indent}- {item}")


def remove_entry(text: str, mapping: Mapping, entry: Entry) -> TextEdit | None:
    """Remove an entry with the separator or the lines that belong to it. None where the map would become invalid."""
    if mapping.synthetic or entry.synthetic:
        return None
    index = next((i for i, e in enumerate(mapping.entries) if e is entry), -1)
    if index < 0 or len(mapping.entries) == 1:
        return None
    end = max(node_end(text, entry.value), entry.key.span.end)
    if mapping.flow:
        if index:
            before = mapping.entries[index - 1]
            return TextEdit(Span(max(node_end(text, before.value), before.key.span.end), end), "")
        return TextEdit(Span(entry.key.span.start, mapping.entries[1].key.span.start), "")
    start = line_start(text, entry.key.span.start)
    if index == 0 and text[start : entry.key.span.start].strip():
        # The first entry stands behind a dash: the second one takes its place.
        return TextEdit(Span(entry.key.span.start, mapping.entries[1].key.span.start), "")
    if index == 0:
        following = _LINE_END.search(text, line_end(text, end))
        return TextEdit(Span(start, following.end() if following else len(text)), "")
    return TextEdit(Span(line_end_before(text, entry.key.span.start), line_end(text, end)), "")


def line_end_before(text: str, offset: int) -> int:
    """The offset where the line before that of ``offset`` ends, its line end not included."""
    start = line_start(text, offset)
    if start >= 2 and text[start - 2 : start] == "\r\n":
        return start - 2
    return max(start - 1, 0)


def remove_item(text: str, sequence: Sequence, index: int) -> TextEdit | None:
    """Remove an item of a list of scalars; None when it is the only one."""
    items = sequence.items
    if sequence.synthetic or len(items) < 2:
        return None
    if sequence.flow:
        if index:
            return TextEdit(Span(node_end(text, items[index - 1]), node_end(text, items[index])), "")
        return TextEdit(Span(items[0].span.start, items[1].span.start), "")
    if index == 0:
        return TextEdit(Span(items[0].span.start, items[1].span.start), "")
    end = line_end(text, node_end(text, items[index]))
    return TextEdit(Span(line_end_before(text, items[index].span.start), end), "")
