"""Scalars of a broken part: every one ends somewhere sensible, also when its quote is never closed."""

from __future__ import annotations

import re

from osiris.syntax.block import block_indent, decode_block, decode_flow
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.findings import edit_fix, error
from osiris.syntax.recovery_lines import Line, is_dash, is_word, key_at, quoted_end
from osiris.syntax.scalars import resolve_plain
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

_HEADER = re.compile(r"[|>](?:[-+]?[1-9]?|[1-9][-+])(?=[ \t\r\n]|\Z)")
_LOOSE_HEADER = re.compile(r"[|>][-+0-9]*")
_BAD_ESCAPE = re.compile(
    r"\\(?:[0abt\tnvfre \"/\\N_LP\r\n]"
    r"|x[0-9A-Fa-f]{2}|u(?![dD][89a-fA-F])[0-9A-Fa-f]{4}|U00(?:0|10)[0-9A-Fa-f]{4,5})|(\\)"
)


def plain(text: str, start: int, end: int) -> Scalar:
    """A plain scalar from ``start`` to ``end`` (white space at its end is left out)."""
    while end > start and text[end - 1] in " \t\r\n":
        end -= 1
    span = Span(start, end)
    decoded = decode_flow(text, start, end, Style.PLAIN)[0]
    return Scalar(span, span, decoded, resolve_plain(decoded), Style.PLAIN)


def quoted(text: str, start: int, end: int, *, closed: bool = True) -> Scalar:
    """A quoted scalar from its opening quote to ``end``, which lies behind the closing quote if there is one."""
    style = Style.DOUBLE if text[start] == '"' else Style.SINGLE
    content = Span(start + 1, end - 1 if closed else end)
    decoded = decode_flow(text, content.start, content.end, style)[0]
    return Scalar(Span(start, end), content, decoded, decoded, style)


def bad_escapes(text: str, scalar: Scalar) -> list[Diagnostic]:
    """Escapes in a double quoted scalar that YAML does not know."""
    if scalar.style is not Style.DOUBLE:
        return []
    found: list[Diagnostic] = []
    for match in _BAD_ESCAPE.finditer(text, *scalar.content):
        if match.group(1):
            at = match.start()
            escape = text[at : at + 2]
            fix = edit_fix("Write two backslashes", Span(at, at + 1), "\\\\")
            message = (
                f"`{escape}` is no escape that YAML knows. Write two backslashes for one, or use single quotes, "
                "in which a backslash is just a backslash."
            )
            found.append(error("OML001", Span(at, min(at + 2, scalar.content.end)), message, fix))
    return found


def close_of(text: str, at: int, lines: list[Line], index: int, parent: int) -> tuple[int, bool]:
    """The end of the quoted scalar that opens at ``at`` on line ``index``, and whether its quote is closed.

    A line that is not indented deeper than ``parent``, or that looks like a key or a list item, belongs to something
    else: then the quote was forgotten, and the scalar ends before that line.
    """
    end = quoted_end(text, at)
    if end >= 0:
        return end, True
    quote = text[at]
    position = at + 1
    last = index
    step = re.compile(r'\\.|"' if quote == '"' else r"''|'", re.DOTALL)
    for number in range(index, len(lines)):
        line = lines[number]
        if number > index:
            if line.blank:
                continue
            if line.column <= parent or is_dash(text, line.at) or text[line.at] == "#":
                break
            key = key_at(text, line.at)
            if key is not None and quote not in text[line.at : key.span.end]:
                break
            position, last = line.at, number
        while found := step.search(text, position, line.end):
            position = found.end()
            if found.group() == quote:
                return position, True
    stop = lines[last].end
    while stop > at + 1 and text[stop - 1] in " \t":
        stop -= 1
    return stop, False


def unclosed_quote(text: str, at: int, end: int) -> Diagnostic:
    """OML003 where a quote opens that is never closed; ``end`` is where its text ends."""
    quote = text[at]
    name = "double" if quote == '"' else "single"
    # An odd number of backslashes at the end would escape the closing quote.
    slashes = end - len(text[at:end].rstrip("\\")) - at if quote == '"' else 0
    fix = edit_fix("Close the quote", Span(end, end), ("\\" if slashes % 2 else "") + quote)
    message = f"This {name} quote is never closed. Add a {quote} at the end of the text, or remove this one."
    return error("OML003", Span(at, at + 1), message, fix)


