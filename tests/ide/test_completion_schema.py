"""Completion of tables, schemas and columns where a step's config names them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from known import KNOWN, SHOP, catalog, knowing, many
from marked import ENVIRONMENT, labels, suggestions, take

from osiris.ide.completion.complete import documentation_of
from osiris.ide.completion.suggestion import ItemKind
from osiris.language.catalog import Column, Table, TableInfo

READ = """\
oml_version: 0.1.0
name: orders
steps:
  - id: extract
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
"""
CRM_READ = READ.replace("sqlite", "mysql").replace("shop", "crm")
WRITE = READ.replace("extractor", "writer").replace("read", "write")


def config(marked: str, label: str, start: str = READ) -> str:
    """What stands below the start of a document after this suggestion was taken."""
    return take(start + marked, label, env=KNOWN).removeprefix(start)


# -- tables


def test_the_tables_of_the_connection_with_what_they_are() -> None:
    found = suggestions(READ + "      table: <|>\n", KNOWN)
    assert found is not None
    assert [(item.label, item.detail) for item in found.items if item.kind is ItemKind.TABLE] == [
        ("orders", "table · What was sold"),
        ("customers", "table"),
        ("open_orders", "view"),
        ("secret plans", "table"),
    ]


def test_the_default_connection_counts_where_the_step_names_none() -> None:
    start = READ.replace('      connection: "@sqlite.shop"\n', "")
    assert labels(start + "      table: <|>\n", KNOWN)[:2] == ["orders", "customers"]


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("      table: <|>\n", "      table: orders\n"),
        ("      table:<|>\n", "      table: orders\n"),
        ("      table: ord<|>\n      limit: 3\n", "      table: orders\n      limit: 3\n"),
        ('      table: "ord<|>"\n', '      table: "orders"\n'),
        ("      table: 'cust<|>omers'\n", "      table: 'orders'\n"),
    ],
)
def test_a_table_takes_the_place_of_what_is_typed(written: str, taken: str) -> None:
    assert config(written, "orders") == taken


def test_a_table_with_an_odd_name_is_written_as_yaml_needs_it() -> None:
    assert config("      table: <|>\n", "secret plans") == "      table: secret plans\n"
    env = knowing(catalog({name: (TableInfo("", name), None) for name in ("null", "a: b", "it's", '2 "x"')}))
    assert take(READ + "      table: <|>\n", "null", env=env).endswith('table: "null"\n')
    assert take(READ + "      table: <|>\n", "a: b", env=env).endswith('table: "a: b"\n')
    assert take(READ + "      table: '<|>'\n", "it's", env=env).endswith("table: 'it''s'\n")
    assert take(READ + '      table: "<|>"\n', '2 "x"', env=env).endswith('table: "2 \\"x\\""\n')


def test_tables_of_other_schemas_come_after_those_of_the_default_one_with_their_schema() -> None:
    assert labels(CRM_READ + "      table: <|>\n", KNOWN)[:2] == ["people", "sales.visits"]
    assert config("      table: sal<|>\n", "sales.visits", CRM_READ) == "      table: sales.visits\n"


def test_behind_a_schema_its_tables_come_by_their_names_alone() -> None:
    found = suggestions(CRM_READ + "      schema: sales\n      table: <|>\n", KNOWN)
    assert found is not None
    assert [item.label for item in found.items if item.kind is ItemKind.TABLE] == ["visits"]


def test_schemas_with_how_many_tables_they_hold() -> None:
    found = suggestions(CRM_READ + "      schema: <|>\n", KNOWN)
    assert found is not None
    assert [(item.label, item.detail) for item in found.items if item.kind is ItemKind.SCHEMA] == [
        ("crm", "1 table · default"),
        ("sales", "1 table"),
    ]


def test_a_writer_is_offered_no_views() -> None:
    assert "open_orders" not in labels(WRITE + "      table: <|>\n", KNOWN)
    assert "orders" in labels(WRITE + "      table: <|>\n", KNOWN)


def test_tables_that_only_the_lock_knows_are_there_too() -> None:
    env = knowing(None, catalog({"orders": SHOP["orders"]}))
    assert labels(READ + "      table: <|>\n", env)[0] == "orders"


@pytest.mark.parametrize("env", [ENVIRONMENT, knowing(None)], ids=["nothing is known", "it is known to be unknown"])
def test_without_knowledge_what_the_component_says_is_left(env) -> None:
    assert "customers" not in labels(READ + "      table: <|>\n", env)


# -- columns


def test_columns_with_their_types_those_already_there_left_out() -> None:
    found = suggestions(READ + "      table: orders\n      columns: [ID, <|>]\n", KNOWN)
    assert found is not None
    assert [(item.label, item.detail) for item in found.items if item.kind is ItemKind.COLUMN] == [
        ("customer_id", "INTEGER not null · → customers.id"),
        ("amount", "DECIMAL(12,2)"),
        ("full name", "TEXT"),
        ("null", "TEXT"),
    ]


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("columns: [id, <|>]", "columns: [id, amount]"),
        ("columns: [id, am<|>", "columns: [id, amount"),
        ("columns: [<|>, id]", "columns: [amount, id]"),
        ('columns: ["id", "am<|>"]', 'columns: ["id", "amount"]'),
        ("columns: [id, 'am<|>", "columns: [id, 'amount"),
        ("columns: <|>", "columns: [amount]"),
        ("columns:\n        - id\n        - <|>", "columns:\n        - id\n        - amount"),
        ("columns:\n        - id\n        - am<|>", "columns:\n        - id\n        - amount"),
        ('columns:\n        - id\n        - "am<|>"', 'columns:\n        - id\n        - "amount"'),
        ("columns:\n        - id\n        <|>", "columns:\n        - id\n        - amount"),
        ("columns:\n      - id\n      - <|>\n      limit: 3", "columns:\n      - id\n      - amount\n      limit: 3"),
        ("columns:\n        <|>", "columns:\n        - amount"),
        ("columns: [\n        id,\n        <|>\n      ]", "columns: [\n        id,\n        amount\n      ]"),
    ],
)
def test_a_column_is_written_as_its_list_is(written: str, taken: str) -> None:
    assert config(f"      table: orders\n      {written}\n", "amount") == f"      table: orders\n      {taken}\n"


def test_the_table_may_stand_below_the_columns() -> None:
    assert "amount" in labels(READ + "      columns: [<|>]\n      table: orders\n", KNOWN)


def test_a_column_with_an_odd_name_is_written_as_yaml_needs_it() -> None:
    start = READ + "      table: orders\n"
    assert config("      columns: [<|>]\n", "full name", start) == "      columns: [full name]\n"
    assert config("      columns: [<|>]\n", "null", start) == '      columns: ["null"]\n'


def test_in_the_key_of_a_writer_the_columns_of_the_primary_key_come_first() -> None:
    start = WRITE + "      table: people\n"
    columns = (Column("amount", "INTEGER"), Column("id", "INTEGER", primary_key=1), Column("note", "TEXT"))
    env = knowing(catalog({"people": (TableInfo("", "people"), columns)}))
    assert labels(start + "      primary_key: <|>\n", env)[:2] == ["id", "amount"]
    assert take(start + "      primary_key: <|>\n", "id", env=env).endswith("primary_key: id\n")
    assert take(start + "      primary_key: [<|>]\n", "id", env=env).endswith("primary_key: [id]\n")


def test_a_table_that_is_a_parameter_is_known_by_its_value() -> None:
    text = READ.replace("steps:", "params: {table: orders}\nsteps:") + '      table: "${params.table}"\n'
    assert "amount" in labels(text + "      columns: [<|>]\n", KNOWN)


@pytest.mark.parametrize("table", ["unknown", "secret plans"])
def test_there_are_no_columns_of_a_table_that_is_not_known(table: str) -> None:
    assert labels(READ + f"      table: {table}\n      columns: [<|>]\n", KNOWN) == []


# -- documentation, and many tables


def test_the_documentation_of_a_table_and_of_a_column_comes_later() -> None:
    [table] = [i for i in suggestions(READ + "      table: cust<|>\n", KNOWN).items if i.label == "customers"]
    assert documentation_of(table.topic, KNOWN) == (
        "**`customers`** · table of `@sqlite.shop`\n\n- `id` `INTEGER` · primary key\n- `name` `TEXT`\n\n"
        "*Read 5 hours ago.*"
    )
    found = suggestions(READ + "      table: orders\n      columns: [am<|>]\n", KNOWN)
    [column] = [item for item in found.items if item.label == "amount"]
    assert documentation_of(column.topic, KNOWN) == (
        "**`amount`** · column of `orders`\n\n- Type: `DECIMAL(12,2)`\n- In the pipeline: `decimal128(12, 2)`\n"
        "- It can be null.\n\nWith \\*tax\\*\n\n*Read 5 hours ago.*"
    )


def test_of_five_thousand_tables_the_first_come_and_the_editor_asks_again() -> None:
    env = knowing(many(5000))
    found = suggestions(READ + "      table: <|>\n", env)
    assert found is not None
    assert (len(found.items), found.incomplete) == (300, True)
    found = suggestions(READ + "      table: table_49<|>\n", env)
    assert found is not None
    assert ([i.label for i in found.items][:2], len(found.items)) == (["table_4900", "table_4901"], 100)
    found = suggestions(READ + "      table: e_4999<|>\n", env)
    assert found is not None
    assert [i.label for i in found.items][:1] == ["table_4999"]
    assert labels(READ + "      table: tb49<|>\n", env)[:2] == ["table_0049", "table_0149"]


def test_a_name_that_no_line_can_hold_is_shown_escaped() -> None:
    env = knowing(catalog({"x": (TableInfo("", "a\nb"), None)}))
    assert labels(READ + "      table: <|>\n", env)[:1] == ['"a\\nb"']
    assert take(READ + "      table: <|>\n", '"a\\nb"', env=env).endswith('table: "a\\nb"\n')


@pytest.mark.parametrize("columns", ["[id]<|>", '\n        - "id"<|>', '\n        - <|>"id"', '["id"<|>, amount]'])
def test_nothing_is_suggested_beside_a_value_that_is_complete(columns: str) -> None:
    assert labels(READ + f"      table: orders\n      columns: {columns}\n", KNOWN) == []


@pytest.mark.parametrize("columns", ["[id, {as: <|>}]", "[id, [<|>]]", "\n        - - <|>", "\n        - as: <|>"])
def test_nothing_is_suggested_deeper_than_a_name_may_stand(columns: str) -> None:
    assert labels(READ + f"      table: orders\n      columns: {columns}\n", KNOWN) == []


def test_nothing_is_suggested_behind_a_list_within_a_map_in_flow_style() -> None:
    start = READ.replace('    config:\n      connection: "@sqlite.shop"\n', "")
    assert labels(start + "    config: {table: orders, columns: [id]<|>}\n", KNOWN) == []


# -- columns from elsewhere


def test_columns_of_a_file_with_a_header() -> None:
    info = TableInfo("", "data/in.csv", "file")
    columns = (Column("day", "DATE", "date32"), Column("net amount", "DOUBLE", "double"))
    env = replace(ENVIRONMENT, file_tables={"data/in.csv": Table(info, columns)})
    text = READ.replace("sqlite.extractor", "filesystem.csv_extractor").replace(
        'connection: "@sqlite.shop"', "path: data/in.csv"
    )
    found = suggestions(text + "      columns: [day, <|>]\n", env)
    assert found is not None
    assert [(item.label, item.detail) for item in found.items] == [("net amount", "DOUBLE")]


def test_the_key_of_a_table_that_is_yet_to_be_made_is_of_the_data_that_comes() -> None:
    text = (
        READ
        + """\
      table: orders
      columns: [id, amount]
  - id: store
    component: sqlite.writer
    mode: write
    config:
      table: revenue
      primary_key: [<|>]
"""
    )
    assert labels(text, KNOWN) == ["id", "amount"]
    assert labels(text.replace("revenue", "customers"), KNOWN) == ["id", "name"]
