"""What the rule says of names in DuckDB's SQL, held against DuckDB itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from random import Random

import pytest
from tests.language.random_queries import Maker
from tests.language.sql_shapes import REFUSED, SHAPES, TABLES, queries

from osiris.language.sql_binding.bind import bind
from osiris.language.sql_binding.queries import read_query
from osiris.language.sql_binding.shape import shape_of
from osiris.sql.columns import Column
from osiris.sql.gate import Gate, SqlRefused
from osiris.syntax.sql import tokenize_sql

KNOWN = tuple((name, shape_of(columns)) for name, columns in TABLES.items())
TYPED = {name: [Column(*column) for column in columns.items()] for name, columns in TABLES.items()}
NAMES = frozenset(column.lower() for columns in TABLES.values() for column in columns)


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with Gate() as opened:
        yield opened


def missing(query: str) -> list[str]:
    return [found.name.text for found in bind(query, KNOWN).missing]


def result(gate: Gate, query: str) -> list[str] | None:
    """The columns that DuckDB gives, None where it refuses the query."""
    try:
        return [column.name for column in gate.check(query, TYPED).columns]
    except SqlRefused:
        return None


def wrong(query: str) -> Iterator[str]:
    """The query with one of its names misspelt, for each of them."""
    for token in tokenize_sql(query):
        if token.name and token.name.lower() in NAMES:
            start, end = token.span
            yield query[:start] + re.sub(r"(\w)(\W?)$", r"\1zq\2", token.text) + query[end:]


@pytest.mark.parametrize("query", queries(SHAPES))
def test_nothing_is_missing_in_what_duckdb_binds_nor_in_its_columns(gate: Gate, query: str) -> None:
    columns = result(gate, query)
    found = bind(query, KNOWN)

    if not query.startswith(("PIVOT", "UNPIVOT", "DESCRIBE", "SUMMARIZE")):
        assert columns is not None, "an example must bind"
    assert missing(query) == []
    if found.columns is not None and columns is not None:
        assert [name for name in columns if not found.columns.may_have(name.casefold())] == []


@pytest.mark.parametrize("query", queries(REFUSED))
def test_a_name_that_duckdb_refuses_is_missing(gate: Gate, query: str) -> None:
    assert result(gate, query) is None
    assert len(missing(query)) == 1


def test_of_misspelt_names_nearly_all_are_found_and_none_that_duckdb_takes(gate: Gate) -> None:
    refused, silent = 0, []
    for query in queries(SHAPES):
        for variant in wrong(query):
            if result(gate, variant) is not None:
                assert missing(variant) == [], variant
            else:
                refused += 1
                silent += [variant] if not missing(variant) else []

    assert refused > 300
    assert len(silent) < 0.07 * refused, "\n".join(silent)


def test_nearly_all_shapes_are_read() -> None:
    unread = [query for query in queries(SHAPES) if read_query(query) is None]

    assert len(queries(SHAPES)) > 195
    assert len(unread) < 12, "\n".join(unread)


@pytest.mark.soak
def test_of_queries_made_at_random_none_that_duckdb_binds_has_a_finding(gate: Gate) -> None:
    count = 30_000 if os.environ.get("OSIRIS_SOAK") else 250
    maker = Maker(Random(count), slips=0.05)
    bound, refused, told = 0, 0, 0
    for _ in range(count):
        query, _ = maker.query()
        columns = result(gate, query)
        found = bind(query, KNOWN)
        if columns is None:
            refused += 1
            told += bool(found.missing)
            continue
        bound += 1
        assert not found.missing, query
        assert read_query(query) is not None, query
        if found.columns is not None:
            assert all(found.columns.may_have(name.casefold()) for name in columns), query
    assert bound > count // 4
    assert told > 0.7 * refused


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ${params.column} FROM df_orders",
        "SELECT amount_${params.x} FROM df_orders",
        "SELECT o.${params.x} FROM df_orders o",
        "SELECT nothing FROM ${params.table}",
        "SELECT nothing FROM df_orders_${params.x}",
        "SELECT nothing FROM df_unknown",
        "SELECT nothing FROM df_orders, df_unknown",
        "SELECT nothing FROM df_orders, glob('x')",
        "SELECT k FROM (SELECT ${params.x} FROM df_orders)",
        "SELECT nothing FROM 'file.csv'",
        "SELECT nothing FROM main.df_orders",
        "SELECT nothing FROM df_orders ${params.rest}",
        "SELECT nothing FROM df_orders; SELECT 1",
        "SELECT nothing FROM df_orders WHERE (",
        "SELECT 'nothing FROM df_orders",
        "MERGE INTO df_orders USING nothing",
        "",
        "(" * 5_000,
        "((SELECT " * 25 + "nothing" + ") + 1)" * 25,
        "SELECT " + "(" * 200 + "nothing" + ")" * 200 + " FROM df_orders",
    ],
)
def test_where_something_is_not_known_nothing_is_said(query: str) -> None:
    assert missing(query) == []


@pytest.mark.parametrize("count", [60, 1_500])
def test_queries_by_the_hundred_end_and_those_in_one_another_are_given_up(count: int) -> None:
    chain = ", ".join(f"c{n} AS (FROM c{n - 1})" for n in range(1, count))
    named = f"WITH c0 AS (FROM df_orders), {chain} SELECT nothing FROM c{count - 1}"
    union = "SELECT id FROM df_orders" + " UNION ALL SELECT nothing" * count + " ORDER BY nothing, country"

    assert missing(named) == (["nothing"] if count < 80 else [])
    assert missing(f"SELECT amount, nothing FROM ({union})") == ["amount", "nothing"]
    tables = "".join(f" JOIN df_orders o{n} ON o{n}.nothing = x" for n in range(count // 2))
    assert 0 < len(missing(f"SELECT {'nothing, ' * count} 1 FROM df_orders o {tables}")) <= 200


def test_a_value_by_a_parameter_does_not_stand_in_the_way() -> None:
    assert missing("SELECT nothing FROM df_orders WHERE amount > ${params.least}") == ["nothing"]
    assert missing("SELECT id FROM df_orders WHERE country = '${params.country}' AND nothing IN ${params.all}") == [
        "nothing"
    ]


def test_every_name_is_told_once_where_it_stands() -> None:
    query = "SELECT o.amuont, cuntry FROM df_orders o WHERE o.amuont > 1"

    found = bind(query, KNOWN).missing

    assert [(one.name.text, query[one.name.span.start : one.name.span.end]) for one in found] == [
        ("amuont", "amuont"),
        ("cuntry", "cuntry"),
        ("amuont", "amuont"),
    ]
    assert found[1].places[0].called == "o"
