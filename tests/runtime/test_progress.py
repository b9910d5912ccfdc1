"""What a run says of itself: how far long steps are, and what each step and the whole run took."""

from __future__ import annotations

import json

import jsonschema
import pytest

from osiris.core.schemas import schema
from runtime.conftest import Project

ROWS = "SELECT a.range AS a, b.range AS b FROM range(1000000) a, range(1000000) b"


def progress_of(run, step):
    return [e for e in run.events if e["event"] == "step_progress" and e["step_id"] == step]


@pytest.fixture(scope="module")
def long_write(tmp_path_factory):
    """A run that takes some seconds to write out.csv, and the size of that."""
    project = Project(tmp_path_factory.mktemp("long"))
    run = project.run(
        project.sql("rows", (), f"{ROWS} LIMIT 40000000"),
        project.to_csv("save", "rows", "out.csv"),
    )
    file = project.root / "out.csv"
    size = file.stat().st_size
    file.unlink()
    return run, size


def test_a_long_write_says_how_many_bytes_it_has_written_and_how_fast(long_write):
    run, size = long_write

    told = progress_of(run, "save")
    assert told
    assert all(0 < event["bytes"] <= size for event in told)
    assert [event["bytes"] for event in told] == sorted(event["bytes"] for event in told)
    assert all(event["bytes_per_second"] >= 0 and event["duration"] > 0 for event in told)


def test_a_long_read_says_how_many_rows_came_through(project):
    project.database(
        "shop.db",
        "CREATE TABLE t AS WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r LIMIT 1500) SELECT i FROM r",
    )

    run = project.run(
        project.step("read", "sqlite.extractor", path="shop.db", query="SELECT a.i AS a, b.i AS b FROM t a, t b"),
        project.sql("count", "read", "SELECT count(*) AS n FROM df"),
        project.to_csv("save", "count", "out.csv"),
    )

    told = [event for event in progress_of(run, "read") if "rows" in event]  # none has come before the first
    assert told
    assert all(0 < event["rows"] <= 1500 * 1500 and event["rows_per_second"] >= 0 for event in told)


def test_a_step_of_which_nothing_is_known_says_that_it_is_under_way(project):
    project.database("shop.db", "CREATE TABLE t (i INTEGER)", "INSERT INTO t VALUES (1)")
    endless = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) AS n FROM r"

    run = project.run(project.step("read", "sqlite.extractor", path="shop.db", query=endless, step__timeout=2.5))

    assert run.state == "failed"
    assert [sorted(e.keys() - {"ts", "session", "event"}) for e in progress_of(run, "read")][:1] == [
        ["duration", "step_id"]
    ]


def test_events_of_progress_are_as_the_schema_says(long_write):
    run, _ = long_write

    for event in run.events:
        jsonschema.validate(event, schema("event"))
    known = schema("event")["properties"]
    assert {key for event in run.events for key in event} <= set(known)


def test_the_status_and_the_metrics_say_what_each_step_and_the_run_took(project):
    project.write("t.csv", "a\n1\n2\n")

    run = project.run(project.csv("read", "t.csv"), project.to_csv("save", "read", "out.csv"))

    save = next(step for step in run.status["steps"] if step["id"] == "save")
    assert (save["rows"], save["bytes"]) == (2, len("a\n1\n2\n"))
    assert save["peak_memory"] <= run.status["peak_memory"]
    metrics = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    units = {(m["metric"], m.get("step_id")): m["unit"] for m in metrics}
    assert units == {
        ("rows_produced", "read"): "rows",
        ("rows_written", "save"): "rows",
        ("bytes_written", "save"): "bytes",
        ("duration", "read"): "s",
        ("duration", "save"): "s",
        ("peak_memory", "read"): "bytes",
        ("peak_memory", "save"): "bytes",
        ("run_rows_written", None): "rows",
        ("run_bytes_written", None): "bytes",
        ("run_peak_memory", None): "bytes",
        ("run_duration", None): "s",
    }


def test_a_step_that_fails_says_what_it_took_too(project):
    project.write("t.csv", "a\nx\n")

    run = project.run(
        project.csv("read", "t.csv"), project.sql("bad", "read", "SELECT CAST(a AS INTEGER) AS n FROM df")
    )

    (error,) = [event for event in run.events if event["event"] == "step_error"]
    step = next(step for step in run.status["steps"] if step["id"] == "bad")
    assert (step["state"], step["duration"]) == ("failed", error["duration"])
    assert 0 < step["peak_memory"] <= run.status["peak_memory"]
    metrics = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert {m["metric"] for m in metrics if m.get("step_id") == "bad"} == {"duration", "peak_memory"}


def test_a_step_that_did_not_run_says_why_in_plain_words(project):
    project.write("t.csv", "a\nx\n")

    run = project.run_here(
        project.csv("read", "t.csv"),
        project.sql("number", "read", "SELECT CAST(a AS INTEGER) AS n FROM df"),
        project.sql("double", "number", "SELECT n * 2 AS n FROM df"),
        project.to_csv("save", "double", "out.csv"),
    )

    reasons = {e["step_id"]: e["reason"] for e in run.events if e["event"] == "step_skipped"}
    assert reasons == {
        "double": "it needs number, which failed",
        "save": "it needs double, which did not run",
    }
