"""Hover and definition inside SQL. The cursor is ``<|>``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from marked import split
from sql_marked import DUCKDB, ENVIRONMENT, INFOS, MYSQL, TABLES, analysed, hovered, pipeline

from osiris.ide.hover.hover import hover
from osiris.ide.navigation.definitions import definition_of
from osiris.ide.navigation.table_places import table_at
from osiris.language.analysis import analyse
from osiris.language.catalog import Catalog, SchemaKnowledge
from osiris.language.environment import StaticEnvironment


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT to<|>tal FROM orders", ["[total]", "column of `orders`", "`decimal(12,2)`", "taxes included"]),
        ("SELECT o.i<|>d FROM orders o", ["[id]", "column of `orders`", "never null", "Primary key"]),
        ("SELECT customer_id<|> FROM orders", ["References `customers.id`"]),
        ("SELECT o.`Order<|> Date` FROM orders o", ["[`Order Date`]", "`date`"]),
        (
            "SELECT 1 FROM or<|>ders o",
            ["[orders]", "**`orders`** · table of `@mysql.shop`", "What was bought", "`total`"],
        ),
        ("SELECT 1 FROM audit.l<|>og", ["**`audit.log`**", "`message`"]),
        ("SELECT o<|>.id FROM orders o", ["[o]", "alias of `orders`", "What was bought"]),
        ("SELECT 1 FROM orders o<|>", ["[o]", "alias of `orders`"]),
        ("WITH big AS (SELECT id AS k FROM orders) SELECT 1 FROM b<|>ig", ["[big]", "named query", "- `k` `bigint`"]),
        ("WITH b<|>ig AS (SELECT id AS k FROM orders) SELECT 1 FROM big", ["named query"]),
        (
            "WITH big AS (SELECT id AS k FROM orders) SELECT k<|> FROM big",
            ["**`k`** · column of `big`", "Type: `bigint`"],
        ),
        ("SELECT x.n<|>ame FROM (SELECT * FROM customers) x", ["column of `x`", "varchar(80)"]),
        ("SELECT co<|>unt(id) FROM orders", ["`count(x)`", "How many values are not null"]),
    ],
)
def test_what_a_name_in_a_query_is(query: str, expected: list[str]) -> None:
    text = hovered(query)

    assert text is not None
    assert [part for part in expected if part not in text] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1 FROM df_or<|>ders", ["[df_orders]", "orders", "- `total` `decimal(12,2)`"]),
        ("SELECT total<|> FROM df_orders", ["column of `orders`", "taxes included", "Data of the step `orders`"]),
        ("SELECT o<|>.id FROM df_orders o", ["alias of `df_orders`"]),
        (
            "SELECT c.cust<|>omer FROM df_customers c",
            ["**`customer`** · column of `c`", "varchar(80)", "step `customers`"],
        ),
        ("SELECT ra<|>te FROM df_rates", ["**`rate`**"]),
    ],
)
def test_what_the_data_of_other_steps_is(query: str, expected: list[str]) -> None:
    text = hovered(query, DUCKDB)

    assert text is not None
    assert [part for part in expected if part not in text] == []


@pytest.mark.parametrize(
    "query",
    ["SELECT 'or<|>ders' FROM orders", "SELECT un<|>known FROM orders", "SEL<|>ECT 1", "SELECT 1 FROM nowh<|>ere"],
)
def test_nothing_is_said_of_what_is_not_known(query: str) -> None:
    assert hovered(query) is None


def test_the_age_of_the_knowledge_is_said() -> None:
    read_at = datetime.now(UTC) - timedelta(days=3)
    catalog = Catalog("@mysql.shop", "mysql", INFOS, TABLES, default_schema="shop", read_at=read_at)
    env = StaticEnvironment(
        connections=ENVIRONMENT.connections, schemas={"@mysql.shop": SchemaKnowledge(None, catalog)}
    )
    text, offset = split(pipeline("SELECT to<|>tal FROM orders"))

    found = hover(analyse(text, env), env, offset)

    assert found is not None
    assert "Read 3 days ago." in found.markdown


# -- definition


def defined(query: str, step: str = MYSQL) -> str | None:
    """The line of the definition, with the name in ``<>``."""
    text, offset = split(pipeline(query, step))
    found = definition_of(analysed(text), ENVIRONMENT, offset)
    if found is None or found.span is None:
        return None
    start, end = found.span
    marked = f"{text[:start]}<{text[start:end]}>{text[end:]}"
    return marked[: marked.find("\n", end)].rpartition("\n")[2].strip()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT o<|>.id FROM orders o", "SELECT o.id FROM orders <o>"),
        ("SELECT o<|>.id FROM orders AS o", "SELECT o.id FROM orders AS <o>"),
        ("WITH a AS (SELECT 1 AS x) SELECT * FROM a<|>", "WITH <a> AS (SELECT 1 AS x) SELECT * FROM a"),
        ("WITH a AS (SELECT 1 AS x) SELECT x<|> FROM a", "WITH a AS (SELECT 1 AS <x>) SELECT x FROM a"),
        (
            "SELECT z.n<|> FROM (SELECT count(*) AS n FROM orders) z",
            "SELECT z.n FROM (SELECT count(*) AS <n> FROM orders) z",
        ),
        ("SELECT 1 FROM orders o WHERE EXISTS (SELECT o<|>.id)", "SELECT 1 FROM orders <o> WHERE EXISTS (SELECT o.id)"),
    ],
)
def test_an_alias_and_a_named_query_lead_to_where_they_are_made(query: str, expected: str) -> None:
    assert defined(query) == expected


def test_the_table_of_a_step_leads_to_the_step() -> None:
    assert defined("SELECT * FROM df_or<|>ders", DUCKDB) == "- id: <orders>"


@pytest.mark.parametrize(
    ("query", "step", "expected"),
    [
        ("SELECT * FROM or<|>ders", MYSQL, "orders"),
        ("SELECT o.to<|>tal FROM orders o", MYSQL, "total"),
        ("SELECT co<|>untry FROM orders JOIN customers USING (id)", MYSQL, "country"),
        ("SELECT to<|>tal FROM df_orders", DUCKDB, "total"),
    ],
)
def test_tables_and_columns_of_a_database_lead_to_the_schema_view(query: str, step: str, expected: str) -> None:
    text, offset = split(pipeline(query, step))

    found = table_at(analysed(text), ENVIRONMENT, offset)

    assert found is not None
    view = found.view()
    span = found.span_in(view)
    assert span is not None
    assert view.text[span.start : span.end] == expected
