"""Suggestions inside SQL. The cursor is ``<|>``."""

from __future__ import annotations

import pytest
from marked import split
from sql_marked import DUCKDB, ENVIRONMENT, MYSQL, SQLITE, item, names, pipeline, suggested, taken, words

from osiris.ide.completion.complete import complete, documentation_of
from osiris.language.analysis import analyse
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.environment import StaticEnvironment

ORDERS = ["id", "customer_id", "total", "Order Date", "group"]


# -- columns


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT <|> FROM orders", [*ORDERS, "* as 5 columns", "orders"]),
        ("SELECT to<|>\nFROM orders o\nWHERE o.id > 3", [*ORDERS, "* as 5 columns", "o"]),
        ("SELECT id FROM orders WHERE <|>", [*ORDERS, "orders"]),
        ("SELECT id FROM orders GROUP BY <|>", [*ORDERS, "orders"]),
        ("SELECT id FROM orders ORDER BY total DESC, <|>", [*ORDERS, "orders"]),
        ("SELECT count(<|>) FROM orders", [*ORDERS, "orders"]),
        ("SELECT count(<|> FROM orders", [*ORDERS, "orders"]),
        ("SELECT CASE WHEN total > 1 THEN <|> FROM orders", [*ORDERS, "orders"]),
        ("SELECT sum(total) OVER (PARTITION BY <|>) FROM orders", [*ORDERS, "orders"]),
        ("SELECT o.<|> FROM orders o", [*ORDERS, "*"]),
        ("SELECT o.<|>\nFROM orders o JOIN customers c ON o.customer_id = c.id", [*ORDERS, "*"]),
        ("SELECT 1 FROM orders o WHERE o.<|>", ORDERS),
        ("SELECT 1 FROM orders AS `the orders` WHERE `the orders`.<|>", ORDERS),
        ("SELECT shop.orders.<|> FROM shop.orders", [*ORDERS, "*"]),
        ("SELECT 1 FROM audit.log WHERE <|>", ["at", "message", "log"]),
        ("SELECT orders.<|>", ORDERS),  # FROM is not written yet
        (
            "SELECT 1 FROM orders LIMIT 5; SELECT <|> FROM customers",
            ["id", "name", "country", "* as 3 columns", "customers"],
        ),
    ],
)
def test_columns_of_the_tables_in_scope_come_first(query: str, expected: list[str]) -> None:
    assert names(query) == expected


def test_a_name_that_two_tables_have_comes_with_its_table() -> None:
    found = names("SELECT <|> FROM orders o JOIN customers c ON o.customer_id = c.id")

    assert found[:8] == ["o.id", "customer_id", "total", "Order Date", "group", "c.id", "name", "country"]


def test_columns_that_are_selected_already_come_last() -> None:
    assert names("SELECT id, total, <|> FROM orders")[:6] == [
        "customer_id",
        "Order Date",
        "group",
        "* as 5 columns",
        "id",
        "total",
    ]


def test_what_the_select_list_names_can_be_grouped_and_ordered_by() -> None:
    query = "SELECT total * 2 AS twice FROM orders ORDER BY <|>"

    assert names(query)[:2] == ["twice", "id"]


def test_columns_show_their_type_their_key_and_their_table() -> None:
    query = "SELECT <|> FROM orders o"

    assert item(query, "id").detail == "bigint not null · primary key · o"
    assert item(query, "customer_id").detail == "bigint · → customers.id · o"


def test_the_documentation_of_a_column_comes_when_it_is_asked_for() -> None:
    topic = item("SELECT <|> FROM orders o", "total").topic

    assert topic is not None
    text = documentation_of(topic, ENVIRONMENT)
    assert text is not None
    assert "Sum of all lines, taxes included" in text


# -- subqueries and named queries


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("WITH big AS (SELECT id, total AS amount FROM orders) SELECT <|> FROM big", ["id", "amount"]),
        ("WITH big (a, b) AS (SELECT id, total FROM orders) SELECT big.<|> FROM big", ["a", "b", "*"]),
        (
            "WITH a AS (SELECT * FROM customers), b AS (SELECT * FROM a) SELECT b.<|> FROM b",
            ["id", "name", "country", "*"],
        ),
        ("SELECT x.<|> FROM (SELECT c.* FROM customers c) x", ["id", "name", "country", "*"]),
        ("SELECT x.<|> FROM (SELECT count(*) AS n, max(id) FROM customers) AS x", ["n"]),
        ("SELECT x.<|> FROM (SELECT id FROM orders UNION SELECT name FROM customers) AS x", ["id"]),
        ("SELECT id FROM orders UNION SELECT c.<|> FROM customers c", ["id", "name", "country", "*"]),
        ("SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = o.<|>)", ["id", "customer_id"]),
        ("SELECT (SELECT o.<|> FROM orders o) FROM customers c", ["id", "customer_id"]),
    ],
)
def test_columns_of_named_queries_and_of_queries_in_parentheses(query: str, expected: list[str]) -> None:
    assert names(query)[: len(expected)] == expected


