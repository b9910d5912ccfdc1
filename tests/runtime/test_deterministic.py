"""``deterministic: true``: the same inputs give the same bytes, also where nobody asked for an order."""

from __future__ import annotations

import pytest

from osiris.core.driver import DriverRegistry

ROWS = (
    "SELECT range AS id, hash(range) % 50000 AS customer, (range * 7919 % 1000003) / 7.0 AS amount FROM range(400000)"
)


def steps(project):
    """Groups in no order, float sums that depend on the order of adding, and two targets that could be made at once."""
    return [
        project.sql("rows", (), ROWS),
        project.sql("totals", "rows", "SELECT customer, sum(amount) AS total, any_value(id) AS one FROM df GROUP BY 1"),
        project.to_csv("save", "totals", "totals.csv"),
        project.sql("joined", ("rows", "totals"), "SELECT r.id, t.* FROM df_rows r JOIN df_totals t USING (customer)"),
        project.step("keep", "filesystem.parquet_writer", sources="joined", path="joined.parquet"),
    ]


def test_two_runs_write_the_same_bytes(project):
    project.write("osiris.yaml", "deterministic: true\n")
    made = []

    for _ in range(2):
        run = project.run(*steps(project), cache=False)
        assert run.state == "succeeded", run.error()
        made.append([(project.root / name).read_bytes() for name in ("totals.csv", "joined.parquet")])

    assert made[0] == made[1]


@pytest.mark.parametrize(("wanted", "threads", "lanes"), [("true", 1, 1), ("false", None, 4)])
def test_sql_has_one_thread_and_steps_follow_each_other(project, monkeypatch, wanted, threads, lanes):
    seen = {}

    class Curious:
        def run(self, step_id, config, inputs, ctx):
            seen["threads"] = ctx.database.limits.threads
            seen["of_duckdb"] = ctx.database.connection.execute("SELECT current_setting('threads')").fetchone()[0]
            seen["lanes"] = ctx.database.lanes
            seen["memory"] = ctx.database.limits.memory
            return {}

    DriverRegistry.register("my.curious", Curious())
    monkeypatch.setenv("OSIRIS_DETERMINISTIC", wanted)
    try:
        run = project.run_here(*(project.step(name, "my.curious") for name in "abcd"))
    finally:
        DriverRegistry.unregister("my.curious")

    assert run.state == "succeeded", run.error()
    assert (seen["threads"], seen["lanes"]) == (threads, lanes)
    assert threads is None or (seen["of_duckdb"], seen["memory"]) == (threads, 600_000_000)  # on every machine
