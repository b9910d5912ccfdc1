"""Diagnostics for clients that ask for them: one document, the whole workspace, and when to ask again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_client import ABLE, Client, Message, RequestRefusedError, edit

GOOD = """\
oml_version: "0.1.0"
name: {name}
steps:
  - id: a
    component: filesystem.csv_extractor
    mode: read
    config: {{path: a.csv}}
"""
BAD = GOOD.replace("mode: read", "mode: raed")

PULLING: Message = {
    **ABLE,
    "textDocument": {**ABLE["textDocument"], "diagnostic": {}},
    "workspace": {**ABLE["workspace"], "diagnostics": {"refreshSupport": True}},
    "window": {"workDoneProgress": True},
}


def write(folder: Path, name: str, text: str = BAD) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.oml"
    path.write_text(text.format(name=name))
    return path.as_uri()


def open_quietly(client: Client, uri: str, text: str) -> None:
    item = {"uri": uri, "languageId": "oml", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": item})


def pull(client: Client, uri: str, previous: str | None = None) -> Message:
    asked: Message = {"textDocument": {"uri": uri}}
    if previous is not None:
        asked["previousResultId"] = previous
    return client.request("textDocument/diagnostic", asked)


def pull_all(client: Client, previous: dict[str, str] | None = None, **more: Any) -> dict[str, Message]:
    known = [{"uri": uri, "value": value} for uri, value in (previous or {}).items()]
    answer = client.request("workspace/diagnostic", {"previousResultIds": known, **more})
    return {item["uri"]: item for item in answer["items"]}


def codes(report: Message) -> list[str]:
    return [item["code"] for item in report["items"] if item["severity"] == 1]


@pytest.fixture
def editor(client: Client, project: Path) -> Client:
    client.initialize(project, PULLING)
    return client


# -- one document


def test_a_document_is_reported_in_full_and_then_as_unchanged(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    open_quietly(editor, uri, BAD.format(name="p"))

    first = pull(editor, uri)
    assert (first["kind"], codes(first)) == ("full", ["OML125"])
    assert pull(editor, uri, first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}

    editor.change(uri, 2, edit(1, 6, 7, "q"))
    assert pull(editor, uri, first["resultId"])["kind"] == "unchanged"

    editor.change(uri, 3, edit(5, 10, 14, "read"))
    assert codes(pull(editor, uri, first["resultId"])) == []


def test_a_client_that_asks_is_pushed_nothing(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    open_quietly(editor, uri, BAD.format(name="p"))
    editor.change(uri, 2, edit(1, 6, 7, "q"))
    pull(editor, uri)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    assert editor.close() == 0
    editor.drain()
    assert not any(m.get("method") == "textDocument/publishDiagnostics" for m in editor.received)


def test_a_client_that_does_not_ask_is_offered_no_asking(client: Client, project: Path) -> None:
    assert "diagnosticProvider" not in client.initialize(project)


def test_a_document_that_is_not_open_has_no_findings(editor: Client, project: Path) -> None:
    assert pull(editor, write(project, "closed")) == {"kind": "full", "items": []}


def test_typing_in_the_connections_file_has_the_client_ask_again(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    text = (
        GOOD.format(name="p").replace("filesystem.csv_extractor", "sqlite.extractor").replace("path: a.csv", "table: t")
    )
    open_quietly(editor, uri, text)
    before = codes(pull(editor, uri))

    open_quietly(editor, (project / "osiris_connections.yaml").as_uri(), "connections: {}\n")

    editor.wait_for("workspace/diagnostic/refresh")
    assert codes(pull(editor, uri)) != before


# -- the workspace


def test_every_file_of_every_folder_is_reported_open_ones_with_their_version(client: Client, tmp_path: Path) -> None:
    shop, crm = tmp_path / "shop", tmp_path / "crm"
    opened, closed, nested = write(shop, "b", GOOD), write(shop, "a"), write(shop / "inner", "c")
    other = write(crm, "d")
    (shop / "inner" / "osiris.yaml").write_text("on_failure: maybe\n")
    (shop / "notes.yaml").write_text("a: 1\n")
    client.initialize(
        capabilities=PULLING,
        workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name} for folder in (shop, crm)],
    )
    open_quietly(client, opened, BAD.format(name="b"))

    found = pull_all(client)

    settings = (shop / "inner" / "osiris.yaml").as_uri()
    assert next(iter(found)) == opened
    assert {uri: (item["version"], bool(item["items"])) for uri, item in found.items()} == {
        opened: (1, True),
        closed: (None, True),
        settings: (None, True),
        nested: (None, True),
        other: (None, True),
    }


def test_what_the_client_has_is_not_sent_again(editor: Client, project: Path) -> None:
    one, two = write(project, "one"), write(project, "two")
    first = pull_all(editor)
    known = {uri: item["resultId"] for uri, item in first.items()}

    Path(project / "two.oml").write_text(BAD.format(name="two").replace("raed", "wirte"))

    again = pull_all(editor, known)
    assert (again[one]["kind"], again[two]["kind"]) == ("unchanged", "full")
    assert "items" not in again[one]


def test_the_findings_of_a_file_that_is_gone_are_taken_away(editor: Client, project: Path) -> None:
    uri = write(project, "gone")
    known = {uri: item["resultId"] for uri, item in pull_all(editor).items()}
    (project / "gone.oml").unlink()
    editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]})

    assert pull_all(editor, known)[uri] == {"kind": "full", "uri": uri, "version": None, "items": []}


def test_a_file_that_cannot_be_read_has_a_finding_that_says_so(editor: Client, project: Path) -> None:
    (project / "p.oml").write_bytes(b"\xff\xff\xff")

    [finding] = pull_all(editor)[(project / "p.oml").as_uri()]["items"]

    assert finding["code"] == "OML014"


def test_the_scope_can_be_set_to_what_is_open(client: Client, project: Path) -> None:
    closed, opened = write(project, "closed"), write(project, "opened")
    client.initialize(project, PULLING, initializationOptions={"diagnostics": {"scope": "open"}})
    open_quietly(client, opened, BAD.format(name="opened"))

    assert list(pull_all(client)) == [opened]
    assert pull_all(client, {closed: "x"})[closed]["items"] == []


def test_parts_are_streamed_to_a_client_that_takes_them(editor: Client, project: Path) -> None:
    uris = {write(project, f"p{number}") for number in range(120)}

    last = pull_all(editor, partialResultToken="part")

    editor.drain()
    streamed = [
        item["uri"]
        for m in editor.received
        if m.get("method") == "$/progress" and m["params"]["token"] == "part"
        for item in m["params"]["value"]["items"]
    ]
    assert not set(streamed) & set(last)
    assert {*streamed, *last} >= uris
    assert len(streamed) == len(set(streamed))


def test_a_client_that_has_everything_is_answered_when_something_changes(editor: Client, project: Path) -> None:
    uri = write(project, "p")
    known = [{"uri": uri, "value": item["resultId"]} for uri, item in pull_all(editor).items()]
    asked = editor.start_request("workspace/diagnostic", {"previousResultIds": known, "partialResultToken": "t"})
    editor.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    assert editor.answers_to(asked) == []

    (project / "p.oml").write_text(BAD.format(name="p") + "\n\nx: 1\n")
    editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})

    [changed] = [item for item in editor.result_of(asked)["items"] if item["kind"] == "full"]
    assert changed["uri"] == uri


def test_a_request_that_is_kept_open_ends_when_it_is_cancelled(editor: Client, project: Path) -> None:
    write(project, "p")
    known = [{"uri": uri, "value": item["resultId"]} for uri, item in pull_all(editor).items()]
    asked = editor.start_request("workspace/diagnostic", {"previousResultIds": known, "partialResultToken": "t"})
    pull_all(editor)

    editor.notify("$/cancelRequest", {"id": asked})

    with pytest.raises(RequestRefusedError) as refused:
        editor.result_of(asked)
    assert refused.value.code == -32800


def test_typing_is_served_while_the_workspace_is_checked(editor: Client, project: Path) -> None:
    for number in range(150):
        write(project, f"p{number}")
    uri = (project / "typed.oml").as_uri()
    open_quietly(editor, uri, GOOD.format(name="typed"))

    asked = editor.start_request("workspace/diagnostic", {"previousResultIds": []})
    for version in range(2, 12):
        editor.change(uri, version, edit(1, 6, 11, "typed"))
        pull(editor, uri)
        assert editor.answers_to(asked) == []

    assert len(editor.result_of(asked)["items"]) == 152


def test_the_progress_of_the_request_is_the_one_it_came_with(editor: Client, project: Path) -> None:
    write(project, "p")

    pull_all(editor, workDoneToken="work")

    editor.drain()
    kinds = [m["params"]["value"]["kind"] for m in editor.received if m.get("method") == "$/progress"]
    assert kinds == ["begin", "end"]


# -- clients that are pushed diagnostics


def published(client: Client, uri: str) -> list[Message]:
    return client.wait_for("textDocument/publishDiagnostics", uri=uri)["diagnostics"]


def test_validating_the_workspace_shows_closed_files_to_a_client_that_cannot_ask(client: Client, project: Path) -> None:
    client.initialize(project)
    uri = write(project, "p")

    answer = client.command("osiris.validate")

    assert {item["uri"] for item in answer["diagnostics"]} == {uri}
    assert [item["code"] for item in published(client, uri) if item["severity"] == 1] == ["OML125"]

    (project / "p.oml").unlink()
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]})
    assert published(client, uri) == []


def test_a_closed_file_that_was_validated_keeps_its_findings_when_it_was_open_meanwhile(
    client: Client, project: Path
) -> None:
    client.initialize(project)
    uri = write(project, "p")
    client.command("osiris.validate")
    assert published(client, uri)

    client.open(uri, GOOD.format(name="p"), version=4)
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    assert published(client, uri) == []
    assert published(client, uri)


def test_validating_the_workspace_shows_its_progress_and_can_be_cancelled(client: Client, project: Path) -> None:
    for number in range(300):
        write(project, f"p{number}")
    client.initialize(project)
    command = {"command": "osiris.validate", "arguments": [], "workDoneToken": "work"}
    asked = client.start_request("workspace/executeCommand", command)
    begun = client.wait_for("$/progress", token="work")["value"]
    assert begun == {"kind": "begin", "title": "Checking all pipelines", "cancellable": True}

    client.notify("window/workDoneProgress/cancel", {"token": "work"})

    with pytest.raises(RequestRefusedError) as refused:
        client.result_of(asked)
    assert refused.value.code == -32800
    client.wait(lambda m: m.get("method") == "$/progress" and m["params"]["value"]["kind"] == "end")


def test_the_files_of_a_project_are_reported_without_being_open(editor: Client, project: Path) -> None:
    write(project, "p", GOOD)
    (project / "osiris_connections.yaml").write_text("connections: 3\n")
    (project / "osiris.yaml").write_text("on_failure: maybe\n")
    (project / ".env").write_text("PASSWORD=hunter2\nnonsense\n")

    found = pull_all(editor)

    for name, line in (("osiris_connections.yaml", 0), ("osiris.yaml", 0), (".env", 1)):
        [finding] = found[(project / name).as_uri()]["items"]
        assert finding["range"]["start"]["line"] == line
    assert b"hunter2" not in editor.raw


def test_an_env_file_that_is_open_has_findings(client: Client, project: Path) -> None:
    client.initialize(project)

    assert [f["code"] for f in client.open((project / ".env").as_uri(), "A=1\nnonsense\n", language="dotenv")] == [
        "OML337"
    ]