def test_the_tables_around_a_query_come_after_its_own_with_their_names() -> None:
    found = names("SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE <|>)")

    assert found[:5] == ["id", "name", "country", "o.id", "o.customer_id"]


def test_a_query_in_from_does_not_see_the_tables_beside_it() -> None:
    assert names("SELECT 1 FROM orders o, (SELECT <|> FROM customers c) x") == [
        "id",
        "name",
        "country",
        "* as 3 columns",
        "c",
    ]
    assert "o.total" in names("SELECT 1 FROM orders o, LATERAL (SELECT <|> FROM customers c) x")


# -- tables


def test_tables_of_the_connection_those_of_other_schemas_with_their_schema() -> None:
    assert names("SELECT * FROM <|>") == ["orders", "customers", "audit.log"]
    assert names("SELECT * FROM or<|>") == ["orders", "customers", "audit.log"]
    assert names("SELECT * FROM orders, <|>")[:1] == ["customers"]
    assert names("SELECT * FROM audit.<|>") == ["log"]


def test_the_table_that_a_foreign_key_leads_to_comes_first() -> None:
    assert names("SELECT * FROM orders o JOIN <|>") == ["customers", "orders", "audit.log"]


def test_named_queries_are_tables_where_they_are_defined_already() -> None:
    assert names("WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM <|>) SELECT 1")[:2] == ["a", "orders"]
    assert names("WITH a AS (SELECT 1 AS x), b AS (SELECT 2 AS y) SELECT 1 FROM <|>")[:2] == ["b", "a"]


def test_tables_of_a_processor_are_the_data_of_the_steps_it_needs() -> None:
    assert names("SELECT * FROM <|>", DUCKDB) == ["df_orders", "df_customers", "df_rates"]
    assert item("SELECT * FROM <|>", "df_orders", DUCKDB).detail == "data of orders · 5 columns"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT o.<|> FROM df_orders o", [*ORDERS, "*"]),
        ("SELECT c.<|> FROM df_customers c", ["id", "customer", "*"]),  # of a query that can be read
        ("SELECT r.<|> FROM df_rates r", ["currency", "rate", "*"]),  # of the header of a file
        ("FROM df_rates SELECT <|>", ["currency", "rate", "* as 2 columns", "df_rates"]),
        ("SELECT <|>", [*ORDERS, "customer", "currency", "rate"]),
    ],
)
def test_columns_of_the_data_of_other_steps(query: str, expected: list[str]) -> None:
    assert names(query, DUCKDB) == expected


# -- joins


def test_a_join_by_its_foreign_key_is_one_suggestion_the_first_one() -> None:
    assert names("SELECT * FROM orders o JOIN customers c ON <|>")[0] == "o.customer_id = c.id"
    assert names("SELECT * FROM customers c JOIN orders o ON <|>")[0] == "c.id = o.customer_id"
    assert names("SELECT * FROM orders o JOIN customers c ON o.<|>")[0] == "customer_id = c.id"
    assert names("SELECT * FROM orders o JOIN customers c ON o.customer_id = <|>")[0] == "c.id"
    assert (
        names("SELECT * FROM orders JOIN customers ON <|>\nWHERE total > 3")[0] == "orders.customer_id = customers.id"
    )


def test_columns_that_are_called_alike_are_joined_when_no_key_says_more() -> None:
    query = "WITH x AS (SELECT customer_id FROM orders) SELECT * FROM x JOIN orders o ON <|>"

    found = item(query, "x.customer_id = o.customer_id")
    assert found.detail == "called alike"


def test_a_join_of_steps_knows_the_keys_of_the_tables_behind_them() -> None:
    query = "SELECT * FROM df_orders o JOIN df_customers customers ON <|>"

    assert names(query, DUCKDB)[0] == "o.customer_id = customers.id"


