"""Runs that go on elsewhere and have lost whoever answered for them here."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from osiris.core.session_logging import SessionLogger
from osiris.execution.local import AlreadyRunning
from osiris.execution.process import Worker
from osiris.execution.remote import attach, session
from osiris.execution.remote.errors import ConnectionLost, NotConnected
from osiris.execution.remote.relay import Relay
from osiris.execution.remote.session import Job, Session
from osiris.execution.resume import plan_resume
from osiris.execution.ulid import new_run_id
from runtime.process_machine import ProcessMachines


@pytest.fixture
def lost(project) -> Path:
    """The folder of a run whose host is gone."""
    run_dir = project.root / "logs" / new_run_id()
    run_dir.mkdir(parents=True)
    status = {"pipeline": "test", "target": "process", "state": "running", "steps": []}
    note = {
        "target": "process", "root": str(project.root), "phase": "running", "machine": {"home": "/gone"},
        "pid": 1, "python": ["python3"], "outputs": {}, "sent": [],
    }  # fmt: skip
    for name, content in (("status", status), ("remote", note), ("manifest", project.manifest())):
        (run_dir / f"{name}.json").write_text(json.dumps(content))
    return run_dir


class OutOfReach(ProcessMachines):
    """Nobody answers when a machine is asked for; ``ended`` are the runs whose machines were to be ended,
    ``answers`` what comes of asking for a new one."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []
        self.answers: list[ConnectionLost] = []

    def find(self, known):
        raise ConnectionLost("The line is dead.")

    def create(self, run_id):
        raise self.answers.pop(0)

    def end_all(self, run_id):
        self.ended.append(run_id)


def test_a_run_that_cannot_be_reached_now_stays_to_be_taken_up_later(project, lost, monkeypatch):
    monkeypatch.setattr(attach, "machines_of", lambda target: OutOfReach())
    with pytest.raises(ConnectionLost, match="The line is dead") as problem:
        attach.attach(project.store().show(lost.name))
    assert f"{lost.name} stays as it is" in str(problem.value.hint)
    assert project.store().show(lost.name).elsewhere


def test_a_run_that_may_go_on_elsewhere_is_not_cleaned_away(project, lost):
    assert project.store().clean(keep_days=0, keep_bytes=0) == []
    assert project.store().show(lost.name).elsewhere


def test_a_machine_that_cannot_be_found_again_is_ended_by_the_name_of_its_run(project, lost, monkeypatch):
    monkeypatch.setattr(session, "LOST_SECONDS", 0.0)
    machines = OutOfReach()
    with SessionLogger(lost, lost.name) as logger:
        end = Session(Job(project.manifest(), project.root, lost, logger), machines).go_on()
    assert end["outcome"]["error"]["code"] == "OML636"
    assert machines.ended == [lost.name]


@pytest.mark.parametrize("heard", [False, True])
def test_only_where_a_machine_may_have_been_made_one_is_to_be_ended(project, monkeypatch, heard):
    monkeypatch.setattr(session, "CREATE_SECONDS", 0.1)
    machines, run_dir = OutOfReach(), project.root / "logs" / new_run_id()
    machines.answers = [ConnectionLost("No answer.") if heard else NotConnected("No line."), NotConnected("No line.")]
    with SessionLogger(run_dir, run_dir.name) as logger:
        end = Session(Job(project.manifest(), project.root, run_dir, logger), machines).run()
    assert end["outcome"]["error"]["message"] == "No line."
    assert machines.ended == ([run_dir.name] if heard else [])


def test_a_machine_that_could_not_be_ended_is_ended_before_its_run_is_resumed(project, lost, monkeypatch):
    machines = OutOfReach()
    monkeypatch.setattr(attach, "machines_of", lambda target: machines)
    status = json.loads((lost / "status.json").read_text())
    (lost / "status.json").write_text(json.dumps({**status, "state": "failed"}))
    plan_resume(project.store().show(lost.name), project.root)
    assert machines.ended == [lost.name]
    plan_resume(project.store().show(lost.name), project.root)
    assert machines.ended == [lost.name]


def test_times_of_another_clock_are_put_right_and_those_of_a_run_that_is_taken_up_not_by_its_pause(tmp_path):
    """The greeting is heard when it is said, or long afterwards."""

    def taken(skew: float | None) -> tuple[float, str]:
        with SessionLogger(tmp_path / str(skew), "run_x") as logger:
            relay = Relay(logger, skew)
            skew = relay.hello(time.time() - 3600)
            relay.take("event", {"event": "step_start", "ts": "2026-01-01T10:00:00.000Z"})
        (event,) = map(json.loads, (logger.run_dir / "events.jsonl").read_text().splitlines())
        return skew, event["ts"]

    skew, moment = taken(None)
    assert (round(skew / 60), moment[:15]) == (60, "2026-01-01T11:0")
    assert taken(5.0) == (5.0, "2026-01-01T10:00:05.000Z")


def test_a_worker_of_this_machine_carries_out_no_run_elsewhere(project, machines):
    project.write("in/a.csv", "n\n1\n")
    worker = Worker()
    steps = project.csv("r", "in/a.csv"), project.to_csv("w", "r", "out/a.csv")
    assert project.run(*steps, target="process", worker=worker).state == "succeeded"
    assert len(machines.made) == 1
    assert worker.wait(60)


@pytest.mark.parametrize("if_running", ["wait", "skip", "fail"])
def test_a_pipeline_that_may_be_at_work_elsewhere_is_not_started_beside_itself(project, lost, machines, if_running):
    project.write("in/a.csv", "n\n1\n")
    steps = project.csv("r", "in/a.csv"), project.to_csv("w", "r", "out/a.csv")
    with pytest.raises(AlreadyRunning, match="may still be at work elsewhere") as refused:
        project.run(*steps, target="process", if_running=if_running)
    assert f"osiris runs attach {lost.name}" in str(refused.value.hint)
    assert (refused.value.run_id, machines.made) == (lost.name, [])
