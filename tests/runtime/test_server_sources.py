"""Sources on a real server: several are read at once, and a resumed run does not ask the server again."""

from __future__ import annotations

import itertools
import os
import time

import pytest

from osiris.execution.resume import plan_resume

_numbers = itertools.count(1)


@pytest.fixture
def shop(project, mariadb):
    """The project with a connection ``@mysql.shop`` to a database with two tables."""
    name = f"runtime_{next(_numbers)}"
    mariadb.execute(f"CREATE DATABASE {name}")
    mariadb.execute(
        "CREATE TABLE a (n INT)",
        "INSERT INTO a VALUES (1), (2)",
        "CREATE TABLE b (n INT)",
        "INSERT INTO b VALUES (3)",
        database=name,
    )
    fields = mariadb.fields(name)
    lines = "".join(f"      {key}: {value}\n" for key, value in fields.items() if key != "password")
    project.write("osiris_connections.yaml", f"connections:\n  mysql:\n    shop:\n{lines}      password: ${{PW}}\n")
    project.write(".env", f"PW={fields['password']}\n")
    project.database_name = name
    return project


def extract(project, name):
    return project.step(name, "mysql.extractor", table=name, step__connection="@mysql.shop")


def test_two_tables_of_a_server_are_read_in_one_run(shop):
    run = shop.run(
        extract(shop, "a"),
        extract(shop, "b"),
        shop.sql("all", ["a", "b"], "SELECT n FROM df_a UNION ALL SELECT n FROM df_b"),
        shop.to_csv("save", "all", "out.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert shop.read("out.csv") == "n\n1\n2\n3\n"


def test_a_resumed_run_takes_what_the_server_said_then_and_a_new_run_what_it_says_now(shop, mariadb):
    shop.database("target.db", "CREATE TABLE t (wrong INTEGER)")
    steps = [
        extract(shop, "a"),
        shop.step("save", "sqlite.writer", sources="a", path="target.db", table="t", write_mode="append"),
        shop.to_csv("copy", "a", "out.csv"),
    ]
    failed = shop.run(*steps)
    assert failed.states() == {"a": "succeeded", "save": "failed", "copy": "succeeded"}
    mariadb.execute("INSERT INTO a VALUES (9)", database=shop.database_name)
    shop.database("target.db", "ALTER TABLE t RENAME COLUMN wrong TO n")

    manifest, plan = plan_resume(shop.store().show(failed.path.name), shop.root)
    resumed = shop.run(manifest=manifest, resume=plan)
    anew = shop.run(*steps)

    assert (resumed.state, anew.state) == ("succeeded", "succeeded")
    rows = {step["id"]: step.get("rows") for step in resumed.status["steps"]}
    assert (rows["a"], rows["save"]) == (2, 2)
    assert not any("reused" in event for event in anew.events)
    assert shop.read("out.csv") == "n\n1\n2\n9\n"


def test_a_server_is_asked_again_unless_the_project_says_how_long_its_rows_are_good(shop, mariadb):
    def run(query):
        found = shop.run(extract(shop, "a"), shop.sql("sum", "a", query), shop.to_csv("save", "sum", "out.csv"))
        assert found.state == "succeeded", found.error()
        return {event["step_id"]: event["reused"] for event in found.events if "reused" in event}, shop.read("out.csv")

    assert run("SELECT sum(n)::INT AS n FROM df") == ({}, "n\n3\n")
    assert run("SELECT max(n) AS n FROM df") == ({}, "n\n2\n")

    shop.write("osiris.yaml", "runs: {reuse_sources_minutes: 10}\n")
    assert run("SELECT sum(n)::INT AS n FROM df") == ({}, "n\n3\n")
    mariadb.execute("INSERT INTO a VALUES (9)", database=shop.database_name)
    assert run("SELECT max(n) AS n FROM df") == ({"a": "cache"}, "n\n2\n"), "editing the last step contacts no source"

    cache = shop.root / ".osiris/data/cache"
    for file in cache.glob("*.arrow"):
        os.utime(file, (time.time() - 601,) * 2)
    assert run("SELECT max(n) AS n FROM df") == ({}, "n\n9\n"), "what is too old is read anew"
    assert run("SELECT min(n) AS n FROM df") == ({"a": "cache"}, "n\n1\n")
    password = shop.read(".env").partition("=")[2].partition("\n")[0]
    assert not any(password.encode() in file.read_bytes() for file in cache.iterdir())


def test_rows_of_a_server_are_not_used_again_where_the_run_writes_to_it_or_the_query_asks_for_the_time(shop):
    shop.write("osiris.yaml", "runs: {reuse_sources_minutes: 10}\n")
    timed = shop.step("a", "mysql.extractor", query="SELECT SYSDATE() AS n", step__connection="@mysql.shop")
    writer = shop.step(
        "w", "mysql.writer", sources="a", table="b", write_mode="replace", step__connection="@mysql.shop"
    )

    for steps in ([timed, shop.to_csv("save", "a", "out.csv")], [extract(shop, "a"), writer]):
        shop.run(*steps)
        again = shop.run(*steps)
        assert again.state == "succeeded", again.error()
        assert not any("reused" in event for event in again.events)