def test_using_offers_the_columns_of_both_sides() -> None:
    assert names("SELECT * FROM orders JOIN customers USING (<|>)") == ["id"]
    assert names("SELECT * FROM orders JOIN customers USING (id, <|>)") == []


# -- what is written


def test_the_star_is_written_out() -> None:
    assert taken(pipeline("SELECT *<|> FROM customers"), "* as 3 columns") == "SELECT id, name, country FROM customers"
    assert (
        taken(pipeline("SELECT c.*<|> FROM customers c"), "* as 3 columns")
        == "SELECT c.id, c.name, c.country FROM customers c"
    )
    long = taken(pipeline("SELECT *<|> FROM orders o JOIN customers c JOIN customers d"), "* as 11 columns")
    assert long == "SELECT o.id,"  # and each of the others on a line of its own


@pytest.mark.parametrize(
    ("query", "label", "expected"),
    [
        ("SELECT <|> FROM orders", "group", "SELECT `group` FROM orders"),
        ("SELECT o.Or<|> FROM orders o", "Order Date", "SELECT o.`Order Date` FROM orders o"),
        ("SELECT o.`Or<|> FROM orders o", "Order Date", "SELECT o.`Order Date` FROM orders o"),
        ("SELECT o.`Or<|>` FROM orders o", "Order Date", "SELECT o.`Order Date` FROM orders o"),
        ("SELECT o.to<|>tal FROM orders o", "id", "SELECT o.id FROM orders o"),
        ("SELECT o.<|>total FROM orders o", "id", "SELECT o.id FROM orders o"),
    ],
)
def test_names_are_quoted_where_the_dialect_wants_it(query: str, label: str, expected: str) -> None:
    assert taken(pipeline(query), label) == expected


HEAD = """
steps:
  - id: read
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.shop"
""".lstrip("\n")


@pytest.mark.parametrize(
    ("scalar", "label", "expected"),
    [
        ("query: SELECT o.<|> FROM orders o", "total", "query: SELECT o.total FROM orders o"),
        ('query: "SELECT o.<|> FROM orders o"', "Order Date", 'query: "SELECT o.`Order Date` FROM orders o"'),
        ("query: 'SELECT ''x'', o.<|> FROM orders o'", "total", "query: 'SELECT ''x'', o.total FROM orders o'"),
        ('query: "SELECT \\"x\\", o.to<|> FROM orders o"', "total", 'query: "SELECT \\"x\\", o.total FROM orders o"'),
        ("query: >-\n        SELECT 1,\n        o.<|>\n        FROM orders o", "total", "o.total"),
        ("query: |2-  # the orders\n        SELECT\n          o.<|>\n\n        FROM orders o", "total", "o.total"),
        ("query: |\n        SELECT 1 FROM orders\n        WHERE <|>", "id", "WHERE id"),
        ("query: |\n        SELECT 1 FROM orders WHERE\n        <|>", "id", "id"),
        ("query: |\n        SELECT 1 FROM orders WHERE\n          to<|>\n      limit: 5", "total", "total"),
        ("query: |\n        <|>", "SELECT", "SELECT"),
        ("query: SELECT id FROM orders WHERE <|>", "total", "query: SELECT id FROM orders WHERE total"),
        ("query: SELECT id FROM orders WHERE <|>  # all", "total", "query: SELECT id FROM orders WHERE total  # all"),
        ("query: 'SELECT id FROM orders WHERE <|>", "total", "query: 'SELECT id FROM orders WHERE total"),
        ('query: "SELECT o.total,\n        <|>\n        FROM orders o"', "id", "id"),
        ("query: SELECT o.total,\n        o.<|>\n        FROM orders o", "id", "o.id"),
        ("query: 'SELECT o.<|> \n        FROM orders o'", "total", "query: 'SELECT o.total"),
        (
            "query: 'SELECT 1 FROM orders WHERE <|> \n        AND id = 1'",
            "total",
            "query: 'SELECT 1 FROM orders WHERE total",
        ),
        ("query: SELECT 1 FROM orders\n        WHERE id = <|>  \r\n        OR id = 1", "total", "WHERE id = total"),
        ("query: SELECT id,\n        <|>\n        total FROM orders", "group", "`group`"),
        ("query: |\r\n        SELECT o.<|>\r\n        FROM orders o\r\n", "total", "SELECT o.total"),
        ('query: |\n        SELECT "😀", o.<|> FROM orders o', "total", 'SELECT "😀", o.total FROM orders o'),
    ],
)
def test_in_every_style_of_yaml(scalar: str, label: str, expected: str) -> None:
    assert taken(HEAD + "      " + scalar + "\n", label) == expected


