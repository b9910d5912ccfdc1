"""Tables and columns in SQL, against what is known of the database and of the steps before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.syntax.diagnostic import Severity

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: data/shop.db, default: true}
  postgres:
    main: {host: db, database: d, user: u, password: "${P}", default: true}
"""
TABLES = {"orders": ("id", "amount", "status"), "customers": ("id", "name")}
SQLITE = "- id: extract\n  component: sqlite.extractor\n  mode: read\n  config:\n"
POSTGRES = SQLITE.replace("sqlite", "postgres")


def reading(dialect="sqlite", tables=TABLES, *, age=timedelta(minutes=5), home=""):
    infos = [TableInfo(home, name) for name in tables]
    columns = {(home, name): tuple(Column(column, "") for column in names) for name, names in tables.items()}
    return Catalog("@x.y", dialect, infos, columns, default_schema=home, read_at=datetime.now(UTC) - age)


@pytest.fixture
def knows(check, connections):
    """Sets what is known of ``@sqlite.shop``, or of another connection."""
    check.env.connections = connections(CONNECTIONS)

    def put(discovered=None, locked=None, reference="@sqlite.shop"):
        check.env.schemas = {reference: SchemaKnowledge(locked, discovered)}

    return put


@pytest.mark.parametrize(
    "query",
    [
        "SELECT o.«OML411 amuont», «OML411 x» FROM orders o".replace("«OML411 x»", "o.id"),
        "SELECT «OML411 amuont» FROM orders",
        '"SELECT «OML411 amuont» FROM orders"',
        "'SELECT «OML411 amuont» FROM orders'",
        "|\n      SELECT id,\n        «OML411 amuont»\n      FROM orders",
        ">\n      SELECT id,\n      orders.«OML411 amuont»\n      FROM orders",
        "SELECT id FROM «OML410 ordres»",
        "'SELECT id FROM «OML410 \"ordres\"»'",
        "|\n      SELECT o.id FROM orders o\n      JOIN «OML410 custmers» c ON c.id = o.«OML411 statis»",
    ],
)
def test_a_name_that_is_not_there_is_an_error_where_it_stands(check, knows, query):
    knows(reading())
    for problem in check.steps(f"{SQLITE}    query: {query}\n").diagnostics:
        assert problem.severity is Severity.ERROR


def test_the_messages_say_what_is_there_and_how_old_that_is(check, knows):
    knows(reading())
    [column] = check.steps(f"{SQLITE}    query: SELECT «OML411 amuont» FROM orders\n").diagnostics
    read = "(Read 5 minutes ago; `osiris discover @sqlite.shop` reads them anew.)"
    assert column.message == f"`orders` has no column `amuont`. Did you mean `amount`? {read}"
    [related] = column.related
    assert related.message == "This is the table."
    [table] = check.steps(f"{SQLITE}    query: SELECT id FROM «OML410 nowhere»\n").diagnostics
    assert table.message == f"`@sqlite.shop` has no table `nowhere`. There is `orders`, `customers`. {read}"


def test_old_knowledge_gives_hints(check, knows):
    knows(reading(age=timedelta(days=3)))
    for query in ("SELECT «OML411 amuont» FROM orders", "SELECT id FROM «OML410 ordres»"):
        [problem] = check.steps(f"{SQLITE}    query: {query}\n").diagnostics
        assert problem.severity is Severity.HINT
        assert "when it was read, 3 days ago" in problem.message


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        ("SELECT amuont FROM orders", "SELECT amount FROM orders"),
        ("'SELECT \"amuont\" FROM t'", "'SELECT \"amuont\" FROM t'"),
        ("'SELECT o.\"amuont\" FROM orders o'", "'SELECT o.\"amount\" FROM orders o'"),
        ('"SELECT o.\\"amuont\\" FROM orders o"', '"SELECT o.\\"amount\\" FROM orders o"'),
        ("SELECT o.[amuont] FROM orders o", "SELECT o.[amount] FROM orders o"),
        ("SELECT o.`amuont` FROM orders o", "SELECT o.`amount` FROM orders o"),
        ("SELECT o.ful_name FROM orders o", 'SELECT o."full name" FROM orders o'),
    ],
)
def test_the_fix_keeps_the_quotes(check, mend, knows, query, mended):
    knows(reading(tables={"orders": ("amount", "full name"), "t": ("id",)}))
    text = f"oml_version: 0.1.0\nname: o\nsteps:\n{SQLITE}    query: {{}}\n"
    if query != mended:
        assert mend(text.format(query), "OML411") == text.format(mended)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM orders_${params.x}",
        "SELECT id FROM ${params.t}",
        "SELECT o.${params.c} FROM orders o",
        "SELECT o.amount_${params.c} FROM orders o",
        "SELECT amount AS ${params.c} FROM orders ORDER BY total",
    ],
)
def test_a_name_that_a_parameter_completes_is_not_judged(check, knows, query):
    knows(reading())
    params = "params: {x: a, t: orders, c: total}\n"
    text = f"oml_version: 0.1.0\nname: o\n{params}steps:\n{SQLITE}    query: {query}\n"
    assert not [d for d in check.analyse(text).diagnostics if d.code in ("OML410", "OML411")]


