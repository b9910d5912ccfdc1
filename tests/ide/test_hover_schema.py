"""Hover and definition on tables and columns in the keys of a config that name them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from known import KNOWN, SHOP, catalog, knowing, many
from marked import ENVIRONMENT, analysed, hovered, split

from osiris.ide.navigation.table_places import table_at
from osiris.ide.schema_view import schema_view
from osiris.language.catalog import Column, SchemaKnowledge, Table, TableInfo

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


def test_a_table_with_its_columns_and_the_age_of_the_knowledge() -> None:
    assert hovered(READ + "      table: ord<|>ers\n", KNOWN) == (
        "[orders]\n"
        "**`orders`** · table of `@sqlite.shop`\n\n"
        "What was sold\n\n"
        "- `id` `INTEGER not null` · primary key\n"
        "- `customer_id` `INTEGER not null` · → customers.id\n"
        "- `amount` `DECIMAL(12,2)`\n"
        "- `full name` `TEXT`\n"
        "- `null` `TEXT`\n\n"
        "*Read 5 hours ago.*"
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("columns: [am<|>ount]", "amount"),
        ("columns: [id, 'AM<|>OUNT']", "AMOUNT"),
        ("columns:\n        - id\n        - am<|>ount", "amount"),
        ('columns:\n        - id\n        - "am<|>ount"', "amount"),
        ("columns: [id, am<|>ount", "amount"),
    ],
)
def test_a_column_with_its_types_and_comment(written: str, shown: str) -> None:
    assert hovered(READ + f"      table: orders\n      {written}\n", KNOWN) == (
        f"[{shown}]\n"
        "**`amount`** · column of `orders`\n\n"
        "- Type: `DECIMAL(12,2)`\n- In the pipeline: `decimal128(12, 2)`\n- It can be null.\n\n"
        "With \\*tax\\*\n\n*Read 5 hours ago.*"
    )


def test_keys_and_references_of_a_column() -> None:
    text = hovered(READ + "      table: orders\n      columns: [id, cust<|>omer_id]\n", KNOWN)
    assert text is not None
    assert "- References `customers.id`" in text
    assert "- It is never null." in text


def test_what_is_locked_and_what_was_written_since_is_said() -> None:
    env = knowing(None, catalog({"orders": SHOP["orders"]}))
    text = hovered(READ + "      table: ord<|>ers\n", env)
    assert text is not None
    assert text.endswith("*From osiris.schema.json.*")
    written = replace(SHOP["orders"][0], written=True)
    env = knowing(catalog({"orders": (written, SHOP["orders"][1])}, age=timedelta(days=2)))
    text = hovered(READ + "      table: ord<|>ers\n", env)
    assert text is not None
    assert text.endswith("*Read 2 days ago. A run of this project has written to the table since.*")


def test_what_a_database_says_of_itself_is_shown_as_it_is_and_does_nothing() -> None:
    odd = TableInfo("", "t`x", comment="![x](http://evil.example/x.png) <img src=x> [run](command:x)\nmore")
    env = knowing(catalog({"t": (odd, (Column("`a`", "int"),))}))
    text = hovered(READ + '      table: "t`<|>x"\n', env)
    assert text == (
        "[t`x]\n"
        "**``t`x``** · table of `@sqlite.shop`\n\n"
        "\\!\\[x\\]\\(http://evil.example/x.png\\) \\<img src=x\\> \\[run\\]\\(command:x\\) more\n\n"
        "- `` `a` `` `int`\n\n*Read 5 hours ago.*"
    )


def test_a_connection_says_how_many_tables_are_known() -> None:
    text = hovered(READ.replace("@sqlite.shop", "@sqlite.sh<|>op"), KNOWN)
    assert text is not None
    assert text.endswith("- `path`: `data/shop.db`\n\n4 tables, read 5 hours ago")
    text = hovered(READ.replace("@sqlite.shop", "@sqlite.sh<|>op"))
    assert text is not None
    assert text.endswith("- `path`: `data/shop.db`")


def test_unknown_tables_and_columns_get_what_the_key_is_for() -> None:
    text = hovered(READ + "      table: ord<|>res\n", KNOWN)
    assert text is not None
    assert "**table** · text" in text


def test_a_schema_says_how_many_tables_it_holds() -> None:
    text = READ.replace("sqlite", "mysql").replace("shop", "crm")
    assert hovered(text + "      schema: sa<|>les\n", KNOWN) == (
        "[sales]\n**`sales`** · schema of `@mysql.crm`\n\n1 table of 2 tables, read 5 hours ago"
    )


def test_a_column_of_a_file() -> None:
    table = Table(TableInfo("", "in.csv", "file"), (Column("day", "DATE", "date32"),))
    env = replace(ENVIRONMENT, file_tables={"in.csv": table})
    step = (
        "steps:\n  - id: a\n    component: filesystem.csv_extractor\n    mode: read\n    config:\n      path: in.csv\n"
    )
    assert hovered(step + "      columns: [d<|>ay]\n", env) == (
        "[day]\n**`day`** · column of `in.csv`\n\n- Type: `DATE`\n- In the pipeline: `date32`"
    )


# -- definitions


def target(marked: str, env=KNOWN) -> str | None:
    """The line of the schema view that the name at the cursor leads to, with the name marked."""
    text, offset = split(marked)
    found = table_at(analysed(text, env), env, offset)
    if found is None:
        return None
    view = found.view()
    span = found.span_in(view)
    assert span is not None
    start = view.text.rfind("\n", 0, span.start) + 1
    end = view.text.index("\n", span.end)
    return f"{view.text[start : span.start]}[{view.text[span.start : span.end]}]{view.text[span.end : end]}"


def test_a_table_and_a_column_lead_to_their_lines_in_the_schema_view() -> None:
    assert target(READ + "      table: ord<|>ers\n") == "  [orders]:  # table · What was sold"
    assert (
        target(READ + "      table: orders\n      columns: [am<|>ount]\n")
        == "    [amount]: DECIMAL(12,2)  # With *tax*"
    )
    assert (
        target(READ + "      table: secret<|> plans\n") == "  [secret plans]: {}  # table · its columns are not known"
    )
    assert target(READ + "      table: ord<|>res\n") is None
    assert target(READ + "      table: ord<|>ers\n", ENVIRONMENT) is None


def test_a_table_of_another_schema() -> None:
    text = READ.replace("sqlite", "mysql").replace("shop", "crm")
    assert target(text + "      table: sales.vis<|>its\n") == "  [visits]:  # table · By day"
    assert target(text + "      schema: sales\n      table: vis<|>its\n") == "  [visits]:  # table · By day"


def test_the_schema_view_is_a_text_to_read() -> None:
    view = schema_view(KNOWN.schemas["@mysql.crm"], "@mysql.crm")
    lines = view.text.splitlines()
    assert lines[0] == "# The database of @mysql.crm, as it was last read. Nothing that is changed here has an effect."
    assert lines[1].startswith("# 2 tables, read at 20")
    assert lines[2:] == [
        "",
        "crm:",
        "  people:  # table",
        "    id: bigint  # primary key",
        "    email: varchar(200)",
        "",
        "sales:",
        "  visits:  # table · By day",
        "    day: date",
    ]
    assert view.line_of("crm", "people") == 4
    assert view.line_of("crm", "people", "email") == 6
    assert view.line_of("crm", "people", "nothing") == 4
    assert view.line_of("crm", "nobody") is None


def test_the_schema_view_of_nothing_says_what_to_do() -> None:
    assert "run `osiris discover`" in schema_view(SchemaKnowledge(None, None), "@mysql.crm").text


def test_the_schema_view_of_a_large_database_has_all_tables_and_as_many_columns_as_are_bearable() -> None:
    env = knowing(many(5000))
    view = schema_view(env.schemas["@sqlite.shop"], "@sqlite.shop")
    assert view.line_of("", "table_4999") is not None
    assert view.line_of("", "table_4999", "column_1") == view.line_of("", "table_4999")
    assert view.text.count("\n") < 70_000
