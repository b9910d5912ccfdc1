"""Whole pipelines, run in a worker process as the command line does it."""

from __future__ import annotations

import json
import stat


def test_groups_the_rows_of_a_csv_file(project):
    project.write("orders.csv", "id,region,amount\n1,north,10\n2,south,5\n3,north,2.5\n")

    run = project.run(
        project.csv("orders", "orders.csv"),
        project.sql(
            "totals", "orders", "SELECT region, sum(amount) AS revenue FROM df_orders GROUP BY region ORDER BY 1"
        ),
        project.to_csv("save", "totals", "out/revenue.csv"),
    )

    assert run.state == "succeeded"
    assert run.result.exit_code == 0
    assert project.read("out/revenue.csv") == "region,revenue\nnorth,12.5\nsouth,5.0\n"
    assert project.leftovers() == []


def test_joins_the_outputs_of_two_steps(project):
    project.write("orders.csv", "id,customer_id,amount\n1,7,10\n2,8,20\n")
    project.database(
        "shop.db",
        "CREATE TABLE customers (id INTEGER, name TEXT)",
        "INSERT INTO customers VALUES (7, 'Žofie'), (8, '李')",
    )

    run = project.run(
        project.csv("orders", "orders.csv"),
        project.step("customers", "sqlite.extractor", path="shop.db", table="customers", needs="orders"),
        project.sql(
            "joined",
            ["orders", "customers"],
            "SELECT c.name, o.amount FROM df_orders o JOIN df_customers c ON c.id = o.customer_id ORDER BY o.id",
        ),
        project.to_csv("save", "joined", "out.csv"),
    )

    assert run.state == "succeeded"
    assert project.read("out.csv") == "name,amount\nŽofie,10\n李,20\n"


def test_columns_stay_in_the_order_of_the_select(project):
    project.write("t.csv", "a,b,c\n1,2,3\n")

    project.run_here(
        project.csv("t", "t.csv"),
        project.sql("s", "t", "SELECT c AS zebra, a, b AS apple FROM df"),
        project.to_csv("w", "s", "out.csv"),
    )

    assert project.read("out.csv") == "zebra,a,apple\n3,1,2\n"


def test_rows_stay_in_the_order_of_the_file(project):
    lines = [f"{(i * 7919) % 100_003},{i}" for i in range(100_003)]
    text = "k,v\n" + "\n".join(lines) + "\n"
    project.write("t.csv", text)

    project.run_here(project.csv("t", "t.csv"), project.to_csv("w", "t", "out.csv"))

    assert project.read("out.csv") == text


def test_a_query_without_rows_writes_the_header_alone(project):
    project.write("t.csv", "a,b\n1,2\n")

    run = project.run_here(
        project.csv("t", "t.csv"), project.sql("s", "t", "FROM df WHERE a > 5"), project.to_csv("w", "s", "out.csv")
    )

    assert run.states() == {"t": "succeeded", "s": "succeeded", "w": "succeeded"}
    assert project.read("out.csv") == "a,b\n"


def test_names_and_values_may_be_any_unicode(project):
    project.write("data/příliš [1].csv", "jméno,🦆\nŽluťoučký kůň,\u2028x\n")

    project.run_here(
        project.csv("načti".encode("ascii", "ignore").decode(), "data/příliš [1].csv"),
        project.sql("s", "nati", 'SELECT "🦆", jméno FROM df_nati'),
        project.to_csv("w", "s", "výstup/日本.csv"),
    )

    assert project.read("výstup/日本.csv") == "🦆,jméno\n\u2028x,Žluťoučký kůň\n"


def test_one_output_goes_to_several_steps(project):
    project.write("t.csv", "a\n1\n2\n3\n")

    run = project.run_here(
        project.csv("t", "t.csv"),
        project.sql("random", "t", "SELECT a, random() AS r FROM df"),
        project.to_csv("first", "random", "first.csv"),
        project.to_csv("second", "random", "second.csv"),
    )

    assert run.state == "succeeded"
    assert project.read("first.csv") == project.read("second.csv")  # computed once, so even random() agrees


def test_a_step_sees_its_inputs_by_the_names_it_chose(project):
    project.write("a.csv", "x\n1\n")
    project.write("b.csv", "x\n2\n")

    project.run_here(
        project.csv("a", "a.csv"),
        project.csv("b", "b.csv"),
        project.sql(
            "s", {"left_side": "b", "right_side": "a"}, "SELECT l.x AS l, r.x AS r FROM left_side l, right_side r"
        ),
        project.to_csv("w", "s", "out.csv"),
    )

    assert project.read("out.csv") == "l,r\n2,1\n"


