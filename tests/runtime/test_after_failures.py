"""What a step that failed leaves to those that follow: nothing, least of all a query that is not read to its end."""

from __future__ import annotations

import duckdb
import pytest

ROWS = "SELECT i, i // 2 AS half FROM range(1_000_000) t(i)"


@pytest.mark.parametrize("family", ["duckdb", "sqlite"])
def test_a_writer_that_fails_half_way_does_not_hinder_the_next_reader_of_its_rows(project, family):
    project.write("one.csv", "n\n1\n")
    with duckdb.connect(str(project.root / "half.duckdb")) as connection:
        connection.execute("CREATE TABLE halves (i BIGINT, half BIGINT PRIMARY KEY)")
    project.database("half.sqlite", "CREATE TABLE halves (i INTEGER, half INTEGER PRIMARY KEY)")
    (project.root / "osiris.yaml").write_text("runs: {max_parallel_steps: 1}\n")

    run = project.run(
        project.csv("one", "one.csv"),
        project.sql("rows", "one", ROWS),
        project.step("twice", f"{family}.writer", sources="rows", path=f"half.{family}", table="halves"),
        project.step("fine", "filesystem.parquet_writer", sources="rows", path="out/rows.parquet"),
        project.step("also", f"{family}.writer", sources="rows", path=f"new.{family}", table="halves"),
    )

    assert run.states() == {"one": "succeeded", "rows": "succeeded", "twice": "failed", "fine": "succeeded",
                            "also": "succeeded"}  # fmt: skip
    assert run.status["error"]["step"] == "twice"
    assert project.leftovers() == []


@pytest.mark.parametrize("seconds", [0.001, 0.01])
def test_a_writer_whose_time_is_up_leaves_its_connection_free(project, seconds):
    project.write("one.csv", "n\n1\n")
    (project.root / "osiris.yaml").write_text("runs: {max_parallel_steps: 1}\n")

    run = project.run(
        project.csv("one", "one.csv"),
        project.sql("rows", "one", ROWS),
        project.step("late", "duckdb.writer", sources="rows", path="new.duckdb", table="halves", step__timeout=seconds),
        project.step("fine", "filesystem.parquet_writer", sources="rows", path="out/rows.parquet"),
    )

    assert run.states() == {"one": "succeeded", "rows": "succeeded", "late": "failed", "fine": "succeeded"}
    assert run.status["error"]["code"] == "OML616"
    assert project.leftovers() == []
