"""Whoever stops an answer stops what it is doing, too: a database that is being read, a step that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from agent.shop import GOOD, make_shop, proposes, using
from agent.silent import LIMIT_SECONDS, make_endless, make_silent_shop, silent_server
from model_double import ModelDouble, Says, model_double
from osiris.core.llm.errors import ModelCancelledError
from osiris.core.project import Project
from osiris.execution.agent_host import AskingHost, Chat, open_chat
from osiris.mcp.allowed import Allowed
from osiris.mcp.desk import Desk

LOOKS = Says("", [("list_tables", {"connection": "@mysql.slow"}), ("list_components", {})])
SHOWS = Says("", [("preview_step", {"step": "total"})])


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, which is empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def opened(root: Path, double: ModelDouble) -> Chat:
    project = Project.find(root)
    return open_chat(project, AskingHost(project, lambda *_: True), environ=using(double))


def workers() -> list[psutil.Process]:
    """The processes of ours that read databases or run steps."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found += [process] if any(arg.startswith("osiris.") for arg in process.cmdline()) else []
    return found


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def stopped_while(chat: Chat, message: str, under_way: Callable[[], object]) -> None:
    """Say ``message``, and stop the answer once ``under_way`` is true."""
    cancel, ended = threading.Event(), []

    def answer() -> None:
        try:
            list(chat.stream(message, cancel=cancel))
        except ModelCancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        until(under_way)
    finally:
        cancel.set()
        thread.join(LIMIT_SECONDS)
    assert len(ended) == 1


def test_a_database_that_does_not_answer_is_left(tmp_path: Path, temporary: Path) -> None:
    with silent_server() as server, model_double(LOOKS, Says("Fine.")) as double:
        chat = opened(make_silent_shop(tmp_path / "shop", server), double)
        stopped_while(chat, "Look", server.called.is_set)
        assert server.left.wait(LIMIT_SECONDS)
        assert workers() == []
        assert list(temporary.iterdir()) == []
        list(chat.stream("Go on"))
        told = [m["content"] for m in double.requests[-1]["messages"] if m["role"] == "tool"]
    assert told == ["This was interrupted; nothing came of it."] * 2


def test_a_preview_that_does_not_end_is_ended(tmp_path: Path, temporary: Path) -> None:
    root = make_shop(tmp_path / "shop", "ai: {allow_rows: true}\n")
    with model_double(proposes(GOOD), SHOWS) as double:
        chat = opened(root, double)
        list(chat.stream("Revenue"))
        make_endless(root)
        stopped_while(chat, "Is it right?", lambda: list(temporary.glob("osiris-preview-*/*/manifest.json")))
        assert len(double.requests) == 2
    until(lambda: workers() == [])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("tool", ["sample_rows", "preview_step", "list_tables"])
def test_a_call_of_another_agent_is_ended(tmp_path: Path, temporary: Path, tool: str) -> None:
    with silent_server() as server:
        root = make_silent_shop(tmp_path / "shop", server, "ai: {allow_rows: true}\n")
        desk, cancel, answers = Desk(root, Allowed(connect=True, data=True)), threading.Event(), []
        slow = {"connection": "@mysql.slow"}
        if tool == "preview_step":
            make_endless(root)
        given = {"sample_rows": slow | {"table": "t"}, "preview_step": {"oml": GOOD, "step": "total"}}.get(tool, slow)
        thread = threading.Thread(target=lambda: answers.append(desk.call(tool, given, cancel)))
        thread.start()
        try:
            until(lambda: server.called.is_set() or list(temporary.glob("osiris-preview-*/*/manifest.json")))
        finally:
            cancel.set()
            thread.join(LIMIT_SECONDS)
    assert [answer.ok for answer in answers] == [False]
    until(lambda: workers() == [])
    assert list(temporary.iterdir()) == []


def test_a_server_of_other_agents_that_is_ended_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    with silent_server() as silent:
        root = make_silent_shop(tmp_path / "shop", silent)
        command = [sys.executable, "-P", "-m", "osiris", "mcp", "--project", str(root), "--allow-connect"]
        process = subprocess.Popen(
            command, env=os.environ | {"TMPDIR": str(temporary)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        looks = {"name": "list_tables", "arguments": {"connection": "@mysql.slow"}}
        said = [
            {"id": 1, "method": "initialize", "params": hello},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/call", "params": looks},
        ]
        with process:
            try:
                assert process.stdin is not None
                process.stdin.writelines(json.dumps({"jsonrpc": "2.0", **one}).encode() + b"\n" for one in said)
                process.stdin.flush()
                assert silent.called.wait(LIMIT_SECONDS)
                process.terminate()
                assert silent.left.wait(LIMIT_SECONDS)
                assert process.wait(LIMIT_SECONDS) == 143
            finally:
                process.kill()
    assert list(temporary.iterdir()) == []
