"""How a run in a sandbox ends when something goes wrong: what its status says, what the user is told, what is left.

Whatever happens, no sandbox is left running.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from e2b_double import E2BDouble
from osiris.components.registry import ComponentRegistry
from osiris.core.compiler_v0 import compile_oml
from osiris.execution.local import start_run
from osiris.execution.remote import session
from osiris.execution.remote.errors import ConnectionLost
from osiris.execution.remote.targets import machines_of
from parity.targets import TARGETS, Place

SLOW = """\
oml_version: "0.1.0"
name: slow
steps:
  - {{id: odd, component: odd.source, mode: read, config: {{seconds: {seconds}, rows: 5}}}}
  - {{id: save, component: filesystem.csv_writer, mode: write, config: {{path: out/odd.csv}}}}
"""
QUICK = """\
oml_version: "0.1.0"
name: quick
steps:
  - {id: rows, component: filesystem.csv_extractor, mode: read, config: {path: rows.csv}}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/rows.csv}}
"""
SOAK = bool(os.environ.get("OSIRIS_SOAK"))
ROWS = "n,text\n" + "".join(f"{number},{'x' * 40}\n" for number in range(2000))


@pytest.fixture
def place(double: E2BDouble, site: Path, tmp_path: Path) -> Iterator[Place]:
    """A project with pipelines that run in sandboxes; none of them is left when the test is over."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "osiris.yaml").write_text("# a project\n")
    (root / "rows.csv").write_text(ROWS)
    (root / "quick.oml.yaml").write_text(QUICK)
    (root / "slow.oml.yaml").write_text(SLOW.format(seconds=600))
    (root / "short.oml.yaml").write_text(SLOW.format(seconds=3).replace("slow", "short"))
    place = Place(root, {"PYTHONPATH": str(site), **TARGETS["e2b"](double)})
    yield place
    place.end()
    assert [box.id for box in double.running()] == []


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def started(place: Place) -> bool:
    """Whether a step runs, as the log on this machine says."""
    try:
        return any(event["event"] == "step_start" for event in place.lines("events"))
    except (ValueError, OSError):
        return False


