"""What the protocol promises whatever a client does. Each test is about something plain pygls gets wrong."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lsp_client import COMMAND, TIMEOUT, Client, RequestRefusedError, edit

URI = "untitled:pipeline"


def test_initialize_needs_nothing_but_the_message(client: Client) -> None:
    answer = client.request("initialize", {"capabilities": {}, "processId": None, "rootUri": None})

    assert answer["serverInfo"]["name"] == "osiris"
    assert answer["capabilities"]["positionEncoding"] == "utf-16"


def test_a_request_before_initialize_is_refused(client: Client) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        client.request("textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}})

    assert refused.value.code == -32002


def test_shutdown_answers_null_and_exit_ends_with_0(editor: Client) -> None:
    assert editor.request("shutdown") is None
    editor.notify("exit")

    assert editor.ended() == 0


def test_exit_without_shutdown_ends_with_1(editor: Client) -> None:
    editor.notify("exit")

    assert editor.ended() == 1


def test_the_end_of_the_wire_ends_the_server(editor: Client) -> None:
    assert editor.process.stdin is not None
    editor.process.stdin.close()

    assert editor.ended() == 0


def test_a_server_started_without_standard_streams_just_ends() -> None:
    started = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *COMMAND], timeout=TIMEOUT)

    assert started.returncode == 0


def test_shutdown_with_a_command_in_flight_answers_both_once(editor: Client) -> None:
    doctor = editor.start_request("workspace/executeCommand", {"command": "osiris.doctor", "arguments": []})
    shutdown = editor.start_request("shutdown")

    assert editor.result_of(shutdown) is None
    with pytest.raises(RequestRefusedError) as refused:
        editor.result_of(doctor)
    assert refused.value.code == -32800
    assert len(editor.answers_to(shutdown)) == len(editor.answers_to(doctor)) == 1


def test_a_request_after_shutdown_is_refused(editor: Client) -> None:
    editor.request("shutdown")

    with pytest.raises(RequestRefusedError) as refused:
        editor.request("textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}})
    assert refused.value.code == -32600


def test_a_cancelled_command_is_answered_once_and_its_process_ends(editor: Client) -> None:
    request = editor.start_request("workspace/executeCommand", {"command": "osiris.doctor", "arguments": []})
    editor.notify("$/cancelRequest", {"id": request})

    with pytest.raises(RequestRefusedError) as refused:
        editor.result_of(request)
    assert refused.value.code == -32800
    editor.request("shutdown")  # long enough for a second answer to come, if there were one
    assert len(editor.answers_to(request)) == 1


def test_every_request_gets_one_answer_when_half_of_them_are_cancelled(editor: Client) -> None:
    editor.open(URI, "steps:\n  - id: a\n    component: duckdb.processor\n")
    position = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 10}}

    requests = []
    for number in range(60):
        requests.append(editor.start_request("textDocument/hover", position))
        if number % 2:
            editor.notify("$/cancelRequest", {"id": requests[-1]})
    editor.request("shutdown")

    assert [len(editor.answers_to(request)) for request in requests] == [1] * 60


def test_cancelling_what_is_unknown_or_done_is_ignored(editor: Client) -> None:
    done = editor.start_request(
        "textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
    )
    editor.result_of(done)

    editor.notify("$/cancelRequest", {"id": done})
    editor.notify("$/cancelRequest", {"id": "never-sent"})

    assert editor.close() == 0
    assert editor.log == ""


def test_malformed_parameters_are_answered_with_an_error(editor: Client) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        editor.request("textDocument/hover", {"textDocument": 3})

    assert refused.value.code == -32602
    assert "malformed" in refused.value.message


def test_parameters_that_are_no_object_are_malformed_too(editor: Client) -> None:
    with pytest.raises(RequestRefusedError, match="malformed") as refused:
        editor.request("workspace/executeCommand", ["osiris.doctor"])

    assert refused.value.code == -32602


def test_messages_that_make_no_sense_do_no_harm(editor: Client) -> None:
    editor.send({"id": [1], "method": "textDocument/hover", "params": {}})
    editor.send({"method": "$/cancelRequest", "params": [1]})
    editor.send({"method": "workspace/didChangeConfiguration", "params": [1]})
    editor.send({"id": "never-asked", "error": {"code": "none"}})

    answer = editor.wait(lambda m: "error" in m and m.get("id") is None)
    assert answer["error"]["code"] == -32600
    assert editor.close() == 0
    assert "Traceback" not in editor.log


def test_an_unknown_method_is_answered_and_an_unknown_notification_ignored(editor: Client) -> None:
    editor.notify("$/unheardOf", {})
    editor.notify("unheard/of", {})

    with pytest.raises(RequestRefusedError) as refused:
        editor.request("unheard/of", {})
    assert refused.value.code == -32601


def test_what_is_not_json_is_answered_and_does_not_end_the_server(editor: Client) -> None:
    editor.send_raw(b"{not json")
    editor.send_raw(b"[1, 2]")
    editor.send_raw(json.dumps({"jsonrpc": "2.0", "id": "nobody-asked", "result": 1}).encode())

    assert [editor.wait(lambda m: "error" in m)["error"]["code"] for _ in range(2)] == [-32700, -32600]
    assert editor.request("shutdown") is None


def test_an_unknown_command_says_which_there_are(editor: Client) -> None:
    with pytest.raises(RequestRefusedError, match=r"osiris\.compile, osiris\.discover, osiris\.doctor"):
        editor.command("osiris.fly")


def test_requests_are_served_while_commands_run(editor: Client) -> None:
    editor.open(URI, "name: x\n")
    commands = [
        editor.start_request("workspace/executeCommand", {"command": "osiris.doctor", "arguments": []})
        for _ in range(12)
    ]

    editor.at("textDocument/hover", URI, 0, 1)

    assert not any(editor.answers_to(command) for command in commands)


def test_edits_of_lines_count_only_the_line_ends_of_lsp(editor: Client) -> None:
    text = "name: a\u2028b\x0bc\x0cd\x85e\nsteps: 3\n"
    editor.open(URI, text)

    editor.change(URI, 2, edit(1, 7, 8, "4"))

    [finding] = [d for d in editor.diagnostics(URI, 2) if d["range"]["start"]["line"] == 1]
    assert finding["range"]["start"] == {"line": 1, "character": 7}


def test_nothing_but_messages_is_written_to_standard_output(project: Path) -> None:
    # A component's spec or driver may print, and so may any library: here it is a module that is imported at start.
    (project / "site").mkdir()
    (project / "site" / "sitecustomize.py").write_text(
        "import atexit, os, sys, threading\n"
        "def noise():\n"
        "    if 'osiris.core.check' in sys.modules:\n"
        "        print('print'); os.write(1, b'raw'); os.system('echo child')\n"
        "    else:\n"
        "        t = threading.Timer(0.05, noise); t.daemon = True; t.start()\n"
        "noise()\n"
        "atexit.register(lambda: os.write(1, b'at exit'))\n"
    )
    client = Client(env={"PYTHONPATH": str(project / "site")})
    try:
        client.initialize(project)
        client.open(URI, "name: x\n")
        client.at("textDocument/hover", URI, 0, 1)
        assert client.close() == 0
    finally:
        client.kill()

    rest = client.raw
    while rest:
        header, _, rest = rest.partition(b"\r\n\r\n")
        assert header.startswith(b"Content-Length: "), header
        length = int(header.split(b":")[1])
        json.loads(rest[:length])
        rest = rest[length:]
    assert all(noise in client.log for noise in ("print", "raw", "child", "at exit"))


def test_a_request_is_answered_for_the_text_it_was_asked_about(editor: Client) -> None:
    editor.open(URI, "steps:\n  - id: a\n    mode: read\n")
    asked = []
    for version in range(2, 40):  # all at once: every change arrives while the request before it waits
        symbols = editor.start_request("textDocument/documentSymbol", {"textDocument": {"uri": URI}})
        asked.append((f"a{version - 2}" if version > 2 else "a", symbols))
        editor.change(URI, version, {"text": f"steps:\n  - id: a{version - 1}\n"})

    for name, request in asked:
        [steps] = editor.result_of(request)
        assert [step["name"] for step in steps["children"]] == [name]
