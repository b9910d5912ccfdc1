"""Runs in sandboxes, started, followed and cancelled from an editor as those on this machine are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsp_client import Client, Message
from test_commands import PIPELINE, SLOW, events_until_the_end

from e2b_double import E2BDouble


@pytest.fixture(scope="module")
def double() -> Iterator[E2BDouble]:
    with E2BDouble() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "totals"
    folder.mkdir()
    (folder / "osiris.yaml").write_text("{}\n")
    (folder / "numbers.csv").write_text("n\n1\n2\n3\n")
    (folder / "totals.oml").write_text(PIPELINE)
    return folder


@pytest.fixture
def client(double: E2BDouble, folder: Path) -> Iterator[Client]:
    """The server of a user who has a key for sandboxes, and runs in them unless they say otherwise."""
    started = Client(env={**double.settings, "OSIRIS_CONFIG_DIR": str(folder.parent / "config")})
    started.initialize(folder, initializationOptions={"run": {"target": "e2b"}})
    yield started
    started.kill()


def run(client: Client, folder: Path, **options: str) -> list[Message]:
    uri = (folder / "totals.oml").as_uri()
    return events_until_the_end(client, client.command("osiris.run", {"uri": uri, **options})["runId"])


def test_runs_are_where_the_settings_say_unless_the_command_says_it(
    client: Client, folder: Path, double: E2BDouble
) -> None:
    local = run(client, folder, target="local")
    assert double.boxes == {}
    elsewhere = run(client, folder)
    [box] = double.boxes.values()
    assert not box.alive
    assert (folder / "large.csv").read_text() == "n\n2\n3\n"
    steps = [[one["step_id"] for one in events if one["event"] == "step_complete"] for events in (local, elsewhere)]
    assert steps == [["numbers", "large", "write"]] * 2
    assert client.close() == 0


def test_a_run_in_a_sandbox_is_cancelled(client: Client, folder: Path, double: E2BDouble) -> None:
    (folder / "totals.oml").write_text(SLOW)
    started = client.command("osiris.run", {"uri": (folder / "totals.oml").as_uri()})["runId"]
    client.wait(lambda m: m.get("method") == "osiris/runEvent" and m["params"]["event"].get("step_id") == "large")
    client.command("osiris.cancelRun", {"runId": started})
    assert events_until_the_end(client, started)[-1]["event"] == "run_cancelled"
    assert double.running() == []
    assert client.close() == 0
