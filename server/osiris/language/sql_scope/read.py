"""Reads the tokens of a text into queries in one pass, whatever is missing in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from osiris.language.sql_scope.items import read_item
from osiris.language.sql_scope.tree import Cte, Frame, Query, Script, Select, Source
from osiris.language.sql_scope.words import (
    CLAUSES,
    ENDS_GROUP,
    FROM_INSIDE,
    NO_ALIAS,
    QUERY_STARTS,
    SET_OPERATORS,
    keyword,
)
from osiris.syntax.sql import SqlToken
from osiris.syntax.text import Span

_OPENERS = {")": "(", "]": "[", "}": "{"}
_OPENING = frozenset(_OPENERS.values())


@dataclass(slots=True, eq=False)
class _Open:
    """An open frame and what is expected next in it."""

    frame: Frame
    opener: str
    expecting: Literal["", "table", "cte", "cte body"] = ""
    last: Source | None = None  # a table that an alias may follow
    cte: Cte | None = None
    names: list[str] | None = None  # where the names in these parentheses go to
    source: Source | None = None  # what these parentheses are
    in_from: bool = False
    lateral: bool = False
    natural: bool = False
    recursive: bool = False
    item: int = -1  # the token that an item of the select list starts at
    set_operator: bool = False


def read_script(tokens: Sequence[SqlToken], length: int) -> Script:
    """The queries in ``tokens`` (comments left out) of a text that is ``length`` code points long."""
    reader = _Reader(tokens, length)
    for at in range(len(tokens)):
        reader.take(at)
    return reader.finish()


class _Reader:
    def __init__(self, tokens: Sequence[SqlToken], length: int) -> None:
        self.tokens = tokens
        self.length = length
        self.statements: list[Query] = []
        self.frames: list[Frame] = []
        self.stack: list[_Open] = []
        self.skip = 0  # tokens before this one are read already
        self.statement(0)

    def statement(self, start: int) -> None:
        query = Query(start)
        self.statements.append(query)
        self.push(Frame("query", start, self.length, query, None), "")

    def push(self, frame: Frame, opener: str) -> _Open:
        self.frames.append(frame)
        self.stack.append(_Open(frame, opener))
        return self.stack[-1]

    def finish(self) -> Script:
        while self.stack:
            self.close(self.length, len(self.tokens))
        return Script(tuple(self.statements), tuple(self.frames))

    # -- one token

    def take(self, at: int) -> None:
        if at < self.skip:
            return
        token = self.tokens[at]
        kind = token.kind
        if kind == "word":
            top = self.stack[-1]
            if top.frame.kind == "group" and token.text.upper() not in ENDS_GROUP:
                return  # the most frequent case: what stands in the parentheses of a function shapes nothing
            word = keyword(self.tokens, at)
            if word in ENDS_GROUP:
                self.end_groups(at, word)
            if word == "SELECT":
                self.end_named_query(at)
            self.word(at, word)
        elif kind == "operator":
            if token.text in _OPENING:
                self.open(at)
            elif token.text in _OPENERS:
                self.closing(at)
            elif token.text == ",":
                self.comma(at)
        elif kind == "semicolon":
            while self.stack:
                self.close(token.span.start, at)
            self.statement(token.span.end)
        else:
            self.word(at, "")

    def open(self, at: int) -> None:
        top, token = self.stack[-1], self.tokens[at]
        frame = top.frame
        before = self.tokens[at - 1].text.upper() if at and self.tokens[at - 1].kind == "word" else ""
        inner = Frame("group", token.span.end, self.length, frame.query, frame.select, before)
        inner.clause = (
            frame.clause if frame.kind == "group" or frame.select is None else frame.select.clause_at(inner.start)
        )
        if token.text != "(":
            self.push(inner, token.text)
            return
        starts = self.starts_query(at)
        if top.expecting == "cte body" or (starts and frame.kind != "names"):
            self.open_query(at, top, inner)
        elif top.expecting == "cte" and top.cte is not None:
            inner.kind = "names"
            self.push(inner, "(").names = top.cte.column_names
        elif top.expecting == "table":
            inner.kind = "tables"
            opened = self.push(inner, "(")
            opened.expecting, opened.in_from = "table", True
            top.expecting = ""
        elif before == "USING" and top.in_from and frame.select is not None and frame.select.sources:
            inner.kind, inner.clause = "names", "using"
            self.push(inner, "(").names = frame.select.sources[-1].using
        elif (
            top.last is not None
            and top.last.alias
            and top.last.alias_span
            and at
            and top.last.alias_span.end == self.tokens[at - 1].span.end
        ):
            inner.kind = "names"
            self.push(inner, "(").names = top.last.column_names
        else:
            if top.last is not None and at and top.last.name_span.end == self.tokens[at - 1].span.end:
                top.last.is_function = True
            self.push(inner, "(")

    def starts_query(self, at: int) -> bool:
        following = at + 1
        while following < len(self.tokens) and self.tokens[following].text == "(":
            following += 1
        word = keyword(self.tokens, following)
        return word in QUERY_STARTS or (word == "FROM" and self.stack[-1].expecting == "table")

    def open_query(self, at: int, top: _Open, inner: Frame) -> None:
        frame = top.frame
        inner.kind = "query"
        reused = frame.kind == "query" and (frame.select is None or top.set_operator) and not top.expecting
        if reused:
            inner.select = None
            self.push(inner, "(")
            return
        query = Query(inner.start, self.length, frame.query, frame.select)
        inner.query, inner.select = query, None
        source: Source | None = None
        if top.expecting == "cte body" and top.cte is not None:
            top.cte.query, query.cte, query.outer = query, top.cte, frame.query.outer
            top.expecting = ""
        elif top.expecting == "table" and frame.select is not None:
            query.in_from, query.lateral, query.siblings = True, top.lateral, len(frame.select.sources)
            source = Source(Span(self.tokens[at].span.start, self.length), query=query, lateral=top.lateral)
            self.add_source(top, source)
        self.push(inner, "(").source = source

    def closing(self, at: int) -> None:
        opener = _OPENERS[self.tokens[at].text]
        depth = next((i for i in range(len(self.stack) - 1, 0, -1) if self.stack[i].opener == opener), 0)
        while depth and len(self.stack) > depth:
            self.close(
                self.tokens[at].span.start, at, self.tokens[at].span.end if len(self.stack) == depth + 1 else None
            )

    def close(self, end: int, at: int, behind: int | None = None) -> None:
        """Close the innermost frame: its text ends at ``end``, in front of the token ``at``."""
        top = self.stack.pop()
        frame = top.frame
        self.end_item(top, at)
        frame.end = end
        if frame.kind == "query":
            if frame.select is not None and frame.select.end < 0:
                frame.select.end = end
            if not any(other.frame.query is frame.query for other in self.stack):
                frame.query.end = end
        if top.source is not None:
            top.source.span = Span(top.source.span.start, behind or end)
        if self.stack and frame.kind == "query" and self.stack[-1].frame.query is frame.query:
            self.stack[-1].frame.select = self.stack[-1].frame.select or frame.select

    def end_groups(self, at: int, word: str) -> None:
        """Close parentheses that a word says were left open: ``count( FROM t``."""
        while len(self.stack) > 1:
            frame = self.stack[-1].frame
            directly = at and self.tokens[at - 1].text in "([{"
            if frame.kind == "query" or (frame.kind == "tables" and word not in ("WHERE", "SELECT", "GROUP")):
                return
            if word == "FROM" and (frame.word in FROM_INSIDE or self.is_distinct_from(at)):
                return
            if word == "WHERE" and directly and frame.word == "FILTER":
                return
            self.close(self.tokens[at].span.start, at)

    def end_named_query(self, at: int) -> None:
        """Close ``WITH a AS (SELECT x FROM t`` when another SELECT follows: its parenthesis is still missing."""
        top = self.stack[-1]
        select = top.frame.select
        if len(self.stack) == 1 or top.frame.kind != "query" or top.frame.query.cte is None or top.set_operator:
            return
        if select is not None and select.has_list and select.sources:
            self.close(self.tokens[at].span.start, at)

    def is_distinct_from(self, at: int) -> bool:
        words = [self.tokens[i].text.upper() for i in (at - 2, at - 1) if i >= 0]
        return len(words) == 2 and words[1] == "DISTINCT" and words[0] in ("IS", "NOT")

    # -- what a token means to the innermost frame

    def comma(self, at: int) -> None:
        top = self.stack[-1]
        frame = top.frame
        if frame.kind == "names" or frame.kind == "group":
            return
        if top.cte is not None and frame.select is None:
            top.expecting = "cte"
            top.cte = None
        elif top.item >= 0:
            self.end_item(top, at)
            top.item = at + 1
        elif top.in_from:
            top.expecting, top.last, top.lateral, top.natural = "table", None, False, False
            if frame.select is not None:
                frame.select.marks.append((self.tokens[at].span.end, "from"))

    def word(self, at: int, word: str) -> None:
        top, token = self.stack[-1], self.tokens[at]
        frame = top.frame
        if frame.kind == "group":
            return
        if frame.kind == "names":
            if top.names is not None and token.name is not None:
                top.names.append(token.name)
            return
        if frame.kind == "query" and self.begins(at, word, top):
            return
        if frame.select is None:
            return
        if word in ("FROM", "JOIN", "STRAIGHT_JOIN") and not (word == "FROM" and self.is_distinct_from(at)):
            self.end_item(top, at)
            top.in_from, top.expecting, top.last, top.lateral = True, "table", None, False
            frame.select.marks.append((token.span.end, "from"))
        elif word in CLAUSES and not (word == "ON" and at and self.tokens[at - 1].text.upper() == "DISTINCT"):
            self.clause(at, word, top, frame.select)
        elif top.in_from and word == "NATURAL":
            top.natural, top.last = True, None
        elif top.expecting == "table":
            self.table(at, word, top)
        elif top.last is not None:
            self.alias(at, word, top)

    def clause(self, at: int, word: str, top: _Open, select: Select) -> None:
        if word in ("ON", "USING"):
            if not top.in_from:
                return
        else:
            self.end_item(top, at)
            top.in_from = False
        top.expecting, top.last = "", None
        select.marks.append((self.tokens[at].span.end, CLAUSES[word]))

    def begins(self, at: int, word: str, top: _Open) -> bool:
        """Words that start a query or one of its branches, and the list behind WITH."""
        frame, token = top.frame, self.tokens[at]
        if top.expecting in ("cte", "cte body") and word not in ("SELECT", "VALUES"):
            self.named_query(at, word, top)
            return True
        top.expecting = "" if top.expecting in ("cte", "cte body") else top.expecting
        if word == "WITH" and frame.select is None:
            top.expecting = "cte"
        elif word in SET_OPERATORS:
            self.end_item(top, at)
            if frame.select is not None:
                frame.select.end = token.span.start
            top.set_operator, top.in_from, top.expecting, top.last = True, False, "", None
            if frame.select is not None:
                frame.select.marks.append((token.span.end, "start"))
        elif word == "SELECT":
            self.end_item(top, at)
            if frame.select is None or top.set_operator or frame.select.has_list:
                self.begin(token.span.start, top)
            assert frame.select is not None
            top.in_from, top.expecting, top.last, top.item = False, "", None, at + 1
            frame.select.has_list = True
            frame.select.marks.append((token.span.end, "select"))
        elif word == "FROM" and (frame.select is None or top.set_operator):
            self.begin(token.span.start, top)
            return False
        elif word == "VALUES" and frame.select is None:
            self.begin(token.span.start, top).marks.append((token.span.end, "values"))
        else:
            return False
        return True

    def begin(self, start: int, top: _Open) -> Select:
        frame = top.frame
        if frame.select is not None and frame.select.end < 0:
            frame.select.end = start
        frame.select = Select(frame.query, start)
        frame.query.selects.append(frame.select)
        top.set_operator = False
        return frame.select

    def named_query(self, at: int, word: str, top: _Open) -> None:
        token = self.tokens[at]
        if word == "RECURSIVE":
            top.recursive = True
        elif word == "AS" and top.cte is not None:
            top.expecting = "cte body"
        elif top.expecting == "cte" and top.cte is None and token.name:
            top.cte = Cte(token.name, token.span, recursive=top.recursive)
            top.frame.query.ctes.append(top.cte)

    def table(self, at: int, word: str, top: _Open) -> None:
        token, tokens = self.tokens[at], self.tokens
        if word in ("LATERAL", "ONLY", "TABLE"):
            top.lateral = top.lateral or word == "LATERAL"
            return
        if token.kind == "string" or (token.kind not in ("word", "quoted_identifier")):
            top.expecting = ""
            if token.kind in ("string", "placeholder"):
                self.add_source(top, Source(token.span, "", token.span, is_function=True))
            return
        if word in NO_ALIAS:
            top.expecting = ""
            return
        parts, end = [at], at + 1
        while end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].name is not None:
            if keyword(tokens, end + 1) in NO_ALIAS:
                break
            parts.append(end + 1)
            end += 2
        if end < len(tokens) and tokens[end].text == ":" and len(parts) == 1:  # DuckDB: `alias: table`
            self.skip = end + 1
            return
        self.skip = end if end < len(tokens) and tokens[end].text != "." else end + (end < len(tokens))
        last = tokens[parts[-1]]
        names = [tokens[part].name or "" for part in parts]
        source = Source(Span(token.span.start, last.span.end), names[-1], last.span, tuple(names[:-1]))
        self.add_source(top, source)

    def add_source(self, top: _Open, source: Source) -> None:
        select = top.frame.select
        assert select is not None
        source.natural = top.natural
        select.sources.append(source)
        top.expecting, top.last, top.lateral, top.natural = "", source, False, False

    def alias(self, at: int, word: str, top: _Open) -> None:
        token, source = self.tokens[at], top.last
        if word == "AS" or source is None:
            return
        if word in NO_ALIAS or token.name is None:
            top.last = None
            return
        if not source.alias:
            source.alias, source.alias_span = token.name, token.span
        else:
            top.last = None

    def end_item(self, top: _Open, at: int) -> None:
        start, top.item = top.item, -1
        if start < 0 or top.frame.select is None:
            return
        item = read_item(self.tokens, start, at)
        if item is not None:
            top.frame.select.items.append(item)
