"""The first rows of a step: what is shown, that they are right, and that nothing is written."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import pytest

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.execution.preview import preview
from osiris.execution.sample import Sample
from osiris.sql.columns import Column
from osiris.sql.database import RunDatabase
from osiris.sql.dataset import Dataset
from osiris.sql.gate import Limits


def look(project, step, *steps, limit=50):
    return preview(project.manifest(*steps), step, root=project.root, limit=limit)


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def orders(project):
    project.write("orders.csv", "region,amount\n" + "north,1\nsouth,2\n" * 500)
    return [
        project.csv("orders", "orders.csv"),
        project.sql("totals", "orders", "SELECT region, sum(amount)::BIGINT AS total FROM df GROUP BY 1 ORDER BY 1"),
        project.to_csv("save", "totals", "out.csv"),
    ]


def test_the_first_rows_of_a_source(project):
    found = look(project, "orders", *orders(project), limit=3)

    assert found.columns == (("region", "VARCHAR"), ("amount", "BIGINT"))
    assert found.rows == (("north", 1), ("south", 2), ("north", 1))
    assert found.more


def test_a_sum_is_made_of_all_rows_however_few_are_shown(project):
    found = look(project, "totals", *orders(project), limit=1)

    assert found.rows == (("north", 500),)
    assert found.more


def test_all_rows_when_there_are_not_more(project):
    found = look(project, "totals", *orders(project))

    assert found.rows == (("north", 500), ("south", 1000))
    assert not found.more


def test_a_step_that_writes_shows_what_it_would_write(project):
    found = look(project, "save", *orders(project))

    assert (found.step, found.rows) == ("totals", (("north", 500), ("south", 1000)))


def test_nothing_is_written_and_no_writer_runs_even_one_that_comes_before(project):
    steps = [
        *orders(project),
        project.csv("later", "orders.csv", needs="save"),
    ]
    before = files_of(project.root)

    look(project, "later", *steps)
    look(project, "save", *steps)

    assert files_of(project.root) == before


def test_steps_that_are_not_needed_do_not_run(project):
    project.write("t.csv", "a\n1\n")

    found = look(project, "good", project.csv("broken", "missing.csv"), project.csv("good", "t.csv"))

    assert found.rows == ((1,),)


def test_an_endless_source_is_read_no_further_than_is_shown(project):
    endless = "SELECT range AS a FROM range(1000000000000000)"

    assert look(project, "t", project.sql("t", (), endless), limit=2).rows == ((0,), (1,))


def test_a_stream_is_read_no_further_than_is_shown(project):
    project.database("shop.db", "CREATE TABLE t (i INTEGER)", "INSERT INTO t VALUES (7)")
    steps = [
        project.step("t", "sqlite.extractor", path="shop.db", table="t", limit=5),
        project.step("u", "sqlite.extractor", path="shop.db", table="t"),
    ]

    assert look(project, "t", *steps).rows == look(project, "u", *steps).rows == ((7,),)


def test_values_that_json_does_not_know_are_text(project):
    query = (
        "SELECT 1.50::DECIMAL(9,2) AS d, DATE '2025-01-31' AS day, [1, 2] AS l, NULL AS n, true AS b, 2.5::DOUBLE AS f"
    )

    found = look(project, "t", project.sql("t", (), query))

    assert found.rows == (("1.50", "2025-01-31", "[1, 2]", None, True, 2.5),)


def test_a_step_that_fails_says_which_and_why(project):
    project.write("t.csv", "a\nx\n")
    steps = [project.csv("t", "t.csv"), project.sql("n", "t", "SELECT CAST(a AS INTEGER) AS n FROM df")]

    with pytest.raises(ExecutionError, match=r"the step n failed: .*Could not convert"):
        look(project, "n", *steps)


def test_without_a_folder_for_temporary_files_it_says_so(project, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as if every disk were full
    try:
        with pytest.raises(ExecutionError, match="No temporary folder can be made for the preview") as raised:
            look(project, "t", project.sql("t", (), "SELECT 1 AS a"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert "TMPDIR" in str(raised.value.hint)


def test_a_step_that_is_not_there_is_named(project):
    with pytest.raises(ConfigurationError, match="There is no step totls") as raised:
        look(project, "totls", *orders(project))

    assert raised.value.hint == "Did you mean totals?"


def test_rows_that_cannot_be_read_after_all_are_no_fault_of_osiris():
    database = RunDatabase(Limits())
    try:
        unlike = Dataset.query(database, "SELECT 1 AS column0", columns=(Column("id", "INTEGER"),))
        with pytest.raises(ExecutionError, match='"id" not found'):
            Sample("t", 5).fill(unlike)
    finally:
        database.close()
