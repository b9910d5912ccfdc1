"""What plain pygls gets wrong, one test for each: none of it may come back. Every test speaks to a spawned server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from in_process import InProcess
from lsp_client import ABLE, COMMAND, TIMEOUT, Client, Message, RequestRefusedError, edit
from test_fuzz import QUESTIONS, WIDE, Typed

URI = "untitled:pipeline"
GOOD = """\
oml_version: "0.1.0"
name: p
steps:
  - {id: a, component: filesystem.csv_extractor, mode: read, config: {path: a.csv}}
"""


def doctor(client: Client) -> int:
    """A command that works for a while in a process of its own."""
    return client.start_request("workspace/executeCommand", {"command": "osiris.doctor", "arguments": []})


def code_of(client: Client, request: int) -> int:
    with pytest.raises(RequestRefusedError) as refused:
        client.result_of(request)
    return refused.value.code


def eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + TIMEOUT
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def test_row_a_handler_that_takes_long_delays_requests_and_hides_the_cancel_behind_it(
    editor: Client, project: Path
) -> None:
    for number in range(200):
        (project / f"p{number}.oml").write_text(GOOD)
    editor.open(URI, GOOD)

    long = editor.start_request("workspace/executeCommand", {"command": "osiris.validate", "arguments": []})
    editor.at("textDocument/hover", URI, 3, 20)
    assert editor.answers_to(long) == []

    editor.notify("$/cancelRequest", {"id": long})
    assert code_of(editor, long) == -32800


def test_row_work_in_threads_starves_the_reading_of_messages(editor: Client) -> None:
    editor.open(URI, GOOD)
    busy = [doctor(editor) for _ in range(12)]

    editor.at("textDocument/hover", URI, 3, 20)

    assert not any(editor.answers_to(request) for request in busy)


def test_row_a_cancelled_command_goes_on_working(editor: Client) -> None:
    server = psutil.Process(editor.process.pid)
    request = doctor(editor)
    assert eventually(lambda: bool(server.children()))

    editor.notify("$/cancelRequest", {"id": request})

    assert code_of(editor, request) == -32800
    assert eventually(lambda: not server.children(recursive=True))


def test_row_shutdown_fails_while_a_command_is_in_flight(editor: Client) -> None:
    busy = [doctor(editor) for _ in range(3)]

    assert editor.request("shutdown") is None

    assert [code_of(editor, request) for request in busy] == [-32800] * 3


def test_row_the_exit_waits_for_work_in_threads(editor: Client) -> None:
    server = psutil.Process(editor.process.pid)
    for _ in range(4):
        doctor(editor)
    assert eventually(lambda: bool(server.children()))
    working = server.children(recursive=True)

    assert editor.close() == 0

    assert psutil.wait_procs(working, timeout=TIMEOUT)[1] == []


def test_row_an_answer_to_a_cancelled_question_is_an_error_and_a_popup(client: Client, project: Path) -> None:
    client.initialize(project, {**ABLE, "workspace": {**ABLE["workspace"], "configuration": True}})
    asked = client.wait(lambda m: m.get("method") == "workspace/configuration")
    client.request("shutdown")

    client.send({"id": asked["id"], "result": [{}, {}]})
    client.notify("exit")

    assert client.ended() == 0
    client.drain()
    assert not any(m.get("method") == "window/showMessage" for m in client.received)
    assert client.log == ""


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_row_characters_that_end_no_line_in_lsp_are_counted_as_line_ends(editor: Client, odd: str) -> None:
    editor.open(URI, f"x-a: 1 # {odd}\nx-b: 2\nx-c: 3\n")

    editor.change(URI, 2, edit(2, 2, 3, "a"))

    [duplicate] = [f for f in editor.diagnostics(URI, 2) if f["code"] == "OML006"]
    assert duplicate["range"]["start"] == {"line": 2, "character": 0}


def test_row_a_file_that_is_not_utf_8_is_an_exception_and_an_open_one_is_read_from_disk(
    editor: Client, project: Path
) -> None:
    file = project / "p.oml"
    file.write_bytes(b"\xff\xff\xff")
    with pytest.raises(RequestRefusedError, match="Cannot read") as refused:
        editor.command("osiris.validate", file.as_uri())
    assert refused.value.code == -32803

    editor.open(file.as_uri(), GOOD)
    assert editor.command("osiris.validate", file.as_uri())["errors"] == 0


def test_row_a_handler_is_called_without_what_it_needs(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, GOOD)
    document, place = Typed(uri, "oml", GOOD, "utf-16", GOOD), {"line": 3, "character": 10}

    faults = {}
    for method, question in {**QUESTIONS, **WIDE}.items():
        asked = editor.start_request(method, question(InProcess, document, place, {"start": place, "end": place}))  # type: ignore[arg-type]
        answer = editor.wait(lambda m, asked=asked: m.get("id") == asked and "method" not in m)  # type: ignore[misc]
        if answer.get("error", {}).get("code") == -32603:
            faults[method] = answer["error"]["message"]

    assert faults == {}
    assert editor.close() == 0
    assert editor.log == ""


def test_row_a_fault_in_a_notification_is_a_popup(editor: Client) -> None:
    for method in ("textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "textDocument/didSave"):
        editor.notify(method, {"textDocument": 3, "contentChanges": 4})
    editor.open(URI, GOOD)

    assert editor.close() == 0
    editor.drain()
    assert not any(m.get("method") == "window/showMessage" for m in editor.received)
    assert editor.log.count("\n") == 4


def test_row_whole_messages_are_logged(project: Path) -> None:
    client = Client(env={"OSIRIS_LOG_LEVEL": "debug"})
    try:
        client.initialize(project, initializationOptions={"marker": "said-at-the-start"})
        client.open(URI, GOOD + "# said-in-the-document\n")
        client.at("textDocument/hover", URI, 3, 20)
        assert client.close() == 0
    finally:
        client.kill()

    assert "said-" not in client.log


def test_row_a_client_that_reads_slowly_stops_the_server() -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None

    def send(message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)  # type: ignore[union-attr]

    text = "steps:\n" + "".join(f"  - id: step{number}\n" for number in range(60))
    item = {"uri": URI, "languageId": "oml", "version": 1, "text": text}
    send({"id": 0, "method": "initialize", "params": {"capabilities": {}}})
    send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
    for number in range(1, 601):  # far more than the pipes hold, both ways
        asked = {"textDocument": {"uri": URI}}
        send({"id": number, "method": "textDocument/documentSymbol", "params": asked})
    send({"id": 601, "method": "shutdown", "params": None})
    send({"method": "exit", "params": None})
    process.stdin.close()

    said = process.stdout.read()

    assert process.wait(TIMEOUT) == 0
    answered = [message["id"] for message in frames(said) if "method" not in message]
    assert sorted(answered) == list(range(602))


def frames(raw: bytes) -> list[Message]:
    """The messages on the wire; nothing else may be there."""
    found = []
    while raw:
        header, _, raw = raw.partition(b"\r\n\r\n")
        assert header.startswith(b"Content-Length: "), header
        length = int(header.split(b":")[1])
        found.append(json.loads(raw[:length]))
        raw = raw[length:]
    return found


def test_row_work_off_the_loop_does_not_know_whose_request_it_is(editor: Client, project: Path) -> None:
    (project / "good.oml").write_text(GOOD)
    (project / "bad.oml").write_text(GOOD.replace("name: p", "name: [p]"))
    asked = {
        name: editor.start_request(
            "workspace/executeCommand",
            {"command": "osiris.compile", "arguments": [{"uri": (project / f"{name}.oml").as_uri()}]},
        )
        for name in ("bad", "good", "none")
    }

    assert editor.result_of(asked["good"])["manifest"].endswith("manifest.json")
    for name in ("bad", "none"):
        with pytest.raises(RequestRefusedError, match=rf"{name}\.oml|name") as refused:
            editor.result_of(asked[name])
        assert refused.value.code == -32803


@pytest.mark.skipif(os.name != "posix", reason="the process of a client can be watched on POSIX only")
def test_row_the_process_of_the_client_is_not_watched(client: Client) -> None:
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    client.request("initialize", {"capabilities": {}, "processId": editor.pid, "rootUri": None})

    editor.kill()  # this test still holds the wire open, as a grandchild of an editor may
    editor.wait()

    assert client.ended() == 1


def test_row_changes_overtake_each_other_and_what_is_asked_between_them(client: Client, project: Path) -> None:
    client.initialize(project, {**ABLE, "textDocument": {**ABLE["textDocument"], "diagnostic": {}}})
    item = {"uri": URI, "languageId": "oml", "version": 1, "text": GOOD}
    client.notify("textDocument/didOpen", {"textDocument": item})

    asked = []
    for version in range(2, 40):
        client.change(URI, version, {"text": GOOD.replace("mode: read", f"mode: m{version}")})
        asked.append((version, client.start_request("textDocument/diagnostic", {"textDocument": {"uri": URI}})))

    for version, request in asked:
        assert [f for f in client.result_of(request)["items"] if f"m{version}" in f["message"]], version