class BlockScalar:
    """A literal or folded scalar: its node, the index of the line after it, and what is wrong with it."""

    def __init__(self, text: str, at: int, lines: list[Line], index: int, parent: int) -> None:
        """Read the scalar whose header is at ``at`` on line ``index``, below a key or dash in column ``parent``."""
        self.found: list[Diagnostic] = []
        header = _LOOSE_HEADER.match(text, at)
        mark = header.group() if header else text[at]
        first = lines[index]
        self._check_header(text, at, at + len(mark), first.end)
        keep = "+" in mark
        chomping = "+" if keep else "-" if "-" in mark else ""
        stop, indent = self._extent(text, lines, index + 1, parent, mark)
        self.next = stop
        last = stop - 1
        while not keep and last > index and lines[last].blank:
            last -= 1
        style = Style.LITERAL if mark[0] == "|" else Style.FOLDED
        if last <= index:
            self.node = self._on_header_line(text, at, style, at + len(mark))
            return
        content = Span(lines[index + 1].start, lines[last].end)
        decoded, _ = decode_block(
            text, content.start, content.end, indent, folded=style is Style.FOLDED, chomping=chomping
        )
        self.node = Scalar(Span(at, content.end), content, decoded, decoded, style)

    def _on_header_line(self, text: str, at: int, style: Style, end: int) -> Scalar:
        """A scalar without lines of its own; text that wrongly stands behind its header is better than none."""
        content = self.found[0].span if self.found and self.found[0].span.start >= end else Span(end, end)
        value = text[content.start : content.end]
        return Scalar(Span(at, content.end), content, value, value, style)

    def _check_header(self, text: str, at: int, end: int, line_end: int) -> None:
        if _HEADER.match(text, at):
            rest = text[end:line_end].strip(" \t")
            if not rest or (rest.startswith("#") and text[end] in " \t"):
                return
        bad = end
        while bad < line_end and text[bad] in " \t":
            bad += 1
        if bad >= line_end:
            bad = at
        span = Span(bad, max(line_end, bad + 1)) if bad > at else Span(at, end)
        span = Span(span.start, span.start + len(text[span.start : span.end].rstrip(" \t")))
        message = (
            f"Behind `{text[at]}` only `-` or `+` and one digit may stand; the text itself starts on the next line. "
            "Move this text down, or put the value in quotes."
        )
        self.found.append(error("OML001", span, message))

    def _extent(self, text: str, lines: list[Line], index: int, parent: int, mark: str) -> tuple[int, int]:
        """The index of the first line behind the scalar, and the indentation of its text."""
        digits = [char for char in mark if char in "123456789"]
        indent = max(parent, 0) + int(digits[0]) if digits else -1
        flush = self._flush_lines(text, lines, index, parent)
        if flush:
            return flush, min(line.column for line in lines[index:flush] if not line.blank)
        while index < len(lines):
            line = lines[index]
            if not line.blank:
                if line.column <= parent:
                    break
                width = min(line.column, line.tab - line.start) if line.tab >= 0 else line.column
                if indent < 0:
                    indent = line.column if line.tab >= 0 else width
                if width < indent:
                    if key_at(text, line.at) is not None:
                        break
                    self._complain(text, line, indent)
            index += 1
        if indent < 0:
            indent = block_indent(text, lines[0].start, lines[0].start)
        return index, indent

    def _flush_lines(self, text: str, lines: list[Line], index: int, parent: int) -> int:
        """The index behind lines that start left of where they must and are plainly text; 0 when there are none.

        People paste SQL below a header and leave it at the margin of the key.
        """
        start = next((n for n in range(index, len(lines)) if not lines[n].blank), len(lines))
        stop = start
        while stop < len(lines):
            line = lines[stop]
            rest = text[line.at : line.end].rstrip(" \t")
            if not line.blank and (
                key_at(text, line.at) or is_dash(text, line.at) or line.tab >= 0 or rest[0] in "#}]"
            ):
                break
            if stop == start and (line.column > parent or is_word(rest)):
                break
            stop += 1
        if stop == start:
            return 0
        first = lines[start]
        wanted = max(parent, 0) + 2
        edits = [
            TextEdit(Span(line.start, line.start), " " * (wanted - first.column))
            for line in lines[start:stop]
            if not line.blank
        ]
        message = "The lines of a text block must be indented deeper than its key. Indent them."
        fix = Fix("Indent the text", tuple(edits), preferred=True)
        self.found.append(error("OML005", Span(first.at, first.end), message, fix))
        return stop

    def _complain(self, text: str, line: Line, indent: int) -> None:
        fix = edit_fix("Indent the line", Span(line.start, line.at), " " * indent)
        if line.tab >= 0:
            tab_end = line.tab + 1
            while tab_end < line.at and text[tab_end] == "\t":
                tab_end += 1
            message = "A tab cannot indent the lines of a block of text in YAML. Use spaces."
            fix = edit_fix("Replace the tab by spaces", Span(line.start, line.at), " " * max(indent, line.column))
            self.found.append(error("OML002", Span(line.tab, tab_end), message, fix))
            return
        message = (
            f"This line of the text block is indented by {line.column} spaces, its first line by {indent}. "
            "Indent it at least as far as the first line."
        )
        self.found.append(error("OML005", Span(line.at, line.end), message, fix))
