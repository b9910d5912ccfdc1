"""The keywords that may stand at a place of a query."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.language.sql_scope.place import Expects, SqlPlace
from osiris.language.sql_scope.words import keyword

_OPERAND = ("CASE", "NOT", "EXISTS", "NULL", "TRUE", "FALSE", "CAST", "INTERVAL")
_COMPARE = ("AND", "OR", "IN", "IS NULL", "IS NOT NULL", "LIKE", "NOT IN", "NOT LIKE", "BETWEEN", "IS", "NOT")
_CASE = ("WHEN", "THEN", "ELSE", "END")
_JOINS = ("JOIN", "LEFT JOIN", "INNER JOIN", "CROSS JOIN")
_TAIL = ("GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "UNION ALL", "UNION", "EXCEPT", "INTERSECT", "WINDOW")
_AFTER: dict[str, tuple[str, ...]] = {
    "select": ("FROM", "AS", "OVER (", "FILTER (WHERE", *_CASE, *_COMPARE),
    "from": ("WHERE", *_JOINS, "ON", "USING (", "AS", *_TAIL),
    "on": (*_COMPARE[:2], *_JOINS, "WHERE", *_COMPARE[2:], *_TAIL, *_CASE),
    "using": ("WHERE", *_JOINS, *_TAIL),
    "where": (*_COMPARE, *_TAIL, *_CASE),
    "group": ("HAVING", "ORDER BY", "LIMIT", "WITH ROLLUP", "UNION ALL"),
    "having": (*_COMPARE, *_TAIL[2:], *_CASE),
    "order": ("ASC", "DESC", "LIMIT", "OFFSET", *_CASE),
    "limit": ("OFFSET",),
    "window": ("AS (", "ORDER BY", "LIMIT"),
    "start": ("ORDER BY", "LIMIT", "UNION ALL", "UNION"),
    "values": ("ORDER BY", "LIMIT"),
}
_FIRST_OPERAND: dict[str, tuple[str, ...]] = {
    "select": ("DISTINCT",),
    "group": ("ROLLUP (", "CUBE (", "GROUPING SETS ("),
}
_DUCKDB: dict[str, tuple[str, ...]] = {
    "select": ("EXCLUDE (", "REPLACE ("),
    "from": (
        "FULL JOIN",
        "RIGHT JOIN",
        "ASOF JOIN",
        "SEMI JOIN",
        "ANTI JOIN",
        "POSITIONAL JOIN",
        "QUALIFY",
        "NATURAL JOIN",
    ),
    "where": ("QUALIFY", "ILIKE"),
    "group": ("QUALIFY",),
    "having": ("QUALIFY",),
    "order": ("NULLS FIRST", "NULLS LAST"),
}
_OTHERS: dict[str, dict[str, tuple[str, ...]]] = {
    "duckdb": _DUCKDB,
    "mysql": {"from": ("RIGHT JOIN", "STRAIGHT_JOIN", "NATURAL JOIN"), "where": ("REGEXP",), "select": ("DIV",)},
    "postgres": {
        "from": ("FULL JOIN", "RIGHT JOIN", "NATURAL JOIN", "LEFT JOIN LATERAL"),
        "where": ("ILIKE", "SIMILAR TO"),
        "order": ("NULLS FIRST", "NULLS LAST"),
    },
    "sqlite": {
        "from": ("FULL JOIN", "RIGHT JOIN", "NATURAL JOIN"),
        "where": ("GLOB", "REGEXP"),
        "order": ("NULLS FIRST", "NULLS LAST"),
    },
}
_UNKNOWN: dict[str, set[str]] = {
    "duckdb": {"WITH ROLLUP"},
    "mysql": {"FILTER (WHERE", "ROLLUP (", "CUBE (", "GROUPING SETS ("},
    "postgres": {"WITH ROLLUP"},
    "sqlite": {"LATERAL (", "WITH ROLLUP", "ROLLUP (", "CUBE (", "GROUPING SETS (", "INTERVAL"},
}
_WITHIN_PARENTHESES = {
    "OVER": ("PARTITION BY", "ORDER BY", "ROWS BETWEEN", "RANGE BETWEEN"),
    "FILTER": ("WHERE",),
}


def keywords(place: SqlPlace, dialect: str) -> Iterator[str]:
    """The keywords that fit a place, the likeliest first."""
    unknown = _UNKNOWN.get(dialect, set())
    return (word for word in _fitting(place, dialect) if word not in unknown)


def _fitting(place: SqlPlace, dialect: str) -> Iterator[str]:
    if place.qualifiers or place.quote:
        return
    word = keyword([place.previous], 0) if place.previous is not None else ""
    match place.expects:
        case Expects.STATEMENT:
            yield from ("SELECT",) if place.frame.start else ("SELECT", "WITH")
            if dialect == "duckdb":
                yield "FROM"
            yield "VALUES"
            if word in ("UNION", "EXCEPT", "INTERSECT"):
                yield "ALL"
        case Expects.TABLE:
            yield from ("LATERAL (", "SELECT") if place.frame.kind != "tables" else ("SELECT",)
        case Expects.OPERAND if word in ("GROUP", "ORDER", "PARTITION"):
            yield "BY"
        case Expects.OPERAND:
            yield from _operands(place, word)
        case Expects.OPERATOR:
            yield from _operators(place, dialect, word)


def _operands(place: SqlPlace, word: str) -> Iterator[str]:
    if place.frame.kind == "group" and place.previous is not None and place.previous.span.end <= place.frame.start:
        yield from _WITHIN_PARENTHESES.get(place.frame.word, ())
        yield from ("SELECT", "DISTINCT") if place.frame.word in ("", "IN", "EXISTS", "COUNT", "SUM", "AVG") else ()
    if word == "IS":
        yield from ("NULL", "NOT NULL", "TRUE", "FALSE", "DISTINCT FROM")
        return
    if word == "CASE":
        yield "WHEN"
    elif word in ("SELECT", "BY"):
        yield from _FIRST_OPERAND.get(place.clause, ())
    yield from _OPERAND


def _operators(place: SqlPlace, dialect: str, word: str) -> Iterator[str]:
    if word in ("GROUP", "ORDER", "PARTITION"):
        yield "BY"
        return
    if place.frame.kind == "group":
        if place.frame.word == "OVER":
            yield from ("ORDER BY", "ASC", "DESC", "ROWS BETWEEN", "PARTITION BY")
        elif place.frame.word in ("CAST", "TRY_CAST"):
            yield "AS"
        yield from (*_COMPARE, *_CASE, "ORDER BY")
        return
    yield from _AFTER.get(place.clause, ())
    yield from _OTHERS.get(dialect, {}).get(place.clause, ())
