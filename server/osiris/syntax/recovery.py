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
from osiris.syntax.aliases import Anchor, Merge, merge_entries
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import edit_fix, error
from osiris.syntax.limits import MAX_DEPTH, MAX_DIAGNOSTICS
from osiris.syntax.problems import explain
from osiris.syntax.recovery_cursor import FIRST_WORD, Frame
from osiris.syntax.recovery_lines import (
    STEP_KEYS,
    KeyToken,
    is_end_of_value,
    is_word,
    key_at,
)
from osiris.syntax.recovery_scalars import bad_escapes, close_of, plain, quoted
from osiris.syntax.recovery_values import ValueReader
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style
from osiris.syntax.tree_builder import missing
from osiris.syntax.yaml_reader import Trouble

_TIGHT_KEY = re.compile(r"([^\W\d][\w-]*):(?=[^\s:/])")
_LOOKED_AHEAD = 50  # lines
ABOUT_SYNTAX = frozenset({"OML001", "OML002", "OML003", "OML004", "OML005", "OML009", "OML013"})


class Recovered(NamedTuple):
    """What could be saved of a part, and what is wrong with it."""

    node: Node
    diagnostics: tuple[Diagnostic, ...]
    anchors: dict[str, Anchor]
    outside: set[str]
    expanded: int
    cuts: tuple[int, ...]
    """Line starts of list items behind the first one of a step: steps of their own, at a wrong indent."""


def is_half_key(node: Scalar) -> bool:
    """Whether a lone scalar is rather a key whose colon is still to come."""
    return node.style is Style.PLAIN and not node.synthetic and isinstance(node.value, str) and is_word(node.text)


def recover(text: str, kind: str, trouble: Trouble, outer: MappingABC[str, Anchor], alias_budget: int) -> Recovered:
    """Read ``text``, a broken part of this ``kind`` (``section``, ``step``, ``bare`` or ``whole``).

    ``trouble`` is what the YAML reader said; it is passed on when no defect is found here.
    """
    reader = _Recovery(text, kind, outer, alias_budget)
    node = reader.read()
    found = reader.found
    # Of a step without a dash that much is said where its document is put together.
    if kind != "bare" and not any(one.code in ABOUT_SYNTAX for one in found):
        found.append(explain(trouble, text))
    return Recovered(node, tuple(found[:MAX_DIAGNOSTICS]), reader.anchors, reader.outside, reader.expanded, reader.cuts)


