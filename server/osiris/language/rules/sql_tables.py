"""Which tables a query names, from its tokens: what stands where a table stands and is no CTE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.sql import word_set as word_set
from osiris.syntax.text import Span

# Behind these words, at the same depth, a comma no longer separates tables.
_ENDS_FROM = word_set(
    """
    SELECT WHERE GROUP ORDER HAVING LIMIT OFFSET WINDOW QUALIFY UNION EXCEPT INTERSECT SAMPLE FETCH VALUES
    RETURNING PIVOT UNPIVOT
    """
)
_NO_TABLE = frozenset(
    ("SELECT", "VALUES", "LATERAL", "UNNEST", "ONLY", "WITH", "FROM", "TABLE", "PIVOT", "UNPIVOT", "ORDINALITY")
)
_JOINS = word_set("JOIN CROSS NATURAL INNER LEFT RIGHT FULL , AS")
# In parentheses of FROM they tell of a table. Whether what stands behind them is one is not looked at.
_TELLING = frozenset(("DESCRIBE", "DESC", "SUMMARIZE", "SHOW"))
_SYSTEM = ("duckdb_", "pg_", "sqlite_", "pragma_", "information_schema")
_FILE = re.compile(
    r"[/\\]|://|\.(csv|tsv|parquet|json|jsonl|ndjson|txt|gz|zst|xlsx|db|duckdb|sqlite|avro)\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table as the query names it (without quotes); ``is_file`` when DuckDB would read a file of that name.

    ``schema`` is what stands in front of the last point. ``folds`` and ``schema_folds``: it is not in quotes.
    """

    name: str
    span: Span
    is_file: bool
    schema: str | None = None
    folds: bool = False
    schema_folds: bool = False


@dataclass(slots=True)
class _Frame:
    """One level of parentheses. ``query``: FROM in it starts a list of tables, unlike in ``extract(year FROM x)``."""

    query: bool
    in_from: bool = False
    expecting: bool = False


@lru_cache(maxsize=2048)
def tables_in(text: str, dialect: str) -> tuple[TableUse, ...]:
    """The tables of a query in order, as ``table_uses`` finds them."""
    return tuple(table_uses([token for token in tokenize_sql(text, dialect=dialect) if token.kind != "comment"]))


def table_uses(tokens: list[SqlToken]) -> Iterator[TableUse]:
    """The tables of a query in order; ``tokens`` without comments. Errs on the side of finding fewer."""
    ctes = _cte_names(tokens)
    stack = [_Frame(query=True)]
    for position, token in enumerate(tokens):
        frame = stack[-1]
        upper = token.text.upper() if token.kind == "word" else ""
        if token.text == "(" and token.kind == "operator":
            stack.append(_opened(frame, tokens, position))
            frame.expecting = False
        elif token.text == ")" and token.kind == "operator":
            if len(stack) > 1:
                stack.pop()
        elif token.text == "," and token.kind == "operator":
            frame.expecting = frame.in_from
        elif upper in ("FROM", "JOIN"):
            if frame.query and not _is_distinct_from(tokens, position):
                frame.in_from = frame.expecting = True
        elif frame.expecting:
            use, still = _use(tokens, position, upper, ctes)
            if use is None and not still:
                use = _qualified(tokens, position)
            frame.expecting = still
            if use is not None:
                yield use
        if upper in _ENDS_FROM:
            frame.in_from = False
            frame.expecting = upper in ("PIVOT", "UNPIVOT") and (position == 0 or tokens[position - 1].text == "(")


def _opened(frame: _Frame, tokens: list[SqlToken], position: int) -> _Frame:
    following = tokens[position + 1].text.upper() if position + 1 < len(tokens) else ""
    behind = tokens[position + 2].text if position + 2 < len(tokens) else ""
    if following in _TELLING and behind != "." and behind.upper() not in _JOINS:
        return _Frame(query=True)
    if frame.expecting and following not in _NO_TABLE:
        return _Frame(query=True, in_from=True, expecting=True)  # FROM (a JOIN b ON ...)
    return _Frame(query=following in ("SELECT", "WITH", "FROM", "VALUES", "PIVOT", "UNPIVOT", "(", "TABLE"))