def supervisors(root: Path) -> list[psutil.Process]:
    """The processes that supervise detached runs of a project."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "osiris.execution.supervisor" in process.cmdline() and process.cwd() == str(root):
                found.append(process)
    return found


def under_way(place: Place, file: str = "slow.oml.yaml", *arguments: str):
    """A run that has begun its first step in the sandbox."""
    process = place.start("run", file, "--target", "e2b", *arguments)
    until(lambda: started(place) or process.poll() is not None, "no step began")
    assert started(place), process.communicate()
    return process


def failed(place: Place, file: str = "quick.oml.yaml") -> tuple[str, str, str]:
    """Run a pipeline that fails; the code and the message in its status, and what the user is told."""
    done = place.osiris("run", file, "--target", "e2b")
    assert done.returncode == 1, done.stdout + done.stderr
    return (*problem(place), done.stdout + done.stderr)


def problem(place: Place) -> tuple[str, str]:
    status = place.status()
    assert status["state"] == "failed"
    return status["error"]["code"], " ".join([status["error"]["message"], status["error"].get("hint", "")])


@pytest.mark.soak
@pytest.mark.parametrize("way", ["signal", "command"] if SOAK else ["signal"])
def test_a_cancelled_run_ends_in_the_sandbox_and_here(place, double, way):
    process = under_way(place)
    if way == "signal":
        process.send_signal(signal.SIGINT)
    else:
        assert place.osiris("runs", "cancel", "latest").returncode == 0
    out, err = process.communicate(timeout=60)
    assert place.status()["state"] == "cancelled", out + err
    assert [step["state"] for step in place.status()["steps"]] == ["cancelled", "cancelled"]
    assert place.lines("events")[-1]["event"] == "run_cancelled"
    assert not (place.root / "out").exists()


def test_a_lost_connection_goes_on_where_it_was(place, double):
    process = under_way(place, "short.oml.yaml")
    double.cut_connections()
    with double.offline():
        time.sleep(1.5)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, out + err
    events = [event["event"] for event in place.lines("events") if not event["event"].startswith("remote_")]
    assert [events.count(name) for name in ("run_start", "step_start", "step_complete", "run_complete")] == [1, 2, 2, 1]
    assert (place.root / "out/odd.csv").read_text() == "n\n0\n1\n2\n3\n4\n"


@pytest.mark.soak
@pytest.mark.parametrize("way", ["killed", "its time was over"] if SOAK else ["its time was over"])
def test_a_sandbox_that_is_gone_fails_the_run_and_says_what_was_running(place, double, way):
    process = under_way(place)
    for box in double.running():
        if way == "killed":
            double.kill(box)
        else:
            box.deadline = time.time()
    out, err = process.communicate(timeout=60)
    code, message = problem(place)
    assert (process.returncode, code) == (1, "OML635"), out + err
    assert "The sandbox is gone" in message
    assert "Run it again" in message
    assert [step["state"] for step in place.status()["steps"]] == ["failed", "skipped"]


def test_a_run_that_is_cancelled_while_its_sandbox_is_made_leaves_none(place, double):
    fault = double.fail("create", delay=2, times=1)
    process = place.start("run", "slow.oml.yaml", "--target", "e2b")
    until(lambda: fault.taken, "nobody asked for a sandbox")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    until(lambda: double.boxes, "no sandbox was made")
    until(lambda: not double.running(), "the sandbox was not ended")
    assert place.status()["state"] == "cancelled"


def lost_host(place: Place, double: E2BDouble, file: str) -> None:
    """Start a run in the background, and kill the process that supervises it when its first step has begun."""
    double.fail("files.read", delay=20)  # it is not over before, however slow this machine is
    assert place.osiris("run", file, "--target", "e2b", "--detach").returncode == 0
    until(lambda: started(place), "no step began")
    (supervisor,) = supervisors(place.root)
    supervisor.kill()
    supervisor.wait(20)
    double.faults.clear()


@pytest.mark.soak
@pytest.mark.parametrize("when", ["while it runs", "after its end"] if SOAK else ["after its end"])
def test_a_run_whose_host_was_killed_is_taken_up_again_and_nothing_is_lost(place, double, when):
    lost_host(place, double, "short.oml.yaml")
    (box,) = double.running()
    if when == "after its end":
        (wire,) = [path for path in box.files() if path.name == "wire.jsonl"]
        until(lambda: b'"kind":"end"' in wire.read_bytes(), "the worker there did not end")
    done = place.osiris("runs", "attach", "latest")
    assert done.returncode == 0, done.stderr
    assert place.status()["state"] == "succeeded"
    events = [event["event"] for event in place.lines("events") if not event["event"].startswith("remote_")]
    assert [events.count(name) for name in ("run_start", "step_start", "step_complete", "run_complete")] == [1, 2, 2, 1]
    assert (place.root / "out/odd.csv").read_text() == "n\n0\n1\n2\n3\n4\n"
    assert list(double.boxes) == [box.id]


def test_a_run_whose_host_was_killed_can_be_cancelled(place, double):
    lost_host(place, double, "slow.oml.yaml")
    assert len(double.running()) == 1
    done = place.osiris("runs", "cancel", "latest")
    assert done.returncode == 0, done.stderr
    until(lambda: place.status()["state"] == "cancelled", "the run was not cancelled")
    assert double.running() == []


def test_a_run_that_may_go_on_elsewhere_is_resumed_only_when_it_does_not(place, double):
    lost_host(place, double, "short.oml.yaml")
    again = place.osiris("run", "--resume", "latest")
    assert again.returncode != 0
    assert "osiris runs attach" in again.stderr
    double.kill()
    assert place.osiris("runs", "attach", "latest").returncode == 1
    assert problem(place)[0] == "OML635"
    assert place.osiris("run", "--resume", "latest").returncode == 0
    assert place.status()["target"] == "e2b"
    assert (place.root / "out/odd.csv").read_text() == "n\n0\n1\n2\n3\n4\n"


def test_a_connection_that_does_not_come_back_fails_the_run_and_the_sandbox_ends_by_itself(
    place, double, monkeypatch, site
):
    for name, value in {**place.environ, "OSIRIS_E2B_TIMEOUT": "40"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(session, "LOST_SECONDS", 2.0)
    registry = ComponentRegistry()
    monkeypatch.setattr(ComponentRegistry, "builtin", classmethod(lambda cls: registry))
    monkeypatch.chdir(place.root)
    manifest = compile_oml(place.root / "slow.oml.yaml")
    with contextlib.ExitStack() as away:

        def on_event(event):
            if event["event"] == "step_start":
                away.enter_context(double.offline())

        result = start_run(manifest, root=place.root, target="e2b", on_event=on_event)
    assert result.state == "failed"
    assert result.status["error"]["code"] == "OML636"
    assert "did not come back" in result.status["error"]["message"]
    assert "osiris run --resume" in result.status["error"]["hint"]
    (box,) = double.running()  # nobody can end it from here; it has been told when it ends by itself
    assert box.deadline <= time.time() + 40
    box.deadline = time.time()
    until(lambda: not double.running(), "the sandbox did not end with its time limit")
    assert box.ended_why == "its time was over"


def test_an_account_without_room_says_so(place, double):
    double.most_boxes = 0
    code, message, said = failed(place)
    assert code == "OML633"
    assert "maximum number of concurrent" in message
    assert "e2b.dev/dashboard" in said


def test_a_key_that_is_not_accepted_says_so_and_is_not_shown(place, double):
    place.environ = {**place.environ, "E2B_API_KEY": "e2b_" + "9" * 40}
    code, message, said = failed(place)
    assert code == "OML632"
    assert "E2B_API_KEY" in message
    assert "9999" not in said + str(place.status()) + str(place.lines("events"))


def test_without_a_key_nothing_is_started(place, double):
    place.environ = {name: value for name, value in place.environ.items() if name != "E2B_API_KEY"}
    (place.root / ".env").write_text(f"E2B_API_KEY={double.key}\n")
    done = place.osiris("run", "quick.oml.yaml", "--target", "e2b")
    assert done.returncode in (1, 2)
    assert "E2B_API_KEY is not set" in done.stderr
    assert double.boxes == {}


def test_a_service_that_refuses_a_sandbox_is_quoted(place, double):
    double.fail("create", status=403, message="your team is blocked")
    code, message, _ = failed(place)
    assert code == "OML633"
    assert "your team is blocked" in message


def test_a_service_that_fails_at_first_is_asked_again_and_makes_one_sandbox(place, double):
    double.fail("create", status=500, times=1)
    double.fail("create", cut_after=10, times=1)  # it was made, and nobody heard of it
    done = place.osiris("run", "quick.oml.yaml", "--target", "e2b")
    assert done.returncode == 0, done.stderr
    assert len(double.boxes) == 1


def test_a_download_that_is_cut_or_spoilt_once_is_asked_for_again(place, double):
    double.fail("files.read", cut_after=20_000, times=1)
    double.fail("files.read", changed=lambda data: data[:-2] + b"?\n", times=1)
    done = place.osiris("run", "quick.oml.yaml", "--target", "e2b")
    assert done.returncode == 0, done.stderr
    assert (place.root / "out/rows.csv").read_text() == ROWS


def test_a_download_that_stays_wrong_leaves_what_was_there(place, double):
    (place.root / "out").mkdir()
    (place.root / "out/rows.csv").write_text("of an earlier run\n")
    double.fail("files.read", changed=lambda data: data[:-2] + b"?\n")
    code, message, _ = failed(place)
    assert code == "OML637"
    assert "out/rows.csv" in message
    assert [path.name for path in (place.root / "out").iterdir()] == ["rows.csv"]
    assert (place.root / "out/rows.csv").read_text() == "of an earlier run\n"


def test_more_output_than_the_limit_is_said_and_not_brought_back(place, double):
    place.environ = {**place.environ, "OSIRIS_E2B_MAX_DOWNLOAD": "50KB"}
    code, message, _ = failed(place)
    assert code == "OML637"
    assert "max_download" in message
    assert not (place.root / "out/rows.csv").exists()


@pytest.mark.parametrize("what", ["database", "file"])
def test_what_a_sandbox_cannot_reach_is_said_before_anything_starts(place, double, tmp_path, what):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/rows.csv").write_text(ROWS)
    connections = {
        "mysql": {"local": {"host": "localhost", "user": "ann", "password": "${PASSWORD:-none}", "database": "shop"}},
        "filesystem": {"outside": {"base_dir": str(tmp_path / "outside")}},
    }
    (place.root / "osiris_connections.yaml").write_text(json.dumps({"connections": connections}))
    component, config, named = {
        "database": ("mysql.extractor", "{connection: '@mysql.local', table: t}", "localhost"),
        "file": ("filesystem.csv_extractor", "{connection: '@filesystem.outside', path: rows.csv}", "rows.csv"),
    }[what]
    text = QUICK.replace("filesystem.csv_extractor", component).replace("{path: rows.csv}", config)
    (place.root / "quick.oml.yaml").write_text(text)
    code, message, said = failed(place)
    assert code == "OML631"
    assert "Step rows" in message
    assert named in message
    assert "--target local" in said
    assert double.boxes == {}


@pytest.mark.parametrize("when", ["files.write", "files.read"])  # when it has been read here; while it comes back
def test_an_output_that_was_changed_here_meanwhile_is_left_alone(place, double, when):
    import sqlite3

    def execute(statement: str) -> list[tuple[int]]:
        with contextlib.closing(sqlite3.connect(place.root / "shop.db")) as database, database:
            return database.execute(statement).fetchall()

    execute("CREATE TABLE t (n INTEGER)")
    text = SLOW.format(seconds=0).replace("filesystem.csv_writer", "sqlite.writer")
    (place.root / "slow.oml.yaml").write_text(text.replace("{path: out/odd.csv}", "{path: shop.db, table: t}"))
    double.fail(when, then=lambda: execute("INSERT INTO t VALUES (77)"), after=int(when == "files.write"), times=1)
    code, _, said = failed(place, "slow.oml.yaml")  # the first file that is sent is the plug-in
    assert (code, "was changed on this machine" in said) == ("OML637", True)
    assert execute("SELECT n FROM t") == [(77,)]


def test_a_sandbox_whose_first_command_is_not_answered_is_asked_again(place, double):
    lost = double.fail("start", drop=True, times=2)
    done = place.osiris("run", "quick.oml.yaml", "--target", "e2b")
    assert done.returncode == 0, done.stderr
    assert (lost.taken, len(double.boxes)) == (2, 1)


def test_a_sandbox_that_nobody_heard_of_ends_soon_by_itself(double, monkeypatch):
    for name, value in double.settings.items():
        monkeypatch.setenv(name, value)
    machines = machines_of("e2b")
    double.fail("start", drop=True, times=1)
    with pytest.raises(ConnectionLost):
        machines.create("run_x")
    (box,) = double.running()
    assert box.deadline - box.started <= 120
    machines.create("run_x")  # the same one, heard of now
    assert box.deadline - box.started > 1000
    machines.end_all("run_x")
    assert double.running() == []


@pytest.mark.parametrize("size", [1, 100])  # a small one goes with others, a large one by itself
def test_a_file_that_went_away_before_it_was_sent_is_named(place, double, size):
    (place.root / "rows.csv").write_text(ROWS * size)
    double.fail("create", then=(place.root / "rows.csv").unlink, times=1)
    _, message, _ = failed(place)
    assert "rows.csv" in message
    assert "network" not in message
