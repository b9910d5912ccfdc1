"""What happens when a step fails: who is named, what is skipped, what is tried again, what is left on disk."""

from __future__ import annotations

import builtins
import errno
import time

import pytest

from osiris.core.driver import DriverRegistry
from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.drivers.context import StepStopped
from osiris.execution.deadline import Deadline, woken_by_signals


class Flaky:
    """A driver that fails as often as it is told, then yields one row."""

    def __init__(self, failures, error=builtins.ConnectionError):
        self.failures = failures
        self.error = error
        self.calls = 0

    def run(self, step_id, config, inputs, ctx):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"attempt {self.calls} failed")
        return {"df": ctx.dataset("SELECT 7 AS a")}


class Sleepy:
    """A driver that waits in Python."""

    def run(self, step_id, config, inputs, ctx):
        end = time.monotonic() + 600
        while time.monotonic() < end:
            time.sleep(0.01)
            ctx.checkpoint()
        return {}


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


def test_what_depends_is_skipped_and_what_does_not_is_finished(project):
    project.write("t.csv", "a\n1\n")

    run = project.run(
        project.csv("good", "t.csv"),
        project.csv("missing", "nope.csv"),
        project.sql("after", "missing", "FROM df"),
        project.to_csv("save-after", "after", "after.csv"),
        project.to_csv("save-good", "good", "good.csv"),
    )

    assert run.state == "failed"
    assert run.result.exit_code == 1
    assert run.states() == {
        "good": "succeeded",
        "missing": "failed",
        "after": "skipped",
        "save-after": "skipped",
        "save-good": "succeeded",
    }
    assert run.status["error"]["step"] == "missing"
    assert run.error().startswith("Cannot read nope.csv: ")
    assert project.read("good.csv") == "a\n1\n"
    assert run.events[-1]["event"] == "run_error"
    assert run.events[-1]["step_id"] == "missing"


def test_on_failure_stop_starts_nothing_more(project):
    project.write("t.csv", "a\n1\n")
    project.write("osiris.yaml", "runs: {max_parallel_steps: 1}")

    run = project.run_here(
        project.csv("missing", "nope.csv"),
        project.to_csv("save", "missing", "a.csv"),
        project.csv("good", "t.csv"),
        project.to_csv("save-good", "good", "good.csv"),
        on_failure="stop",
    )

    assert run.states() == {"missing": "failed", "save": "skipped", "good": "skipped", "save-good": "skipped"}
    reasons = {e["step_id"]: e["reason"] for e in run.events if e["event"] == "step_skipped"}
    assert reasons["good"] == "the step missing failed, and on_failure is stop"


CULPRITS = {
    "extract": {"extract_path": "late.csv"},
    "first": {"first": "SELECT CAST(s AS INTEGER) AS s FROM df"},
    "second": {"second": "SELECT CASE WHEN s = 'b' THEN error('no b please') ELSE s END AS s FROM df"},
}


@pytest.mark.parametrize("culprit", CULPRITS)
def test_the_step_whose_data_does_not_fit_is_named_although_all_are_one_query(project, culprit):
    project.write("t.csv", "s\na\nb\n")
    project.write("late.csv", "s\n" + "1\n" * 30_000 + "abc\n")
    broken = CULPRITS[culprit]

    run = project.run_here(
        project.csv("extract", broken.get("extract_path", "t.csv")),
        project.sql("first", "extract", broken.get("first", "FROM df")),
        project.sql("second", "first", broken.get("second", "FROM df")),
        project.sql("third", "second", "SELECT s AS t FROM df"),
        project.to_csv("save", "third", "out.csv"),
    )

    order = ["extract", "first", "second", "third", "save"]
    place = order.index(culprit)
    assert [run.states()[name] for name in order] == ["succeeded"] * place + ["failed"] + ["skipped"] * (4 - place)
    assert run.named("step_error") == [("step_error", culprit)]
    assert not (project.root / "out.csv").exists()
    assert project.leftovers() == []


def test_an_error_in_a_query_says_where_and_what_was_perhaps_meant(project):
    project.write("t.csv", "region,amount\nnorth,1\n")

    run = project.run_here(
        project.csv("orders", "t.csv"),
        project.sql("totals", "orders", "SELECT 'ž',\n  regio\nFROM df_orders"),
        project.to_csv("save", "totals", "out.csv"),
    )

    message = run.error("totals")
    assert 'Referenced column "regio" not found' in message
    assert "Did you mean region?" in message
    assert "(line 2, column 3 of the query)" in message


def test_a_writer_that_fails_leaves_the_old_file(project):
    project.write("out.csv", "old\n")

    run = project.run_here(
        project.sql("t", (), "SELECT CASE WHEN i = 500000 THEN error('no') ELSE i END AS a FROM range(600000) t(i)"),
        project.to_csv("w", "t", "out.csv"),
    )

    assert run.states() == {"t": "failed", "w": "skipped"}
    assert project.read("out.csv") == "old\n"
    assert project.leftovers() == []