class _Recovery(ValueReader):
    # The whole part.

    def read(self) -> Node:
        """Everything in the part as one node."""
        if not self.more():
            return missing(len(self.text))
        if self.kind == "section" or (self.kind == "whole" and not self.starts_value()):
            return self.mapping()
        if self.kind == "bare" and (below := self.keys_below(-1, farthest=2)):
            self.column = below
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
        if not FIRST_WORD.match(self.text, self.at):
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
        if not dash and self.kind in ("step", "bare") and self.text_is_step_key():
            tie = min(candidates, key=lambda n: (abs(self.frames[n].column - self.column), n))
        else:
            tie = min(candidates, key=lambda n: (abs(self.frames[n].column - self.column), -n))
        return tie

    def text_is_step_key(self) -> bool:
        word = FIRST_WORD.match(self.text, self.at)
        return word is not None and word.group() in STEP_KEYS

    # Lists.

    def sequence(self) -> Sequence:
        frame = Frame(self.column, is_map=False)
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
        tight = self.tight_dash()
        if tight:
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
        # A dash at the margin below dashes that are indented is the usual mistake.
        below = self.keys_below(column, farthest=1 if column else 2)
        if below is not None:
            if not tight:
                self.found.append(self.uneven_item(dash, column, below))
            self.column = below
        return self.block(column)

    def keys_below(self, column: int, farthest: int) -> int | None:
        """Where the keys below the first one of an item stand, when none is where the first one is; else None.

        ``column`` is that of the dash; keys that stand more than ``farthest`` columns off are no neighbours.
        """
        first = key_at(self.text, self.at)
        if first is None or is_end_of_value(self.text, first.colon + 1):
            return None  # what stands below may be its value
        columns: list[int] = []
        for line in self.lines[self.index + 1 :]:
            if line.blank or self.text[line.at] == "#":
                continue
            if line.column <= column:
                break
            if line.column == self.column:
                return None
            if key_at(self.text, line.at) is not None:
                columns.append(line.column)
        below = min(columns, default=self.column)
        return below if 0 < abs(below - self.column) <= farthest else None

    def uneven_item(self, dash: int, column: int, below: int) -> Diagnostic:
        """The finding for a dash, or for the first key behind it, that does not fit to the keys below."""
        if self.at == dash + 2 and self.line.at == dash and below >= 2:
            message = (
                f"This dash is indented by {column} spaces, but the keys below it by {below}. Indent it by {below - 2}."
            )
            fix = edit_fix(f"Indent by {below - 2} spaces", Span(self.line.start, dash), " " * (below - 2))
            return error("OML005", Span(dash, dash + 1), message, fix)
        key = key_at(self.text, self.at)
        message = (
            f"This key is indented by {self.column} spaces, the keys below it by {below}. What belongs together must "
            "stand in one column."
        )
        fix = edit_fix("Move the key", Span(dash + 1, self.at), " " * max(below - column - 1, 1))
        return error("OML005", key.span if key else Span(dash, dash + 1), message, fix)

    # Mappings.

    def mapping(self) -> Mapping:
        frame = Frame(self.column, is_map=True)
        self.frames.append(frame)
        number = len(self.frames) - 1
        start = end = self.at
        entries: list[Entry] = []
        merges: list[Merge] = []
        while self.more():
            owner = self.owner()
            if owner != number and not self.strays(frame, number):
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

    def strays(self, frame: Frame, number: int) -> bool:
        """Whether the current line is a key of the map ``frame`` that slipped out to the column of the step's keys."""
        outer = self.frames[number - 1] if number else frame
        return self.column == outer.column < frame.column and (
            self.keys_too_far_left(outer.column, frame.column) == frame.column
        )

    def keys_too_far_left(self, column: int, inner: int = 0) -> int | None:
        maps = [frame for frame in self.frames if frame.is_map]
        if self.kind not in ("step", "bare") or not maps or maps[0].column != column:
            return None
        for line in self.lines[self.index : self.index + _LOOKED_AHEAD]:
            if line.blank or self.text[line.at] == "#":
                continue
            if line.column != column:
                fits = line.column == inner if inner else line.column > column
                return line.column if fits and key_at(self.text, line.at) is not None else None
            if not self.is_short_entry(line.at) or self.text[line.at : line.at + 1] in "'\"":
                return None
            word = FIRST_WORD.match(self.text, line.at)
            if word is None or word.group() in STEP_KEYS or word.group().startswith("x-"):
                return None
        return None

    def first_key_off(self, parent: int) -> None:
        if self.line.tab >= 0 or not self.is_short_entry(self.at):
            return
        below = self.keys_below(parent, farthest=2)
        if below is None or below <= self.column:
            return
        others = 0
        for line in self.lines[self.index + 1 :]:
            if not line.blank and self.text[line.at] != "#":
                if line.column <= parent:
                    break
                others += line.column == below and key_at(self.text, line.at) is not None
        if others > 1:  # of two keys nobody knows which one is off
            self.check_indent(below, self.key_in_words())
            self.column = below

    def is_short_entry(self, at: int) -> bool:
        """Whether a key with a plain value behind it stands at ``at``, so that deeper lines are no part of it."""
        key = key_at(self.text, at)
        if key is None or is_end_of_value(self.text, key.colon + 1):
            return False
        return self.text[self.skip_blanks(key.colon + 1)] not in "|>\"'[{&!*"

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
        word = FIRST_WORD.match(text, at)
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


def is_end_or_blank(text: str, at: int) -> bool:
    """Whether white space or the end of the text stands at ``at``."""
    return at >= len(text) or text[at] in " \t\r\n"
