"""Tables and columns that steps name, against what is known of the databases behind their connections."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from osiris.core.schema_lock import compare_tables
from osiris.language.analysis import Analyzer
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table, TableInfo
from osiris.language.schema_drift import table_changes
from osiris.syntax.diagnostic import Severity
from osiris.syntax.document import PartCache, parse

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: data/shop.db, default: true}
  mysql:
    crm: {host: db, database: crm, user: reader, password: "${CRM_PASSWORD}"}
    other: {host: db, database: crm, user: reader, password: "${CRM_PASSWORD}", schema: sales}
  supabase:
    app: {url: "https://abcdefgh.supabase.co", key: "${APP_KEY}"}
"""
TABLES = {"orders": ("id", "amount", "status"), "Customers": ("id", "full name"), "sales.regions": ("id", "label")}


def reading(dialect="sqlite", tables=TABLES, *, age=timedelta(minutes=5), complete=True, written=()):
    infos, columns = [], {}
    for name, names in tables.items():
        schema, _, table = name.rpartition(".")
        infos.append(TableInfo(schema, table, written=name in written))
        columns[schema, table] = tuple(Column(column, "TEXT") for column in names) if names is not None else None
    return Catalog("@x.y", dialect, infos, columns, complete=complete, read_at=datetime.now(UTC) - age)


@pytest.fixture
def knows(check, connections):
    """Sets what is known of ``@sqlite.shop``, or of another connection; nothing is known of the others."""
    check.env.connections = connections(CONNECTIONS)

    def put(discovered=None, locked=None, reference="@sqlite.shop"):
        check.env.schemas = {reference: SchemaKnowledge(locked, discovered)}

    return put


READ = """
- id: extract
  component: sqlite.extractor
  mode: read
  config:
    connection: "@sqlite.shop"
"""


def found(analysis, code):
    return [d for d in analysis.diagnostics if d.code == code]


# -- unknown tables


def test_an_unknown_table_of_a_fresh_reading_is_an_error(check, knows):
    knows(reading())
    [problem] = check.steps(READ + "    table: «OML410 ordres»\n").diagnostics
    assert problem.severity is Severity.ERROR
    assert problem.message == (
        "`@sqlite.shop` has no table `ordres`. Did you mean `orders`? (Read 5 minutes ago; `osiris discover "
        "@sqlite.shop` reads them anew.)"
    )


def test_of_an_old_reading_it_is_a_hint_that_says_how_old(check, knows):
    knows(reading(age=timedelta(days=3)))
    [problem] = check.steps(READ + "    table: «OML410 invoices»\n").diagnostics
    assert problem.severity is Severity.HINT
    assert problem.message == (
        "`@sqlite.shop` had no table `invoices` when it was read, 3 days ago. Run `osiris discover @sqlite.shop` to be "
        "sure. There is `orders`, `Customers`, `sales.regions`."
    )


def test_of_a_reading_that_lies_far_ahead_since_the_clock_was_set_back_it_is_a_hint(check, knows):
    knows(reading(age=-timedelta(days=3)))
    [problem] = check.steps(READ + "    table: «OML410 ordres»\n").diagnostics
    assert problem.severity is Severity.HINT


def test_of_a_reading_that_is_not_complete_it_is_a_hint(check, knows):
    knows(reading(complete=False))
    [problem] = check.steps(READ + "    table: «OML410 ordres»\n").diagnostics
    assert problem.severity is Severity.HINT
    assert "has no table `ordres` that could be read 5 minutes ago. Did you mean `orders`?" in problem.message


@pytest.mark.parametrize("written", ["orders", "ORDERS", '"orders"', "sales.regions"])
def test_a_table_that_is_there_has_no_finding(check, knows, written):
    knows(reading())
    check.steps(READ + f"    table: {written}\n")


def test_mysql_looks_for_a_table_in_no_other_database_by_itself(check, knows):
    infos = (TableInfo("crm", "people"), TableInfo("sales", "visits"))
    now = datetime.now(UTC)
    knows(Catalog("@mysql.crm", "mysql", infos, {}, default_schema="crm", read_at=now), reference="@mysql.crm")
    step = "- id: extract\n  component: mysql.extractor\n  mode: read\n  config:\n    connection: '@mysql.crm'\n"
    check.steps(step + "    table: people\n")
    check.steps(step + "    schema: sales\n    table: visits\n")
    [problem] = check.steps(step + "    table: «OML410 visits»\n").diagnostics
    assert problem.message.startswith("`@mysql.crm` has no table `visits`. There is one in `sales`. (Read just now")


