"""What happens at the same time: each in every order in which it can come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from in_process import InProcess

from osiris.lsp import progress

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
