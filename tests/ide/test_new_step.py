"""A new step from a table: what it says, and where it goes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from known import KNOWN, catalog, knowing
from marked import ENVIRONMENT, analysed

from osiris.ide.refactoring.new_step import NewStep, fresh_id, new_step
from osiris.language.analysis import Analysis
from osiris.language.catalog import Column, TableInfo
from osiris.language.connections import Connection
from osiris.language.edits import applied
from osiris.language.environment import StaticEnvironment

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.oml.yaml"))
STEP = """\
  - id: extract-customers
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: customers
      columns: [id, name]
"""


def connection(reference: str, env: StaticEnvironment) -> Connection:
    assert env.connections is not None
    family, _, alias = reference.removeprefix("@").partition(".")
    found = env.connections.get(family, alias)
    assert found is not None
    return found


def made(
    marked: str,
    table: str = "customers",
    *,
    schema: str | None = None,
    reference: str = "@sqlite.shop",
    env: StaticEnvironment = KNOWN,
) -> str:
    """The document with the new step, at the cursor if there is one. It has no findings that it had not before."""
    before, cursor, after = marked.partition("<|>")
    text = before + after
    analysis = analysed(text, env)
    found = new_step(analysis, env, connection(reference, env), table, schema, len(before) if cursor else None)
    assert found.refused is None
    result = applied(text, found.edits)
    again = analysed(result, env)
    assert not [d for d in again.diagnostics if d.code < "OML1"], result
    assert found.step_id in [step.id for step in again.pipeline.steps]
    return result


def test_an_empty_document_becomes_a_pipeline() -> None:
    head = 'oml_version: "0.1.0"\nname: customers\n\nsteps:\n'
    assert made("") == head + STEP
    assert made("# mine\n") == "# mine\n\n" + head + STEP
    assert analysed(made(""), KNOWN).ok


def test_a_document_without_steps_gets_them() -> None:
    assert made('oml_version: "0.1.0"\nname: o\n') == 'oml_version: "0.1.0"\nname: o\n\nsteps:\n' + STEP
    assert made('oml_version: "0.1.0"\nname: o') == 'oml_version: "0.1.0"\nname: o\n\nsteps:\n' + STEP
    assert made("name: o\nsteps:\n") == "name: o\nsteps:\n" + STEP
    assert made("name: o\nsteps:\nparams: {}\n") == "name: o\nsteps:\n" + STEP + "params: {}\n"
    assert made("name: o\nsteps: []\n") == "name: o\nsteps:\n" + STEP


def test_behind_the_last_step_without_a_cursor() -> None:
    before = "name: o\nsteps:\n" + STEP
    assert made(before, "orders") == before + STEP.replace("customers", "orders").replace(
        "[id, name]", '[id, customer_id, amount, full name, "null"]'
    )


def test_behind_the_step_at_the_cursor_whose_successor_still_waits_for_it() -> None:
    text = dedent("""\
        name: o
        steps:
          - id: first
            component: sqlite.extractor
            mode: re<|>ad
            config:
              table: orders  # all of it

          # what follows
          - id: second
            component: duckdb.processor
            mode: transform
            config:
              query: |
                SELECT * FROM df

        """)
    step = STEP.rstrip("\n")
    assert made(text) == (
        text.replace("<|>", "")
        .replace("# all of it\n", f"# all of it\n\n{step}\n")
        .replace("mode: transform\n", "mode: transform\n    needs: [first]\n")
    )


def test_the_manner_of_the_steps_around_is_kept() -> None:
    step = "-   id: a\n    component: sqlite.extractor\n    mode: read\n    config:\n        table: orders\n"
    text = f"name: o\nsteps:\n{step}".replace("\n", "\r\n")
    assert made(text).removeprefix(text) == (
        "-   id: extract-customers\r\n    component: sqlite.extractor\r\n    mode: read\r\n    config:\r\n"
        '        connection: "@sqlite.shop"\r\n        table: customers\r\n        columns: [id, name]\r\n'
    )
    flow = "steps: [{id: a, component: sqlite.extractor, mode: read, config: {table: orders}}]\n"
    assert made(flow) == flow.replace(
        "}}]",
        '}}, {id: extract-customers, component: sqlite.extractor, mode: read, config: {connection: "@sqlite.shop", '
        "table: customers, columns: [id, name]}}]",
    )


def test_text_behind_a_last_line_without_its_end() -> None:
    text = "name: o\nsteps:\n" + STEP.rstrip("\n")
    assert made(text, "open_orders").startswith(text + "\n  - id: extract-open-orders\n")


def test_the_schema_is_said_where_it_is_not_the_default_one() -> None:
    assert "      schema: sales\n      table: visits\n      columns: [day]\n" in made(
        "", "visits", schema="sales", reference="@mysql.crm"
    )
    assert '"@mysql.crm"\n      table: people\n' in made("", "people", schema="crm", reference="@mysql.crm")


def test_many_columns_stand_below_one_another() -> None:
    columns = tuple(Column(f"a_rather_long_name_{number}", "int") for number in range(6))
    env = knowing(catalog({"t": (TableInfo("", "t"), columns)}))
    assert made("", "t", env=env).endswith(
        "      columns:\n" + "".join(f"        - {column.name}\n" for column in columns)
    )


def test_unknown_columns_are_left_to_the_table() -> None:
    assert made("", "secret plans").endswith("      table: secret plans\n")
    assert made("", "anything", env=ENVIRONMENT).endswith("      table: anything\n")


@pytest.mark.parametrize(
    ("table", "taken", "name"),
    [
        ("orders", (), "extract-orders"),
        ("OrderLines", (), "extract-order-lines"),
        ("orders", ("extract-orders",), "extract-orders-2"),
        ("orders", ("Extract_Orders", "extract-orders-2"), "extract-orders-3"),
        ("Größe & Maß", (), "extract-grosse-mass"),
        ("日本", (), "extract-table"),
        ("x" * 300, (), "extract-" + "x" * 60),
        ("data/2024/orders.csv", (), "extract-orders"),
    ],
)
def test_the_id_is_new_and_in_kebab_case(table: str, taken: tuple[str, ...], name: str) -> None:
    assert fresh_id(table, taken) == name


def test_what_cannot_be_done_is_said() -> None:
    shop = connection("@sqlite.shop", KNOWN)
    refused = new_step(analysed("- a\n- b\n", KNOWN), KNOWN, shop, "orders")
    assert refused == NewStep(refused="This file is no pipeline: its top level is not a map.")
    refused = new_step(analysed("steps: 3\n", KNOWN), KNOWN, shop, "orders")
    assert refused.refused is not None
    other = Connection("nothing", "x", {}, False, shop.span)
    assert new_step(analysed("", KNOWN), KNOWN, other, "t").refused == "No component reads a table of @nothing.x."


def test_a_file_is_read_by_the_component_for_its_kind() -> None:
    files = Connection("filesystem", "in", {}, False, connection("@sqlite.shop", KNOWN).span)
    found = new_step(analysed("", KNOWN), KNOWN, files, "sales/orders.tsv")
    assert applied("", found.edits).endswith(
        "    component: filesystem.csv_extractor\n    mode: read\n    config:\n"
        '      connection: "@filesystem.in"\n      path: sales/orders.tsv\n      delimiter: "\\t"\n'
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_wherever_it_goes_the_other_steps_stay_and_wait_for_what_they_waited_for(example: Path, line_end: str) -> None:
    text = example.read_text(encoding="utf-8").replace("\n", line_end)
    before = analysed(text, KNOWN)
    for place in [None, *(step.base + 3 for step in before.pipeline.steps)]:
        found = new_step(before, KNOWN, connection("@sqlite.shop", KNOWN), "customers", offset=place)
        after = analysed(applied(text, found.edits), KNOWN)
        assert [s.id for s in after.pipeline.steps if s.id != found.step_id] == [s.id for s in before.pipeline.steps]
        waits = waiting(after)
        del waits[found.step_id]
        assert waits == waiting(before)
        assert "\n" not in after.document.text.replace(line_end, "")


def waiting(analysis: Analysis) -> dict[str | None, list[str | None]]:
    steps = analysis.pipeline.steps
    return {step.id: [steps[i].id for i in analysis.graph.upstream[step.index]] for step in steps}
