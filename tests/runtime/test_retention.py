"""Old runs go by themselves: by age and size, once an hour at most, and never one that waits or runs."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time

from osiris.execution.left_data import remove_orphans
from osiris.execution.lock import locks_folder
from osiris.execution.retention import Keep, clean_old_runs
from osiris.execution.ulid import new_ulid


def one_step(project):
    return project.sql("t", (), "SELECT 1 AS a")


def aged(project, days):
    """A run of the project that ended so many days ago."""
    path = project.run(one_step(project)).path
    status = json.loads((path / "status.json").read_text())
    then = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - days * 86_400))
    (path / "status.json").write_text(json.dumps({**status, "finished": then}))
    return path


def forget_the_last_cleaning(project):
    (locks_folder(project.root, project.root / "logs") / "cleaned").unlink(missing_ok=True)


def test_a_run_removes_those_that_are_older_than_the_project_keeps(project, until):
    project.write("osiris.yaml", "runs: {keep_days: 7}\n")
    old, young = aged(project, days=8), aged(project, days=6)
    forget_the_last_cleaning(project)

    project.run(project.sql("t", (), "SELECT count(*) AS n FROM range(300000000)"))

    until(lambda: not old.exists())
    assert young.exists()


def test_a_project_is_cleaned_once_an_hour(project):
    root, logs = project.root, project.store().logs_dir
    first = aged(project, days=8)
    forget_the_last_cleaning(project)
    clean_old_runs(root, logs, Keep(days=7))
    second = aged(project, days=8)
    clean_old_runs(root, logs, Keep(days=7))
    assert (first.exists(), second.exists()) == (False, True)

    done = locks_folder(root, logs) / "cleaned"
    os.utime(done, (time.time() - 3700,) * 2)
    clean_old_runs(root, logs, Keep(days=7))
    assert not second.exists()


def test_above_the_size_the_oldest_go_first(project):
    runs = [aged(project, days=0) for _ in range(3)]
    for run in runs:
        (run / "artifacts").mkdir(exist_ok=True)
        (run / "artifacts" / "big").write_bytes(b"x" * 100_000)
    forget_the_last_cleaning(project)

    clean_old_runs(project.root, project.store().logs_dir, Keep(size=250_000))

    assert [run.exists() for run in runs] == [False, True, True]


def test_a_run_that_was_removed_half_way_is_none_and_goes_with_the_next_cleaning(project):
    path = aged(project, days=0)
    gone = path.rename(path.with_name(f".gone-{path.name}"))
    (gone / "status.json").unlink()

    assert project.store().list() == []
    project.store().clean()
    assert not gone.exists()


def test_files_that_come_and_go_meanwhile_do_no_harm(project):
    path = project.run(one_step(project)).path
    over = threading.Event()

    def spill():
        while not over.is_set():
            for name in ("a", "b", "c"):
                (path / "spill" / name / name).mkdir(parents=True, exist_ok=True)
            shutil.rmtree(path / "spill")

    spilling = threading.Thread(target=spill)
    spilling.start()
    try:
        for _ in range(500):
            assert project.store().clean(keep_bytes=10**9) == []
    finally:
        over.set()
        spilling.join()


def test_nothing_is_removed_where_the_logs_folder_is_not_there(project):
    shutil.rmtree(project.root / "logs", ignore_errors=True)

    clean_old_runs(project.root, project.root / "logs", Keep(days=1))

    assert not (project.root / "logs").exists()


def test_what_runs_left_that_are_gone_is_removed_but_not_that_of_one_that_may_have_its_own_logs_folder(project):
    now = int(time.time() * 1000)
    old, young = (f"run_{new_ulid(now - hours * 3_600_000)}" for hours in (25, 23))
    for name in (old, young, "cache"):
        (project.root / ".osiris/data" / name).mkdir(parents=True)

    remove_orphans(project.root, project.root / "logs")

    assert {path.name for path in (project.root / ".osiris/data").iterdir()} == {young, "cache"}
