"""Points in time mean the same everywhere: whatever zone the machine is in, runs work in UTC."""

from __future__ import annotations

import os
import sqlite3
import time

import duckdb
import pytest

from osiris.execution.preview import preview
from osiris.sql.gate import Gate, Limits, open_run_connections

NIGHT = "2026-01-01 02:30:00+00"  # in New York still the day before, in Tokyo almost noon


@pytest.fixture(params=["America/New_York", "Asia/Tokyo"])
def zone(request, monkeypatch):
    """A zone of the machine that is not UTC, also for the worker processes."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_run_gives_the_same_dates_hours_and_texts_in_every_zone(project, zone):
    with duckdb.connect(str(project.root / "shop.duckdb")) as connection:
        connection.execute(f"CREATE TABLE orders AS SELECT TIMESTAMPTZ '{NIGHT}' AS placed")
        connection.execute("CREATE VIEW days AS SELECT placed, CAST(placed AS DATE) AS day FROM orders")
    project.write("offset.csv", "id,placed\n1,2026-01-01T02:30:00Z\n")

    run = project.run(
        project.step("days", "duckdb.extractor", path="shop.duckdb", table="days"),
        project.csv("offset", "offset.csv"),
        project.sql(
            "told",
            {"days": "days", "file": "offset"},
            """
            SELECT d.placed, d.day, CAST(d.placed AS DATE) AS date, hour(d.placed) AS hour, CAST(d.placed AS TEXT) AS t,
              TIMESTAMPTZ '2026-01-01 02:30:00' = d.placed AS without_zone,
              CAST(f.placed AS TIMESTAMPTZ) = d.placed AS from_file, hour(d.placed AT TIME ZONE 'Europe/Prague') AS cz
            FROM days d, file f
            """,
        ),
        project.to_csv("csv", "told", "out/told.csv"),
        project.step("json", "filesystem.json_writer", sources="told", path="out/told.json", format="jsonl"),
        project.step("sqlite", "sqlite.writer", sources="told", path="out/told.sqlite", table="told"),
        project.step("duckdb", "duckdb.writer", sources="told", path="out/told.duckdb", table="told"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("out/told.csv").splitlines()[1] == (
        "2026-01-01 02:30:00+00,2026-01-01,2026-01-01,2,2026-01-01 02:30:00+00,true,true,3"
    )
    assert '"placed":"2026-01-01 02:30:00+00"' in project.read("out/told.json")
    with sqlite3.connect(project.root / "out/told.sqlite") as database:
        assert database.execute("SELECT placed, day, hour FROM told").fetchall() == [(NIGHT, "2026-01-01", 2)]
    with duckdb.connect(str(project.root / "out/told.duckdb")) as connection:
        assert connection.execute("SELECT epoch(placed), hour FROM told").fetchall() == [(1767234600.0, 2)]


def test_a_preview_shows_points_in_time_in_utc(project, zone):
    project.write("one.csv", "n\n1\n")
    manifest = project.manifest(
        project.csv("one", "one.csv"),
        project.sql("told", "one", f"SELECT TIMESTAMPTZ '{NIGHT}' AS t, hour(t) AS hour FROM df_one"),
    )

    found = preview(manifest, "told", root=project.root, limit=5)

    assert [(str(row[0])[:13], row[1]) for row in found.rows] == [("2026-01-01 02", 2)]


def test_the_gate_for_sql_and_every_connection_of_a_run_are_in_utc(zone):
    gate, connections = Gate(), open_run_connections(Limits(), 3)

    assert gate.check("SELECT TIMESTAMPTZ '2026-01-01' AS t", {}).columns[0].type == "TIMESTAMP WITH TIME ZONE"
    for connection in connections:
        for one in (connection, connection.cursor()):
            assert one.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
    for opened in (gate, *reversed(connections)):
        opened.close()


def test_what_is_kept_from_a_run_in_one_zone_serves_a_run_in_another(project, monkeypatch):
    database = project.database("shop.db", "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)")
    os.utime(database, (1_700_000_000, 1_700_000_000))
    steps = [
        project.step("t", "sqlite.extractor", path="shop.db", table="t"),
        project.to_csv("save", "t", "out.csv"),
    ]
    project.run(*steps)

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    run = project.run(*steps)

    assert {event.get("reused") for event in run.events if event.get("step_id") == "t"} >= {"cache"}