def test_a_write_that_fails_far_into_its_rows_ends_every_time(project):
    failing = "SELECT CASE WHEN i = 500000 THEN error('no') ELSE i END AS a FROM range(600000) t(i)"

    for _ in range(30):
        run = project.run_here(project.sql("t", (), failing), project.to_csv("w", "t", "out.csv"))

        assert run.state == "failed"
        assert project.leftovers() == []


def test_retry_tries_as_often_as_it_says(project, register):
    driver = register("test.flaky", Flaky(failures=2))

    run = project.run_here(
        project.step("t", "test.flaky", step__retry={"attempts": 3, "delay": 0.01, "max_delay": 1}),
        project.to_csv("w", "t", "out.csv"),
    )

    assert run.state == "succeeded"
    assert driver.calls == 3
    assert [(e["attempt"], e["attempts"], e["message"]) for e in run.events if e["event"] == "step_retry"] == [
        (1, 3, "attempt 1 failed."),
        (2, 3, "attempt 2 failed."),
    ]
    assert run.status["steps"][0]["attempts"] == 3
    assert project.read("out.csv") == "a\n7\n"


def test_the_pause_between_attempts_doubles_up_to_its_maximum_and_varies_a_little(project, register):
    register("test.flaky", Flaky(failures=9))

    run = project.run_here(
        project.step("t", "test.flaky", step__retry={"attempts": 6, "delay": 0.01, "max_delay": 0.04})
    )

    pauses = [e["delay"] for e in run.events if e["event"] == "step_retry"]
    for pause, wanted in zip(pauses, [0.01, 0.02, 0.04, 0.04, 0.04], strict=True):
        assert wanted * 0.8 - 0.001 <= pause <= min(wanted * 1.2 + 0.001, 0.04)


def test_retry_gives_up(project, register):
    driver = register("test.flaky", Flaky(failures=9))

    run = project.run_here(project.step("t", "test.flaky", step__retry={"attempts": 2, "delay": 0, "max_delay": 0}))

    assert run.state == "failed"
    assert driver.calls == 2
    assert run.error("t") == "attempt 2 failed."


def test_a_retry_repeats_the_work_of_its_own_step_only(project, register):
    source = register("test.source", Flaky(failures=0))
    sink = register("test.sink", Flaky(failures=2))

    run = project.run_here(
        project.step("t", "test.source"),
        project.step("w", "test.sink", sources="t", step__retry={"attempts": 3, "delay": 0, "max_delay": 0}),
    )

    assert run.states() == {"t": "succeeded", "w": "succeeded"}
    assert (source.calls, sink.calls) == (1, 3)


HOPELESS = {
    "wrong password": lambda text: PermissionError(errno.EACCES, text),
    "full disk": lambda text: OSError(errno.ENOSPC, text),
    "missing file": lambda text: FileNotFoundError(errno.ENOENT, text),
    "configuration": ConfigurationError,
    "nobody knows what": RuntimeError,
    "a failed step": ExecutionError,
}


@pytest.mark.parametrize("kind", HOPELESS)
def test_what_cannot_go_away_by_itself_is_not_tried_again(project, register, kind):
    driver = register("test.flaky", Flaky(failures=9, error=HOPELESS[kind]))

    run = project.run_here(project.step("t", "test.flaky", step__retry={"attempts": 3, "delay": 0, "max_delay": 0}))

    assert run.state == "failed"
    assert driver.calls == 1
    assert run.named("step_retry") == []


@pytest.mark.parametrize("kind", [builtins.ConnectionError, TimeoutError, BlockingIOError])
def test_what_may_go_away_by_itself_is_tried_again(project, register, kind):
    error = (lambda text: kind(errno.EAGAIN, text)) if kind is BlockingIOError else kind
    driver = register("test.flaky", Flaky(failures=1, error=error))

    run = project.run_here(project.step("t", "test.flaky", step__retry={"attempts": 3, "delay": 0, "max_delay": 0}))

    assert run.state == "succeeded"
    assert driver.calls == 2


def test_a_stream_that_breaks_under_a_retry_says_what_broke_it(project):
    project.database("t.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x'), (CAST(x'ff' AS TEXT))")

    run = project.run_here(
        project.step(
            "t", "sqlite.extractor", path="t.db", table="t", step__retry={"attempts": 2, "delay": 0, "max_delay": 0}
        ),
        project.to_csv("w", "t", "out.csv"),
    )

    assert run.error("t") == "Cannot read t.db: Could not decode to UTF-8 column 'a'."


