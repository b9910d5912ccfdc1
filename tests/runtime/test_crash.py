"""A worker is killed at any moment: each target is old or new, and a resume ends in the undisturbed result."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time

import psutil
import pytest

from osiris.execution.local import start_run
from osiris.execution.resume import OutcomeUnknown, plan_resume

ROWS = 60_000
MOMENTS = 6


def pipeline(project):
    """Three sources' worth of rows into a CSV file, a Parquet file, and a table that is appended to."""
    project.database("source.db", "CREATE TABLE s (a INTEGER)")
    connection = sqlite3.connect(project.root / "source.db")
    connection.executemany("INSERT INTO s VALUES (?)", ((number,) for number in range(ROWS)))
    connection.commit()
    connection.close()
    project.database("target.db", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (-1)")
    project.write("out.csv", "old\n")
    return [
        project.step("read", "sqlite.extractor", path="source.db", table="s"),
        project.sql("double", "read", "SELECT a * 2 AS a FROM df"),
        project.to_csv("csv", "double", "out.csv"),
        project.step("parquet", "filesystem.parquet_writer", sources="read", path="out.parquet"),
        project.step("append", "sqlite.writer", sources="read", path="target.db", table="t", write_mode="append"),
    ]


def appended(project):
    connection = sqlite3.connect(project.root / "target.db")
    try:
        return connection.execute("SELECT count(*), count(DISTINCT a) FROM t").fetchone()
    finally:
        connection.close()


def csv_lines(project):
    return project.read("out.csv").splitlines()


def kill_worker(project):
    """Kill the process that carries out the run, if it still does."""
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            if "osiris.execution.worker" in (process.info["cmdline"] or []) and process.cwd() == str(project.root):
                process.kill()


def answered(project, info):
    """How to go on; where that is a question, the answer is what the target shows."""
    try:
        return plan_resume(info, project.root)
    except OutcomeUnknown:
        answer = "redo" if appended(project) == (1, 1) else "done"
        return plan_resume(info, project.root, **{answer: ["append"]})


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_after_a_kill_at_any_moment_resume_ends_in_the_undisturbed_result(project, until, seed):
    steps = pipeline(project)
    store = project.store()
    started = start_run(project.manifest(*steps), root=project.root, detach=True)
    until(lambda: any(event["event"] == "run_start" for event in store.events(started.run_id)))
    time.sleep(random.Random(seed).random() * 0.6)
    kill_worker(project)
    until(lambda: not store.show(started.run_id).active)

    assert csv_lines(project)[0] in ("old", "a")
    assert csv_lines(project)[1:] in ([], [str(2 * number) for number in range(ROWS)])
    assert appended(project) in ((1, 1), (ROWS + 1, ROWS + 1))

    info = store.show(started.run_id)
    if info.state != "succeeded":
        manifest, plan = answered(project, info)
        resumed = project.run(manifest=manifest, resume=plan)
        assert resumed.state == "succeeded", resumed.error()

    assert csv_lines(project) == ["a", *[str(2 * number) for number in range(ROWS)]]
    assert appended(project) == (ROWS + 1, ROWS + 1)
    assert (project.root / "out.parquet").exists()
    assert project.leftovers() == []
