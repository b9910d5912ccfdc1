"""Reads a part that is not valid YAML, line by line, and keeps everything in it that makes sense.

The indentation decides what belongs together, as in YAML; but a line that stands a little off still goes to the list
or mapping it stands nearest to, a quote that is never closed ends with its line, and so on. Every defect is reported
once, at its own place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from typing import NamedTuple

from osiris.syntax import findings
from osiris.syntax.aliases import Anchor, Merge, merge_entries, place_at
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import edit_fix, error
from osiris.syntax.limits import MAX_DEPTH, MAX_DIAGNOSTICS
from osiris.syntax.problems import explain
from osiris.syntax.recovery_flow import FlowReader
from osiris.syntax.recovery_lines import (
    STEP_KEYS,
    KeyToken,
    Line,
    is_dash,
    is_end_of_value,
    is_word,
    key_at,
    split_lines,
)
from osiris.syntax.recovery_scalars import BlockScalar, bad_escapes, close_of, plain, quoted, unclosed_quote
from osiris.syntax.strict import Trouble, missing
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style

_TIGHT_KEY = re.compile(r"([^\W\d][\w-]*):(?=[^\s:/])")
_TIGHT_DASH = re.compile(r"-(?=[^\W\d]|['\"])")
_PLAIN_STOP = re.compile(r"[ \t]#|:(?=[ \t]|[\r\n]|\Z)|[\r\n]|\Z")
_PROPERTY = re.compile(r"[&!][^ \t\r\n]*[ \t]*")
_ALIAS = re.compile(r"\*[^ \t\r\n,\[\]{}]*")
_FIRST_WORD = re.compile(r"[^\W\d][\w.-]*")
_ABOUT_SYNTAX = frozenset({"OML001", "OML002", "OML003", "OML004", "OML005", "OML009", "OML013"})


class Recovered(NamedTuple):
    """What could be saved of a part, and what is wrong with it."""

    node: Node
    diagnostics: tuple[Diagnostic, ...]
    anchors: dict[str, Anchor]
    outside: set[str]
    expanded: int
    cuts: tuple[int, ...]
    """Line starts of list items behind the first one of a step: steps of their own, at a wrong indent."""


class _Frame(NamedTuple):
    """An open block collection: the column of its keys or dashes."""

    column: int
    is_map: bool


def is_half_key(node: Scalar) -> bool:
    """Whether a lone scalar is rather a key whose colon is still to come."""
    return node.style is Style.PLAIN and not node.synthetic and isinstance(node.value, str) and is_word(node.text)


def recover(text: str, kind: str, trouble: Trouble, outer: MappingABC[str, Anchor], alias_budget: int) -> Recovered:
    """Read ``text``, a broken part of this ``kind`` (``section``, ``step`` or ``whole``).

    ``trouble`` is what the YAML reader said; it is passed on when no defect is found here.
    """
    reader = _Recovery(text, kind, outer, alias_budget)
    node = reader.read()
    found = reader.found
    if not any(one.code in _ABOUT_SYNTAX for one in found):
        found.append(explain(trouble, text))
    return Recovered(node, tuple(found[:MAX_DIAGNOSTICS]), reader.anchors, reader.outside, reader.expanded, reader.cuts)


class _Recovery:
    def __init__(self, text: str, kind: str, outer: MappingABC[str, Anchor], alias_budget: int) -> None:
        self.text = text
        self.kind = kind
        self.outer = outer
        self.budget = alias_budget
        self.anchors: dict[str, Anchor] = {}
        self.outside: set[str] = set()
        self.expanded = 0
        self.cuts: tuple[int, ...] = ()
        self.item_lines: list[int] = []
        self.colon = -1  # the first colon inside the plain value being read
        self.found: list[Diagnostic] = []
        self.frames: list[_Frame] = []
        self.lines = split_lines(text)
        self.index = -1
        self.at = 0
        self.column = 0
        self.advance()

    # Moving through the lines.

    def advance(self) -> None:
        """Go to the start of the next line that holds more than a comment."""
        self.go_to(self.index + 1)

    def go_to(self, index: int) -> None:
        """Go to the first line from ``index`` on that holds more than a comment."""
        while index < len(self.lines):
            line = self.lines[index]
            if not line.blank and self.text[line.at] != "#":
                self.at, self.column = line.at, line.column
                break
            index += 1
        self.index = index

    def more(self) -> bool:
        """Whether there is a current line."""
        return self.index < len(self.lines)

    @property
    def line(self) -> Line:
        return self.lines[self.index]

    def dash(self) -> bool:
        """Whether a list item starts here, with or without the space that belongs behind its dash."""
        return is_dash(self.text, self.at) or self.tight_dash()

    def tight_dash(self) -> bool:
        if self.at != self.line.at or not _TIGHT_DASH.match(self.text, self.at):
            return False
        if self.kind == "step" and not self.frames:
            return True
        return any(not frame.is_map and frame.column == self.column for frame in self.frames)

    # The whole part.

    def read(self) -> Node:
        """Everything in the part as one node."""
        if not self.more():
            return missing(len(self.text))
        if self.kind == "section" or (self.kind == "whole" and not self.starts_value()):
            return self.mapping()
        node = self.block(-1)
        if self.kind == "step" and isinstance(node, Sequence) and not node.flow:
            self.cuts = tuple(self.item_lines[1:])
            node = node.items[0] if node.items else missing(node.span.end)
        while self.more():
            self.junk()
        return node

    def starts_value(self) -> bool:
        return self.dash() or self.text[self.at] in "[{"

    def block(self, parent: int) -> Node:
        """The node that starts at the current place and is indented deeper than ``parent``."""
        if len(self.frames) >= MAX_DEPTH:
            self.found.append(findings.too_deep(self.at))
            at = self.at
            self.advance()
            while self.more() and self.column > parent:
                self.advance()
            return missing(at)
        if self.dash():
            return self.sequence()
        if key_at(self.text, self.at) or self.text[self.at] == ":":
            return self.mapping()
        if (_TIGHT_KEY.match(self.text, self.at) and self.frames) or self.opens_key(parent) or self.opens_item():
            return self.mapping()
        return self.value(self.at, parent)

    def opens_item(self) -> bool:
        """Whether a word behind a dash is a key without its colon: keys stand below it in the same column."""
        if not self.frames or self.frames[-1].is_map or self.at == self.line.at:
            return False
        if not _FIRST_WORD.match(self.text, self.at):
            return False
        for line in self.lines[self.index + 1 : self.index + 10]:
            if not line.blank and self.text[line.at] != "#":
                return line.column == self.column and key_at(self.text, line.at) is not None
        return False

    def opens_key(self, parent: int) -> bool:
        """Whether a quote that is never closed stands before what is else a key."""
        text, at = self.text, self.at
        if text[at] not in "'\"" or key_at(text, at + 1) is None:
            return False
        return not close_of(text, at, self.lines, self.index, parent)[1]

    def owner(self) -> int:
        """The index of the open frame that the current line belongs to, -1 when there is none."""
        dash = self.dash()
        candidates = [n for n, frame in enumerate(self.frames) if frame.is_map is not dash]
        if not candidates:
            return -1
        exact = [n for n in candidates if self.frames[n].column == self.column]
        if exact:
            return exact[-1]
        if not dash and self.kind == "step" and self.text_is_step_key():
            tie = min(candidates, key=lambda n: (abs(self.frames[n].column - self.column), n))
        else:
            tie = min(candidates, key=lambda n: (abs(self.frames[n].column - self.column), -n))
        return tie

    def text_is_step_key(self) -> bool:
        word = _FIRST_WORD.match(self.text, self.at)
        return word is not None and word.group() in STEP_KEYS

    def check_indent(self, column: int, what: str) -> None:
        """Report the current line when it is indented by a tab or not by ``column``."""
        line = self.line
        if self.at != line.at:
            return
        blanks = Span(line.start, line.at)
        if line.tab >= 0:
            end = line.tab + 1
            while end < line.at and self.text[end] == "\t":
                end += 1
            message = "A tab cannot indent a line in YAML. Use spaces: two for each level."
            fix = edit_fix("Replace the tab by spaces", blanks, " " * column)
            self.found.append(error("OML002", Span(line.tab, end), message, fix))
        elif self.column != column:
            word = _FIRST_WORD.match(self.text, self.at)
            span = Span(*word.span()) if word and not self.dash() else Span(self.at, self.at + 1)
            key = key_at(self.text, self.at)
            span = key.span if key else span
            message = (
                f"The {what} is indented by {self.column} spaces, its neighbours by {column}. "
                "What belongs together must stand in one column."
            )
            fix = edit_fix(f"Indent by {column} spaces", blanks, " " * column)
            self.found.append(error("OML005", span, message, fix))

    # Lists.

    def sequence(self) -> Sequence:
        frame = _Frame(self.column, is_map=False)
        self.frames.append(frame)
        number = len(self.frames) - 1
        start = end = self.at
        items: list[Node] = []
        while self.more():
            if not self.dash():
                if self.owner() < 0:
                    self.junk()
                    continue
                break
            if self.owner() != number:
                break
            if number == 0:
                self.item_lines.append(self.line.start)
            self.check_indent(frame.column, "list item")
            item = self.item(frame.column)
            items.append(item)
            end = max(end, item.span.end)
        self.frames.pop()
        return Sequence(Span(start, end), tuple(items))

    def item(self, column: int) -> Node:
        dash = self.at
        if self.tight_dash():
            message = "A space is missing behind this dash. Add one."
            fix = edit_fix("Add a space", Span(dash + 1, dash + 1), " ")
            self.found.append(error("OML004", Span(dash, dash + 1), message, fix))
        at = self.skip_blanks(dash + 1)
        if is_end_of_value(self.text, dash + 1):
            self.advance()
            if self.more() and self.column > column and not (self.dash() and self.column == column):
                return self.block(column)
            return missing(dash + 1)
        self.column += at - self.at
        self.at = at
        return self.block(column)

    def skip_blanks(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in " \t":
            at += 1
        return at

    # Mappings.

    def mapping(self) -> Mapping:
        frame = _Frame(self.column, is_map=True)
        self.frames.append(frame)
        number = len(self.frames) - 1
        start = end = self.at
        entries: list[Entry] = []
        merges: list[Merge] = []
        while self.more():
            owner = self.owner()
            if owner != number:
                if owner >= 0 and not (self.dash() and self.column > frame.column):
                    break
                self.junk()
                continue
            entry = self.entry(frame.column)
            if entry is None:
                continue
            end = max(end, entry.span.end)
            if entry.key.text == "<<" and entry.key.style is Style.PLAIN:
                merges.append(Merge(entry.value, entry.key.span))
            else:
                entries.append(entry)
        self.frames.pop()
        self.found += findings.duplicates(entries)
        for merge in merges:
            entries += self.merged(merge, entries)
        return Mapping(Span(start, end), tuple(entries))

    def merged(self, merge: Merge, entries: list[Entry]) -> list[Entry]:
        added = merge_entries(merge.value, entries)
        if added is None and not (isinstance(merge.value, Scalar) and merge.value.synthetic):
            self.found.append(findings.no_merge(merge.key))
        return added or []

    def entry(self, column: int) -> Entry | None:
        """The entry on the current line; None when the line holds nothing that could be one."""
        text, at = self.text, self.at
        key = key_at(text, at)
        if key is not None:
            self.check_indent(column, f"key `{text[key.span.start : key.span.end]}`")
            return self.entry_of(self.key_node(key), key.colon, column)
        if text.startswith(":", at) and is_end_or_blank(text, at + 1):
            self.check_indent(column, "line")
            self.found.append(findings.no_key(at))
            return self.entry_of(missing(at), at, column)
        tight = _TIGHT_KEY.match(text, at)
        if tight:
            self.check_indent(column, f"key `{tight.group(1)}`")
            return self.tight_entry(tight, column)
        if text[at] in "'\"":
            return self.quoted_line(column)
        return self.half_entry(column)

    def key_node(self, key: KeyToken) -> Scalar:
        if self.text[key.span.start] in "'\"":
            node = quoted(self.text, key.span.start, key.span.end)
            self.found += bad_escapes(self.text, node)
            return node
        return plain(self.text, key.span.start, key.span.end)

    def entry_of(self, key: Scalar, colon: int, column: int) -> Entry:
        value = self.value_behind(colon + 1, column)
        return Entry(key, value, Span(key.span.start, max(value.span.end, colon + 1)))

    def tight_entry(self, found: re.Match[str], column: int) -> Entry:
        colon = found.end() - 1
        span = Span(found.start(), colon)
        message = f"A space is missing behind the colon of `{found.group(1)}`. Add one."
        fix = edit_fix("Add a space", Span(colon + 1, colon + 1), " ")
        self.found.append(error("OML004", span, message, fix))
        return self.entry_of(plain(self.text, *span), colon, column)

    def quoted_line(self, column: int) -> Entry | None:
        """A line that starts with a quote but is no key: text, or a key whose quote is not closed."""
        text, at = self.text, self.at
        key = key_at(text, at + 1)
        if key is None or not self.opens_key(column):
            self.junk()
            return None
        fix = edit_fix("Remove the quote", Span(at, at + 1), "")
        message = "This quote before the key is never closed. Remove it."
        self.found.append(error("OML003", Span(at, at + 1), message, fix))
        return self.entry_of(plain(text, *key.span), key.colon, column)

    def half_entry(self, column: int) -> Entry | None:
        """A key without a colon, with the value that stands below or behind it."""
        text, at, line = self.text, self.at, self.line
        comment = text.find(" #", at, line.end)
        rest = text[at : comment if comment >= 0 else line.end].rstrip(" \t")
        word = _FIRST_WORD.match(text, at)
        whole = is_word(rest)
        if not whole and not (word and word.group() in STEP_KEYS and rest[word.end() - at] in " \t"):
            self.junk()
            return None
        span = Span(at, at + len(rest)) if whole or word is None else Span(*word.span())
        name = text[span.start : span.end]
        if line.tab >= 0:
            self.check_indent(column, "line")
        message = f"The key `{name}` has no colon yet. Write `{name}:` and its value."
        fix = edit_fix("Add the colon", Span(span.end, span.end), ":")
        self.found.append(error("OML004", span, message, fix))
        key = Scalar(span, span, name, name, Style.PLAIN)
        if whole:
            self.advance()
            value = self.below(span.end, column) if self.more() and self.column > column else missing(span.end)
        else:
            value = self.value(self.skip_blanks(span.end), column)
        return Entry(key, value, Span(at, max(value.span.end, span.end)), has_colon=False)

    def junk(self) -> None:
        """Report the rest of the current line, which is nothing that could stand here."""
        text, line = self.text, self.line
        end = line.at + len(text[line.at : line.end].rstrip(" \t"))
        span = Span(self.at, max(end, self.at + 1))
        if self.dash():
            message = "This list item has no list to belong to. Indent it below its key, or remove it."
            span = Span(self.at, self.at + 1)
        else:
            message = "This line is no `key: value`. Complete it, indent it below the text it belongs to, or remove it."
        self.found.append(error("OML001", span, message))
        self.advance()

    # Values.

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
        limit = self.line.end
        for line in self.lines[self.index + 1 :]:
            if not line.blank and line.column <= parent and self.text[line.at] not in "]}":
                break
            limit = line.end
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
        if not complete and self.more() and self.column > parent and self.dash() and self.frames[-1].is_map:
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


def is_end_or_blank(text: str, at: int) -> bool:
    """Whether white space or the end of the text stands at ``at``."""
    return at >= len(text) or text[at] in " \t\r\n"
