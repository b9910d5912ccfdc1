"""One item of a select list: a star, a column, or anything else with or without a name."""

from __future__ import annotations

from collections.abc import Sequence

from osiris.language.sql_scope.tree import Item
from osiris.syntax.sql import SqlToken, word_set
from osiris.syntax.text import Span

_BEFORE_ITEMS = frozenset(("DISTINCT", "ALL", "SQL_NO_CACHE", "SQL_CALC_FOUND_ROWS", "HIGH_PRIORITY"))
# Words that end an expression without naming it.
_NO_NAME = word_set("END NULL TRUE FALSE ASC DESC AND OR NOT IS LIKE IN BETWEEN THEN ELSE WHEN CURRENT_DATE")


def read_item(tokens: Sequence[SqlToken], start: int, end: int) -> Item | None:
    """The item in ``tokens[start:end]``; None when there is nothing."""
    while start < end and tokens[start].kind == "word" and tokens[start].text.upper() in _BEFORE_ITEMS:
        start += 1
        if start < end and tokens[start].text.upper() == "ON":
            start = _behind_parentheses(tokens, start + 1, end)
    if start >= end:
        return None
    span = Span(tokens[start].span.start, tokens[end - 1].span.end)
    if tokens[end - 1].text == "*" and end - start in (1, 3):
        qualifier = tokens[start].name if end - start == 3 and tokens[start + 1].text == "." else ""
        if end - start == 1 or qualifier:
            return Item("star", span, qualifier=qualifier or "")
    star = _star(tokens, start, end, span)
    return star or _named(tokens, start, end, span)


def _behind_parentheses(tokens: Sequence[SqlToken], at: int, end: int) -> int:
    depth = 0
    for position in range(at, end):
        depth += {"(": 1, ")": -1}.get(tokens[position].text, 0)
        if depth <= 0:
            return position + 1
    return end


def _star(tokens: Sequence[SqlToken], start: int, end: int, span: Span) -> Item | None:
    """``* EXCLUDE (a, b)`` and its relatives."""
    at, qualifier = start, ""
    if end - start > 3 and tokens[start + 1].text == "." and tokens[start + 2].text == "*":
        at, qualifier = start + 2, tokens[start].name or ""
    if tokens[at].text != "*" or at + 1 >= end:
        return None
    word = tokens[at + 1].text.upper()
    if word in ("EXCLUDE", "EXCEPT"):
        stop = _behind_parentheses(tokens, at + 2, end) if at + 2 < end and tokens[at + 2].text == "(" else at + 3
        names = tuple(t.name for t in tokens[at + 2 : stop] if t.name)
        return Item("star", span, qualifier=qualifier, excluded=names, changed=stop < end)
    if word in ("REPLACE", "RENAME"):
        return Item("star", span, qualifier=qualifier, changed=True)
    return None


def _named(tokens: Sequence[SqlToken], start: int, end: int, span: Span) -> Item:
    last, size = tokens[end - 1], end - start
    body = end
    name, name_span = "", None
    if size >= 2 and last.name and tokens[end - 2].kind == "word" and tokens[end - 2].text.upper() == "AS":
        name, name_span, body = last.name, last.span, end - 2
    elif size >= 2 and last.name and _may_end(tokens[end - 2]) and _may_name(last):
        name, name_span, body = last.name, last.span, end - 1
    elif size >= 3 and tokens[start + 1].text == ":" and tokens[start].name:  # DuckDB: `name: expression`
        name, name_span, start = tokens[start].name or "", tokens[start].span, start + 2
    column = _column(tokens, start, body)
    if column is not None:
        return Item("column", span, name or column[1], name_span or tokens[body - 1].span, column[1], column[0])
    return Item("expression", span, name, name_span)


def _may_name(token: SqlToken) -> bool:
    return token.kind == "quoted_identifier" or token.text.upper() not in _NO_NAME


def _may_end(token: SqlToken) -> bool:
    """Whether an expression may end with ``token``, so that a word behind it is its name."""
    if token.kind == "operator":
        return token.text in (")", "]", "}", "*")
    if token.kind == "word":
        return token.text.upper() not in (_NO_NAME - {"END", "NULL", "TRUE", "FALSE", "CURRENT_DATE"}) | {"CASE", "AS"}
    return token.kind in ("number", "string", "quoted_identifier", "placeholder")


def _column(tokens: Sequence[SqlToken], start: int, end: int) -> tuple[str, str] | None:
    """The qualifier and the name of a plain column."""
    parts = tokens[start:end]
    if not parts or len(parts) not in (1, 3, 5) or any(p.text != "." for p in parts[1::2]):
        return None
    names = [part.name for part in parts[::2]]
    if any(name is None for name in names):
        return None
    if len(names) == 1 and parts[0].kind == "word" and parts[0].text.upper() in _NO_NAME | {"CASE"}:
        return None
    return (names[-2] or "" if len(names) > 1 else "", names[-1] or "")
