"""Columns that the data of the steps before does not have: in SQL, through chains of steps, and in config keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table, TableInfo
from osiris.syntax.diagnostic import Severity

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: data/shop.db, default: true}
  postgres:
    main: {host: db, database: d, user: u, password: "${P}", default: true}
"""
ORDERS = ("id", "customer", "amount")
CSV = "- id: read\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: data/orders.csv}\n"
TABLE = "- id: read\n  component: sqlite.extractor\n  mode: read\n  config: {table: orders}\n"


def transform(name: str, query: str) -> str:
    return f"- id: {name}\n  component: duckdb.processor\n  mode: transform\n  config:\n    query: {query}\n"


def reader(query: str, component: str = "sqlite.extractor") -> str:
    return f"- id: read\n  component: {component}\n  mode: read\n  config:\n    query: {query}\n"


def writer(config: str) -> str:
    return f"- id: store\n  component: sqlite.writer\n  mode: write\n  config: {{table: totals, {config}}}\n"


def table(*columns: str) -> Table:
    return Table(TableInfo("", "orders.csv", "file"), tuple(Column(name, "") for name in columns))


def reading(*, age: timedelta = timedelta(minutes=5), columns: tuple[str, ...] = ORDERS) -> Catalog:
    known = {("", "orders"): tuple(Column(name, "") for name in columns)}
    return Catalog("@x", "sqlite", [TableInfo("", "orders")], known, read_at=datetime.now(UTC) - age)


@pytest.fixture(autouse=True)
def project(check, connections):
    """A project whose ``data/orders.csv`` and whose table ``orders`` have the columns ORDERS."""
    check.env.connections = connections(CONNECTIONS)
    check.env.file_tables = {"data/orders.csv": table(*ORDERS)}
    check.env.schemas = {"@sqlite.shop": SchemaKnowledge(None, reading())}


def document(steps: str) -> str:
    return "oml_version: 0.1.0\nname: o\nsteps:\n" + "".join(f"  {line}\n" for line in steps.splitlines())


def found(analysis):
    return [d for d in analysis.diagnostics if d.code == "OML411"]


