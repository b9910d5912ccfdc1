"""Many runs of one project asked for at once: all finish, each log is whole, and no more run than may."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from osiris.execution.local import start_run

PLACES = 2
WHOLE = [
    "run_queued",
    "run_start",
    *("step_start", "step_complete"),  # the rows that two steps take
    *("step_start", "artifact_created", "step_complete") * 2,
    "run_complete",
]


@pytest.mark.soak
def test_all_finish_with_every_event_and_wait_for_their_turn(project, until):
    count, pipelines = (200, 40) if os.environ.get("OSIRIS_SOAK") else (10, 4)
    project.write("osiris.yaml", f"runs: {{max_parallel: {PLACES}}}\n")
    manifests = []
    for number in range(pipelines):
        rows = project.sql("rows", (), f"SELECT range AS n, {number} AS pipeline FROM range(1000)")
        writers = [project.to_csv(name, "rows", f"out/{number}-{name}.csv") for name in ("left", "right")]
        manifests.append(project.manifest(rows, *writers, name=f"p{number}"))

    def start(number):
        return start_run(manifests[number % pipelines], root=project.root, detach=True).run_id

    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(start, range(count)))
    store = project.store()
    until(lambda: not any(run.active for run in store.list()), seconds=10.0 * count + 60)

    runs = store.list()
    assert sorted(run.id for run in runs) == sorted(asked)
    assert {run.state for run in runs} == {"succeeded"}
    spans = []
    for run in runs:
        events = [event for event in store.events(run.id) if event["event"] != "step_progress"]  # of a slow machine
        assert sorted(event["event"] for event in events) == sorted(WHOLE), run.id
        assert (events[0]["event"], events[-1]["event"]) == ("run_queued", "run_complete")
        assert {event["session"] for event in events} == {run.id}
        assert not (run.path / "worker.log").exists()
        spans.append((str(run.pipeline), run.status["started"], run.status["finished"]))
    assert most_at_once(spans) <= PLACES
    for name in {pipeline for pipeline, _, _ in spans}:
        own = sorted((begin, end) for pipeline, begin, end in spans if pipeline == name)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(own)), "a pipeline ran twice at once"
    assert not list((project.root / ".osiris/locks").glob("*.wait"))
    assert project.leftovers() == []


def most_at_once(spans):
    """How many of the spans of time lay over one another at most; times to the millisecond, ends first."""
    changes = sorted([(begin, 1) for _, begin, _ in spans] + [(end, -1) for _, _, end in spans])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
