"""A run in a container: a project that is read-only or not there at all, no home folder, logs on standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from permissions import obey_permissions, read_only

ENDLESS = "SELECT a.range AS n FROM range(1000000000) a, range(1000000000) b WHERE a.range % 2 = 0"
ORDERS = """\
oml_version: "0.1.0"
name: orders
steps:
  - {id: read, component: filesystem.csv_extractor, mode: read, config: {path: orders.csv}}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/orders.csv}}
"""


class Container:
    """A read-only project with one writable folder, ``out``, and a folder for logs elsewhere."""

    def __init__(self, project, logs: Path) -> None:
        self.project = project
        self.logs = logs
        # No home folder that could be used, no state, no configuration of a user: what an image has not.
        self.env = {"PATH": os.defpath, "HOME": "/dev/null/home"}

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "osiris", *arguments]
        pipe = subprocess.PIPE
        options = {"cwd": self.project.root, "env": self.env, "preexec_fn": obey_permissions}
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, **options)

    def osiris(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out.decode(), err.decode())

    def files(self) -> set[str]:
        return {str(path.relative_to(self.project.root)) for path in self.project.root.rglob("*")}


@pytest.fixture
def container(project, tmp_path):
    project.write("orders.csv", "id,amount\n1,10\n2,20\n")
    project.write("orders.oml.yaml", ORDERS)
    manifest = project.manifest(project.csv("read", "orders.csv"), project.to_csv("save", "read", "out/orders.csv"))
    project.write("manifest.json", json.dumps(manifest))
    endless = project.manifest(project.sql("endless", (), ENDLESS), project.to_csv("save", "endless", "out/n.csv"))
    project.write("endless.json", json.dumps(endless))
    for folder in (project.root / "out", tmp_path / "logs"):
        folder.mkdir()
    with read_only(project.root, but="out"):
        yield Container(project, tmp_path / "logs")


@pytest.mark.parametrize("marked", [True, False], ids=["a project", "only a manifest"])
def test_a_manifest_runs_and_tells_its_events_on_standard_output(container, marked):
    if not marked:
        container.project.root.chmod(0o755)
        for name in ("osiris.yaml", "orders.oml.yaml"):
            (container.project.root / name).unlink()
        container.project.root.chmod(0o555)
    before = container.files()

    done = container.osiris("run", "manifest.json", "--logs-dir", str(container.logs), "--log-format", "json")

    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (run,) = container.logs.glob("run_*")
    assert events == [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_queued", "run_complete")
    assert container.project.read("out/orders.csv") == "id,amount\n1,10\n2,20\n"
    assert container.files() - before == {"out/orders.csv"}


def test_sigterm_cancels_as_when_a_container_is_stopped(container):
    process = container.start("run", "endless.json", "--logs-dir", str(container.logs), "--log-format", "json")
    try:
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "step_start" and events[-1]["step_id"] == "endless":
                process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
        _, error = process.communicate()

    assert events[-1]["event"] == "run_cancelled"
    assert error == b""
    assert list((container.project.root / "out").iterdir()) == []


def test_runs_of_one_pipeline_know_of_each_other_by_the_logs_folder(container, until):
    logs = ("--logs-dir", str(container.logs))
    first = container.osiris("run", "endless.json", *logs, "--detach").stdout.strip()
    until(lambda: (container.logs / first / "events.jsonl").read_text().count("step_start"))

    second = container.osiris("run", "endless.json", *logs, "--if-running", "fail")
    container.osiris("runs", "cancel", first, *logs)

    assert second.returncode == 1
    assert f"is running already as {first}" in second.stderr
    until(lambda: json.loads((container.logs / first / "status.json").read_text())["state"] == "cancelled")


def test_oml_runs_too_and_a_build_folder_that_cannot_be_made_is_a_warning(container):
    done = container.osiris("run", "orders.oml.yaml", "--logs-dir", str(container.logs))

    assert done.returncode == 0
    root = container.project.root
    assert done.stderr == (
        f"warning: Cannot write {root}/build/orders/manifest.json: permission denied. "
        "The run has its manifest in its own folder.\n"
    )
    assert container.project.read("out/orders.csv") == "id,amount\n1,10\n2,20\n"


def test_without_a_folder_for_logs_nothing_runs_and_the_option_is_named(container):
    done = container.osiris("run", "manifest.json")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: Cannot write to the folder of the runs, {container.project.root}/logs: permission denied.\n"
        "hint: Choose another one: --logs-dir DIR, OSIRIS_LOGS_DIR, or runs.logs_dir in osiris.yaml.\n"
    )


def test_a_step_can_be_looked_at(container):
    done = container.osiris("preview", "orders.oml.yaml", "read", "--format", "csv")

    assert (done.returncode, done.stdout) == (0, "id,amount\n1,10\n2,20\n")