@pytest.mark.parametrize(
    "steps",
    [
        CSV + transform("sum-up", "SELECT «OML411 custmer» FROM df_read"),
        CSV + transform("sum-up", "SELECT r.«OML411 custmer», r.id FROM df r"),
        CSV + transform("sum-up", "'SELECT r.«OML411 \"custmer\"» FROM df r'"),
        CSV + transform("sum-up", "|\n      SELECT id,\n        «OML411 custmer»\n      FROM df_read\n"),
        TABLE + transform("sum-up", "SELECT sum(«OML411 amuont») AS total FROM df_read GROUP BY customer"),
        reader("SELECT id, customer AS who FROM orders") + transform("one", "SELECT «OML411 customer» FROM df"),
        reader("SELECT * FROM orders") + transform("sum-up", "SELECT «OML411 amuont» FROM df_read"),
        reader("SELECT a.id, b.total FROM a JOIN b ON a.id = b.id", "postgres.extractor")
        + transform("sum-up", "SELECT «OML411 customer» FROM df_read"),
        TABLE.replace("orders", "orders, columns: [id]") + transform("one", "SELECT «OML411 amount», id FROM df_read"),
        CSV + transform("one", "SELECT customer AS who FROM df") + transform("two", "SELECT «OML411 customer» FROM df"),
        CSV
        + transform("one", "SELECT *, 1 AS n FROM df")
        + transform("two", "SELECT id, n FROM df")
        + transform("three", "SELECT n, «OML411 amount» FROM df_two"),
        CSV + transform("one", "SELECT customer, sum(amount) FROM df GROUP BY 1") + writer("primary_key: [customer]"),
        CSV + transform("one", "SELECT customer FROM df") + writer("primary_key: [«OML411 custmer»]"),
        CSV + writer("write_mode: upsert, primary_key: «OML411 key»"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_an_error_where_it_stands(check, steps):
    for problem in found(check.steps(steps)):
        assert problem.severity is Severity.ERROR


@pytest.mark.parametrize(
    "steps",
    [
        CSV + transform("one", "SELECT ${params.x} FROM df") + transform("two", "SELECT nothing FROM df"),
        CSV + transform("one", "PIVOT df ON id IN (1) USING sum(amount)") + transform("two", "SELECT nothing FROM df"),
        CSV.replace("orders.csv", "other.csv") + transform("one", "SELECT nothing FROM df"),
        TABLE.replace("orders", "unheard") + transform("one", "SELECT nothing FROM df"),
        reader("SELECT count(*) FROM orders") + transform("one", "SELECT nothing FROM df"),
        reader("SELECT * FROM unheard") + transform("one", "SELECT nothing FROM df"),
        reader("SELECT * FROM orders PARTITION (p)") + transform("one", "SELECT id FROM df"),
        reader("SELECT id, id FROM orders") + transform("one", "SELECT id_1 FROM df"),
        "- id: read\n  component: no.such\n  mode: read\n" + transform("one", "SELECT nothing FROM df"),
        "- id: read\n  component: graphql.extractor\n  mode: read\n  config: {query: '{a {b}}'}\n"
        + transform("one", "SELECT nothing FROM df"),
        CSV + transform("one", "SELECT nothing FROM df_one").replace("mode: t", "needs: [one]\n  mode: t"),
        CSV + transform("one", "SELECT nothing FROM df") + "  needs: [read, missing]\n",
        CSV.replace("}", ", parse_dates: nothing, header: '${params.h}'}") + transform("one", "SELECT nothing FROM df"),
    ],
)
def test_nothing_is_said_where_the_columns_are_not_known(check, steps):
    body = "".join(f"  {line}\n" for line in steps.splitlines())

    head = "oml_version: 0.1.0\nname: o\nparams: {x: id, h: {type: boolean, sensitive: true}}\nsteps:\n"
    assert [d.message for d in found(check.analyse(head + body))] == []


def test_the_message_names_the_data_its_columns_and_what_was_meant(check):
    [csv] = found(check.steps(CSV + transform("one", "SELECT «OML411 custmer» FROM df_read")))
    assert csv.message == (
        "`df_read` has no column `custmer`: it is the file `data/orders.csv`. Did you mean `customer`? It has `id`, "
        "`customer`, `amount`."
    )
    [related] = csv.related
    assert related.message == "`read` gives this."
    [alias] = found(check.steps(TABLE + transform("one", "SELECT r.«OML411 x» FROM df r")))
    assert alias.message == (
        "`r` has no column `x`: it is the table `orders` of `@sqlite.shop`, by the step `read`. It has `id`, "
        "`customer`, `amount`. (Read 5 minutes ago; `osiris discover @sqlite.shop` reads it anew.)"
    )
    two = transform("one", "SELECT id FROM df") + transform("two", "SELECT «OML411 amount» FROM df_one")
    [chain] = found(check.steps(CSV + two))
    assert chain.message == "`df_one` has no column `amount`: it is the result of its query. It has `id`."
    [both] = found(check.steps(CSV + transform("one", "SELECT «OML411 amuont» FROM df a JOIN df b USING (id)")))
    assert both.message == (
        "None of `a`, `b` has a column `amuont`. Did you mean `amount`? They have `id`, `customer`, `amount`."
    )
    [table_] = found(check.steps(CSV + transform("one", "SELECT «OML411 reed».id FROM df_read read")))
    assert table_.message == "There is no table or column `reed` here. Did you mean `read`?"
    [key] = found(check.steps(CSV + writer("primary_key: [«OML411 Idd»]")))
    assert key.message == (
        "The data of `read` has no column `Idd`: it is the file `data/orders.csv`. Did you mean `id`? It has `id`, "
        "`customer`, `amount`."
    )


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        ("SELECT custmer FROM df", "SELECT customer FROM df"),
        ("SELECT r.amuont FROM df r", "SELECT r.amount FROM df r"),
        ("'SELECT \"custmer\" FROM df'", "'SELECT \"customer\" FROM df'"),
        ('"SELECT r.\\"custmer\\" FROM df r"', '"SELECT r.\\"customer\\" FROM df r"'),
        ("SELECT reed.id FROM df read", "SELECT read.id FROM df read"),
    ],
)
def test_the_fix_writes_the_right_name(check, mend, query, mended):
    text = "oml_version: 0.1.0\nname: o\nsteps:\n" + CSV + transform("one", "QUERY")

    assert mend(text.replace("QUERY", query), "OML411") == text.replace("QUERY", mended)


@pytest.mark.parametrize("cell", ["17", "-3.5", "2026-11-23", "ada@example.org"])
def test_a_row_in_place_of_the_names_is_repeated_nowhere(check, cell):
    check.env.file_tables = {"data/orders.csv": table("Ada", cell), "data/years.csv": table("country", "2025")}
    steps = (
        CSV + transform("one", "SELECT adda FROM df") + transform("two", "SELECT * FROM df_read") + "  needs: [read]\n"
    )
    steps += writer("primary_key: [adda]") + CSV.replace("id: read", "id: wish").replace(
        "csv}", "csv, columns: [adda]}"
    )
    messages = [problem.message for problem in found(check.analyse(document(steps)))]

    assert len(messages) == 3
    assert all("`header: false`" in message and "Ada" not in message and cell not in message for message in messages)
    [years] = found(check.analyse(document(CSV.replace("orders", "years") + transform("one", "SELECT x FROM df"))))
    assert years.message.endswith("It has `country`, `2025`.")


def test_what_rests_on_old_knowledge_is_a_hint_that_says_how_old(check):
    steps = TABLE + transform("one", "SELECT * FROM df") + transform("two", "SELECT «OML411 amuont» FROM df")
    check.env.schemas = {"@sqlite.shop": SchemaKnowledge(None, reading(age=timedelta(days=3)))}

    [hint] = found(check.steps(steps))
    assert hint.severity is Severity.HINT
    assert hint.message.endswith(
        "Did you mean `amount`? It has `id`, `customer`, `amount`. (`orders` was read 3 days ago; `osiris discover "
        "@sqlite.shop` reads it anew.)"
    )

    check.env.schemas = {"@sqlite.shop": SchemaKnowledge(reading(age=timedelta(days=3)), None)}
    locked = [d for d in check.analyse(_document(steps)).diagnostics if d.code == "OML411"]
    assert [d.severity for d in locked] == [Severity.ERROR]


def test_what_was_read_is_told_with_its_age_to_whoever_has_changed_the_table_since(check):
    said = "(Read 5 minutes ago; `osiris discover @sqlite.shop` reads it anew.)"
    reads = (TABLE, reader("SELECT * FROM orders"))
    for steps in (
        *(read + transform("one", "SELECT «OML411 vat» FROM df") for read in reads),
        TABLE + transform("one", "SELECT * FROM df") + transform("two", "SELECT «OML411 vat» FROM df_one"),
        TABLE + writer("write_mode: upsert, primary_key: [«OML411 vat»]"),
    ):
        [problem] = found(check.steps(steps))
        assert problem.severity is Severity.ERROR
        assert problem.message.endswith(said)
    [certain] = found(check.steps(reader("SELECT id FROM orders") + transform("one", "SELECT «OML411 vat» FROM df")))
    assert "Read" not in certain.message


def test_what_was_read_before_the_file_of_the_database_changed_is_a_hint_that_says_so(check):
    check.env.schemas = {"@sqlite.shop": SchemaKnowledge(None, reading(), changed_at=datetime.now(UTC))}
    said = "was read 5 minutes ago, and the file of the database has changed since; `osiris discover @sqlite.shop`"
    for steps in (
        TABLE + transform("one", "SELECT «OML411 vat» FROM df"),
        TABLE + writer("write_mode: upsert, primary_key: [«OML411 vat»]"),
        reader("SELECT «OML411 vat» FROM orders"),
        TABLE.replace("orders", "orders, columns: [«OML411 vat»]"),
    ):
        [hint] = found(check.steps(steps))
        assert hint.severity is Severity.HINT
        assert said in hint.message or "5 minutes ago, and the file of the database has changed since." in hint.message
    [table_] = [d for d in check.steps(reader("SELECT id FROM «OML410 other»")).diagnostics if d.code == "OML410"]
    assert table_.severity is Severity.HINT

    before = SchemaKnowledge(None, reading(), changed_at=datetime.now(UTC) - timedelta(minutes=6))
    check.env.schemas = {"@sqlite.shop": before}
    [problem] = found(check.steps(TABLE + transform("one", "SELECT «OML411 vat» FROM df")))
    assert problem.severity is Severity.ERROR


def test_what_another_pipeline_writes_is_a_hint(check):
    query = transform("one", "SELECT «OML411 amuont» FROM df")
    check.env.writers = {("@sqlite.shop", "orders"): ["load.oml"]}
    check.env.file_writers = {"data/orders.csv": ["load.oml"]}
    for steps, what in ((TABLE, "orders"), (CSV, "data/orders.csv")):
        [hint] = found(check.steps(steps + query))
        assert hint.severity is Severity.HINT
        assert hint.message.endswith(f" (`load.oml` writes `{what}`, and may bring the column.)")


def test_what_the_pipeline_itself_writes_is_not_judged(check):
    rows = "- id: rows\n  component: filesystem.csv_extractor\n  mode: read\n  config: {path: data/rows.csv}\n"
    store = "- id: store\n  component: sqlite.writer\n  mode: write\n  config: {table: orders}\n"
    save = "- id: save\n  component: filesystem.csv_writer\n  mode: write\n  config: {path: data/orders.csv}\n"
    query = transform("one", "SELECT nothing FROM df_read") + "  needs: [read]\n"

    for write, read in ((store, TABLE), (save, CSV)):
        assert not found(check.analyse(_document(rows + write + read + query)))


def test_a_wrong_name_is_told_once_and_not_again_by_the_steps_behind_it(check):
    use = transform("one", "SELECT customer FROM df")
    check.steps(reader("SELECT id, «OML411 custmer» FROM orders") + use)
    check.steps(TABLE.replace("orders", "orders, columns: [«OML411 custmer»]") + use)
    check.steps(CSV.replace("csv}", "csv, columns: [«OML411 custmer»]}") + use)
    check.steps(CSV + transform("zero", "SELECT «OML411 custmer» FROM df") + use)


def test_steps_may_stand_in_any_order_and_data_goes_where_it_is_wired(check):
    late = transform("two", "SELECT «OML411 amount» FROM df_one") + "  needs: [one]\n"
    early = transform("one", "SELECT id FROM df_read") + "  needs: [read]\n"
    check.steps(late + early + CSV + "  needs: []\n")

    wired = transform("one", "SELECT x.id, «OML411 y».id FROM x")
    check.steps(CSV + wired + '  inputs: {x: "${read.df}"}\n')


def test_a_change_of_the_file_counts_at_the_next_analysis_and_of_a_step_for_those_behind_it(check):
    from osiris.language.analysis import Analyzer
    from osiris.syntax.document import PartCache, parse

    text = _document(CSV + transform("one", "SELECT * FROM df") + transform("two", "SELECT customer FROM df"))
    analyzer, cache = Analyzer(check.env.registry), PartCache()

    def problems(changed: str) -> list[str]:
        analysis = analyzer.analyse(parse(changed, cache), check.env)
        return [changed[d.span.start : d.span.end] for d in found(analysis)]

    assert problems(text) == []
    assert problems(text.replace("SELECT *", "SELECT id")) == ["customer"]
    assert problems(text) == []
    check.env.file_tables = {"data/orders.csv": table("id", "client")}
    assert problems(text) == ["customer"]


def test_a_chain_of_a_thousand_steps_is_followed_to_its_end(check):
    chain = "".join(transform(f"s{i}", f"SELECT *, {i} AS n{i} FROM df") for i in range(1000))

    [problem] = found(
        check.analyse(_document(CSV + chain + transform("last", "SELECT n0, n999, n1000, amount FROM df")))
    )

    assert problem.message.startswith("`df` has no column `n1000`")


def _document(steps: str) -> str:
    plain = steps.replace("«OML411 ", "").replace("»", "")
    return "oml_version: 0.1.0\nname: orders\nsteps:\n" + "".join(f"  {line}\n" for line in plain.splitlines())
