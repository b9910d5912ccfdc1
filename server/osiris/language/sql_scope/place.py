"""What stands at an offset of a query, and what could be typed there."""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osiris.language.sql_scope.read import read_script
from osiris.language.sql_scope.tree import Clause, Cte, Frame, Query, Script, Select, Source
from osiris.language.sql_scope.words import keyword
from osiris.syntax.sql import SqlToken, tokenize_typed, word_set
from osiris.syntax.text import Span


class Expects(enum.Enum):
    """What may follow at a place."""

    OPERAND = "operand"
    """A column, a function, a value: the start of an expression."""
    OPERATOR = "operator"
    """What goes on behind an expression: ``AND``, ``FROM``, a comma."""
    TABLE = "table"
    NAMES = "names"
    """A column in the parentheses of USING."""
    STATEMENT = "statement"
    """The start of a statement or of a query in parentheses."""
    TYPE = "type"
    NOTHING = "nothing"
    """Text inside quotes, a comment, a number, or a name that the author gives."""


@dataclass(frozen=True, slots=True, eq=False)
class SqlPlace:
    """A cursor in a query.

    ``span`` is what an accepted suggestion replaces, ``prefix`` what is typed of it in front of the cursor. Inside
    quotes both leave the opening quote ``quote`` out, and take the closing one in. ``qualifiers`` are the names in
    front of it that dots follow (``o.`` has one). ``scopes`` are the tables in scope, the nearest SELECT first;
    ``previous`` is the token in front of it all, ``before`` the last five of them.
    """

    offset: int
    expects: Expects
    clause: Clause
    span: Span
    prefix: str
    quote: str
    qualifiers: tuple[str, ...]
    scopes: tuple[tuple[Source, ...], ...]
    ctes: tuple[Cte, ...]
    select: Select | None
    frame: Frame
    previous: SqlToken | None
    script: Script
    before: tuple[SqlToken, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The tables of the SELECT around the cursor."""
        return self.scopes[0] if self.scopes else ()


# Behind these words an expression starts. Most are reserved words of every dialect, so that they are no columns.
_OPENS = word_set(
    """
    SELECT DISTINCT ALL WHERE ON AND OR NOT IN LIKE ILIKE BETWEEN BY HAVING WHEN THEN ELSE CASE IS LIMIT OFFSET QUALIFY
    ESCAPE FILTER ANY SOME EXISTS XOR REGEXP RLIKE GLOB SIMILAR INTERVAL RETURNING DIV MOD VALUES FROM
    """
)
_ENDS = word_set("END NULL TRUE FALSE ASC DESC")
_VALUE_KINDS = frozenset(("number", "string", "dollar_string", "placeholder", "word", "quoted_identifier"))


def place_at(text: str, offset: int, dialect: str) -> SqlPlace:
    """What could be typed at ``offset`` of ``text``."""
    tokens = tokenize_typed(text, dialect=dialect, cursor=offset)
    near = bisect_left(tokens, offset, key=_start) - 1
    inside = tokens[near] if near >= 0 and offset <= tokens[near].span.end else None
    closed = inside is not None and _is_text(inside, offset, text)
    words = [token for token in tokens if token.kind != "comment"]
    behind = bisect_left(words, offset, key=_start)
    at = behind - 1 if inside is not None and behind and words[behind - 1] is inside and _is_name(inside) else None
    span, prefix, quote = Span(offset, offset), "", ""
    first = last = behind
    if at is not None and inside is not None:
        first, last = at, at + 1
        span, prefix, quote = _typed(inside, offset)
    elif behind < len(words) and words[behind].span.start == offset and _directly_behind_dot(words, behind):
        last = behind + 1
        if _is_name(words[behind]) and words[behind].text[0] not in '"`[':
            span = words[behind].span
    first, qualifiers = _qualifiers(words, first)
    left = words[:first] + words[last:]
    script = read_script(left, len(text))
    return _placed(text, offset, script, left, first, closed, span, prefix, quote, qualifiers)


def name_at(text: str, offset: int, dialect: str) -> tuple[SqlPlace, SqlToken, SqlToken | None] | None:
    """The name around ``offset``: its place, its token and the token behind it; None where none stands."""
    words = [t for t in tokenize_typed(text, dialect=dialect) if t.kind != "comment"]
    touched = [i for i, t in enumerate(words) if t.span.touches(offset) and t.name]
    if not touched:
        return None
    at = touched[-1]
    token, behind = words[at], words[at + 1] if at + 1 < len(words) else None
    script = read_script(words, len(text))
    first, qualifiers = _qualifiers(words, at)
    start = token.span.start
    return (
        _placed(text, start, script, words, first, False, token.span, token.name or "", "", qualifiers),
        token,
        behind,
    )


def _placed(
    text: str,
    offset: int,
    script: Script,
    words: Sequence[SqlToken],
    at: int,
    closed: bool,
    span: Span,
    prefix: str,
    quote: str,
    qualifiers: tuple[str, ...],
) -> SqlPlace:
    frame = script.frame_at(offset)
    select = select_at(frame, offset)
    clause = _clause(frame, select, offset)
    previous = words[at - 1] if at else None
    expects = Expects.NOTHING if closed else _expects(words, at, frame, select, clause)
    if expects is Expects.OPERATOR and previous is not None and previous.span.end == offset and not prefix:
        expects = Expects.NOTHING  # directly behind a closing quote, a number, a parenthesis
    return SqlPlace(
        offset,
        expects,
        clause,
        span,
        prefix,
        quote,
        qualifiers,
        tuple(scopes(frame.query, select, offset)),
        tuple(frame.query.visible_ctes(offset)),
        select,
        frame,
        previous,
        script,
        tuple(words[max(at - 5, 0) : at]),
    )


def _start(token: SqlToken) -> int:
    return token.span.start


def _is_text(token: SqlToken, offset: int, text: str) -> bool:
    """Whether a place in or behind ``token`` is inside quotes or a comment."""
    kind = token.unclosed or token.kind
    if kind == "comment":
        return offset < token.span.end or not text.startswith("/*", token.span.start) or token.kind == "error"
    if kind in ("string", "dollar_string", "placeholder"):
        return offset < token.span.end or token.kind == "error"
    return kind == "number"


def _is_name(token: SqlToken) -> bool:
    return token.kind in ("word", "quoted_identifier") or token.unclosed == "quoted_identifier"


def _typed(token: SqlToken, offset: int) -> tuple[Span, str, str]:
    if token.kind == "word":
        return token.span, token.text[: offset - token.span.start], ""
    start = token.span.start + 1
    body = token.text[1 : offset - token.span.start]
    return Span(start, token.span.end), body, token.text[0]


def _directly_behind_dot(words: Sequence[SqlToken], at: int) -> bool:
    return at > 0 and words[at - 1].text == "." and words[at - 1].span.end == words[at].span.start


def _qualifiers(words: Sequence[SqlToken], first: int) -> tuple[int, tuple[str, ...]]:
    """The names in front of the token ``first`` that dots follow, and the first token of them all."""
    names: list[str] = []
    while first >= 2 and words[first - 1].text == "." and words[first - 2].name is not None:
        if words[first - 2].span.end != words[first - 1].span.start:
            break
        names.insert(0, words[first - 2].name or "")
        first -= 2
    return first, tuple(names)


def select_at(frame: Frame, offset: int) -> Select | None:
    """The SELECT that ``offset`` belongs to; in a query of several branches the one that started last."""
    if frame.kind != "query":
        return frame.select
    found = None
    for select in frame.query.selects:
        if select.start <= offset and select.start >= frame.start:
            found = select
    return found


def _clause(frame: Frame, select: Select | None, offset: int) -> Clause:
    if frame.kind == "group":
        return frame.clause
    if frame.kind == "names":
        return "using" if frame.word == "USING" else "start"
    if select is None:
        return "with" if frame.query.ctes else "start"
    return select.clause_at(offset)


def scopes(query: Query, select: Select | None, offset: int) -> Iterator[tuple[Source, ...]]:
    """The tables in scope: of the SELECT itself, then of those around it as far as they can be seen."""
    if select is not None:
        yield tuple(
            source
            for source in select.sources
            if source.span.end <= offset or source.span.start >= offset or source.query is None
        )
    inner: Query | None = query
    while inner is not None and inner.outer is not None:
        if not inner.in_from:
            yield tuple(inner.outer.sources)
        elif inner.lateral:
            yield tuple(inner.outer.sources[: inner.siblings])
        inner = inner.outer.query


def _expects(words: Sequence[SqlToken], at: int, frame: Frame, select: Select | None, clause: Clause) -> Expects:
    before = words[at - 1] if at else None
    word = keyword(words, at - 1) if at else ""
    opened = before is None or before.span.end <= frame.start
    if frame.kind == "names":
        return (
            Expects.NAMES if frame.word == "USING" and before is not None and before.text in "(," else Expects.NOTHING
        )
    if before is not None and before.text == "::":
        return Expects.TYPE
    if word == "AS":
        return Expects.TYPE if frame.word in ("CAST", "TRY_CAST") else Expects.NOTHING
    if frame.kind == "query" and (opened or select is None or clause == "start"):
        return _at_start(words, at, before, opened, select, frame)
    if frame.kind in ("query", "tables") and clause == "from":
        return _in_from(before, word, opened)
    if clause == "limit" and frame.kind == "query":
        # Behind the word and behind a comma a number is typed.
        is_value = before is not None and before.kind in _VALUE_KINDS and word not in ("LIMIT", "OFFSET")
        return Expects.OPERATOR if is_value else Expects.NOTHING
    if clause in ("start", "with", "using") and frame.kind != "group":
        return Expects.OPERATOR if clause == "using" else Expects.NOTHING
    return _in_expression(words, at, before, word)


def _at_start(
    words: Sequence[SqlToken], at: int, before: SqlToken | None, opened: bool, select: Select | None, frame: Frame
) -> Expects:
    if opened:
        return Expects.STATEMENT
    word = keyword(words, at - 1)
    if word in ("UNION", "EXCEPT", "INTERSECT", "ALL", "DISTINCT") or before is None or before.kind == "semicolon":
        return Expects.STATEMENT
    if select is None and before.text == ")" and frame.query.ctes:
        return Expects.STATEMENT
    return Expects.NOTHING if select is None else Expects.OPERATOR


def _in_from(before: SqlToken | None, word: str, opened: bool) -> Expects:
    if (
        opened
        or word in ("FROM", "JOIN", "STRAIGHT_JOIN", "LATERAL", "ONLY")
        or (before is not None and before.text in ",(")
    ):
        return Expects.TABLE
    return Expects.OPERATOR


def _in_expression(words: Sequence[SqlToken], at: int, before: SqlToken | None, word: str) -> Expects:
    if before is None or word in _OPENS:
        return Expects.OPERAND
    if word in _ENDS or before.kind in _VALUE_KINDS or before.unclosed is not None:
        return Expects.OPERATOR
    if before.text in (")", "]", "}"):
        return Expects.OPERATOR
    if before.text == "*":
        ahead = words[at - 2] if at > 1 else None
        if ahead is None or ahead.text in (",", "(", ".") or keyword(words, at - 2) in ("SELECT", "DISTINCT", "ALL"):
            return Expects.OPERATOR
    return Expects.OPERAND
