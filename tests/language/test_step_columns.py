"""The columns that flow from step to step, where the pipeline says them directly."""

from __future__ import annotations

from textwrap import indent

import pytest

from osiris.language.analysis import analyse
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table, TableInfo
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.sql.step_columns import step_columns

FAMILIES = ("mysql", "sqlite", "postgres", "duckdb")
ORDERS = (Column("id", "bigint"), Column("total", "decimal(12,2)"), Column("note", "text"))


def knowledge(family: str) -> SchemaKnowledge:
    catalog = Catalog(f"@{family}.shop", family, [TableInfo("main", "orders")], {("main", "orders"): ORDERS})
    catalog.default_schema = "main"
    return SchemaKnowledge(None, catalog)


ENVIRONMENT = StaticEnvironment(
    connections=parse_connections(
        "connections:\n" + "".join(f"  {family}:\n    shop: {{path: x, host: x}}\n" for family in FAMILIES)
    ),
    schemas={f"@{family}.shop": knowledge(family) for family in FAMILIES},
    file_tables={"rates.csv": Table(TableInfo("", "rates.csv", "file"), (Column("currency", ""), Column("rate", "")))},
)


def pipeline(*steps: str) -> str:
    return "steps:\n" + "".join(f"  - id: s{i}\n{indent(step, '    ')}\n" for i, step in enumerate(steps))


def columns(*steps: str) -> list[str] | None:
    """The columns of the last step, ``name type``."""
    found = step_columns(analyse(pipeline(*steps), ENVIRONMENT), ENVIRONMENT, len(steps) - 1)
    return None if found is None else [f"{column.name} {column.type}".strip() for column in found.columns]


def reader(family: str, config: str) -> str:
    return f'component: {family}.extractor\nmode: read\nconfig: {{connection: "@{family}.shop", {config}}}'


def query(text: str) -> str:
    return f'component: duckdb.processor\nmode: transform\nconfig: {{query: "{text}"}}'


@pytest.mark.parametrize("family", FAMILIES)
def test_a_reader_of_a_table_gives_its_columns(family: str) -> None:
    assert columns(reader(family, "table: orders")) == ["id bigint", "total decimal(12,2)", "note text"]


@pytest.mark.parametrize("family", ["mysql", "sqlite", "postgres"])
def test_or_those_that_it_says_in_its_order(family: str) -> None:
    assert columns(reader(family, "table: orders, columns: [note, ID]")) == ["note text", "id bigint"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_reader_of_a_query_gives_what_can_be_read_of_it(family: str) -> None:
    assert columns(reader(family, 'query: "SELECT o.id AS n, total * 2 AS t FROM orders o"')) == ["n bigint", "t"]
    assert columns(reader(family, 'query: "SELECT count(*) FROM orders"')) is None


def test_a_reader_of_a_file_gives_the_columns_of_its_header() -> None:
    step = "component: filesystem.csv_extractor\nmode: read\nconfig: {path: rates.csv}"

    assert columns(step) == ["currency", "rate"]


def test_a_processor_gives_the_select_list_over_the_steps_before_it() -> None:
    first = reader("mysql", "table: orders")

    assert columns(first, query("SELECT *, 1 AS one FROM df_s0")) == [
        "id bigint",
        "total decimal(12,2)",
        "note text",
        "one",
    ]
    assert columns(first, query("SELECT id FROM df"), query("SELECT id AS key FROM input_df")) == ["key bigint"]
    assert columns(first, query("SELECT * FROM nothing")) is None


@pytest.mark.parametrize(
    "step",
    [
        reader("mysql", "table: unknown"),
        reader("mysql", 'table: "${params.x}"'),
        query("SELECT * FROM df_s0"),
        "component: filesystem.csv_extractor\nmode: read\nconfig: {path: other.csv}",
        "component: mysql.extractor",
        "component: no.such",
        "",
    ],
)
def test_what_cannot_be_known_is_not_known(step: str) -> None:
    assert columns(step) is None


def test_a_long_chain_is_known_from_its_start_on_whatever_is_asked_first() -> None:
    steps = [reader("mysql", "table: orders"), *(query("SELECT * FROM df") for _ in range(60))]
    analysis = analyse(pipeline(*steps), ENVIRONMENT)

    assert step_columns(analysis, ENVIRONMENT, 60) is None
    assert step_columns(analysis, ENVIRONMENT, 20) is not None


def test_steps_in_a_circle_are_not_known() -> None:
    one = query("SELECT * FROM df_s1") + "\nneeds: [s1]"
    two = query("SELECT * FROM df_s0") + "\nneeds: [s0]"

    assert columns(one, two) is None
