"""Values of a broken part: what stands behind a key or a dash."""

from __future__ import annotations

import re
from abc import abstractmethod

from osiris.syntax import findings
from osiris.syntax.aliases import Anchor, place_at
from osiris.syntax.findings import edit_fix, error
from osiris.syntax.limits import MAX_DEPTH
from osiris.syntax.recovery_cursor import Cursor
from osiris.syntax.recovery_flow import FlowReader
from osiris.syntax.recovery_lines import is_dash, is_end_of_value, key_at
from osiris.syntax.recovery_scalars import BlockScalar, bad_escapes, close_of, plain, quoted, unclosed_quote
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Scalar, Style
from osiris.syntax.tree_builder import missing

_PLAIN_STOP = re.compile(r"[ \t]#|:(?=[ \t]|[\r\n]|\Z)|[\r\n]|\Z")
_MAPS_OF_STEPS = ("config:", "with:", "retry:", "inputs:")
_PROPERTY = re.compile(r"[&!][^ \t\r\n]*[ \t]*")
_ALIAS = re.compile(r"\*[^ \t\r\n,\[\]{}]*")


class ValueReader(Cursor):
    """Reads values; block lists and mappings among them are read by the class that knows these."""

    @abstractmethod
    def keys_too_far_left(self, column: int, inner: int = 0) -> int | None:
        """The column in which the key on the current line is meant, which stands in ``column`` as those of the step;
        None where it belongs to the step. ``inner``: the column of the map above it."""

    @abstractmethod
    def first_key_off(self, parent: int) -> None:
        """Report the first key of a map when it alone stands further left than the others."""

    @abstractmethod
    def block(self, parent: int) -> Node:
        """The node that starts at the current place and is indented deeper than ``parent``."""

    def value_behind(self, at: int, column: int) -> Node:
        """The value of a key in ``column`` whose colon ends at ``at``: on the same line or on the next ones."""
        if is_end_of_value(self.text, at):
            self.advance()
            return self.below(at, column)
        return self.value(self.skip_blanks(at), column)

    def below(self, at: int, column: int) -> Node:
        """The value that starts on the current line, if that line belongs to the key in ``column``."""
        if not self.more():
            return missing(at)
        if self.column > column and not (self.line.tab >= 0 and self.sibling_by_tab(column)):
            self.first_key_off(column)
            return self.block(column)
        of_map = self.text.endswith(_MAPS_OF_STEPS, max(at - 8, 0), at)
        if of_map and self.column == column and (inner := self.keys_too_far_left(column)):
            self.check_indent(inner, self.key_in_words())
            self.column = inner
            return self.block(column)
        if self.dash() and (self.column == column or self.lists_nearby(column)):
            if any(not frame.is_map and frame.column == self.column for frame in self.frames):
                return missing(at)
            return self.block(column - 1)
        return missing(at)

    def sibling_by_tab(self, column: int) -> bool:
        """Whether a line indented by tabs is rather a sibling of the key in ``column`` than its value."""
        return False if self.column > column + 1 else not self.dash()

    def lists_nearby(self, column: int) -> bool:
        """Whether a dash left of the key's ``column`` is still nearer to it than to any open list."""
        distances = [abs(frame.column - self.column) for frame in self.frames if not frame.is_map]
        return self.column < column and column - self.column < min(distances, default=0)

    def value(self, at: int, parent: int) -> Node:
        """The value that starts at ``at`` on the current line, of a key or dash in column ``parent``."""
        text = self.text
        anchor = ""
        while at < self.line.end and text[at] in "&!":
            found = _PROPERTY.match(text, at)
            if found is None:
                break
            if text[at] == "&":
                anchor = found.group().strip()[1:]
            at = found.end()
        node: Node
        if at >= self.line.end or text[at] == "#":
            self.advance()
            node = self.below(at, parent)
        else:
            self.column += at - self.at
            self.at = at
            node = self.inline(at, parent)
        if anchor:
            self.anchors[anchor] = Anchor(node)
        return node

    def inline(self, at: int, parent: int) -> Node:
        """The value at ``at``, behind its anchor and tag."""
        char = self.text[at]
        if char in "'\"":
            return self.quoted_value(at, parent)
        if char in "[{":
            return self.flow(at, parent)
        if char in "|>":
            scalar = BlockScalar(self.text, at, self.lines, self.index, parent)
            self.found += scalar.found
            self.go_to(scalar.next)
            return scalar.node
        if char == "*" and (found := _ALIAS.match(self.text, at)) and found.end() > at + 1:
            node = self.alias(Span(*found.span()))
            self.end_of_value(found.end(), "alias")
            return node
        return self.plain_value(at, parent)

    def quoted_value(self, at: int, parent: int) -> Scalar:
        """A quoted scalar; when its quote is never closed, all that can belong to it."""
        text = self.text
        end, closed = close_of(text, at, self.lines, self.index, parent)
        if not closed:
            self.found.append(unclosed_quote(text, at, end))
            while self.line.end < end:
                self.index += 1
            self.advance()
            return quoted(text, at, end, closed=False)
        node = quoted(text, at, end)
        self.found += bad_escapes(text, node)
        self.end_of_value(end, "closing quote")
        return node

    def end_of_value(self, end: int, what: str) -> None:
        """Check that a value that ends at ``end`` is the last thing on its line, and go to the next line."""
        while self.line.end < end:
            self.index += 1
        if not is_end_of_value(self.text, end):
            start = self.skip_blanks(end)
            stop = start + len(self.text[start : self.line.end].rstrip(" \t"))
            message = f"Nothing may follow the {what} on this line. Remove this text, or put the whole value in quotes."
            if what == "closing quote":
                message += " A quote inside a text in quotes is written twice ('') or escaped (\\\")."
            self.found.append(error("OML001", Span(start, stop), message))
        self.advance()

    def flow(self, at: int, parent: int) -> Node:
        """A collection in brackets, at most up to the next line that cannot belong to it."""
        limit = self.line.end
        number = self.index + 1
        while number < len(self.lines):
            line = self.lines[number]
            if not line.blank and line.column <= parent and self.text[line.at] not in "]}":
                break
            limit = line.end
            number += 1
        reader = FlowReader(self.text, at, limit, self.alias, len(self.frames))
        self.found += reader.found
        if reader.unclosed:
            while self.more() and self.line.end < limit:
                self.index += 1
            self.advance()
        else:
            self.end_of_value(reader.at, "closing bracket")
        return reader.node

    def alias(self, span: Span) -> Node:
        """What the alias at ``span`` stands for."""
        name = self.text[span.start + 1 : span.end]
        anchor = self.anchors.get(name)
        if anchor is None:
            self.outside.add(name)
            anchor = self.outer.get(name)
        if anchor is None:
            self.found.append(findings.no_such_anchor(name, span))
        elif len(self.frames) + anchor.depth > MAX_DEPTH:
            self.found.append(findings.too_deep(span.start))
        elif self.expanded + anchor.size > self.budget:
            self.found.append(findings.too_many_copies(span))
        else:
            self.expanded += anchor.size
            return place_at(anchor.node, span)
        return Scalar(span, span, "", None, Style.PLAIN, synthetic=True)

    def plain_value(self, at: int, parent: int) -> Node:
        """A plain scalar with its continuation lines, or the list below it that makes no sense with it."""
        text = self.text
        end, complete = self.plain_line(at, first=True)
        colon = self.colon
        self.advance()
        while not complete and self.more() and self.column > parent and self.line.tab < 0 and not self.dash():
            if key_at(text, self.at) is not None or text[self.at] in ":\"'[{":
                break
            end, complete = self.plain_line(self.at, first=False)
            self.advance()
        node = plain(text, at, end)
        if colon >= 0:
            self.second_colon(node.span, colon)
        in_map = bool(self.frames) and self.frames[-1].is_map
        if not complete and in_map and self.more() and self.column > parent and self.dash():
            message = "A list follows below, so no other value can stand here. Remove one of the two."
            fix = edit_fix("Remove the value", node.span, "")
            self.found.append(error("OML001", node.span, message, fix))
            return self.block(parent)
        return node

    def plain_line(self, at: int, *, first: bool) -> tuple[int, bool]:
        """Where the plain text from ``at`` ends on this line, and whether a comment ends it for good."""
        text, line = self.text, self.line
        if first:
            self.colon = -1
        if first and text[at] in "@`%]},*":
            stop = text.find(" #", at, line.end)
            inside = text[at : stop if stop >= 0 else line.end].rstrip(" \t")
            escaped = inside.replace("'", "''")
            fix = edit_fix("Put it in quotes", Span(at, at + len(inside)), f"'{escaped}'")
            message = f"A value cannot start with `{text[at]}`. Put it in quotes."
            self.found.append(error("OML001", Span(at, at + 1), message, fix))
            return at + len(inside), True
        if first and is_dash(text, at):
            message = "A list cannot start on the line of its key. Write its items on the lines below."
            self.found.append(error("OML001", Span(at, at + 1), message))
            return line.end, True
        position = at
        while True:
            stop_at = _PLAIN_STOP.search(text, position, line.end)
            if stop_at is None:
                return line.end, False
            if stop_at.group().startswith(":"):
                if self.colon < 0:
                    self.colon = stop_at.start()
                position = stop_at.end()
                continue
            comment = stop_at.group().endswith("#")
            return stop_at.start(), comment

    def second_colon(self, value: Span, colon: int) -> None:
        """Report ``a: b: c``: the value is all of ``b: c``."""
        escaped = self.text[value.start : value.end].replace("'", "''")
        fix = edit_fix("Put the value in quotes", value, f"'{escaped}'")
        message = (
            "A value cannot hold another `key: value` on the same line. Put the value in quotes if the colon is part "
            "of it, or write the inner key on a line of its own."
        )
        self.found.append(error("OML001", Span(colon, colon + 1), message, fix))
