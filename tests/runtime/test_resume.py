"""Going on where a run stopped: nothing is done twice, nothing is read twice, and where nobody can know, it asks."""

from __future__ import annotations

import builtins
import contextlib
import json
import sqlite3
import stat

import psutil
import pytest

from osiris.core.driver import DriverRegistry
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.manifest import canonical_json
from osiris.drivers.context import temporary_sibling
from osiris.drivers.targets import unknown_outcome
from osiris.execution.local import start_run
from osiris.execution.preparation import SPILL
from osiris.execution.resume import OutcomeUnknown, plan_resume


def resume(project, run, **answers):
    """Go on with a run."""
    info = project.store().show(run if isinstance(run, str) else run.path.name)
    manifest, plan = plan_resume(info, project.root, **answers)
    return project.run(manifest=manifest, resume=plan)


def rows(project, table="t", path="target.db"):
    connection = sqlite3.connect(project.root / path)
    try:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    finally:
        connection.close()


def shop(project):
    """A source, a step that appends its rows, and one that cannot append them yet: its table lacks the column."""
    project.database("source.db", "CREATE TABLE s (a INTEGER)", "INSERT INTO s VALUES (1), (2)")
    project.database("target.db", "CREATE TABLE t (a INTEGER)")
    project.database("other.db", "CREATE TABLE t (wrong INTEGER)")
    return [
        project.step("read", "sqlite.extractor", path="source.db", table="s"),
        project.step("first", "sqlite.writer", sources="read", path="target.db", table="t", write_mode="append"),
        project.step("second", "sqlite.writer", sources="read", path="other.db", table="t", write_mode="append"),
    ]


def kept(project):
    """The runs whose rows are still there."""
    return sorted(path.name for path in (project.root / ".osiris/data").glob("run_*"))


def mend(project):
    project.database("other.db", "ALTER TABLE t RENAME COLUMN wrong TO a")


def test_what_succeeded_is_not_done_again_and_the_source_is_not_read_again(project):
    failed = project.run(*shop(project))
    assert failed.states() == {"read": "succeeded", "first": "succeeded", "second": "failed"}
    project.database("source.db", "INSERT INTO s VALUES (3)")
    mend(project)

    resumed = resume(project, failed)

    assert resumed.state == "succeeded", resumed.error()
    assert resumed.states() == {"read": "succeeded", "first": "succeeded", "second": "succeeded"}
    assert rows(project) == [(1,), (2,)]
    assert rows(project, path="other.db") == [(1,), (2,)]
    reused = {e["step_id"]: e["reused"] for e in resumed.events if "reused" in e}
    assert reused == {"read": failed.path.name, "first": failed.path.name}
    assert resumed.status["resumes"] == failed.path.name


def test_what_sources_yielded_is_private_and_goes_when_all_is_done(project):
    failed = project.run(*shop(project))
    folder = project.root / ".osiris/data" / failed.path.name
    assert [path.name for path in folder.iterdir()] == ["read.arrow"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "read.arrow").stat().st_mode) == 0o600
    mend(project)

    resume(project, failed)

    assert kept(project) == []


def test_what_all_runs_on_the_way_left_goes_when_the_last_of_them_succeeded(project):
    first = project.run(*shop(project))
    second = resume(project, first)
    assert kept(project) == [first.path.name, second.path.name]
    mend(project)

    third = resume(project, second)

    assert third.state == "succeeded"
    assert kept(project) == []


def test_what_a_run_left_goes_with_its_folder(project):
    steps = shop(project)
    failed, other = project.run(*steps), project.run(*steps[:2])
    assert (other.state, kept(project)) == ("succeeded", [failed.path.name])

    removed = project.store().clean(keep_days=0, root=project.root)

    assert {info.id for info in removed} == {failed.path.name, other.path.name}
    assert kept(project) == []


