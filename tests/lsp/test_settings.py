"""Settings: pulled and pushed, per folder, and each change counts at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_client import ABLE, Client, Message

PIPELINE = """\
oml_version: "0.1.0"
name: {name}
steps:
  - {{id: a, component: filesystem.csv_extractor, mode: read, config: {{path: a.csv}}}}
  - {{id: b, component: duckdb.processor, mode: transform, config: {{query: SELECT * FROM df_a}}}}
"""
WORKSPACE: Message = {
    **ABLE["workspace"],
    "configuration": True,
    "didChangeConfiguration": {"dynamicRegistration": True},
    "codeLens": {"refreshSupport": True},
    "inlayHint": {"refreshSupport": True},
}
SETTING: Message = {**ABLE, "workspace": WORKSPACE}


def answer(client: Client, *settings: Any) -> Message:
    """Answer the next question for the settings: first those of the window, then those of each folder."""
    asked = client.wait(lambda m: m.get("method") == "workspace/configuration")
    client.send({"id": asked["id"], "result": list(settings)})
    return asked["params"]


def hints(client: Client, uri: str) -> int:
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    return len(client.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole}) or [])


def test_every_folder_has_settings_of_its_own(client: Client, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    uris = [(folder / "p.oml").as_uri() for folder in folders]
    client.initialize(
        capabilities=SETTING, workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
    )
    asked = answer(client, {}, {"inlayHints": {"implicitNeeds": False}}, {})
    assert [item.get("scopeUri") for item in asked["items"]] == [None, folders[0].as_uri(), folders[1].as_uri()]

    for uri in uris:
        client.open(uri, PIPELINE.format(name="p"))

    assert [hints(client, uri) for uri in uris] == [0, 1]


def test_a_change_is_asked_for_and_shown_at_once(client: Client, project: Path) -> None:
    client.initialize(project, SETTING)
    registered = client.wait(lambda m: m.get("method") == "client/registerCapability")
    assert registered["params"]["registrations"][0]["method"] == "workspace/didChangeConfiguration"
    answer(client, {}, {})
    uri = (project / "p.oml").as_uri()
    client.open(uri, PIPELINE.format(name="p"))
    assert hints(client, uri) == 1

    client.notify("workspace/didChangeConfiguration", {"settings": None})
    answer(client, {"inlayHints": {"implicitNeeds": False}}, {"inlayHints": {"implicitNeeds": False}})

    refreshed = {client.wait(lambda m: str(m.get("method")).endswith("/refresh"))["method"]}
    assert refreshed <= {"workspace/inlayHint/refresh", "workspace/codeLens/refresh"}
    assert hints(client, uri) == 0


def test_a_setting_that_is_taken_back_has_its_default_again(client: Client, project: Path) -> None:
    client.initialize(project)
    uri = (project / "p.oml").as_uri()
    client.open(uri, PIPELINE.format(name="p"))
    client.notify(
        "workspace/didChangeConfiguration", {"settings": {"osiris": {"inlayHints": {"implicitNeeds": False}}}}
    )
    assert hints(client, uri) == 0

    client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {}}})

    assert hints(client, uri) == 1
