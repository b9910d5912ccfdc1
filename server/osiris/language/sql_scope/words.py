"""The words of SQL that shape a query, in all dialects."""

from __future__ import annotations

from collections.abc import Sequence

from osiris.language.sql_scope.tree import Clause
from osiris.syntax.sql import SqlToken, word_set

QUERY_STARTS = frozenset(("SELECT", "WITH", "VALUES"))
SET_OPERATORS = frozenset(("UNION", "EXCEPT", "INTERSECT"))
CLAUSES: dict[str, Clause] = {
    "ON": "on",
    "USING": "using",
    "WHERE": "where",
    "GROUP": "group",
    "HAVING": "having",
    "QUALIFY": "having",
    "ORDER": "order",
    "LIMIT": "limit",
    "OFFSET": "limit",
    "FETCH": "limit",
    "WINDOW": "window",
}
# These never stand in the parentheses of a function; where they do, the parentheses were left open.
ENDS_GROUP = frozenset(
    ("SELECT", "FROM", "JOIN", "WHERE", "GROUP", "HAVING", "UNION", "EXCEPT", "INTERSECT", "QUALIFY")
)
FROM_INSIDE = frozenset(("EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"))
NO_ALIAS = word_set(
    """
    ANTI ASOF CROSS EXCEPT FETCH FOR FROM FULL GROUP HAVING INNER INTERSECT JOIN LATERAL LEFT LIMIT NATURAL OFFSET ON
    ORDER OUTER PIVOT POSITIONAL QUALIFY RIGHT SELECT SEMI STRAIGHT_JOIN TABLESAMPLE UNION UNPIVOT USING VALUES WHERE
    WINDOW WITH SET AND OR INTO
    """
)
# Behind a dot these are keywords, not columns, when they stand apart from it: `SELECT o. FROM orders o`.
_NEVER_COLUMNS = NO_ALIAS | {"AS", "BY"}


def keyword(tokens: Sequence[SqlToken], at: int) -> str:
    """The word at ``at`` in capitals; empty for names, such as all that stands behind a dot."""
    if at >= len(tokens) or tokens[at].kind != "word":
        return ""
    word = tokens[at].text.upper()
    if at and tokens[at - 1].text == "." and tokens[at - 1].kind == "operator":
        apart = tokens[at - 1].span.end < tokens[at].span.start
        return word if apart and word in _NEVER_COLUMNS else ""
    if word == "GROUP" and (at + 1 >= len(tokens) or tokens[at + 1].text.upper() != "BY"):
        return "" if at and tokens[at - 1].text.upper() == "WITHIN" else word
    return word
