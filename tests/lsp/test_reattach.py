"""A run belongs to nobody's window: after the server was killed, the next one follows what goes on."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
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


async def followed(folder: Path, **options: Any) -> set[str]:
    """The runs that a server follows once it has looked for those that go on."""
    threshold = gc.get_threshold()
    server = InProcess()
    folders = [{"uri": folder.as_uri(), "name": folder.name}]
    await server.request("initialize", {"capabilities": {}, "workspaceFolders": folders, **options})
    server.notify("initialized", {})
    while True:
        await asyncio.sleep(0.01)
        under_way = {task.get_name() for task in asyncio.all_tasks()}
        if "collecting garbage" in under_way and "looking for runs that go on" not in under_way:  # it is ready
            break
    await server.close()
    gc.set_threshold(*threshold)  # a server sets the collector up for itself
    gc.unfreeze()
    return {name.removeprefix("following ") for name in under_way if name.startswith("following ")}


def test_what_goes_on_is_followed_in_a_trusted_workspace_alone(folder: Path, run_id: str) -> None:
    assert asyncio.run(followed(folder)) == {run_id}
    assert asyncio.run(followed(folder, initializationOptions={"trusted": False})) == set()


def test_runs_that_are_over_are_not_told_again(folder: Path, run_id: str) -> None:
    (folder / "logs" / run_id / "cancel").touch()
    while "finished" not in (folder / "logs" / run_id / "status.json").read_text():
        time.sleep(0.05)

    assert asyncio.run(followed(folder)) == set()