def test_a_value_of_a_parameter_does_not_stand_in_the_way(check, knows):
    knows(reading())
    check(
        "oml_version: 0.1.0\nname: o\nparams: {n: 1}\nsteps:\n"
        f"{SQLITE}    query: SELECT «OML411 amuont» FROM orders WHERE id > ${{params.n}}\n"
    )


def test_postgres_reads_names_without_quotes_as_lower_case(check, knows):
    knows(reading("postgres", {"Orders": ("id", "Total")}, home="public"), reference="@postgres.main")
    check.steps(f'{POSTGRES}    query: \'SELECT o.id, o."Total" FROM "Orders" o\'\n')
    [table] = check.steps(f"{POSTGRES}    query: SELECT id FROM «OML410 Orders»\n").diagnostics
    assert table.message == "The table is called `Orders`: without quotes it means lower case."
    [column] = check.steps(f"{POSTGRES}    query: 'SELECT o.«OML411 Total» FROM \"Orders\" o'\n").diagnostics
    assert "Did you mean `Total`?" in column.message


WRITE = """
- id: rows
  component: filesystem.csv_extractor
  mode: read
  config: {path: a.csv}
- id: store
  component: sqlite.writer
  mode: write
  config: {table: %s}
"""


def test_what_a_writer_of_the_pipeline_makes_need_not_be_there(check, knows):
    knows(reading())
    check.steps(WRITE % "revenue" + f"{SQLITE}    query: SELECT total FROM revenue\n")
    check.steps(WRITE % "orders" + f"{SQLITE}    query: SELECT amuont FROM orders\n")


def test_what_another_pipeline_writes_is_a_hint(check, knows):
    knows(reading())
    check.env.writers = {("@sqlite.shop", "revenue"): ["load.oml"], ("@sqlite.shop", "orders"): ["load.oml"]}
    [table] = check.steps(f"{SQLITE}    query: SELECT total FROM «OML410 revenue»\n").diagnostics
    assert table.severity is Severity.HINT
    assert table.message == "`@sqlite.shop` has no table `revenue` yet. `load.oml` writes it: that has to run first."
    [column] = check.steps(f"{SQLITE}    query: SELECT «OML411 amuont» FROM orders\n").diagnostics
    assert column.severity is Severity.HINT
    assert column.message.endswith(" `load.oml` writes the table, and may bring the column.")


def test_a_column_that_only_the_lock_lacks_asks_for_its_update(check, knows):
    new = reading(tables={"orders": ("id", "amount", "amounts")})
    knows(new, locked=reading(tables={"orders": ("id", "amount")}))
    for text in (
        "    query: SELECT amounts FROM orders\n",
        "    table: orders\n    columns: [amounts]\n",
    ):
        analysis = check.analyse(f"oml_version: 0.1.0\nname: o\nsteps:\n{SQLITE}{text}")
        [problem] = [d for d in analysis.diagnostics if d.code == "OML411"]
        assert problem.message == (
            "`orders` has a column `amounts` in `@sqlite.shop` (read 5 minutes ago), but not yet in "
            "osiris.schema.json, by which this pipeline is checked. Run `osiris discover --lock`."
        )
        assert not problem.fixes


def test_a_table_that_the_lock_lacks_is_a_hint(check, knows):
    knows(None, locked=reading(tables={"orders": ("id",)}))
    [problem] = check.steps(f"{SQLITE}    query: SELECT id FROM «OML412 ordres»\n").diagnostics
    assert "Did you mean `orders`? Run `osiris discover --lock`." in problem.message


TRANSFORM = """\
- id: sum-up
  component: duckdb.processor
  mode: transform
  config:
    query: {}
"""


@pytest.mark.parametrize(
    "query",
    [
        "SELECT «OML411 amuont» FROM df_extract",
        "SELECT d.«OML411 amuont» FROM df_extract d",
        "SELECT «OML411 amuont» FROM df",
        "SELECT df.Amount, STATUS FROM df",
        "WITH t AS (SELECT id AS amuont FROM df) SELECT amuont FROM t",
    ],
)
def test_the_data_of_a_step_that_reads_a_table_has_its_columns(check, knows, query):
    knows(reading())
    check.steps(f"{SQLITE}    table: orders\n" + TRANSFORM.format(query))


def test_the_data_of_a_step_that_reads_some_columns_has_only_these(check, knows):
    knows(reading())
    step = f"{SQLITE}    table: orders\n    columns: [id]\n"
    [problem] = check.steps(step + TRANSFORM.format("SELECT «OML411 amount» FROM df_extract")).diagnostics
    assert problem.message == (
        "`df_extract` has no column `amount`: it is the table `orders` of `@sqlite.shop`. It has `id`. (Read 5 minutes "
        "ago; `osiris discover @sqlite.shop` reads it anew.)"
    )
