"""What happens at the same time: each in every order in which it can come."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from in_process import TIMEOUT, InProcess

from osiris.core.session_logging import SessionLogger
from osiris.execution.folder import RunFolder
from osiris.lsp import progress, runs
from osiris.lsp.cli import Answer

PIPELINE = 'oml_version: "0.1.0"\nname: {name}\n'


def test_a_file_that_was_opened_while_closed_files_were_looked_at_keeps_its_own_findings(project: Path) -> None:
    path = project / "a.oml"
    path.write_text(PIPELINE.format(name="on-disk"))
    opened = {"uri": path.as_uri(), "languageId": "oml", "version": 1, "text": PIPELINE.format(name="typed")}

    async def work() -> None:
        server = InProcess()
        await server.initialize(project, {})
        looked_at = [report async for report in server.session.reports.closed()]
        server.notify("textDocument/didOpen", {"textDocument": opened})
        await server.settle()
        server.session.diagnostics.publish_closed(looked_at)
        await asyncio.sleep(0)

        published = [m["params"] for m in server.received if m["method"] == "textDocument/publishDiagnostics"]
        assert [(one["uri"], one.get("version")) for one in published] == [(path.as_uri(), 1)]
        await server.close()

    asyncio.run(work())


def test_a_progress_that_begins_ends_whenever_the_client_answers(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "DELAY_SECONDS", 0)

    async def kinds_when_the_work_takes(rounds: int) -> list[str]:
        server = InProcess()
        await server.initialize(project, {"window": {"workDoneProgress": True}})
        async with server.session.progress("Working"):
            for _ in range(rounds):
                await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert server.session.cancellable == {}
        await server.close()
        return [m["params"]["value"]["kind"] for m in server.received if m["method"] == "$/progress"]

    async def work() -> None:
        found = {tuple(await kinds_when_the_work_takes(rounds)) for rounds in range(20)}
        assert found == {(), ("begin", "end")}

    asyncio.run(work())


def test_a_run_that_is_found_before_its_start_is_answered_is_told_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder.create(project / "logs", {"steps": []}, {"pipeline": "totals"})

    async def work() -> None:
        server = InProcess()
        await server.initialize(project, {"experimental": {"osiris": {"runEvent": True}}})

        async def found_before_it_answers(*arguments: object, **options: object) -> Answer:
            await server.session.runs.attach()
            return Answer(0, json.dumps({"run_id": run.run_id, "folder": str(run.path)}), "")

        monkeypatch.setattr(runs, "run_osiris", found_before_it_answers)
        assert await server.session.runs.start(project / "totals.oml", None, {}) == run.run_id
        log = SessionLogger(run.path, run.run_id)
        log.log_event("run_queued", {})
        log.log_event("run_cancelled", {})
        log.close()
        async with asyncio.timeout(TIMEOUT):
            while "run_cancelled" not in told(server):
                await asyncio.sleep(0.01)
        await server.close()

        assert told(server) == ["run_queued", "run_cancelled"]

    def told(server: InProcess) -> list[str]:
        return [m["params"]["event"]["event"] for m in server.received if m["method"] == "osiris/runEvent"]

    asyncio.run(work())
    run.release()


def test_a_run_is_cancelled_in_whichever_folder_of_the_workspace_it_is(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
        (folder / "osiris.yaml").write_text("{}\n")
    run = RunFolder.create(folders[1] / "logs", {"steps": []}, {"pipeline": "totals"})

    async def work() -> None:
        server = InProcess()
        await server.initialize(folders[0], {})
        added = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders[1:]]
        server.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}})
        command = {"command": "osiris.cancelRun", "arguments": [{"runId": run.run_id}]}
        assert await server.request("workspace/executeCommand", command) == {"runId": run.run_id}
        await server.close()

    asyncio.run(work())
    assert run.cancel_wanted()
    run.release()
