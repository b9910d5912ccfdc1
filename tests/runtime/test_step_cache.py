"""Rows are made once while nothing that they depend on changes, and never used when they might be others."""

from __future__ import annotations

import os
import sqlite3
import time

import duckdb
import pyarrow as pa
import pytest

from osiris.execution.left_data import tee
from osiris.execution.local import start_run
from osiris.execution.step_cache import StepCache
from osiris.execution.summed_files import content
from osiris.execution.volatile_sql import VOLATILE, is_volatile


def settled(path):
    """Make a file old enough that its time of change tells it from a later one."""
    then = time.time() - 60
    os.utime(path, (then, then))


def source(project, *statements):
    """A database with a table of numbers, not changed for a while."""
    path = project.database("source.db", "CREATE TABLE IF NOT EXISTS s (a INTEGER)", *statements)
    settled(path)
    return project.step("read", "sqlite.extractor", path="source.db", table="s")


def steps(project, query="SELECT sum(a)::BIGINT AS n FROM df"):
    read = project.step("read", "sqlite.extractor", path="source.db", table="s")
    return [read, project.sql("sum", "read", query), project.to_csv("save", "sum", "out.csv")]


def reused(run):
    return {e["step_id"]: e["reused"] for e in run.events if "reused" in e}


def test_editing_the_last_step_reads_no_source_again(project):
    source(project, "INSERT INTO s VALUES (1), (2)")
    first = project.run(*steps(project))
    assert reused(first) == {}

    second = project.run(*steps(project, "SELECT max(a) AS n FROM df"))

    assert reused(second) == {"read": "cache"}
    assert project.read("out.csv") == "n\n2\n"
    assert second.states() == {"read": "succeeded", "sum": "succeeded", "save": "succeeded"}