@pytest.mark.parametrize(
    "scalar",
    [
        "query: SELECT o.id,\n  <|>      o.total FROM orders o",
        "query: SELECT o.id,\n<|>\n        o.total FROM orders o",
        'query: "SELECT o.id\\<|>nFROM orders o"',
    ],
)
def test_no_sql_where_yaml_has_no_place_for_it(scalar: str) -> None:
    found = suggested(HEAD + "      " + scalar + "\n")

    assert found is None or not found.within_sql


@pytest.mark.parametrize(
    ("query", "label", "expected"),
    [
        ("SELECT o.<|> FROM [orders] AS o", "id", "SELECT o.id FROM [orders] AS o"),
        ("SELECT [<|> FROM orders", "Order Date", "SELECT [Order Date] FROM orders"),
        ("SELECT [Or<|>] FROM orders", "Order Date", "SELECT [Order Date] FROM orders"),
        ("SELECT [id], <|> FROM orders", "Order Date", 'SELECT [id], "Order Date" FROM orders'),
    ],
)
def test_names_of_sqlite_may_stand_in_brackets(query: str, label: str, expected: str) -> None:
    assert taken(pipeline(query, SQLITE), label) == expected


def test_in_flow_style() -> None:
    config = '{connection: "@mysql.shop", query: "SELECT <|> FROM customers"}'
    marked = f"steps:\n  - {{id: a, component: mysql.extractor, mode: read, config: {config}}}\n"

    assert 'query: "SELECT name FROM customers"' in taken(marked, "name")


def test_a_line_that_is_indented_too_little_is_put_right() -> None:
    marked = HEAD + "      query: |\n        SELECT 1 FROM customers WHERE\n       <|>\n        AND id = 1\n"

    found = suggested(marked)

    assert found is not None
    assert [edit.new_text for edit in found.edits] == [" " * 8]


def test_in_double_quotes_names_of_duckdb_are_escaped() -> None:
    marked = pipeline("SELECT 1", DUCKDB).replace("query: |\n        SELECT 1", 'query: "SELECT <|> FROM df_orders"')

    assert taken(marked, "Order Date") == 'query: "SELECT \\"Order Date\\" FROM df_orders"'


def test_between_quotes_that_the_editor_has_closed_already() -> None:
    assert taken(pipeline('SELECT "<|>" FROM df_orders', DUCKDB), "Order Date") == 'SELECT "Order Date" FROM df_orders'
    assert taken(pipeline("SELECT o.`<|>` FROM orders o"), "id") == "SELECT o.`id` FROM orders o"


def test_the_last_reading_counts_for_suggestions_and_the_committed_one_where_there_is_no_other() -> None:
    def env(locked: Catalog | None, discovered: Catalog | None) -> StaticEnvironment:
        schemas = {"@mysql.shop": SchemaKnowledge(locked, discovered)}
        return StaticEnvironment(connections=ENVIRONMENT.connections, schemas=schemas)

    def orders(*names: str) -> Catalog:
        columns = {("", "orders"): tuple(Column(name, "int") for name in names)}
        return Catalog("@mysql.shop", "mysql", [TableInfo("", "orders")], columns)

    text, offset = split(pipeline("SELECT o.<|> FROM orders o"))

    def labels(env: StaticEnvironment) -> list[str]:
        found = complete(analyse(text, env), env, offset)
        return [item.label for item in found.items] if found else []

    assert labels(env(orders("old"), orders("old", "new"))) == ["old", "new", "*"]
    assert labels(env(orders("old", "older"), None)) == ["old", "older", "*"]
    assert labels(env(None, None)) == []


# -- functions and keywords


def test_functions_of_the_dialect_with_their_signature() -> None:
    assert item("SELECT <|> FROM orders", "date_format").detail == "date_format(date, format)"
    assert item("SELECT <|> FROM orders", "sum").snippet == "sum($0)"
    assert item("SELECT su<|>(total) FROM orders", "sum").text == "sum"
    assert item("SELECT <|> FROM df_rates", "date_trunc", DUCKDB).snippet == "date_trunc($0)"