def _is_distinct_from(tokens: list[SqlToken], position: int) -> bool:
    return (
        position > 1
        and tokens[position - 1].text.upper() == "DISTINCT"
        and tokens[position - 2].text.upper() in ("IS", "NOT")
    )


def _use(tokens: list[SqlToken], position: int, upper: str, ctes: frozenset[str]) -> tuple[TableUse | None, bool]:
    """The table at ``position``, and whether one is still expected."""
    token = tokens[position]
    if upper in ("LATERAL", "ONLY"):
        return None, True
    before = tokens[position - 1] if position else None
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if after is not None and (
        after.text in ("(", ".") or (after.kind == "placeholder" and after.span.start == token.span.end)
    ):
        # A function, a qualified name, or a name that a parameter completes. `alias: table` is DuckDB's prefix alias.
        return None, False
    if after is not None and after.text == ":" and token.kind in ("word", "quoted_identifier"):
        return None, True
    if token.text == ":" and before is not None:
        return None, True
    if token.kind == "string":
        return TableUse(token.text.strip("'"), token.span, True), False
    if token.kind == "quoted_identifier":
        called = token.name or ""
        if _FILE.search(called):
            return TableUse(called, token.span, True), False
        return (None if called.lower() in ctes or not called else TableUse(called, token.span, False)), False
    if token.kind != "word" or upper in _NO_TABLE or token.placeholders:
        return None, False
    name = token.text.lower()
    if name in ctes or name.startswith(_SYSTEM) or token.text[:1] == "$":
        return None, False
    return TableUse(token.text, token.span, False, folds=True), False


def _qualified(tokens: list[SqlToken], position: int) -> TableUse | None:
    """The table that is named ``schema.table`` from ``position`` on."""
    parts = [tokens[position]]
    while tokens[position + 1 : position + 2] and tokens[position + 1].text == "." and position + 2 < len(tokens):
        position += 2
        parts.append(tokens[position])
    names = [part.name for part in parts]
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    called = after is not None and (after.text == "(" or after.kind == "placeholder")
    if len(parts) < 2 or called or not all(names) or str(names[-2]).lower().startswith(_SYSTEM):
        return None
    span = Span(parts[0].span.start, parts[-1].span.end)
    plain = [part.kind == "word" for part in parts]
    return TableUse(str(names[-1]), span, False, names[-2], plain[-1], plain[-2])


def _cte_names(tokens: list[SqlToken]) -> frozenset[str]:
    """Every name before ``AS (``, with or without columns and MATERIALIZED. Too many do no harm."""
    names: set[str] = set()
    if not any(token.kind == "word" and token.text.upper() == "WITH" for token in tokens):
        return frozenset()
    for position, token in enumerate(tokens):
        behind = tokens[position + 1].text if position + 1 < len(tokens) else ""
        if behind != "(" and behind.upper() not in ("AS", "USING"):
            continue
        name = token.name
        if name is None:
            continue
        at = _behind_parentheses(tokens, position + 1)
        if [t.text.upper() for t in tokens[at : at + 2]] == ["USING", "KEY"]:
            at = _behind_parentheses(tokens, at + 2)
        words = [t.text.upper() for t in tokens[at : at + 4]]
        if (
            words[:2] == ["AS", "("]
            or words[:3] == ["AS", "MATERIALIZED", "("]
            or words == ["AS", "NOT", "MATERIALIZED", "("]
        ):
            names.add(name.lower())
    return frozenset(names)


def _behind_parentheses(tokens: list[SqlToken], at: int) -> int:
    """The position behind the parentheses that open at ``at``, or ``at`` when none do."""
    if at >= len(tokens) or tokens[at].text != "(":
        return at
    end = next((i for i in range(at, min(at + 200, len(tokens))) if tokens[i].text == ")"), at - 1)
    return end + 1
