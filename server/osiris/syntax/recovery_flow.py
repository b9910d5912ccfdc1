"""Flow collections of a broken part: ``[...]`` and ``{...}`` that may lack commas, brackets and quotes."""

from __future__ import annotations

import re
from collections.abc import Callable

from osiris.syntax import findings
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.findings import edit_fix, error
from osiris.syntax.limits import MAX_DEPTH
from osiris.syntax.recovery_lines import quoted_end
from osiris.syntax.recovery_scalars import bad_escapes, plain, quoted, unclosed_quote
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style
from osiris.syntax.tree_builder import missing

_SKIP = re.compile(r"(?:[ \t\r\n]++|(?<=[ \t\r\n])#[^\r\n]*+)*+")
_PLAIN = re.compile(r"(?:[^,\[\]{}\r\n:# \t]++|:(?![ \t\r\n,\[\]{}]|\Z)|(?<![ \t])#|[ \t]++(?!#))+")
_CUT_QUOTE = re.compile(r"(?:\$\{[^,\[\]{}\r\n]*+\}?|[^,\[\]{}\r\n])*+")
_PLACEHOLDER = re.compile(r"\$\{[^,\[\]{}\r\n]*+\}")
_CLOSERS = {"[": "]", "{": "}"}


class FlowReader:
    """Reads one flow collection; ``at`` is then behind it."""

    def __init__(self, text: str, at: int, limit: int, alias: Callable[[Span], Node], depth: int) -> None:
        """Read from the bracket at ``at``, at most up to ``limit``; ``alias`` resolves a ``*name``."""
        self.text = text
        self.limit = limit
        self.at = at
        self.alias = alias
        self.found: list[Diagnostic] = []
        self.open: list[str] = []
        self.depth = depth
        self.last = at + 1  # the end of the last token
        self.unclosed = False
        self.node = self._collection()

    def _skip(self) -> str:
        """Go to the next token and return its first character, empty at the limit."""
        found = _SKIP.match(self.text, self.at, self.limit)
        if found:
            self.at = found.end()
        return self.text[self.at] if self.at < self.limit else ""

    def _collection(self) -> Node:
        start = self.at
        opener = self.text[start]
        if len(self.open) + self.depth >= MAX_DEPTH:
            self.found.append(findings.too_deep(start))
            self.at = self.limit
            self.unclosed = True
            return missing(start)
        self.open.append(opener)
        self.at = self.last = start + 1
        items: list[Node] = []
        entries: list[Entry] = []
        wants_comma = False
        while True:
            char = self._skip()
            if char in ("", "]", "}"):
                break
            if char == ",":
                if not wants_comma:
                    message = "Something is missing before this comma. Remove the comma, or write the value."
                    fix = edit_fix("Remove the comma", Span(self.at, self.at + 1), "")
                    self.found.append(error("OML001", Span(self.at, self.at + 1), message, fix))
                wants_comma = False
                self.at = self.last = self.at + 1
                continue
            if wants_comma:
                fix = edit_fix("Insert a comma", Span(self.last, self.last), ",")
                message = "A comma is missing before this value. Add one."
                self.found.append(error("OML001", Span(self.at, self.at + 1), message, fix))
            if opener == "[":
                items.append(self._item())
            else:
                entries.append(self._entry())
            wants_comma = True
        end = self._finish(start, opener)
        self.open.pop()
        if opener == "[":
            return Sequence(Span(start, end), tuple(items), flow=True)
        self.found += findings.duplicates(entries)
        return Mapping(Span(start, end), tuple(entries), flow=True)

    def _finish(self, start: int, opener: str) -> int:
        """Take the closing bracket, or say that there is none."""
        wanted = _CLOSERS[opener]
        char = self.text[self.at] if self.at < self.limit else ""
        if char == wanted:
            self.at = self.last = self.at + 1
            return self.at
        if char and (len(self.open) < 2 or _CLOSERS[self.open[-2]] != char):
            span = Span(self.at, self.at + 1)
            fix = edit_fix(f"Replace it by {wanted}", span, wanted)
            message = f"This `{char}` does not fit the `{opener}` that it closes. Write `{wanted}`."
            self.found.append(error("OML003", span, message, fix))
            self.at = self.last = self.at + 1
            return self.at
        if not self.unclosed:
            self.unclosed = not char
            gap = " " if self.text[self.last - 1] == ":" else ""
            missing_ones = wanted if char else "".join(_CLOSERS[one] for one in reversed(self.open))
            fix = edit_fix(f"Add {missing_ones}", Span(self.last, self.last), gap + missing_ones)
            message = f"This `{opener}` is never closed. Add `{wanted}` behind the last value."
            self.found.append(error("OML003", Span(start, start + 1), message, fix))
        return self.last

    def _item(self) -> Node:
        node = self._value()
        if self._skip() == ":" and isinstance(node, Scalar):
            self.at = self.last = self.at + 1
            value = self._value_or_missing()
            span = Span(node.span.start, max(value.span.end, self.last))
            return Mapping(span, (Entry(node, value, span),), flow=True)
        return node

    def _entry(self) -> Entry:
        key = self._value() if self.text[self.at] != ":" else missing(self.at)
        if not isinstance(key, Scalar):
            self.found.append(findings.key_is_no_text(key.span))
            text = self.text[key.span.start : key.span.end]
            key = Scalar(key.span, key.span, text, text, Style.PLAIN)
        if (after := self._skip()) != ":":
            if after in {",", "}"} and key.text:
                self.found.append(findings.no_colon(key.span, key.text))
            return Entry(key, missing(key.span.end), key.span, has_colon=False)
        if not key.span.end - key.span.start:
            self.found.append(findings.no_key(self.at))
        self.at = self.last = self.at + 1
        value = self._value_or_missing()
        return Entry(key, value, Span(key.span.start, max(value.span.end, key.span.end)))

    def _value_or_missing(self) -> Node:
        colon = self.at
        return missing(colon) if self._skip() in ("", ",", "]", "}") else self._value()

    def _value(self) -> Node:
        """The value at the current token; always moves on."""
        text, at = self.text, self.at
        char = text[at]
        if char in "[{":
            return self._collection()
        if char in "'\"":
            return self._quoted()
        if char in "&!":
            return self._behind_properties()
        if char == "*":
            end = at + 1
            while end < self.limit and text[end] not in " \t\r\n,[]{}":
                end += 1
            self.at = self.last = end
            return self.alias(Span(at, end))
        return self._plain()

    def _behind_properties(self) -> Node:
        while self.at < self.limit and self.text[self.at] not in " \t\r\n,[]{}":
            self.at += 1
        self.last = self.at
        return missing(self.last) if self._skip() in ("", ",", "]", "}", "&", "!") else self._value()

    def _quoted(self) -> Node:
        text, at = self.text, self.at
        end = quoted_end(text, at)
        if 0 <= end <= self.limit:
            node = quoted(text, at, end)
            self.found += bad_escapes(text, node)
            self.at = self.last = end
            return node
        cut = _CUT_QUOTE.match(text, at + 1, self.limit)
        stop = at + 1 + len(cut.group().rstrip(" \t")) if cut else at + 1
        self.found.append(unclosed_quote(text, at, stop))
        self.at = self.last = stop
        return quoted(text, at, stop, closed=False)

    def _plain(self) -> Node:
        text, at = self.text, self.at
        if placeholder := _PLACEHOLDER.match(text, at, self.limit):
            # What follows without a blank belongs to it, as in `${params.folder}/orders.csv`.
            rest = _PLAIN.match(text, placeholder.end(), self.limit)
            end = rest.end() if rest and text[placeholder.end()] not in " \t\r\n:#" else placeholder.end()
            span = Span(at, at + len(text[at:end].rstrip(" \t")))
            message = "In a list or mapping with brackets, `${...}` must stand in quotes. Add them."
            self.found.append(
                error("OML001", span, message, edit_fix("Put it in quotes", span, f'"{text[at : span.end]}"'))
            )
            self.at = self.last = span.end
            return plain(text, *span)
        found = _PLAIN.match(text, at, self.limit)
        end = found.end() if found else at + 1
        if text[at] in "@`%|>":
            message = f"A value cannot start with `{text[at]}`. Put it in quotes."
            inside = text[at:end].rstrip(" \t").replace("'", "''")
            fix = edit_fix("Put it in quotes", Span(at, at + len(text[at:end].rstrip(" \t"))), f"'{inside}'")
            self.found.append(error("OML001", Span(at, at + 1), message, fix))
        node = plain(text, at, end)
        self.at = end
        self.last = max(node.span.end, at + 1)
        return node
