"""The journal of appends in database files: whether rows have arrived is known, whenever the run was killed."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from functools import partial

import duckdb
import pytest

from osiris.core.discovery import DiscoveryAgent
from osiris.drivers.journal import TABLE
from osiris.execution.resume import OutcomeUnknown, plan_resume
from osiris.execution.ulid import new_ulid
from runtime.interrupted import cut_after

FAMILIES = {"sqlite": "target.db", "duckdb": "target.duckdb"}


def connect(path):
    """A connection to the database, which is closed in the end."""
    connect_to = duckdb.connect if path.suffix == ".duckdb" else partial(sqlite3.connect, isolation_level=None)
    return contextlib.closing(connect_to(path))


def rows(project, family, query="SELECT a FROM t ORDER BY a"):
    with connect(project.root / FAMILIES[family]) as connection:
        return connection.execute(query).fetchall()


def append(project, family, source="read"):
    return project.step("add", f"{family}.writer", sources=source, path=FAMILIES[family], table="t")


def appended(project, family):
    """A run that appended two rows to a table with one."""
    project.write("t.csv", "a\n1\n2\n")
    old = project.run_here(project.sql("read", (), "SELECT 0::BIGINT AS a"), append(project, family))
    assert old.state == "succeeded", old.error()
    run = project.run(project.csv("read", "t.csv"), append(project, family))
    assert run.state == "succeeded", run.error()
    return run


def go_on(project, run_id, **answers):
    manifest, plan = plan_resume(project.store().show(run_id), project.root, **answers)
    return project.run(manifest=manifest, resume=plan)


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_that_were_committed_are_not_added_again(project, family):
    run = appended(project, family)
    cut_after(run.path, "step_commit", "add")

    resumed = go_on(project, run.path.name)

    assert resumed.state == "succeeded", resumed.error()
    assert rows(project, family) == [(0,), (1,), (2,)]
    done = next(event for event in resumed.events if (event["event"], event.get("step_id")) == ("step_complete", "add"))
    assert done["reused"] == run.path.name


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_that_were_not_committed_are_added(project, family):
    run = appended(project, family)
    cut_after(run.path, "step_commit", "add")
    with connect(project.root / FAMILIES[family]) as connection:
        connection.execute("BEGIN")  # as if the commit had not come through
        connection.execute("DELETE FROM t WHERE a > 0")
        connection.execute(f"DELETE FROM {TABLE} WHERE run_id = '{run.path.name}'")
        connection.execute("COMMIT")

    resumed = go_on(project, run.path.name)

    assert resumed.state == "succeeded", resumed.error()
    assert rows(project, family) == [(0,), (1,), (2,)]


def upserted(project, family, rows):
    """A run that put rows ``(a, key)`` into a table with a unique key."""
    kind = "BIGINT" if family == "duckdb" else "INTEGER"
    with connect(project.root / FAMILIES[family]) as connection:
        connection.execute(f"CREATE TABLE t (a {kind}, k {kind} UNIQUE)")
    read = project.sql("read", (), f"SELECT a::BIGINT AS a, k::BIGINT AS k FROM (VALUES {rows}) AS v(a, k)")
    add = append(project, family)
    run = project.run(read, {**add, "config": {**add["config"], "write_mode": "upsert", "primary_key": "k"}})
    assert run.state == "succeeded", run.error()
    cut_after(run.path, "step_commit", "add")
    return run


@pytest.mark.parametrize("family", FAMILIES)
def test_an_upsert_whose_rows_lack_a_key_does_not_add_them_again(project, family):
    run = upserted(project, family, "(1, 1), (2, NULL), (3, NULL)")

    resumed = go_on(project, run.path.name)

    assert resumed.state == "succeeded", resumed.error()
    assert rows(project, family) == [(1,), (2,), (3,)]


@pytest.mark.parametrize("family", FAMILIES)
def test_an_upsert_whose_rows_have_all_their_keys_needs_no_journal(project, family):
    project.write("osiris.yaml", "runs: {journal: false}\n")
    run = upserted(project, family, "(1, 1), (2, 2)")

    resumed = go_on(project, run.path.name)

    assert resumed.state == "succeeded", resumed.error()
    assert rows(project, family) == [(1,), (2,)]


@pytest.mark.parametrize("family", FAMILIES)
def test_where_no_journal_is_wanted_an_upsert_whose_rows_lack_a_key_is_a_question(project, family):
    project.write("osiris.yaml", "runs: {journal: false}\n")
    run = upserted(project, family, "(1, NULL)")

    with pytest.raises(OutcomeUnknown, match="The step add was under way"):
        go_on(project, run.path.name)


def test_a_doubt_is_handed_on_until_the_step_has_had_its_turn(project):
    run = appended(project, "sqlite")
    cut_after(run.path, "step_commit", "add")
    database = project.root / "target.db"
    database.rename(database.with_suffix(".away"))
    database.mkdir()
    second = go_on(project, run.path.name)
    assert second.state == "failed"
    database.rmdir()
    database.with_suffix(".away").rename(database)

    third = go_on(project, second.path.name)

    assert third.state == "succeeded", third.error()
    assert rows(project, "sqlite") == [(0,), (1,), (2,)]


def test_who_says_that_a_step_is_to_be_done_again_is_believed(project):
    run = appended(project, "sqlite")
    cut_after(run.path, "step_commit", "add")

    again = go_on(project, run.path.name, redo=["add"])

    assert again.state == "succeeded", again.error()
    assert rows(project, "sqlite") == [(0,), (1,), (1,), (2,), (2,)]


def test_old_entries_go_and_who_may_need_them_is_asked(project):
    run = appended(project, "sqlite")
    cut_after(run.path, "step_commit", "add")
    long_ago = f"run_{new_ulid(1_600_000_000_000)}"
    shutil.move(run.path, run.path.with_name(long_ago))
    project.database("target.db", f"UPDATE {TABLE} SET written_at = '2020-09-13 12:26:40'")

    with pytest.raises(OutcomeUnknown, match="The step add was under way"):
        go_on(project, long_ago)
    later = project.run_here(project.csv("read", "t.csv"), append(project, "sqlite"))

    assert rows(project, "sqlite", f"SELECT run_id FROM {TABLE}") == [(later.path.name,)]


def test_a_project_may_do_without_and_is_asked_instead(project):
    project.write("osiris.yaml", "runs: {journal: false}\n")
    run = appended(project, "sqlite")
    cut_after(run.path, "step_commit", "add")

    assert rows(project, "sqlite", "SELECT name FROM sqlite_master") == [("t",)]
    with pytest.raises(OutcomeUnknown, match="The step add was under way"):
        go_on(project, run.path.name)


def test_nobody_is_shown_the_journal(project):
    appended(project, "sqlite")

    found = DiscoveryAgent({"family": "sqlite", "path": "target.db"}, root=project.root).discover_schema()

    assert [info.name for info in found.tables] == ["t"]