def test_the_own_schemas_of_a_server_are_not_judged_since_no_reading_holds_them(check, knows):
    knows(reading("mysql"), reference="@mysql.crm")
    step = "- id: extract\n  component: mysql.extractor\n  mode: read\n"
    check.steps(step + '  config: {connection: "@mysql.crm", schema: information_schema, table: tables}\n')


def test_the_default_connection_counts_where_a_step_names_none(check, knows):
    knows(reading())
    check.steps(READ.replace('    connection: "@sqlite.shop"\n', "") + "    table: «OML410 ordres»\n")


def test_nothing_is_said_where_nothing_is_known(check, knows):
    knows(None)
    check.steps(READ + "    table: ordres\n    columns: [x]\n")
    check.env.schemas = {}
    check.steps(READ + "    table: ordres\n    columns: [x]\n")


def test_a_step_that_leads_to_another_database_is_not_judged(check, knows):
    knows(reading())
    check.steps(READ + "    path: data/other.db\n    table: ordres\n")


def test_a_table_that_another_pipeline_writes_is_a_hint(check, knows):
    knows(reading())
    check.env.writers = {("@sqlite.shop", "revenue"): ["load.oml"]}
    [problem] = check.steps(READ + "    table: «OML410 Revenue»\n").diagnostics
    assert problem.severity is Severity.HINT
    assert problem.message == "`@sqlite.shop` has no table `Revenue` yet. `load.oml` writes it: that has to run first."


def test_a_table_that_a_writer_makes_need_not_be_there(check, knows):
    knows(reading())
    check.steps(
        """
        - id: numbers
          component: filesystem.csv_extractor
          mode: read
          config: {path: a.csv}
        - id: store
          component: sqlite.writer
          mode: write
          config: {table: revenue}
        - id: again
          component: sqlite.extractor
          mode: read
          config: {table: Revenue}
        """.replace("\n        ", "\n")
    )


def test_the_case_of_letters_counts_where_the_database_says_so(check, knows):
    step = """
- id: extract
  component: {}.extractor
  mode: read
  config: {{table: {}, connection: "@{}"}}
"""
    knows(reading("postgres"), reference="@supabase.app")
    [problem] = check.steps(step.format("supabase", "«OML410 customers»", "supabase.app")).diagnostics
    assert problem.severity is Severity.ERROR
    assert problem.message == "The table is called `Customers`: the case of the letters counts here."
    knows(reading("mysql"), reference="@mysql.crm")
    [problem] = check.steps(step.format("mysql", "«OML410 customers»", "mysql.crm")).diagnostics
    assert problem.severity is Severity.HINT
    assert problem.fixes[0].title == "Replace by `Customers`"


def test_tables_are_looked_for_in_the_schema_that_the_step_or_its_connection_says(check, knows):
    step = '\n- id: extract\n  component: mysql.extractor\n  mode: read\n  config:\n    connection: "@mysql.{}"\n'
    knows(reading("mysql"), reference="@mysql.crm")
    check.steps(step.format("crm") + "    schema: sales\n    table: regions\n")
    check.steps(step.format("crm") + "    schema: sales\n    table: «OML410 orders»\n")
    [problem] = check.steps(step.format("crm") + "    schema: «OML410 sale»\n    table: regions\n").diagnostics
    assert problem.message.startswith("`@mysql.crm` has no schema `sale`. Did you mean `sales`? (Read 5 minutes ago")
    knows(reading("mysql"), reference="@mysql.other")
    check.steps(step.format("other") + "    table: regions\n")
    check.steps(step.format("other") + "    table: «OML410 orders»\n")


def test_the_fix_keeps_the_quotes(mend, check, knows):
    knows(reading())
    text = "oml_version: 0.1.0\nname: o\nsteps:\n" + READ + "    table: {}\n"
    assert mend(text.format("'ordres'"), "OML410").endswith("table: 'orders'\n")
    assert mend(text.format('"ordres"'), "OML410").endswith('table: "orders"\n')
    assert mend(text.format("ordres # all"), "OML410").endswith("table: orders # all\n")


# -- unknown columns


