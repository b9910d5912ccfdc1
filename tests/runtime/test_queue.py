"""Whose turn it is: the order of those who wait, and what is counted as the same pipeline."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from osiris.execution.local import AlreadyRunning, start_run
from osiris.execution.queue import Turn

SHOP = {"pipeline": "shop", "profile": None, "target": "local"}


def turn(folder, head=SHOP, if_running="wait", most=4):
    return Turn(folder, head, if_running, most)


@pytest.fixture
def gone(tmp_path):
    """Starts a process that waits for its turn behind the one that has it, and kills it."""

    def start_and_kill():
        script = (
            "import sys; from pathlib import Path; from osiris.execution.queue import Turn\n"
            f"waiting = Turn(Path({str(tmp_path)!r}), {SHOP!r}, 'wait', 4)\n"
            "waiting.take(); print('waits', flush=True); sys.stdin.read()"
        )
        process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"waits\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()

    return start_and_kill


def test_those_who_wait_go_in_the_order_in_which_they_came(tmp_path):
    first, second, third = (turn(tmp_path) for _ in range(3))
    assert [first.take(), third.take(), second.take()] == [True, False, False]

    first.release()
    assert [third.take(), second.take(), third.take()] == [False, True, False]

    second.release()
    assert third.take()


def test_nobody_who_comes_late_slips_in_while_others_wait(tmp_path):
    first, waiting = turn(tmp_path), turn(tmp_path)
    first.take()
    first.release()

    with pytest.raises(AlreadyRunning):
        turn(tmp_path, if_running="skip")
    assert not turn(tmp_path).take()
    assert waiting.take()


def test_one_who_was_killed_while_waiting_stops_nobody(tmp_path, gone):
    first = turn(tmp_path)
    first.take()
    gone()
    last = turn(tmp_path)

    first.release()

    assert last.take()
    assert not list(tmp_path.rglob("*.wait"))


def test_the_last_run_is_not_taken_for_the_one_that_has_the_pipeline_now(tmp_path):
    last = turn(tmp_path)
    last.note("run_last")
    last.release()
    now, waiting = turn(tmp_path), turn(tmp_path)
    assert waiting.waits_for is None  # nobody knows yet which run that is

    now.note("run_now")

    assert waiting.waits_for == "run_now"


def test_pipelines_profiles_and_targets_do_not_wait_for_each_other(tmp_path):
    heads = [SHOP, {**SHOP, "pipeline": "stock"}, {**SHOP, "profile": "prod"}, {**SHOP, "target": "e2b"}]

    assert all(turn(tmp_path, head).take() for head in heads)


def test_places_are_given_in_order_too(tmp_path):
    heads = [{**SHOP, "pipeline": name} for name in ("a", "b", "c")]
    a, b, c = (turn(tmp_path, head, most=1) for head in heads)
    assert [a.take(), b.take(), c.take()] == [True, False, False]

    a.release()

    assert [c.take(), b.take()] == [False, True]


def test_one_who_waits_for_its_pipeline_keeps_no_place_from_others(tmp_path):
    first, second = turn(tmp_path, most=2), turn(tmp_path, most=2)
    first.take()
    second.take()

    assert turn(tmp_path, {**SHOP, "pipeline": "other"}, most=2).take()


def test_a_run_says_which_run_it_waits_for(project, until):
    endless = "SELECT count(*) AS n FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"
    manifest = project.manifest(project.sql("endless", (), endless), project.to_csv("w", "endless", "out.csv"))
    first = start_run(manifest, root=project.root, detach=True)

    second = start_run(manifest, root=project.root, detach=True)

    assert "waits_for" not in project.store().events(first.run_id)[0]
    assert project.store().events(second.run_id)[0]["waits_for"] == first.run_id
    for run in (second, first):
        project.store().cancel(run.run_id)
        until(lambda run=run: not project.store().show(run.run_id).active)


def test_waiting_ends_soon_after_the_way_is_free(tmp_path):
    first, second = turn(tmp_path), turn(tmp_path)
    first.take()
    assert not second.take()
    first.release()
    deadline = time.monotonic() + 10

    while not second.take():
        assert time.monotonic() < deadline
