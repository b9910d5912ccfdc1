"""Commands of ``workspace/executeCommand``, and compiling on save, on a small pipeline that really runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsp_client import ABLE, Client, RequestRefusedError

PIPELINE = """\
oml_version: "0.1.0"
name: totals
params:
  least: 2
steps:
  - id: numbers
    component: filesystem.csv_extractor
    mode: read
    config:
      path: numbers.csv
  - id: large
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT n FROM df_numbers WHERE n >= ${params.least}
  - id: write
    component: filesystem.csv_writer
    mode: write
    config:
      path: large.csv
"""
# Takes minutes, unless it is cancelled.
SLOW = PIPELINE.replace("SELECT n FROM", "SELECT sum(a.range * b.range) AS n FROM range(9000000) a, range(90000) b,")
QUIET = {key: value for key, value in ABLE.items() if key != "experimental"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "totals.oml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def uri(folder: Path) -> str:
    return (folder / "totals.oml").as_uri()


def events_until_the_end(client: Client, run_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event"] not in ("run_complete", "run_error", "run_cancelled"):
        events.append(client.wait_for("osiris/runEvent", runId=run_id)["event"])
    return events


# -- compile


def test_saving_compiles_and_says_where(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    client.open(uri, PIPELINE)

    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    assert client.wait_for("window/logMessage")["message"] == "totals.oml: compiled to build/totals/manifest.json"
    manifest = json.loads((folder / "build/totals/manifest.json").read_text())
    assert manifest["pipeline"]["name"] == "totals"


def test_saving_a_pipeline_with_errors_writes_nothing(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    client.open(uri, PIPELINE.replace("mode: write", "mode: wrote"))

    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    assert "not compiled" in client.wait_for("window/logMessage")["message"]
    assert not (folder / "build").exists()


@pytest.mark.parametrize("options", [{"trusted": False}, {"compileOnSave": False}])
def test_saving_compiles_nothing_unless_wanted_and_trusted(
    client: Client, folder: Path, uri: str, options: dict[str, bool]
) -> None:
    client.initialize(folder, initializationOptions=options)
    client.open(uri, PIPELINE)

    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    client.command("osiris.validate", uri)  # what the save had started would be done by now

    assert client.close() == 0
    assert not (folder / "build").exists()


def test_the_compile_command_answers_with_the_manifest(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)

    first = client.command("osiris.compile", {"uri": uri})
    again = client.command("osiris.compile", uri)

    assert (first["cached"], again["cached"]) == (False, True)
    assert json.loads(Path(first["manifest"]).read_text())["fingerprint"] == first["fingerprint"]


def test_the_compile_command_says_why_it_does_not(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    (folder / "totals.oml").write_text(PIPELINE.replace("mode: write", "mode: wrote"))

    with pytest.raises(RequestRefusedError, match="wrote") as refused:
        client.command("osiris.compile", uri)

    assert "Traceback" not in refused.value.message


def test_text_that_is_not_saved_is_not_compiled_and_the_user_is_told(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    client.open(uri, PIPELINE.replace("name: totals", "name: other"))

    client.command("osiris.compile", uri)

    assert "not saved" in client.wait_for("window/logMessage")["message"]
    assert (folder / "build/totals/manifest.json").exists()


# -- validate and doctor


def test_the_validate_command_counts_what_stands_in_the_editor(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    client.open(uri, PIPELINE.replace("mode: write", "mode: wrote"))

    found = client.command("osiris.validate", {"uri": uri})

    assert (found["errors"], found["warnings"]) == (1, 0)
    assert found["diagnostics"][0]["uri"] == uri


def test_the_validate_command_reads_files_that_are_not_open(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)

    assert client.command("osiris.validate", uri)["errors"] == 0
    with pytest.raises(RequestRefusedError, match="does not exist"):
        client.command("osiris.validate", (folder / "other.oml").as_uri())


def test_the_validate_command_knows_the_other_files_of_a_project(client: Client, folder: Path) -> None:
    client.initialize(folder)
    connections = folder / "osiris_connections.yaml"
    connections.write_text("connections:\n  sqlite:\n    shop: {path: shop.db}\n")

    assert client.command("osiris.validate", connections.as_uri()) == {"errors": 0, "warnings": 0, "diagnostics": []}


def test_the_doctor_reports_on_the_installation_and_the_session(client: Client, folder: Path) -> None:
    client.initialize(folder)

    report = client.command("osiris.doctor")

    assert "Python" in report
    assert f"folders: {folder}" in report


# -- run


def test_a_run_streams_its_events_to_a_client_that_takes_them(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)

    run_id = client.command("osiris.run", {"uri": uri, "params": {"least": 3}})["runId"]
    events = events_until_the_end(client, run_id)

    names = [event["event"] for event in events]
    assert names[0] == "run_queued"
    assert names[-1] == "run_complete"
    assert [event["step_id"] for event in events if event["event"] == "step_complete"] == ["numbers", "large", "write"]
    assert (folder / "large.csv").read_text() == "n\n3\n"


def test_a_run_is_shown_as_progress_and_log_lines_to_other_clients(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder, {**QUIET, "window": {"workDoneProgress": True}})

    request = client.start_request("workspace/executeCommand", {"command": "osiris.run", "arguments": [uri]})
    created = client.wait(lambda m: m.get("method") == "window/workDoneProgress/create")
    client.send({"id": created["id"], "result": None})
    token = created["params"]["token"]
    assert client.result_of(request)["runId"].startswith("run_")

    kinds = []
    while "end" not in kinds:
        kinds.append(client.wait_for("$/progress", token=token)["value"]["kind"])
    lines = [m["params"]["message"] for m in client.received if m.get("method") == "window/logMessage"]
    assert kinds[0] == "begin"
    assert "totals.oml: large: started" in lines
    assert any(line.startswith("totals.oml: the run has succeeded") for line in lines)
    assert not any(m.get("method") == "osiris/runEvent" for m in client.received)


def test_a_run_uses_the_progress_of_the_request_when_it_has_one(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder, QUIET)

    client.command("osiris.run", uri, workDoneToken="mine")

    assert client.wait_for("$/progress", token="mine")["value"]["title"] == "Running totals.oml"


def test_a_run_that_fails_ends_with_its_reason(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    (folder / "large.csv").mkdir()  # where the file is to be

    run_id = client.command("osiris.run", uri)["runId"]

    last = events_until_the_end(client, run_id)[-1]
    assert last["event"] == "run_error"


def test_a_pipeline_with_errors_is_not_run_and_the_first_error_is_said(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)
    (folder / "totals.oml").write_text(PIPELINE.replace("mode: write", "mode: wrote"))

    with pytest.raises(RequestRefusedError, match=r"totals\.oml has errors, so nothing was run: OML125 .*`wrote`"):
        client.command("osiris.run", uri)

    assert not (folder / "logs").exists()


def test_a_run_goes_where_the_client_says(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)

    with pytest.raises(RequestRefusedError, match="There is no target 'moon'"):
        client.command("osiris.run", {"uri": uri, "target": "moon"})

    assert not (folder / "logs").exists()


def test_nothing_is_run_or_compiled_in_an_untrusted_workspace(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder, initializationOptions={"trusted": False})

    for command in ("osiris.run", "osiris.compile"):
        with pytest.raises(RequestRefusedError, match="trusted workspace"):
            client.command(command, uri)


def test_a_document_that_is_no_file_must_be_saved_first(client: Client, folder: Path) -> None:
    client.initialize(folder)

    with pytest.raises(RequestRefusedError, match="Save the document"):
        client.command("osiris.run", "untitled:Untitled-1")


@pytest.mark.parametrize("way", ["command", "progress"])
def test_a_run_is_cancelled_by_command_and_by_its_progress(client: Client, folder: Path, uri: str, way: str) -> None:
    (folder / "totals.oml").write_text(SLOW)
    client.initialize(folder, ABLE if way == "command" else QUIET)

    if way == "command":
        run_id = client.command("osiris.run", uri)["runId"]
        while client.wait_for("osiris/runEvent", runId=run_id)["event"]["event"] != "step_start":
            pass
        assert client.command("osiris.cancelRun", {"runId": run_id}) == {"runId": run_id}
        assert events_until_the_end(client, run_id)[-1]["event"] == "run_cancelled"
    else:
        client.command("osiris.run", uri, workDoneToken="t")
        client.wait(lambda m: "started" in (m.get("params") or {}).get("message", ""))
        client.notify("window/workDoneProgress/cancel", {"token": "t"})
        while client.wait_for("$/progress", token="t")["value"]["kind"] != "end":
            pass


def test_a_run_whose_request_is_cancelled_while_it_starts_is_cancelled(client: Client, folder: Path, uri: str) -> None:
    (folder / "totals.oml").write_text(SLOW)
    client.initialize(folder)

    request = client.start_request("workspace/executeCommand", {"command": "osiris.run", "arguments": [uri]})
    while not psutil.Process(client.process.pid).children():
        client.command("osiris.validate", uri)  # until the command that starts the run is under way
    client.notify("$/cancelRequest", {"id": request})

    with pytest.raises(RequestRefusedError) as refused:
        client.result_of(request)
    assert refused.value.code == -32800
    run_id = client.wait_for("osiris/runEvent")["runId"]
    assert events_until_the_end(client, run_id)[-1]["event"] == "run_cancelled"
    assert len(client.answers_to(request)) == 1


def test_the_params_of_a_run_stand_on_no_command_line(client: Client, folder: Path, uri: str) -> None:
    client.initialize(folder)

    arguments = [{"uri": uri, "params": {"least": 271828}}]
    request = client.start_request("workspace/executeCommand", {"command": "osiris.run", "arguments": arguments})
    lines: set[str] = set()
    while not client.answers_to(request):
        lines.update(
            subprocess.run(["ps", "-Aww", "-o", "args"], capture_output=True, text=True, check=True).stdout.split("\n")
        )

    assert any("--params-stdin" in line for line in lines)
    assert not any("271828" in line for line in lines)
    events_until_the_end(client, client.result_of(request)["runId"])
    assert (folder / "large.csv").read_text() == "n\n"


@pytest.mark.parametrize("loss", ["killed", "removed"])
def test_a_run_that_is_lost_ends_for_the_client_too(client: Client, folder: Path, uri: str, loss: str) -> None:
    (folder / "totals.oml").write_text(SLOW)
    client.initialize(folder)
    run_id = client.command("osiris.run", uri)["runId"]
    while client.wait_for("osiris/runEvent", runId=run_id)["event"]["event"] != "step_start":
        pass

    supervisor_in(folder).kill()
    if loss == "removed":
        shutil.rmtree(folder / "logs" / run_id)

    last = events_until_the_end(client, run_id)[-1]
    assert last["event"] == "run_error"
    assert ("interrupted" if loss == "killed" else "removed") in last["message"]


def supervisor_in(folder: Path) -> psutil.Process:
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] == str(folder) and "osiris.execution.worker" in (process.info["cmdline"] or []):
            supervisor = process.parent()
            assert supervisor is not None
            return supervisor
    raise AssertionError("no run is active")


def test_a_run_outlives_the_server(folder: Path, uri: str) -> None:
    client = Client()
    try:
        client.initialize(folder)
        run_id = client.command("osiris.run", uri)["runId"]
    finally:
        client.kill()

    status = folder / "logs" / run_id / "status.json"
    end = time.monotonic() + 20
    while json.loads(status.read_text())["state"] in ("queued", "running") and time.monotonic() < end:
        time.sleep(0.05)
    assert json.loads(status.read_text())["state"] == "succeeded"


# -- the parent process


@pytest.fixture
def orphan_parent() -> Iterator[subprocess.Popen[bytes]]:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield parent
    parent.kill()
    parent.wait()


def test_the_server_ends_when_the_process_behind_the_client_dies(
    client: Client, folder: Path, orphan_parent: subprocess.Popen[bytes]
) -> None:
    client.initialize(folder, processId=orphan_parent.pid)

    orphan_parent.kill()
    orphan_parent.wait()

    assert client.ended() == 1