def test_a_kept_file_that_is_damaged_is_made_anew(project):
    source(project, "INSERT INTO s VALUES (1), (2)")
    project.run(*steps(project))
    (kept,) = (project.root / ".osiris/data/cache").glob("*.arrow")
    whole = kept.read_bytes()
    value = whole.index((2).to_bytes(8, "little"))  # in the second row
    for damaged in (whole[: len(whole) // 2], b"", whole[:value] + b"\x03" + whole[value + 1 :]):
        kept.write_bytes(damaged)

        run = project.run(*steps(project, "SELECT max(a) AS n FROM df"))

        assert (run.state, reused(run)) == ("succeeded", {}), run.error()
        assert project.read("out.csv") == "n\n2\n"
        assert kept.read_bytes() == whole


def test_no_cache_reads_it_again(project):
    source(project, "INSERT INTO s VALUES (1), (2)")
    project.run(*steps(project))

    assert reused(project.run(*steps(project), cache=False)) == {}


def test_a_source_that_has_changed_is_read_again(project):
    source(project, "INSERT INTO s VALUES (1), (2)")
    project.run(*steps(project))
    source(project, "UPDATE s SET a = 5 WHERE a = 1")

    second = project.run(*steps(project))

    assert reused(second) == {}
    assert project.read("out.csv") == "n\n7\n"


def test_a_source_that_was_changed_a_moment_ago_is_not_kept(project):
    source(project, "INSERT INTO s VALUES (1)")
    soon = time.time() + 60  # a moment ago, also where the machine is slow
    os.utime(project.root / "source.db", (soon, soon))
    project.run(*steps(project))

    assert not (project.root / ".osiris/data/cache").exists()


def test_a_database_with_changes_beside_it_is_not_kept(project):
    source(project, "INSERT INTO s VALUES (1)")
    connection = sqlite3.connect(project.root / "source.db")
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("INSERT INTO s VALUES (2)")
    connection.commit()
    settled(project.root / "source.db")

    project.run(*steps(project))

    assert project.read("out.csv") == "n\n3\n"
    assert not (project.root / ".osiris/data/cache").exists()
    connection.close()


def test_another_config_is_another_step(project):
    source(project, "INSERT INTO s VALUES (1), (2)")
    project.run(*steps(project))
    limited = project.step("read", "sqlite.extractor", path="source.db", table="s", limit=1)

    second = project.run(limited, *steps(project)[1:])

    assert reused(second) == {}
    assert project.read("out.csv") == "n\n1\n"


def test_what_the_run_itself_writes_is_never_taken_from_before(project):
    source(project, "INSERT INTO s VALUES (1)")
    project.run(*steps(project))
    fill = [
        project.sql("new", (), "SELECT 41 AS a"),
        project.step("fill", "sqlite.writer", sources="new", path="source.db", table="s", write_mode="append"),
    ]
    read, *rest = steps(project)

    run = project.run(*fill, {**read, "needs": ["fill"]}, *rest)

    assert reused(run) == {}
    assert project.read("out.csv") == "n\n42\n"


LONG = "SELECT sum(a.range % 7)::BIGINT AS n, (SELECT max(a) FROM df) AS a FROM range(600000000) a"


def fanned(project, query):
    """A result that takes long to compute and that two steps take."""
    read = project.step("read", "sqlite.extractor", path="source.db", table="s")
    return [
        read,
        project.sql("long", "read", query),
        project.to_csv("one", "long", "one.csv"),
        project.to_csv("two", "long", "two.csv"),
    ]


def test_a_result_that_took_long_is_not_computed_again_and_its_source_is_not_read(project):
    source(project, "INSERT INTO s VALUES (1)")
    project.run(*fanned(project, LONG))
    before = project.read("one.csv")

    second = project.run(*fanned(project, LONG))

    assert reused(second) == {"read": "cache", "long": "cache"}
    assert project.read("one.csv") == project.read("two.csv") == before


def test_rows_that_another_run_throws_away_meanwhile_are_there_for_this_one(project, until):
    source(project, "INSERT INTO s VALUES (1), (2)")
    project.run(*steps(project))
    project.write("one.csv", "one\n1\n")
    slow = [project.csv("one", "one.csv"), project.sql("slow", "one", "SELECT sleep_ms(3000) IS NULL AS x")]
    manifest = project.manifest(*slow, project.to_csv("first", "slow", "first.csv"), *steps(project))
    (project.root / "osiris.yaml").write_text("version: 1\nruns:\n  max_parallel_steps: 1\n")

    run_id = start_run(manifest, root=project.root, detach=True).run_id
    store = project.store()
    until(lambda: any(event["event"] == "step_start" for event in store.events(run_id)))
    for file in (project.root / ".osiris/data/cache").glob("*.arrow"):
        file.unlink()
    until(lambda: not store.show(run_id).active)

    assert store.show(run_id).state == "succeeded"
    assert {event["step_id"] for event in store.events(run_id) if "reused" in event} == {"read"}


def test_a_result_that_depends_on_the_clock_is_computed_again(project):
    source(project, "INSERT INTO s VALUES (1)")
    query = LONG.replace("SELECT", "SELECT now() AS moment,", 1)
    project.run(*fanned(project, query))
    before = project.read("one.csv")

    second = project.run(*fanned(project, query))

    assert reused(second) == {"read": "cache"}
    assert project.read("one.csv") != before


def long_over_files(project):
    query = "SELECT sum(a.range % 7)::BIGINT AS n, (SELECT sum(a)::BIGINT FROM df) AS a FROM range(600000000) a"
    return [
        project.csv("read", "../shared/*.csv"),
        project.sql("long", "read", query),
        project.to_csv("one", "long", "one.csv"),
        project.to_csv("two", "long", "two.csv"),
    ]


def test_a_result_over_the_files_of_a_pattern_is_made_again_when_one_comes_or_changes(project):
    project.write("osiris.yaml", "paths: {allow: [../shared]}\n")
    settled(project.write("../shared/a.csv", "a\n1\n"))
    project.run(*long_over_files(project))

    assert reused(project.run(*long_over_files(project))) == {"read": "cache", "long": "cache"}

    settled(project.write("../shared/b.csv", "a\n2\n"))
    second = project.run(*long_over_files(project))

    assert reused(second) == {}
    assert project.read("one.csv").endswith(",3\n")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT now()",
        "SELECT CURRENT_DATE",
        "SELECT random() FROM df",
        'SELECT "random"()',
        "FROM df USING SAMPLE 10",
        "SELECT CAST('now' AS TIMESTAMP)",
        "SELECT uuid()",
        "SELECT age(born) FROM df",
    ],
)
def test_sql_with_clock_or_chance(sql):
    assert is_volatile(sql, "duckdb")


def test_sql_without(project):
    assert not is_volatile("SELECT region, sum(amount) AS now_total FROM df -- now()\nGROUP BY 1", "duckdb")
    assert is_volatile("SELECT date() AS d", "sqlite")


def test_all_functions_that_duckdb_calls_volatile_are_known():
    found = duckdb.sql(
        "SELECT DISTINCT function_name FROM duckdb_functions()"
        " WHERE function_type = 'scalar' AND stability <> 'CONSISTENT'"
    ).fetchall()

    assert {name for (name,) in found} <= VOLATILE


def test_two_runs_that_keep_the_same_rows_at_once_do_not_spoil_them(tmp_path):
    place, batch = tmp_path / "key.arrow", pa.record_batch({"n": list(range(1000))})
    complete: list[int] = []
    first, second = (
        tee(pa.RecordBatchReader.from_batches(batch.schema, [batch] * times), place, lambda: complete.append(1))
        for times in (3, 2)
    )

    first.read_next_batch()
    second.read_next_batch()
    first.read_all()
    second.read_next_batch()

    assert (pa.ipc.open_file(content(place)).read_all().num_rows, complete) == (3000, [1])


def test_what_a_killed_run_did_not_complete_is_removed_when_it_is_old(project):
    cache = StepCache(project.root, {})
    cache.folder.mkdir(parents=True)
    old, young = cache.folder / ".a.arrow.1.part", cache.folder / ".b.arrow.2.part"
    for part in (old, young):
        part.write_bytes(b"x")
    os.utime(old, (time.time() - 4000,) * 2)

    cache.trim()

    assert not old.exists()
    assert young.exists()