@pytest.mark.parametrize(
    "columns",
    [
        "[id, «OML411 amuont»]",
        "['«OML411»', id]".replace("'«OML411»'", "«OML411 'amuont'»"),
        "\n      - id\n      - «OML411 amuont»\n      - STATUS",
        '\n      - "amount"\n      - «OML411 "totals"»  # later',
    ],
)
def test_an_unknown_column_is_found_where_it_stands(check, knows, columns):
    knows(reading())
    [problem] = check.steps(READ + f"    table: orders\n    columns: {columns}\n").diagnostics
    assert problem.severity is Severity.ERROR
    [related] = problem.related
    assert related.message == "This is the table."


def test_the_message_names_the_nearest_column_or_all(check, knows):
    knows(reading())
    first, second = check.steps(READ + "    table: orders\n    columns: [«OML411 amuont», «OML411 x»]\n").diagnostics
    read = "(Read 5 minutes ago; `osiris discover @sqlite.shop` reads them anew.)"
    assert first.message == f"`orders` has no column `amuont`. Did you mean `amount`? {read}"
    assert second.message == f"`orders` has no column `x`. It has `id`, `amount`, `status`. {read}"


def test_the_fix_writes_a_name_as_yaml_needs_it(mend, check, knows):
    knows(reading(tables={"t": ("full: name", "id")}))
    text = "oml_version: 0.1.0\nname: o\nsteps:\n" + READ + "    table: t\n    columns: [full name]\n"
    assert mend(text, "OML411").endswith('columns: ["full: name"]\n')


def test_a_column_is_certain_by_the_lock_and_else_by_a_fresh_reading_of_an_untouched_table(check, knows):
    step = READ + "    table: orders\n    columns: [«OML411 total»]\n"
    old = reading(age=timedelta(days=2))
    knows(old, locked=reading())
    [problem] = check.steps(step).diagnostics
    assert problem.severity is Severity.ERROR
    assert "has no column `total` in osiris.schema.json." in problem.message
    knows(old)
    [problem] = check.steps(step).diagnostics
    assert problem.severity is Severity.HINT
    assert "had no column `total` when it was read, 2 days ago." in problem.message
    knows(reading(written=["orders"]))
    [problem] = check.steps(step).diagnostics
    assert problem.severity is Severity.HINT
    assert "5 minutes ago, and a run has written to it since." in problem.message


def test_nothing_is_said_of_columns_that_could_not_be_read_nor_of_those_of_a_query(check, knows):
    knows(reading(tables={"orders": None}))
    check.steps(READ + "    table: orders\n    columns: [x]\n")
    knows(reading())
    check.steps(READ + "    query: SELECT 1 AS x\n    columns: [x]\n")


def test_the_key_columns_of_a_writer_are_those_of_the_table_that_is_there(check, knows):
    write = """
- id: numbers
  component: filesystem.csv_extractor
  mode: read
  config: {{path: a.csv}}
- id: store
  component: sqlite.writer
  mode: write
  config: {{table: {}, write_mode: upsert, primary_key: {}}}
"""
    knows(reading())
    check.steps(write.format("orders", "«OML411 order_id»"))
    check.steps(write.format("orders", "[id, «OML411 order_id»]"))
    check.steps(write.format("revenue", "order_id"))


# -- parameters


def test_parameters_count_with_their_values_under_every_profile(check, knows):
    knows(reading())
    text = """\
oml_version: 0.1.0
name: o
params: {table: Customers}
profiles:
  prod: {params: {table: ordres}}
  test: {params: {table: ordres}}
steps:
  - id: extract
    component: sqlite.extractor
    mode: read
    config:
      table: «OML410 "${params.table}"»
      columns: [id]
"""
    [problem] = check(text).diagnostics
    assert "has no table `ordres`. Did you mean `orders`?" in problem.message
    assert problem.message.endswith(" (With the profile `prod`.)")
    assert not problem.fixes
    [problem] = check(
        "oml_version: 0.1.0\nname: o\nparams: {cols: [id, totals]}\nsteps:\n  - id: a\n"
        "    component: sqlite.extractor\n"
        '    mode: read\n    config: {table: orders, columns: «OML411 "${params.cols}"»}\n'
    ).diagnostics
    assert "`orders` has no column `totals`." in problem.message


def test_a_value_that_only_a_run_knows_is_not_judged(check, knows):
    knows(reading())
    check(
        "oml_version: 0.1.0\nname: o\nparams: {table: {type: string}}\nsteps:\n"
        + READ.replace("\n", "\n  ").rstrip()
        + '\n      table: "${params.table}"\n      columns: [x]\n'
    )


# -- the lock