def test_functions_are_documented_when_asked_for() -> None:
    topic = item("SELECT <|> FROM orders", "coalesce").topic

    assert topic is not None
    assert documentation_of(topic, ENVIRONMENT) == "`coalesce(x, ...)`\n\nThe first value that is not null."


@pytest.mark.parametrize(
    ("query", "some"),
    [
        ("<|>", ["SELECT", "WITH"]),
        ("SELECT id <|>", ["FROM", "AS"]),
        ("SELECT id FROM orders <|>", ["WHERE", "JOIN", "LEFT JOIN", "ON", "GROUP BY"]),
        ("SELECT id FROM orders WHERE id <|>", ["AND", "OR", "IN", "IS NULL", "GROUP BY"]),
        ("SELECT id FROM orders GROUP <|>", ["BY"]),
        ("SELECT id FROM orders ORDER BY id <|>", ["ASC", "DESC", "LIMIT"]),
        ("SELECT id FROM orders UNION <|>", ["SELECT"]),
        ("select id from orders <|>", ["where", "join"]),
    ],
)
def test_keywords_that_fit_the_clause(query: str, some: list[str]) -> None:
    assert [word for word in words(query) if word in some] == some


def test_keywords_come_below_names() -> None:
    found = suggested(pipeline("SELECT <|> FROM orders"))

    assert found is not None
    kinds = [item.kind.value for item in found.items]
    assert kinds.index("column") < kinds.index("function") < kinds.index("keyword")


# -- nothing


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'a <|> b' FROM orders",
        "SELECT 'a <|>\nFROM orders",
        "SELECT id -- the <|>\nFROM orders",
        "SELECT id /* the <|> */ FROM orders",
        "SELECT 12<|> FROM orders",
        "SELECT id AS <|> FROM orders",
        "SELECT sum(id)<|> FROM orders",
        "SELECT id FROM orders LIMIT <|>",
        "SELECT id FROM orders LIMIT 5, <|>",
        "WITH <|>",
    ],
)
def test_nothing_in_texts_comments_numbers_and_new_names(query: str) -> None:
    assert suggested(pipeline(query)) is None


def test_a_list_of_keywords_alone_is_not_shown_unasked() -> None:
    asked = suggested(pipeline("SELECT id FROM orders <|>"))
    typed = suggested(pipeline("SELECT id FROM orders WH<|>"))
    columns = suggested(pipeline("SELECT <|> FROM orders"))

    assert asked is not None
    assert typed is not None
    assert columns is not None
    assert (asked.quiet, typed.quiet, columns.quiet) == (True, False, False)


def test_behind_is_nothing_but_what_a_value_can_be() -> None:
    assert names("SELECT 1 FROM orders WHERE total IS <|>") == []
    assert words("SELECT 1 FROM orders WHERE total IS <|>")[:2] == ["NULL", "NOT NULL"]
    assert names("SELECT 1 FROM orders WHERE total IS <|>", SQLITE)[:2] == ["id", "customer_id"]


@pytest.mark.parametrize(
    ("query", "step", "lacks"),
    [
        ("SELECT sum(total) <|> FROM orders", MYSQL, "FILTER (WHERE"),
        ("SELECT 1 FROM orders GROUP BY <|>", MYSQL, "ROLLUP ("),
        ("SELECT 1 FROM orders GROUP BY <|>", SQLITE, "CUBE ("),
        ("SELECT 1 FROM orders JOIN <|>", SQLITE, "LATERAL ("),
        ("SELECT 1 FROM df_orders GROUP BY id <|>", DUCKDB, "WITH ROLLUP"),
    ],
)
def test_no_keyword_that_the_dialect_does_not_know(query: str, step: str, lacks: str) -> None:
    found = words(query, step)

    assert found
    assert lacks not in found


def test_nothing_of_yaml_is_suggested_inside_a_query() -> None:
    found = suggested(pipeline("SELECT id FROM orders\n<|>"))

    assert found is not None
    assert {item.kind.value for item in found.items} <= {"keyword", "function", "column", "table"}


def test_parameters_are_suggested_inside_a_query_as_everywhere() -> None:
    marked = pipeline("SELECT id FROM orders WHERE id = ${<|>").replace(
        "name: read-orders\n", "name: read-orders\nparams: {least: 3}\n"
    )

    found = suggested(marked)

    assert found is not None
    assert [item.label for item in found.items] == ["params.least"]
