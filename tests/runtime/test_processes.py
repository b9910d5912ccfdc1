"""Runs as processes: detached, cancelled, killed, queued, and with no space left on the disk."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.execution.local import AlreadyRunning, Worker, start_run
from osiris.execution.ulid import new_run_id

LONG_QUERY = (
    "SELECT count(*) AS n FROM range(100000) a, range(100000) b, range(100000) c"
    " WHERE (a.range * b.range + c.range) % 7 = 3"
)


def long_steps(project):
    """A pipeline that would take days, its target half-written all the while."""
    project.write("t.csv", "a\n1\n")
    return [
        project.csv("quick", "t.csv"),
        project.to_csv("done", "quick", "done.csv"),
        project.sql("endless", "quick", LONG_QUERY),
        project.to_csv("save", "endless", "out.csv"),
    ]


def writing_steps(project):
    """A pipeline that writes rows to its target for days."""
    rows = "SELECT a.range AS a, b.range AS b, c.range AS c FROM range(100000) a, range(100000) b, range(100000) c"
    return [project.sql("rows", (), rows), project.to_csv("save", "rows", "out.csv")]


def started(project, run_id, step):
    """Whether the step of a run has been started."""
    return any(e["event"] == "step_start" and e["step_id"] == step for e in project.store().events(run_id))


def ended(project, run_id, step):
    """Whether a step of a run has ended well."""
    return any(e["event"] == "step_complete" and e["step_id"] == step for e in project.store().events(run_id))


def worker_of(project):
    """The worker process of the run in the project."""
    for process in psutil.process_iter(["cmdline"]):
        if "osiris.execution.worker" in (process.info["cmdline"] or []):
            try:
                if process.cwd() == str(project.root):
                    return process
            except psutil.Error:
                pass
    return None


def names(events):
    """The names of events."""
    return [event["event"] for event in events]


def test_a_detached_run_answers_at_once_and_is_followed_to_its_end(project):
    project.write("t.csv", "a\n1\n")
    manifest = project.manifest(project.csv("t", "t.csv"), project.to_csv("w", "t", "out.csv"))

    result = start_run(manifest, root=project.root, detach=True)
    first = project.store().events(result.run_id)[0]
    events = list(project.store().follow(result.run_id))

    assert result.state == "queued"
    assert first["event"] == "run_queued"
    assert names(events)[0] == "run_queued"
    assert names(events)[-1] == "run_complete"
    assert project.store().show(result.run_id).state == "succeeded"
    assert project.read("out.csv") == "a\n1\n"


def test_a_detached_run_survives_the_death_of_everything_that_started_it(project, until):
    manifest = project.manifest(project.sql("t", (), "SELECT 1 AS a"), project.to_csv("w", "t", "out.csv"))
    project.write("m.json", json.dumps(manifest))
    script = textwrap.dedent(f"""
        import json, sys, time
        from osiris.execution.local import start_run
        manifest = json.load(open({str(project.root / "m.json")!r}))
        print(start_run(manifest, root={str(project.root)!r}, detach=True).run_id, flush=True)
        time.sleep(600)
    """)
    # Two runs of the same pipeline, so that the second still waits when its starter dies.
    blocker = start_run(project.manifest(*long_steps(project)), root=project.root, detach=True)
    until(lambda: started(project, blocker.run_id, "endless"))
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    run_id = starter.stdout.readline().decode().strip()

    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    assert project.store().show(run_id).state == "queued"
    project.store().cancel(blocker.run_id)

    until(lambda: project.store().show(run_id).state == "succeeded")
    assert project.read("out.csv") == "a\n1\n"


def test_cancel_stops_a_long_query(project, until):
    result = start_run(project.manifest(*long_steps(project)), root=project.root, detach=True)
    until(lambda: started(project, result.run_id, "endless"))
    until(lambda: ended(project, result.run_id, "done"))  # it does not wait for the endless step

    project.store().cancel(result.run_id)
    events = list(project.store().follow(result.run_id))

    info = project.store().show(result.run_id)
    assert info.state == "cancelled"
    assert names(events)[-1] == "run_cancelled"
    assert {s["id"]: s["state"] for s in info.status["steps"]} == {
        "quick": "succeeded",
        "done": "succeeded",
        "endless": "cancelled",
        "save": "cancelled",
    }
    assert (project.root / "done.csv").exists()
    assert project.leftovers() == []


def test_cancel_leaves_no_half_written_file(project, until):
    project.write("out.csv", "old\n")
    result = start_run(project.manifest(*writing_steps(project)), root=project.root, detach=True)
    part = until(lambda: next(iter(project.root.glob(".out.csv.*.part")), None))
    until(lambda: part.stat().st_size > 0)

    project.store().cancel(result.run_id)

    until(lambda: project.store().show(result.run_id).state == "cancelled")
    assert project.read("out.csv") == "old\n"
    assert project.leftovers() == []


def test_a_worker_that_is_killed_is_a_clear_error_and_leaves_nothing_half_written(project, until):
    project.write("out.csv", "old\n")
    result = start_run(project.manifest(*writing_steps(project)), root=project.root, detach=True)
    part = until(lambda: next(iter(project.root.glob(".out.csv.*.part")), None))
    until(lambda: part.stat().st_size > 0)

    until(lambda: worker_of(project)).send_signal(signal.SIGKILL)

    events = list(project.store().follow(result.run_id))
    info = project.store().show(result.run_id)
    assert info.state == "failed"
    assert names(events)[-1] == "run_error"
    assert info.status["error"]["message"] == (
        "The process that carried out the run is gone while the step save was running: "
        "it was killed (SIGKILL); the system does that when memory runs out."
    )
    assert project.read("out.csv") == "old\n"
    assert project.leftovers() == []


def test_a_supervisor_that_is_killed_leaves_an_interrupted_run_and_no_worker(project, until):
    result = start_run(project.manifest(*long_steps(project)), root=project.root, detach=True)
    until(lambda: started(project, result.run_id, "endless"))
    worker = until(lambda: worker_of(project))
    supervisor = worker.parent()

    supervisor.send_signal(signal.SIGKILL)

    until(lambda: project.store().show(result.run_id).state == "interrupted")
    until(lambda: worker_of(project) is None)
    assert names(project.store().follow(result.run_id))[0] == "run_queued"  # and it ends by itself
    assert not (project.root / "out.csv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_a_foreground_run(project, until, number):
    project.write("m.json", json.dumps(project.manifest(*long_steps(project))))
    script = textwrap.dedent(f"""
        import json, sys
        from osiris.execution.local import start_run
        result = start_run(json.load(open({str(project.root / "m.json")!r})), root={str(project.root)!r})
        print(result.state)
        sys.exit(result.exit_code)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run = until(lambda: next((r for r in project.store().list() if started(project, r.id, "endless")), None))

    process.send_signal(number)
    out, err = process.communicate()

    assert process.returncode == 1
    assert out.decode().strip() == "cancelled"
    assert err == b""
    assert project.store().show(run.id).state == "cancelled"
    assert project.leftovers() == []