def test_a_table_that_the_lock_does_not_know_yet_is_a_hint(check, knows):
    lock = reading(tables={"orders": ("id", "amount", "status")})
    knows(reading(), locked=lock)
    [problem] = check.steps(READ + "    table: «OML412 Customers»\n").diagnostics
    assert problem.severity is Severity.HINT
    knows(None, locked=lock)
    [problem] = check.steps(READ + "    table: «OML412 ordres»\n").diagnostics
    assert "Did you mean `orders`? Run `osiris discover --lock`." in problem.message


def test_what_has_changed_since_the_lock_is_a_hint(check, knows):
    knows(reading(tables={"orders": ("id", "note")}), locked=reading())
    [problem] = check.steps(READ + "    table: «OML413 orders»\n    columns: [amount]\n").diagnostics
    assert problem.message == (
        "`orders` has changed since osiris.schema.json was written: `amount` is gone, `status` is gone, `note` is new "
        "(read 5 minutes ago). Run `osiris discover --lock`."
    )
    knows(reading(tables={"orders": ("id",)}, age=timedelta(days=2)), locked=reading())
    check.steps(READ + "    table: orders\n")


ALIKE = Column("id", "int", "int64", nullable=True)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ((replace(ALIKE, type="bigint"),), "`id` is `bigint`, it was `int`"),
        ((replace(ALIKE, nullable=False),), "`id` is never null now"),
        ((replace(ALIKE, primary_key=1),), "the primary key has changed at `id`"),
        ((replace(ALIKE, unique=True),), "`id` is unique now"),
        ((replace(ALIKE, references="t.id"),), "`id` references `t.id`"),
        ((replace(ALIKE, generated=True),), "`id` is generated now"),
        ((replace(ALIKE, values=("a",)),), "`id` has other values"),
        ((ALIKE, Column("b", "int")), "`b` is new"),
        ((), "`id` is gone"),
        ((replace(ALIKE, comment="x"),), None),
        ((replace(ALIKE, arrow="int32"),), None),
    ],
)
def test_a_change_is_what_discover_check_takes_for_one(now, said):
    before, after = Table(TableInfo("", "t"), (ALIKE,)), Table(TableInfo("", "t"), now)
    assert table_changes(before, after) == ((said,) if said else ())
    assert len(compare_tables(before, after)) == (1 if said else 0)


# -- caches


def test_a_step_is_looked_at_again_when_the_knowledge_changes_and_no_other(check, knows):
    text = "oml_version: 0.1.0\nname: o\nsteps:\n" + READ + "    table: orders\n    columns: [note]\n"
    knows(None)
    analyzer, cache = Analyzer(check.env.registry), PartCache()

    def codes():
        return [d.code for d in analyzer.analyse(parse(text, cache), check.env).diagnostics]

    assert codes() == []
    knows(reading())
    assert codes() == ["OML411"]
    knows(reading(tables={"orders": ("id", "note")}))
    assert codes() == []


def test_severities_and_suppressions_hold(check, knows, severities):
    knows(reading())
    check.steps(READ + "    # osiris: ignore[OML410]\n    table: ordres\n")
    severities({"OML129": None, "OML410": Severity.WARNING})
    [problem] = check.steps(READ + "    table: «OML410 ordres»\n").diagnostics
    assert problem.severity is Severity.WARNING


# -- which tables a pipeline uses


def test_the_tables_that_a_pipeline_uses(check, knows):
    knows(None)
    analysis = check.steps(
        """
- id: orders
  component: mysql.extractor
  mode: read
  config: {connection: "@mysql.crm", schema: sales, table: orders}
- id: joined
  component: mysql.extractor
  mode: read
  config:
    connection: "@mysql.crm"
    query: |
      WITH recent AS (SELECT * FROM crm.visits)
      SELECT * FROM recent r JOIN `users` u ON u.id = r.id, (SELECT 1) x -- FROM nowhere
- id: store
  component: sqlite.writer
  mode: write
  config: {table: revenue}
"""
    )
    used = [
        (step, named) for step, tables in zip(analysis.pipeline.steps, analysis.tables, strict=True) for named in tables
    ]
    assert [named for _, named in used] == list(analysis.used_tables())
    assert [(s.index, u.connection.reference, u.schema, u.table, u.origin, u.written) for s, u in used] == [
        (0, "@mysql.crm", "sales", "orders", "table", False),
        (1, "@mysql.crm", "crm", "visits", "query", False),
        (1, "@mysql.crm", None, "users", "query", False),
        (2, "@sqlite.shop", None, "revenue", "table", True),
    ]
    text = analysis.document.text
    places = [step.place(named.span) for step, named in used]
    assert [text[span.start : span.end] for span in places] == ["orders", "crm.visits", "`users`", "revenue"]


