"""The tree of what is known of a database: one level at a time, as an editor opens it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from known import CRM, SHOP, catalog

from osiris.ide.catalog_tree import Branch, below
from osiris.language.catalog import Column, SchemaKnowledge, TableInfo

ONE_SCHEMA = SchemaKnowledge(None, catalog(SHOP))
TWO_SCHEMAS = SchemaKnowledge(None, catalog(CRM, "mysql", default_schema="crm"))


def lines(knowledge: SchemaKnowledge, schema: str | None = None, table: str | None = None) -> list[str]:
    """What stands in the tree: the kind, the label and what is beside it."""
    return [f"{one.kind} {one.label}: {one.detail}" for one in below(knowledge, schema, table)]


def test_tables_of_the_only_schema_stand_below_the_connection_sorted_by_name() -> None:
    assert lines(ONE_SCHEMA) == [
        "table customers: table",
        "table open_orders: view",
        "table orders: table · What was sold",
        "table secret plans: table",
    ]


def test_several_schemas_come_first_that_of_the_connection_above_the_others() -> None:
    assert lines(TWO_SCHEMAS) == ["schema crm: 1 table", "schema sales: 1 table"]
    assert lines(TWO_SCHEMAS, "sales") == ["table visits: table · By day"]


def test_columns_stand_below_their_table_in_its_order() -> None:
    assert lines(ONE_SCHEMA, "", "orders") == [
        "column id: INTEGER not null · primary key",
        "column customer_id: INTEGER not null · → customers.id",
        "column amount: DECIMAL(12,2)",
        "column full name: TEXT",
        "column null: TEXT",
    ]


def test_an_item_asks_for_what_is_below_it_until_there_is_nothing() -> None:
    [schema, _] = below(TWO_SCHEMAS, None, None)
    [table] = below(TWO_SCHEMAS, schema.schema, schema.table)
    columns = below(TWO_SCHEMAS, table.schema, table.table)

    assert [one.leaf for one in (schema, table, *columns)] == [False, False, True, True]
    assert [(one.schema, one.table, one.label) for one in columns] == [
        ("crm", "people", "id"),
        ("crm", "people", "email"),
    ]


def test_a_tooltip_tells_all_that_is_known_of_a_column_and_its_age() -> None:
    old = SchemaKnowledge(None, catalog(SHOP, age=timedelta(days=3)))

    amount = below(old, "", "orders")[2]

    assert amount.tooltip == (
        "**`amount`** · column of `orders`\n\n- Type: `DECIMAL(12,2)`\n- In the pipeline: `decimal128(12, 2)`\n"
        "- It can be null.\n\nWith \\*tax\\*\n\n*Read 3 days ago.*"
    )


@pytest.mark.parametrize("table", ["secret plans", "gone"])
def test_nothing_is_below_a_table_whose_columns_are_not_known(table: str) -> None:
    assert below(ONE_SCHEMA, "", table) == ()


def test_the_last_reading_is_shown_and_the_committed_one_where_there_is_no_other() -> None:
    locked = catalog({"orders": SHOP["orders"]})

    assert len(lines(SchemaKnowledge(locked, catalog(SHOP)))) == 4
    assert lines(SchemaKnowledge(locked, None)) == ["table orders: table · What was sold"]
    assert lines(SchemaKnowledge(None, None)) == []


def test_names_that_break_lines_or_look_like_markdown_are_shown_as_they_are() -> None:
    odd = TableInfo("", "a\n[b](http://c)`d`", comment="![x](http://y)")
    knowledge = SchemaKnowledge(None, catalog({odd.name: (odd, (Column("e\nf", "INT"),))}))

    [table] = below(knowledge, None, None)
    [column] = below(knowledge, table.schema, table.table)

    assert table == Branch(
        "table",
        "a [b](http://c)`d`",
        "table · ![x](http://y)",
        "**`` a [b](http://c)`d` ``** · table · \\!\\[x\\]\\(http://y\\)",
        "",
        odd.name,
    )
    assert column.label == "e f"
