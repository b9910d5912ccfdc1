"""Steps that do not depend on each other run at the same time, and the result is as if they had not."""

from __future__ import annotations

import threading
import time

import pytest

from osiris.core.driver import DriverRegistry
from osiris.core.error_taxonomy import ExecutionError
from osiris.execution.local import start_run


@pytest.fixture
def register():
    names = []

    def register(name, driver):
        names.append(name)
        DriverRegistry.register(name, driver)
        return driver

    yield register
    for name in names:
        DriverRegistry.unregister(name)


class Meeting:
    """A driver whose steps wait until so many of them are there."""

    def __init__(self, size):
        self.barrier = threading.Barrier(size)

    def run(self, step_id, config, inputs, ctx):
        self.barrier.wait(timeout=30)
        return {"df": ctx.dataset("SELECT 1 AS a")}


class Counting:
    """A driver that notes how many of its steps are on their way at once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = 0

    def run(self, step_id, config, inputs, ctx):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        ctx.database.connection.execute("SELECT count(*) FROM range(3000000)").fetchall()
        with self.lock:
            self.now -= 1
        return {}


def test_steps_that_do_not_depend_on_each_other_run_at_the_same_time(project, register):
    register("test.meeting", Meeting(3))

    run = project.run_here(*[project.step(name, "test.meeting") for name in ("a", "b", "c")])

    assert run.states() == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}


def test_no_more_steps_run_at_once_than_the_project_allows(project, register):
    driver = register("test.counting", Counting())
    project.write("osiris.yaml", "runs: {max_parallel_steps: 2}")

    run = project.run_here(*[project.step(f"s{number}", "test.counting") for number in range(8)])

    assert run.state == "succeeded"
    assert driver.most <= 2


def test_one_step_at_a_time_when_the_project_says_so(project):
    project.write("t.csv", "a\n1\n")
    project.write("osiris.yaml", "runs: {max_parallel_steps: 1}")

    run = project.run(
        *[
            step
            for n in range(3)
            for step in (project.csv(f"r{n}", "t.csv"), project.to_csv(f"w{n}", f"r{n}", f"{n}.csv"))
        ]
    )

    assert [step for name, step in run.named("step_start", "step_complete")] == [
        name for n in range(3) for name in (f"r{n}", f"w{n}", f"r{n}", f"w{n}")
    ]


def fan(project):
    """A source, eight branches that compute, and one step that brings them together."""
    branches = [
        project.sql(f"b{n}", "source", f"SELECT a % {n + 2} AS k, sum(a) AS s FROM df GROUP BY 1 ORDER BY 1")
        for n in range(8)
    ]
    together = " UNION ALL ".join(f"SELECT {n} AS b, k, s FROM df_b{n}" for n in range(8))
    return [
        project.sql("source", (), "SELECT range AS a FROM range(100000)"),
        *branches,
        *[project.to_csv(f"w{n}", f"b{n}", f"b{n}.csv") for n in range(8)],
        project.sql("all", [f"b{n}" for n in range(8)], together),
        project.to_csv("save", "all", "all.csv"),
    ]


def test_the_result_does_not_depend_on_how_many_run_at_once(project):
    results = []
    for most in (1, 4, 8):
        project.write("osiris.yaml", f"runs: {{max_parallel_steps: {most}}}")
        run = project.run_here(*fan(project))
        assert run.state == "succeeded", run.error()
        results.append([project.read("all.csv"), *(project.read(f"b{n}.csv") for n in range(8))])

    assert results[0] == results[1] == results[2]


def test_the_events_of_each_step_stay_in_order(project):
    run = project.run(*fan(project))

    for step in run.states():
        own = [e["event"] for e in run.events if e.get("step_id") == step and e["event"] != "step_progress"]
        assert own in (["step_start", "step_complete"], ["step_start", "artifact_created", "step_complete"])
    place = {(e["event"], e.get("step_id")): index for index, e in enumerate(run.events)}
    assert all(place["step_complete", f"b{n}"] < place["step_start", "all"] for n in range(8))


def test_two_steps_that_write_one_file_do_so_in_the_order_of_the_plan(project):
    steps = [
        step
        for n in range(6)
        for step in (
            project.sql(f"t{n}", (), f"SELECT {n} AS n FROM range({100_000 if n == 0 else 1})"),
            project.to_csv(f"w{n}", f"t{n}", "same.csv"),
        )
    ]

    run = project.run_here(*steps)

    assert run.state == "succeeded", run.error()
    assert project.read("same.csv") == "n\n5\n"


def test_steps_that_append_to_one_database_all_arrive(project):
    steps = [
        step
        for n in range(6)
        for step in (
            project.sql(f"t{n}", (), f"SELECT {n} AS n FROM range(500)"),
            project.step(f"w{n}", "sqlite.writer", sources=f"t{n}", path="d.db", table="t", write_mode="append"),
        )
    ]

    run = project.run_here(*steps, project.step("all", "sqlite.extractor", path="d.db", table="t"))

    assert run.state == "succeeded", run.error()
    assert {step["id"]: step.get("rows") for step in run.status["steps"]}["all"] == 3000


def test_a_reader_of_a_file_waits_for_a_writer_before_it_in_the_plan(project):
    project.write("t.csv", "a\nold\n")

    run = project.run_here(
        project.sql("new", (), "SELECT 'new' AS a FROM range(300000)"),
        project.to_csv("write", "new", "t.csv"),
        project.csv("read", "t.csv"),
        project.sql("count", "read", "SELECT a, count(*) AS n FROM df GROUP BY a"),
        project.to_csv("save", "count", "out.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "a,n\nnew,300000\n"


ENDLESS = (
    "SELECT count(*) AS n FROM range(100000) a, range(100000) b, range(100000) c"
    " WHERE (a.range * b.range + c.range) % 7 = 3"
)


def test_a_timeout_stops_its_own_step_and_none_that_runs_beside_it(project):
    run = project.run_here(
        project.sql("endless", (), ENDLESS, step__timeout=0.3),
        *[
            project.sql(f"other{n}", (), "SELECT sum(range % 7) AS s FROM range(150000000)", step__timeout=300)
            for n in range(2)
        ],
        project.to_csv("save", "other0", "out.csv"),
    )

    assert run.states() == {"endless": "failed", "other0": "succeeded", "other1": "succeeded", "save": "succeeded"}
    assert run.error("endless") == "It took longer than its timeout of 0.3 s and was stopped."


def test_cancelling_stops_all_that_run(project, until):
    steps = [project.sql(f"endless{n}", (), ENDLESS) for n in range(3)]
    started = start_run(project.manifest(*steps), root=project.root, detach=True)
    store = project.store()
    until(lambda: sum(e["event"] == "step_start" for e in store.events(started.run_id)) == 3)

    store.cancel(started.run_id)
    until(lambda: not store.show(started.run_id).active)

    status = store.show(started.run_id).status
    assert status["state"] == "cancelled"
    assert [step["state"] for step in status["steps"]] == ["cancelled"] * 3
    assert project.leftovers() == []


def test_after_a_failure_with_on_failure_stop_what_runs_is_finished_and_nothing_begins(project, register):
    together = threading.Barrier(2)

    class Fails:
        def run(self, step_id, config, inputs, ctx):
            together.wait(timeout=30)
            raise ValueError("broken")

    class Finishes:
        def run(self, step_id, config, inputs, ctx):
            together.wait(timeout=30)
            ctx.database.connection.execute("SELECT sum(range % 7) FROM range(100000000)").fetchall()
            return {}

    register("test.fails", Fails())
    register("test.finishes", Finishes())
    project.write("osiris.yaml", "runs: {max_parallel_steps: 2}")

    run = project.run_here(
        project.step("bad", "test.fails"),
        project.step("good", "test.finishes"),
        project.sql("later", (), "SELECT 1 AS a", needs="good"),
        on_failure="stop",
    )

    assert run.states() == {"bad": "failed", "good": "succeeded", "later": "skipped"}


def test_what_a_driver_made_as_an_arrow_table_can_be_read_by_several_at_once(project, register):
    import pyarrow as pa

    class Table:
        def run(self, step_id, config, inputs, ctx):
            return {"df": pa.table({"a": list(range(1000))})}

    register("test.table", Table())
    readers = [project.sql(f"r{n}", "t", f"SELECT sum(a) + {n} AS s FROM df") for n in range(6)]

    run = project.run_here(
        project.step("t", "test.table"),
        *readers,
        *[project.to_csv(f"w{n}", f"r{n}", f"{n}.csv") for n in range(6)],
    )

    assert run.state == "succeeded", run.error()
    assert [project.read(f"{n}.csv") for n in range(6)] == [f"s\n{499500 + n}\n" for n in range(6)]


def test_what_begins_another_statement_after_it_was_interrupted_ends_all_the_same(project, register):
    class Closes:
        def run(self, step_id, config, inputs, ctx):
            between.wait(30)
            ctx.logger.close()  # the run breaks, so that what runs beside this is interrupted
            return {}

    class TwoStatements:
        def run(self, step_id, config, inputs, ctx):
            ctx.database.connection.execute("SELECT 1").fetchall()
            with ctx.stopper.through(interrupted.set):
                between.set()
                interrupted.wait(30)
                time.sleep(0.3)  # longer than the interrupt itself takes
                ctx.database.connection.execute(ENDLESS).fetchall()
            return {}

    between, interrupted = threading.Event(), threading.Event()
    register("test.closes", Closes())
    register("test.two", TwoStatements())

    with pytest.raises(ExecutionError, match="the run was not executed"):
        project.run_here(project.step("a", "test.closes"), project.step("b", "test.two"))
    assert interrupted.is_set()


def test_a_log_that_cannot_be_written_ends_all_that_runs(project, register):
    class Closes:
        def run(self, step_id, config, inputs, ctx):
            ctx.logger.close()
            return {}

    register("test.closes", Closes())

    with pytest.raises(ExecutionError, match="the run was not executed"):
        project.run_here(project.step("a", "test.closes"), project.sql("b", (), ENDLESS))
