"""A run belongs to nobody's window: after the server was killed, the next one follows what goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsp_client import ABLE, Client

PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: numbers
    component: filesystem.csv_extractor
    mode: read
    config: {path: numbers.csv}
  - id: keep
    component: filesystem.csv_writer
    mode: write
    config: {path: copy.csv}
  - id: slow
    component: duckdb.processor
    mode: transform
    inputs: {df: "${numbers.df}"}
    needs: [keep]
    config:
      query: SELECT sum(a.range * b.range) AS n FROM range(9000000) a, range(90000) b, df
  - id: write
    component: filesystem.csv_writer
    mode: write
    config: {path: out.csv}
"""
WITHOUT_EVENTS = {**ABLE, "experimental": {}, "window": {"workDoneProgress": True}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n")
    (tmp_path / "totals.oml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def run_id(folder: Path) -> Iterator[str]:
    """A run that goes on for ever, started by a server that was killed then."""
    first = Client()
    try:
        first.initialize(folder)
        found: str = first.command("osiris.run", (folder / "totals.oml").as_uri())["runId"]
        while first.wait_for("osiris/runEvent", runId=found)["event"].get("step_id") != "slow":
            pass
    finally:
        first.kill()
    yield found
    (folder / "logs" / found / "cancel").touch()
    end = time.monotonic() + 20
    while "finished" not in (folder / "logs" / found / "status.json").read_text() and time.monotonic() < end:
        time.sleep(0.05)


def test_the_next_server_tells_the_run_from_its_beginning(client: Client, folder: Path, run_id: str) -> None:
    client.initialize(folder)

    names = []
    while not names or names[-1] != ("step_start", "slow"):
        event = client.wait_for("osiris/runEvent", runId=run_id)["event"]
        names.append((event["event"], event.get("step_id")))

    assert names[0] == ("run_queued", None)
    assert ("step_complete", "keep") in names


def test_the_next_server_can_cancel_it(client: Client, folder: Path, run_id: str) -> None:
    client.initialize(folder)
    client.wait_for("osiris/runEvent", runId=run_id)

    assert client.command("osiris.cancelRun") == {"runId": run_id}

    while client.wait_for("osiris/runEvent", runId=run_id)["event"]["event"] != "run_cancelled":
        pass


def test_it_is_progress_for_clients_that_take_no_events(client: Client, folder: Path, run_id: str) -> None:
    client.initialize(folder, WITHOUT_EVENTS)

    asked = client.wait(lambda m: m.get("method") == "window/workDoneProgress/create")
    client.send({"id": asked["id"], "result": None})
    begun = client.wait(lambda m: m.get("method") == "$/progress" and m["params"]["value"]["kind"] == "begin")
    assert begun["params"]["value"]["title"] == "Running totals"


def test_nothing_of_an_untrusted_workspace_is_followed(client: Client, folder: Path, run_id: str) -> None:
    client.initialize(folder, initializationOptions={"trusted": False})
    client.open((folder / "totals.oml").as_uri(), PIPELINE)
    client.command("osiris.validate", (folder / "totals.oml").as_uri())
    time.sleep(1)

    client.drain()
    assert not any(m.get("method") == "osiris/runEvent" for m in client.received)


def test_runs_that_are_over_are_not_told_again(client: Client, folder: Path, run_id: str) -> None:
    (folder / "logs" / run_id / "cancel").touch()
    while "finished" not in (folder / "logs" / run_id / "status.json").read_text():
        time.sleep(0.05)

    client.initialize(folder)
    client.command("osiris.validate", (folder / "totals.oml").as_uri())
    time.sleep(1)

    client.drain()
    assert not any(m.get("method") == "osiris/runEvent" for m in client.received)
