"""Where a query names tables: as tables, and before the dot of a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from osiris.language.rules.sql_tables import tables_in
from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.text import Span

_STEP_TABLE = "df_"


@dataclass(frozen=True, slots=True)
class SqlName:
    """A name in a query, without quotes; ``span`` is the name alone, in the query.

    ``role``: ``table`` where a table stands, ``qualifier`` before the dot of a column (``df_orders.id``), ``other``
    where the query gives the name a meaning of its own, or may do so (a CTE, an alias, a column).
    """

    name: str
    span: Span
    role: Literal["table", "qualifier", "other"]


def sql_names(query: str) -> Iterator[SqlName]:
    """Every table that ``query`` names, and whatever else is called like the table of a step, in order."""
    tokens = [token for token in tokenize_sql(query) if token.kind != "comment"]
    tables = {use.span: use.name for use in tables_in(query, "duckdb") if not use.is_file and use.schema is None}
    known = {name.lower() for name in tables.values()}
    for position, token in enumerate(tokens):
        if token.span in tables:
            yield SqlName(tables[token.span], _name_span(token), "table")
            continue
        name = token.name
        if name is None or (position and tokens[position - 1].text == "."):
            continue
        qualifies = position + 1 < len(tokens) and tokens[position + 1].text == "."
        if name.lower() in known and qualifies:
            yield SqlName(name, _name_span(token), "qualifier")
        elif name.lower().startswith(_STEP_TABLE):
            yield SqlName(name, _name_span(token), "other")


def _name_span(token: SqlToken) -> Span:
    start, end = token.span
    return Span(start + 1, end - 1) if token.kind == "quoted_identifier" else Span(start, end)
