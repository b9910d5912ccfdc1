"""What each word of a query is: keyword, function, type, name. Broken SQL is read as far as it goes.

A word is a keyword only where it cannot be a name: ``date``, ``name`` or ``year`` are columns more often than anything
else.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from osiris.ide.semantic_tokens.kinds import Modifier, TokenKind
from osiris.language.placeholders import find_placeholders
from osiris.language.rules.sql_tables import table_uses, word_set
from osiris.syntax.sql import SqlToken, tokenize_typed
from osiris.syntax.text import Span

_KEYWORDS = word_set(
    """
    ALL AND ANTI ANY ARRAY AS ASC ASOF AT BETWEEN BOTH BY CASE CAST COLLATE CROSS CUBE CURRENT DEFAULT DELETE DESC
    DESCRIBE DISTINCT ELSE END ESCAPE EXCEPT EXCLUDE EXISTS FALSE FETCH FILTER FIRST FOLLOWING FOR FROM FULL GLOB GROUP
    GROUPING HAVING IGNORE ILIKE IN INNER INSERT INTERSECT INTERVAL INTO IS ISNULL JOIN LAST LATERAL LEADING LEFT LIKE
    LIMIT MATERIALIZED NATURAL NEXT NOT NOTNULL NULL NULLS OF OFFSET ON ONLY OR ORDER ORDINALITY OUTER OVER PARTITION
    PERCENT PIVOT POSITIONAL PRECEDING QUALIFY RANGE RECURSIVE REGEXP RESPECT RIGHT RLIKE ROLLUP ROWS SAMPLE SELECT SEMI
    SET SETS SIMILAR SOME STRAIGHT_JOIN SUMMARIZE TABLE TABLESAMPLE THEN TIES TO TRAILING TRUE TRY_CAST UNBOUNDED UNION
    UNPIVOT UPDATE USING VALUES WHEN WHERE WINDOW WITH WITHIN XOR
    """
)
# Keywords only beside another one; alone they are good names for columns.
_BESIDE: dict[str, frozenset[str]] = {
    "AT": frozenset({"TIME"}),
    "CURRENT": frozenset({"ROW"}),
    "FIRST": frozenset({"NULLS"}),
    "LAST": frozenset({"NULLS"}),
    "NEXT": frozenset({"FETCH"}),
    "IGNORE": frozenset({"NULLS"}),
    "RESPECT": frozenset({"NULLS"}),
    "RANGE": frozenset({"BETWEEN", "UNBOUNDED"}),
    "ROWS": frozenset({"BETWEEN", "UNBOUNDED", "ONLY"}),
    "PERCENT": frozenset({"LIMIT", "SAMPLE"}),
    "SET": frozenset(),
    "OF": frozenset({"ASOF"}),
    "SOME": frozenset({"="}),
}
# Words that are functions where a parenthesis follows, and keywords elsewhere.
_ALSO_FUNCTIONS = frozenset({"LEFT", "RIGHT", "RANGE", "FIRST", "LAST", "ARRAY", "GLOB", "GROUPING"})
_PAIRS = frozenset({("AT", "TIME"), ("WITH", "TIME"), ("WITHOUT", "TIME"), ("TIME", "ZONE"), ("CURRENT", "ROW")})
_TYPES = word_set(
    """
    BIGINT BINARY BIT BLOB BOOL BOOLEAN BYTEA CHAR CHARACTER DATE DATETIME DEC DECIMAL DOUBLE ENUM FLOAT FLOAT4 FLOAT8
    HUGEINT INT INT1 INT2 INT4 INT8 INTEGER JSON LIST LONG MAP NUMERIC NVARCHAR PRECISION REAL SHORT SIGNED SMALLINT
    STRING STRUCT TEXT TIME TIMESTAMP TIMESTAMPTZ TIMETZ TINYINT UBIGINT UHUGEINT UINTEGER UNION UNSIGNED USMALLINT
    UTINYINT UUID VARBINARY VARCHAR YEAR
    """
)
_PUNCTUATION = frozenset("()[]{},.:")


class Coloured(NamedTuple):
    """A stretch of a query, in code points of its text."""

    start: int
    end: int
    kind: TokenKind
    modifiers: Modifier = Modifier.NONE


def colour_sql(text: str, dialect: str, tables: frozenset[str]) -> Iterator[Coloured]:
    """The coloured stretches of a query in order; none overlap. ``tables``: lower-case names of the data of steps."""
    tokens = tokenize_typed(text, dialect=dialect)
    words = [token for token in tokens if token.kind != "comment"]
    steps = {use.span for use in table_uses(words) if use.schema is None and use.name.lower() in tables}
    steps |= {t.span for t, dot in pairwise(words) if dot.text == "." and (t.name or "").lower() in tables}
    kinds = dict(_words(words))
    for token in tokens:
        if token.span in steps:
            yield Coloured(*token.span, TokenKind.VARIABLE, Modifier.READONLY)
        elif token.span in kinds:
            yield Coloured(*token.span, *kinds[token.span])
        else:
            yield from _other(token)


def _words(tokens: list[SqlToken]) -> Iterator[tuple[Span, tuple[TokenKind, Modifier]]]:
    """What each word is by the words beside it."""
    casts: list[bool] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.text == "(":
            casts.append(before is not None and before.text.upper() in ("CAST", "TRY_CAST"))
        elif token.text == ")" and casts:
            casts.pop()
        if token.kind == "word":
            yield token.span, _word(token.text.upper(), before, after, in_cast=bool(casts) and casts[-1])


def _word(word: str, before: SqlToken | None, after: SqlToken | None, *, in_cast: bool) -> tuple[TokenKind, Modifier]:
    previous = before.text.upper() if before is not None else ""
    following = after.text.upper() if after is not None else ""
    if previous == "." or (following == "." and word not in ("SELECT", "FROM")):
        called = following == "(" and previous == "."
        return (TokenKind.FUNCTION, Modifier.NONE) if called else (TokenKind.VARIABLE, Modifier.NONE)
    if word in _TYPES and (previous == "::" or (in_cast and previous in ("AS", *_TYPES)) or _is_text(after)):
        return TokenKind.TYPE, Modifier.DEFAULT_LIBRARY
    if following == "(" and (word not in _KEYWORDS or word in _ALSO_FUNCTIONS):
        return TokenKind.FUNCTION, Modifier.DEFAULT_LIBRARY
    beside = _BESIDE.get(word)
    if word in _KEYWORDS and (beside is None or previous in beside or following in beside):
        return TokenKind.KEYWORD, Modifier.NONE
    if (previous, word) in _PAIRS:
        return TokenKind.KEYWORD, Modifier.NONE
    return TokenKind.VARIABLE, Modifier.NONE


def _is_text(token: SqlToken | None) -> bool:
    return token is not None and (token.kind == "string" or token.unclosed == "string")


def _other(token: SqlToken) -> Iterator[Coloured]:
    match token.unclosed or token.kind:
        case "string" | "dollar_string":
            yield from _with_placeholders(token, TokenKind.STRING)
        case "quoted_identifier":
            yield from _with_placeholders(token, TokenKind.VARIABLE)
        case "number":
            yield Coloured(*token.span, TokenKind.NUMBER)
        case "comment":
            yield Coloured(*token.span, TokenKind.COMMENT)
        case "placeholder":
            yield from placeholder(token.text, token.span.start)
        case "operator" if token.text not in _PUNCTUATION:
            yield Coloured(*token.span, TokenKind.OPERATOR)


def _with_placeholders(token: SqlToken, kind: TokenKind) -> Iterator[Coloured]:
    at = token.span.start
    for span in token.placeholders:
        if at < span.start:
            yield Coloured(at, span.start, kind)
        text = token.text[span.start - token.span.start : span.end - token.span.start]
        yield from placeholder(text, span.start, kind)
        at = span.end
    if at < token.span.end:
        yield Coloured(at, token.span.end, kind)


def placeholder(text: str, at: int, otherwise: TokenKind | None = None) -> Iterator[Coloured]:
    """The stretches of ``${...}`` that starts at ``at``; what is no reference of ours is ``otherwise``."""
    found = next(find_placeholders(text), None)
    if found is None or found.kind == "other":
        if otherwise is not None:
            yield Coloured(at, at + len(text), otherwise)
        return
    start, end = found.name_span
    kind = TokenKind.FUNCTION if found.kind == "step" else TokenKind.PARAMETER
    yield Coloured(at, at + start, TokenKind.MACRO)
    yield Coloured(at + start, at + end, kind)
    yield Coloured(at + end, at + len(text), TokenKind.MACRO)