@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_a_source_whose_rows_are_gone_or_damaged_is_read_again(project, damage):
    failed = project.run(*shop(project))
    left = project.root / ".osiris/data" / failed.path.name / "read.arrow"
    whole = left.read_bytes()
    value = whole.index((2).to_bytes(8, "little"))  # in the second row
    left.write_bytes(whole[: len(whole) // 2] if damage == "cut" else whole[:value] + b"\x09" + whole[value + 1 :])
    if damage == "gone":
        left.unlink()
    project.database("source.db", "INSERT INTO s VALUES (3)")
    mend(project)

    resumed = resume(project, failed)

    assert rows(project) == [(1,), (2,)]
    assert rows(project, path="other.db") == [(1,), (2,), (3,)]
    assert {e["step_id"] for e in resumed.events if "reused" in e} == {"first"}


def test_a_run_is_resumed_once_and_the_one_that_went_on_can_be_resumed_in_turn(project):
    failed = project.run(*shop(project))
    again = resume(project, failed)
    assert again.state == "failed"

    with pytest.raises(ConfigurationError, match=f"was resumed already, by {again.path.name}"):
        resume(project, failed)
    assert [path.name for path in failed.path.glob("resumed*")] == ["resumed"]

    mend(project)
    third = resume(project, again)

    assert third.state == "succeeded"
    assert rows(project) == rows(project, path="other.db") == [(1,), (2,)]


def test_what_every_run_on_the_way_left_half_written_is_removed(project):
    runs = [project.run(*shop(project))]
    for _ in range(3):
        runs.append(resume(project, runs[-1]))
    remains = []
    for run in runs:  # as if it had been killed meanwhile
        part = temporary_sibling(project.root / "other.db", run.path.name)
        remains += [part, run.path / SPILL]
        part.write_bytes(b"half")
        (run.path / SPILL).mkdir()
    mend(project)

    assert resume(project, runs[-1]).state == "succeeded"

    assert [path for path in remains if path.exists()] == []


def test_a_resumed_run_that_never_began_has_not_forgotten_what_was_done(project):
    failed = project.run(*shop(project))
    mend(project)
    info = project.store().show(failed.path.name)
    manifest, plan = plan_resume(info, project.root)
    (project.root / "osiris.yaml").write_text("runs: {max_parallel: 1}")
    endless = project.manifest(project.sql("endless", (), ENDLESS), name="other")
    blocker = start_run(endless, root=project.root, detach=True)
    waiting = start_run(manifest, root=project.root, resume=plan, detach=True)
    project.store().cancel(waiting.run_id)
    list(project.store().follow(waiting.run_id))
    project.store().cancel(blocker.run_id)
    assert project.store().show(waiting.run_id).state == "cancelled"

    third = resume(project, waiting.run_id)

    assert third.state == "succeeded", third.error()
    assert rows(project) == rows(project, path="other.db") == [(1,), (2,)]


ENDLESS = "SELECT a.range AS a FROM range(1000000000) a, range(1000000000) b WHERE a.range % 2 = 0"


def appending(project, until, write_mode="append"):
    """A run that appends rows without end, after another step has appended its own."""
    project.database("target.db", "CREATE TABLE t (a INTEGER)")
    project.database("other.db", "CREATE TABLE t (a INTEGER)")
    steps = [
        project.sql("one", (), "SELECT 1 AS a"),
        project.step("first", "sqlite.writer", sources="one", path="target.db", table="t", write_mode="append"),
        project.sql("many", (), ENDLESS, needs="first"),
        project.step("second", "sqlite.writer", sources="many", path="other.db", table="t", write_mode=write_mode),
    ]
    run_id = start_run(project.manifest(*steps), root=project.root, detach=True).run_id
    store = project.store()
    until(lambda: any(e["event"] == "step_start" and e["step_id"] == "second" for e in store.events(run_id)))
    return run_id


def killed_while_appending(project, until, write_mode="append"):
    """A run that was killed while it appended rows without end."""
    run_id = appending(project, until, write_mode)
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            if "osiris.execution.worker" in (process.info["cmdline"] or []) and process.cwd() == str(project.root):
                process.kill()
    until(lambda: not project.store().show(run_id).active)
    return run_id


def test_an_append_that_was_cancelled_and_came_back_has_written_nothing(project, until):
    run_id = appending(project, until)
    project.store().cancel(run_id)
    until(lambda: not project.store().show(run_id).active)

    _, plan = plan_resume(project.store().show(run_id), project.root)

    assert plan.done == {"one", "first"}
    assert rows(project, path="other.db") == []


def test_a_table_that_was_being_replaced_is_replaced_again_without_a_question(project, until):
    run_id = killed_while_appending(project, until, write_mode="replace")

    _, plan = plan_resume(project.store().show(run_id), project.root)

    assert plan.done == {"one", "first"}


class LosesItsServer:
    """A writer whose server went away while it committed."""

    def __init__(self):
        self.calls = 0

    def run(self, step_id, config, inputs, ctx):
        self.calls += 1
        raise unknown_outcome("the table t") from builtins.ConnectionError("lost")


def test_a_commit_whose_outcome_is_unknown_is_not_tried_again(project):
    writer = LosesItsServer()
    DriverRegistry.register("test.loses", writer)
    try:
        retry = {"attempts": 3, "delay": 0, "max_delay": 0}
        run = project.run_here(
            project.sql("t", (), "SELECT 1 AS a"),
            project.step("w", "test.loses", sources="t", step__retry=retry, step__mode="write"),
        )
    finally:
        DriverRegistry.unregister("test.loses")

    assert (run.state, writer.calls) == ("failed", 1)
    assert [e["outcome_unknown"] for e in run.events if e["event"] == "step_error"] == [True]


def test_an_append_that_was_killed_before_it_came_to_its_end_has_written_nothing(project, until):
    run_id = killed_while_appending(project, until)

    _, plan = plan_resume(project.store().show(run_id), project.root)

    assert (plan.done, plan.in_doubt) == ({"one", "first"}, {})


@pytest.fixture
def lost(project):
    """A run whose last step, of a driver that keeps no journal, lost its server while it committed."""
    steps = [
        project.sql("one", (), "SELECT 1 AS a"),
        project.step("w", "test.loses", sources="one", step__mode="write"),
    ]
    DriverRegistry.register("test.loses", LosesItsServer())
    try:
        run = project.run_here(*steps)
    finally:
        DriverRegistry.unregister("test.loses")
    (run.path / "status.json").write_text(json.dumps({"state": "failed", "steps": run.status["steps"]}))
    (run.path / "manifest.json").write_bytes(canonical_json(project.manifest(*steps)))
    return project.store().show(run.path.name)


def test_an_append_whose_outcome_nobody_knows_is_a_question(project, lost):
    with pytest.raises(OutcomeUnknown, match="The step w was under way") as question:
        plan_resume(lost, project.root)

    assert question.value.steps == ("w",)
    assert "--done w" in question.value.hint
    assert "--redo w" in question.value.hint


def test_the_answer_that_the_rows_are_there(project, lost):
    assert plan_resume(lost, project.root, done=["w"])[1].done == {"one", "w"}


def test_the_answer_that_they_are_not(project, lost):
    assert "w" not in plan_resume(lost, project.root, redo=["w"])[1].done


def test_a_file_that_was_being_written_is_written_again_without_a_question(project, until):
    steps = [project.sql("many", (), ENDLESS), project.to_csv("save", "many", "out.csv")]
    run_id = start_run(project.manifest(*steps), root=project.root, detach=True).run_id
    store = project.store()
    until(lambda: any(e["event"] == "step_start" and e["step_id"] == "save" for e in store.events(run_id)))
    store.cancel(run_id)
    list(store.follow(run_id))
    until(lambda: not store.show(run_id).active)

    _, plan = plan_resume(store.show(run_id), project.root)

    assert plan.done == frozenset()


def test_a_step_that_failed_before_has_its_chance(project):
    steps = [project.csv("read", "t.csv"), project.to_csv("save", "read", "out.csv")]
    failed = project.run(*steps)
    project.write("t.csv", "a\n1\n")

    assert resume(project, failed).state == "succeeded"
    assert project.read("out.csv") == "a\n1\n"


def test_a_run_that_succeeded_has_nothing_to_resume(project):
    done = project.run(project.sql("t", (), "SELECT 1 AS a"), project.to_csv("save", "t", "out.csv"))

    with pytest.raises(ConfigurationError, match="succeeded: there is nothing to resume"):
        resume(project, done)


def test_a_stream_that_breaks_leaves_nothing(project):
    project.database("t.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x'), (CAST(x'ff' AS TEXT))")

    run = project.run(
        project.step("t", "sqlite.extractor", path="t.db", table="t"), project.to_csv("w", "t", "out.csv")
    )

    assert run.state == "failed"
    assert list((project.root / ".osiris/data" / run.path.name).iterdir()) == []


def test_a_project_that_cannot_be_written_to_leaves_nothing_and_runs(project):
    project.database("t.db", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    (project.root / ".osiris").mkdir(mode=0o700)
    (project.root / ".osiris/data").write_text("in the way")

    run = project.run(
        project.step("t", "sqlite.extractor", path="t.db", table="t"), project.to_csv("w", "t", "out.csv")
    )

    assert run.state == "succeeded", run.error()