def test_the_default_schema_may_have_another_name_than_in_the_lock(check, knows):
    locked, discovered = reading("mysql", {"dev.orders": ("id",)}), reading("mysql", {"prod.orders": ("id",)})
    locked.default_schema, discovered.default_schema = "dev", "prod"
    knows(discovered, locked, reference="@mysql.crm")
    check.steps("- {id: a, component: mysql.extractor, mode: read, config: {connection: '@mysql.crm', table: orders}}")


def test_where_a_server_searches_several_schemas_a_table_of_another_one_is_no_error(check, knows, connections):
    check.env.connections = connections(
        "connections:\n  postgres:\n    main: {host: db, database: d, user: u, password: '${P}', default: true}\n"
    )
    found_in_two = reading("postgres", {"public.orders": ("id",), "archive.orders": ("id",), "app.users": ("id",)})
    found_in_two.default_schema = "app"
    knows(found_in_two, reference="@postgres.main")
    step = "- id: a\n  component: postgres.extractor\n  mode: read\n  config:\n    table: «OML410 {}»"

    [problem] = check.steps(step.format("orders")).diagnostics
    assert problem.severity is Severity.HINT
    assert problem.message == (
        "`@postgres.main` has no table `orders`. There is one in `public`, `archive`, which the server may search as "
        "well. (Read 5 minutes ago; `osiris discover @postgres.main` reads them anew.)"
    )
    [problem] = check.steps(step.format("ordres")).diagnostics
    assert problem.severity is Severity.ERROR


def test_a_name_without_quotes_means_lower_case_in_postgres(check, knows, connections):
    check.env.connections = connections(
        "connections:\n  postgres:\n    main: {host: db, database: d, user: u, password: '${P}', default: true}\n"
    )
    query = 'SELECT * FROM Orders JOIN "Users" USING (id) JOIN Sales."Visits" USING (id)'
    analysis = check.steps(f"- id: a\n  component: postgres.extractor\n  mode: read\n  config:\n    query: {query}")
    assert [(u.schema, u.table) for u in analysis.used_tables()] == [
        (None, "orders"),
        (None, "Users"),
        ("sales", "Visits"),
    ]


def test_a_thousand_unknown_tables_in_a_database_of_five_thousand_are_no_trouble(check, knows):
    knows(reading(tables={f"table_{number}": ("id",) for number in range(5000)}))
    step = "- id: s{}\n  component: sqlite.extractor\n  mode: read\n  config: {{table: tabel_{}}}\n"
    steps = "".join(step.format(number, number) for number in range(1000))
    text = "oml_version: 0.1.0\nname: o\nsteps:\n" + "".join(f"  {line}\n" for line in steps.splitlines())
    assert len(found(check.analyse(text), "OML410")) == 1000


def test_a_column_that_a_file_does_not_have_now_is_an_error(check, mend):
    people = Table(TableInfo("", "people.csv", "file"), (Column("id", ""), Column("name", "")))
    check.env.file_tables = {"data/people.csv": people}
    step = "- id: a\n  component: filesystem.csv_extractor\n  mode: read\n  config:\n    path: data/people.csv\n"
    [problem] = check.steps(step + "    columns: [id, «OML411 nmae»]\n").diagnostics
    assert problem.severity is Severity.ERROR
    assert problem.message == "`data/people.csv` has no column `nmae` now. Did you mean `name`? It has `id`, `name`."
    check.env.file_writers = {"data/people.csv": ["load.oml"]}
    [hint] = check.steps(step + "    columns: [id, «OML411 nmae»]\n").diagnostics
    assert hint.severity is Severity.HINT
    assert hint.message.endswith("`load.oml` writes the file, and may bring the column.")
    text = "oml_version: 0.1.0\nname: o\nsteps:\n" + step
    assert mend(text + '    columns: ["nmae"]\n', "OML411").endswith('columns: ["name"]\n')
    write = "- id: w\n  component: filesystem.csv_writer\n  mode: write\n  config: {path: data/people.csv}\n"
    assert not [d for d in check.analyse(f"{text}    columns: [nmae]\n{write}").diagnostics if d.code == "OML411"]