def test_the_end_of_the_terminal_does_not_stop_a_run_under_nohup(project, until):
    project.write("m.json", json.dumps(project.manifest(*long_steps(project))))
    script = textwrap.dedent(f"""
        import json, signal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        from osiris.execution.local import start_run
        print(start_run(json.load(open({str(project.root / "m.json")!r})), root={str(project.root)!r}).state)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    run = until(lambda: next((r for r in project.store().list() if started(project, r.id, "endless")), None))

    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)  # longer than a cancelled run takes to end

    project.store().cancel(run.id)
    assert process.communicate()[0] == b"cancelled\n"


def test_events_arrive_while_the_run_goes_on(project):
    project.write("t.csv", "a\n1\n")
    seen = []

    run = project.run(project.csv("t", "t.csv"), project.to_csv("w", "t", "out.csv"), on_event=seen.append)

    assert seen == run.events
    assert names(seen)[-1] == "run_complete"


def test_one_run_of_a_pipeline_at_a_time(project, until):
    manifest = project.manifest(*long_steps(project))
    first = start_run(manifest, root=project.root, detach=True)
    until(lambda: started(project, first.run_id, "endless"))

    for detach in (False, True):
        for choice in ("skip", "fail"):
            with pytest.raises(AlreadyRunning, match=f"is running already as {first.run_id}"):
                start_run(manifest, root=project.root, if_running=choice, detach=detach)
    second = start_run(manifest, root=project.root, if_running="wait", detach=True)
    assert project.store().show(second.run_id).state == "queued"
    project.store().cancel(first.run_id)

    until(lambda: started(project, second.run_id, "endless"))
    project.store().cancel(second.run_id)
    until(lambda: not project.store().show(second.run_id).active)
    assert len(project.store().list()) == 2


def test_only_so_many_runs_at_once(project, until):
    project.write("osiris.yaml", "runs: {max_parallel: 1}\n")
    first = start_run(project.manifest(*long_steps(project), name="one"), root=project.root, detach=True)
    until(lambda: started(project, first.run_id, "endless"))

    second = start_run(
        project.manifest(project.sql("t", (), "SELECT 1 AS a"), name="two"), root=project.root, detach=True
    )
    assert project.store().show(second.run_id).state == "queued"
    project.store().cancel(first.run_id)

    until(lambda: project.store().show(second.run_id).state == "succeeded")


def test_a_run_that_waits_can_be_cancelled(project, until):
    manifest = project.manifest(*long_steps(project))
    first = start_run(manifest, root=project.root, detach=True)
    until(lambda: started(project, first.run_id, "endless"))
    second = start_run(manifest, root=project.root, detach=True)

    project.store().cancel(second.run_id)

    until(lambda: project.store().show(second.run_id).state == "cancelled")
    assert project.store().show(first.run_id).state == "running"
    project.store().cancel(first.run_id)
    until(lambda: not project.store().show(first.run_id).active)


def test_a_full_disk_is_a_clear_message_and_leaves_the_old_file(project):
    project.write("out.csv", "old\n")
    rows = "SELECT range AS a, 'some text to fill the file with' AS b FROM range(2000000)"
    manifest = project.manifest(project.sql("rows", (), rows), project.to_csv("save", "rows", "out.csv"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        run = project.run(manifest=manifest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert run.state == "failed"
    assert run.error("save") == "The disk is full: not everything could be written."
    assert project.read("out.csv") == "old\n"
    assert project.leftovers() == []


def test_no_room_for_what_does_not_fit_into_memory_is_told_as_that(project):
    project.write("osiris.yaml", "runs: {memory_limit: 150MB}\n")
    rows = "SELECT hash(range) AS h, repeat(CAST(range AS VARCHAR), 8) AS s FROM range(3000000) ORDER BY h"
    manifest = project.manifest(project.sql("rows", (), rows), project.to_csv("save", "rows", "out.csv"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        run = project.run(manifest=manifest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert run.state == "failed"
    assert run.error() == (
        "The disk of the logs folder is full: data that does not fit into memory could not be put there."
    )
    assert "--logs-dir" in run.status["error"]["hint"]
    assert project.leftovers() == []


def test_a_run_that_cannot_be_logged_is_not_started(project):
    manifest = project.manifest(project.sql("t", (), "SELECT 1 AS a"), project.to_csv("w", "t", "out.csv"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(ExecutionError, match=r"Cannot write .*manifest\.json"):
            start_run(manifest, root=project.root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert list((project.root / "logs").iterdir()) == []


def test_data_larger_than_the_memory_limit(project):
    project.write("osiris.yaml", "runs: {memory_limit: 200MB}\n")
    rows = "SELECT range AS a, hash(range) AS h, repeat(CAST(range AS VARCHAR), 4) AS s FROM range(3000000)"

    run = project.run(
        project.sql("rows", (), rows),
        project.sql("sorted", "rows", "FROM df ORDER BY h"),
        project.sql("few", "sorted", "SELECT count(*) AS n, count(DISTINCT s) AS d FROM df"),
        project.to_csv("w", "few", "out.csv"),
        project.sql("again", "sorted", "SELECT max(a) AS m FROM df"),
        project.to_csv("v", "again", "max.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "n,d\n3000000,3000000\n"
    assert project.read("max.csv") == "m\n2999999\n"


@pytest.mark.soak
def test_no_run_takes_more_memory_than_it_may_however_much_data_it_has(project):
    count, limit = (100_000_000, 1000) if os.environ.get("OSIRIS_SOAK") else (2_000_000, 400)
    project.write("osiris.yaml", f"runs: {{memory_limit: {limit}MB}}\n")
    rows = (
        f"SELECT range AS id, hash(range) % {count // 2} AS customer, 'text ' || range % 1000 AS t FROM range({count})"
    )

    run = project.run(
        project.sql("rows", (), rows),
        project.sql("groups", "rows", "SELECT customer, t, sum(id) AS s, count(*) AS n FROM df GROUP BY customer, t"),
        project.step("groups-out", "filesystem.parquet_writer", sources="groups", path="groups.parquet"),
        project.sql("same-rows", (), rows),
        project.to_csv("rows-out", "same-rows", "rows.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert run.status["rows"]["rows-out"] == count
    assert run.status["peak_memory"] <= limit * 1e6  # of all processes of the run


def test_a_worker_that_was_started_early_is_used(project):
    worker = Worker()

    run = project.run(project.sql("t", (), "SELECT 1 AS a"), project.to_csv("w", "t", "out.csv"), worker=worker)

    assert run.state == "succeeded"
    assert not worker.alive()


def test_a_worker_that_is_not_needed_goes_away(project):
    worker = Worker()

    with pytest.raises(ConfigurationError):
        start_run(project.manifest(), root=project.root, if_running="perhaps", worker=worker)

    assert worker.wait(30)


def test_old_runs_are_cleaned_by_age_and_size_and_active_ones_never(project, until):
    done = [project.run(project.sql("t", (), "SELECT 1 AS a")) for _ in range(2)]
    active = start_run(project.manifest(*long_steps(project)), root=project.root, detach=True)
    until(lambda: started(project, active.run_id, "endless"))
    store = project.store()

    assert store.clean(keep_days=1, keep_bytes=1e9) == []
    assert [info.id for info in store.clean(keep_bytes=0)] == [run.path.name for run in done]
    assert [info.id for info in store.list()] == [active.run_id]

    store.cancel(active.run_id)
    until(lambda: not store.show(active.run_id).active)
    assert [info.id for info in store.clean(keep_days=0)] == [active.run_id]
    assert store.list() == []


def test_what_is_left_of_runs_that_were_killed_while_they_began_is_cleaned(project):
    store = project.store()
    old, young = (store.logs_dir / f".new-{new_run_id()}" for _ in range(2))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 3600,) * 2)

    assert store.clean() == []
    assert (old.exists(), young.exists()) == (False, True)


def test_a_run_is_found_by_a_part_of_its_id(project):
    run = project.run(project.sql("t", (), "SELECT 1 AS a"))
    store = project.store()

    assert store.show(run.path.name[:20]).id == run.path.name
    assert store.show("latest").id == run.path.name
    with pytest.raises(ConfigurationError, match="There is no run run_nope"):
        store.show("run_nope")
    with pytest.raises(ConfigurationError, match="There is no run"):
        store.show("../../etc")