def test_a_reader_that_waits_for_a_writer_sees_what_was_written(project):
    project.write("t.csv", "a\n1\n")

    run = project.run_here(
        project.csv("t", "t.csv"),
        project.to_csv("write", "t", "middle.csv"),
        project.csv("again", "middle.csv", needs="write"),
        project.to_csv("copy", "again", "end.csv"),
    )

    assert run.state == "succeeded"
    assert project.read("end.csv") == "a\n1\n"


def test_a_file_is_read_before_a_later_step_replaces_it(project):
    project.write("t.csv", "a\n1\n")
    project.write("new.csv", "a\n2\n")

    project.run_here(
        project.csv("old", "t.csv"),
        project.csv("new", "new.csv", needs="old"),
        project.to_csv("replace", "new", "t.csv"),
        project.to_csv("keep", "old", "kept.csv", needs="replace"),
    )

    assert project.read("t.csv") == "a\n2\n"
    assert project.read("kept.csv") == "a\n1\n"


def test_a_file_may_be_replaced_by_what_is_made_of_it(project):
    project.write("t.csv", "a\n1\n2\n")

    project.run_here(
        project.csv("t", "t.csv"),
        project.sql("s", "t", "SELECT a * 10 AS a FROM df"),
        project.to_csv("w", "s", "t.csv"),
    )

    assert project.read("t.csv") == "a\n10\n20\n"


def test_two_hundred_queries_in_a_row(project):
    project.write("t.csv", "n\n0\n")
    chain = [project.sql(f"s{i}", f"s{i - 1}" if i else "t", "SELECT n + 1 AS n FROM df") for i in range(200)]

    run = project.run_here(project.csv("t", "t.csv"), *chain, project.to_csv("w", "s199", "out.csv"))

    assert run.state == "succeeded"
    assert project.read("out.csv") == "n\n200\n"


def test_a_query_that_reads_its_input_twice_forty_times_over(project):
    project.write("t.csv", "n\n1\n")
    chain = [
        project.sql(f"s{i}", f"s{i - 1}" if i else "t", "SELECT a.n + b.n - a.n AS n FROM df a JOIN df b USING (n)")
        for i in range(40)
    ]

    run = project.run_here(project.csv("t", "t.csv"), *chain, project.to_csv("w", "s39", "out.csv"))

    assert run.state == "succeeded"
    assert project.read("out.csv") == "n\n1\n"


def test_the_folder_of_a_run_is_private_and_complete(project):
    project.write("t.csv", "a\n1\n2\n")
    manifest = project.manifest(project.csv("t", "t.csv"), project.to_csv("w", "t", "out.csv"))

    run = project.run(manifest=manifest)

    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    assert {p.name for p in run.path.iterdir()} == {
        "manifest.json",
        "events.jsonl",
        "metrics.jsonl",
        "status.json",
        "lock",
    }
    assert json.loads((run.path / "manifest.json").read_bytes()) == manifest
    status = json.loads((run.path / "status.json").read_bytes())
    assert status["state"] == "succeeded"
    assert status["rows"] == {"t": 2, "w": 2}
    assert [e["event"] for e in run.events] == [
        "run_queued",
        "run_start",
        "step_start",
        "step_start",
        "artifact_created",
        "step_complete",
        "step_complete",
        "run_complete",
    ]
    assert {e["session"] for e in run.events} == {run.path.name}


def test_the_rows_of_a_step_whose_name_sounds_like_a_secret_are_told(project):
    project.write("t.csv", "a\n1\n")

    run = project.run(project.csv("tokens", "t.csv"), project.to_csv("api_key", "tokens", "out.csv"))

    assert run.status["rows"] == {"tokens": 1, "api_key": 1}


def test_rows_are_counted_where_that_is_free(project):
    project.database("shop.db", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1), (2), (3)")

    run = project.run_here(
        project.step("read", "sqlite.extractor", path="shop.db", table="t"),
        project.sql("some", "read", "FROM df WHERE a > 1"),
        project.to_csv("write", "some", "out.csv"),
    )

    metrics = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    counted = {(m["metric"], m["step_id"], m["value"]) for m in metrics if m["metric"].startswith("rows")}
    assert counted == {("rows_read", "read", 3), ("rows_produced", "some", 2), ("rows_written", "write", 2)}
    assert run.status["rows"] == {"read": 3, "some": 2, "write": 2}