LONG_QUERY = (
    "SELECT count(*) AS n FROM range(100000) a, range(100000) b, range(100000) c"
    " WHERE (a.range * b.range + c.range) % 7 = 3"
)


def test_timeout_stops_a_query(project):
    run = project.run(
        project.sql("endless", (), LONG_QUERY, step__timeout=0.3),
        project.to_csv("w", "endless", "out.csv"),
        project.sql("other", (), "SELECT 1 AS a"),
        project.to_csv("x", "other", "other.csv"),
    )

    assert run.states() == {"endless": "failed", "w": "skipped", "other": "succeeded", "x": "succeeded"}
    assert run.error("endless") == "It took longer than its timeout of 0.3 s and was stopped."
    assert run.status["error"]["code"] == "OML616"


def test_timeout_holds_for_each_attempt(project):
    run = project.run_here(
        project.sql(
            "endless", (), LONG_QUERY, step__timeout=0.2, step__retry={"attempts": 2, "delay": 0, "max_delay": 0}
        ),
    )

    assert run.state == "failed"
    assert [e["attempt"] for e in run.events if e["event"] == "step_retry"] == [1]


def test_timeout_stops_a_query_in_sqlite(project):
    project.database(
        "t.db",
        "CREATE TABLE t AS WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r LIMIT 20000) SELECT i FROM r",
    )

    run = project.run_here(
        project.step(
            "endless",
            "sqlite.extractor",
            path="t.db",
            query="SELECT count(*) AS n FROM t a, t b, t c WHERE (a.i * b.i + c.i) % 7 = 3",
            step__timeout=0.3,
        ),
    )

    assert run.state == "failed"
    assert run.error("endless") == "It took longer than its timeout of 0.3 s and was stopped."


def test_timeout_stops_a_driver_of_somebody_else(project, register):
    register("test.sleepy", Sleepy())

    run = project.run_here(project.step("t", "test.sleepy", step__timeout=0.2))

    assert run.error("t") == "It took longer than its timeout of 0.2 s and was stopped."


def test_a_time_limit_wakes_python_code_that_waits():
    deadline = Deadline(0.1, lambda: None, signals=True)

    with pytest.raises(StepStopped), woken_by_signals(deadline.running), deadline:
        time.sleep(600)

    assert deadline.expired


def test_every_missing_driver_is_named_before_anything_starts(project, planned):
    project.write("t.csv", "a\n1\n")
    steps = [
        project.csv("t", "t.csv"),
        project.to_csv("w", "t", "out.csv"),
        project.step("m", planned, sources="t", table="x"),
    ]

    run = project.run(*steps)

    assert run.state == "failed"
    assert "acme.writer has no driver in this version of Osiris yet" in run.error()
    assert run.named("step_start") == []
    assert not (project.root / "out.csv").exists()


def test_a_driver_that_raises_anything_fails_its_step_in_words(project, register):
    register("test.flaky", Flaky(failures=1, error=ZeroDivisionError))

    run = project.run_here(project.step("t", "test.flaky"))

    assert run.state == "failed"
    assert "attempt 1 failed" in run.error("t")
    assert "Traceback" not in run.error("t")


def test_a_driver_that_returns_something_else_says_so(project, register):
    class Wrong:
        def run(self, step_id, config, inputs, ctx):
            return {"df": [1, 2, 3]}

    register("test.wrong", Wrong())

    run = project.run_here(project.step("t", "test.wrong"), project.to_csv("w", "t", "out.csv"))

    assert "under 'df', not list" in run.error("t")


BROKEN_MANIFESTS = {
    "no steps": ({"steps": []}, "The manifest has no steps."),
    "path as id": ({"id": "../../x"}, "whose id"),
    "needs a later step": ({"needs": ["later"]}, "needs later, which does not come before it"),
    "other driver": ({"driver": "os:system"}, "The manifest names os:system for the component"),
}


@pytest.mark.parametrize("case", BROKEN_MANIFESTS)
def test_a_manifest_that_no_compiler_wrote(project, case):
    changes, message = BROKEN_MANIFESTS[case]
    step = {**project.csv("t", "t.csv"), **{k: v for k, v in changes.items() if k != "steps"}}
    manifest = project.manifest(*changes.get("steps", [step]))

    run = project.run(manifest=manifest)

    assert run.state == "failed"
    assert message in run.error()


def test_a_variable_that_is_not_set_is_named_before_anything_starts(project):
    project.write("osiris_connections.yaml", "connections: {sqlite: {shop: {path: '${NO_SUCH_VARIABLE_HERE}'}}}")

    with pytest.raises(ConfigurationError, match="NO_SUCH_VARIABLE_HERE"):
        project.run_here(project.step("t", "sqlite.extractor", table="t", step__connection="@sqlite.shop"))
