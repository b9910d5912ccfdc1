"""The session as a whole: what is declared, settings, folders, the client's late answers, and what never gets out."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from lsp_client import ABLE, Client, RequestRefusedError, edit, span

from osiris.lsp import commands, features
from osiris.lsp.server import COMMANDS, NOTIFICATIONS, REQUESTS

PIPELINE = """\
oml_version: "0.1.0"
name: shop
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: orders
"""


# -- the tables


def test_every_row_of_the_tables_has_its_module_and_every_module_its_row() -> None:
    rows = {*REQUESTS.values(), *NOTIFICATIONS.values()}

    assert {module.name for module in iter_modules(features.__path__)} == rows
    assert {module.name for module in iter_modules(commands.__path__)} - {"arguments"} == set(COMMANDS.values())
    for name in rows:
        assert callable(import_module(f"osiris.lsp.features.{name}").handle)


def test_the_reply_to_initialize_waits_for_nothing_it_does_not_need() -> None:
    code = "import sys, osiris.lsp.loop, osiris.lsp.features.initialize; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())

    heavy = ("yaml", "jsonschema", "jsonschema_rs", "duckdb", "pyarrow", "sqlglot", "rich", "ruamel")
    layers = tuple(f"osiris.{name}" for name in ("components.", "language.", "core.", "execution.", "ide."))
    plain_names = {"osiris.language.project_file_names"}  # four constants
    assert not {name for name in loaded if name.startswith((*heavy, *layers))} - plain_names


PROVIDERS = {
    "callHierarchyProvider": "textDocument/prepareCallHierarchy",
    "codeActionProvider": "textDocument/codeAction",
    "codeLensProvider": "textDocument/codeLens",
    "completionProvider": "textDocument/completion",
    "definitionProvider": "textDocument/definition",
    "diagnosticProvider": "textDocument/diagnostic",
    "documentFormattingProvider": "textDocument/formatting",
    "documentHighlightProvider": "textDocument/documentHighlight",
    "documentLinkProvider": "textDocument/documentLink",
    "documentRangeFormattingProvider": "textDocument/rangeFormatting",
    "documentSymbolProvider": "textDocument/documentSymbol",
    "executeCommandProvider": "workspace/executeCommand",
    "foldingRangeProvider": "textDocument/foldingRange",
    "hoverProvider": "textDocument/hover",
    "inlayHintProvider": "textDocument/inlayHint",
    "referencesProvider": "textDocument/references",
    "renameProvider": "textDocument/rename",
    "selectionRangeProvider": "textDocument/selectionRange",
    "semanticTokensProvider": "textDocument/semanticTokens/full",
    "workspaceSymbolProvider": "workspace/symbol",
}


# Methods that the option of another one declares.
BESIDE = {
    "codeLens/resolve",
    "callHierarchy/incomingCalls",
    "callHierarchy/outgoingCalls",
    "codeAction/resolve",
    "completionItem/resolve",
    "workspace/diagnostic",
    "textDocument/prepareRename",
    "textDocument/semanticTokens/full/delta",
    "textDocument/semanticTokens/range",
}


def test_what_is_declared_is_what_is_there(client: Client) -> None:
    declared = client.initialize(capabilities={**ABLE, "textDocument": {**ABLE["textDocument"], "diagnostic": {}}})

    assert {name for name in declared if name.endswith("Provider")} == set(PROVIDERS)
    assert {*PROVIDERS.values(), *BESIDE, "initialize", "shutdown"} == set(REQUESTS)
    assert declared["executeCommandProvider"]["commands"] == sorted(COMMANDS)


# -- settings


def with_configuration() -> dict[str, object]:
    return {**ABLE, "workspace": {**ABLE["workspace"], "configuration": True}}


def test_settings_are_asked_for_and_kept(client: Client, project: Path) -> None:
    client.initialize(project, with_configuration())
    asked = client.wait(lambda m: m.get("method") == "workspace/configuration")
    assert asked["params"] == {"items": [{"section": "osiris"}, {"scopeUri": project.as_uri(), "section": "osiris"}]}
    client.send({"id": asked["id"], "result": [{"compileOnSave": False, "unknown": 1}, None]})
    uri = (project / "shop.oml").as_uri()
    (project / "shop.oml").write_text(PIPELINE)
    client.open(uri, PIPELINE)

    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    client.command("osiris.validate", uri)

    assert client.close() == 0
    assert not (project / "build").exists()


def test_settings_that_are_pushed_count_from_then_on(client: Client, project: Path) -> None:
    client.initialize(project)
    client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"trusted": False}}})

    with pytest.raises(RequestRefusedError, match="trusted"):
        client.command("osiris.compile", (project / "shop.oml").as_uri())


def test_trust_cannot_be_given_by_a_setting(client: Client, project: Path) -> None:
    client.initialize(project, initializationOptions={"trusted": False})
    client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"trusted": True}}})

    with pytest.raises(RequestRefusedError, match="trusted"):
        client.command("osiris.compile", (project / "shop.oml").as_uri())


def test_settings_of_a_wrong_shape_are_passed_over(client: Client) -> None:
    client.initialize(initializationOptions=["x"])
    for settings in (None, [], "x", {"osiris": 3}, {"compileOnSave": "yes"}):
        client.notify("workspace/didChangeConfiguration", {"settings": settings})

    assert client.close() == 0
    assert client.log == ""


# -- the client's answers


def test_an_answer_that_comes_too_late_is_dropped(client: Client, project: Path) -> None:
    client.initialize(project, with_configuration())
    asked = client.wait(lambda m: m.get("method") == "workspace/configuration")

    client.request("shutdown")
    assert client.wait_for("$/cancelRequest") == {"id": asked["id"]}
    client.send({"id": asked["id"], "result": [{}]})
    client.notify("exit")

    assert client.ended() == 0
    assert client.log == ""
    client.drain()
    assert not any(m.get("method") == "window/showMessage" for m in client.received)


def test_a_client_that_refuses_what_it_is_asked_is_no_fault(client: Client, project: Path) -> None:
    client.initialize(project, with_configuration())
    asked = client.wait(lambda m: m.get("method") == "workspace/configuration")

    client.send({"id": asked["id"], "error": {"code": -32601, "message": "no such thing"}})

    assert client.close() == 0
    assert client.log == ""


# -- folders


def test_each_folder_is_a_project_with_its_own_connections(client: Client, tmp_path: Path) -> None:
    for name in ("shop", "crm"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "osiris_connections.yaml").write_text(
            f"connections:\n  sqlite:\n    {name}: {{path: x.db}}\n"
        )
    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("shop", "crm")]
    client.initialize(workspaceFolders=folders)

    errors = {
        name: [f["range"] for f in client.open((tmp_path / name / "p.oml").as_uri(), PIPELINE) if f["severity"] == 1]
        for name in ("shop", "crm")
    }

    assert errors == {"shop": [], "crm": [span(7, 18, 32)]}


def test_folders_that_are_added_later_count_for_documents_without_a_file(client: Client, project: Path) -> None:
    client.initialize()
    marked = PIPELINE.replace('"@sqlite.shop"', "")
    client.open("untitled:1", marked)
    assert client.at("textDocument/completion", "untitled:1", 7, 18) is None

    added = [{"uri": project.as_uri(), "name": "project"}]
    client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}})

    found = client.at("textDocument/completion", "untitled:1", 7, 18)
    assert [item["label"] for item in found["items"]] == ["@sqlite.shop"]


def test_a_document_of_a_foreign_scheme_is_checked_without_a_project(client: Client, project: Path) -> None:
    client.initialize(project)

    assert client.open("vscode-vfs://github/owner/repo/p.oml", "name: x\n") != []


# -- completion as it is sent


def test_suggestions_are_light_and_share_their_range(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, "steps:\n  - id: a\n    mo\n")

    found = editor.at("textDocument/completion", uri, 2, 6)

    assert found["itemDefaults"] == {"editRange": span(2, 4, 6), "insertTextMode": 1}
    mode = next(item for item in found["items"] if item["label"] == "mode")
    assert "documentation" not in mode
    assert "textEdit" not in mode
    assert mode["textEditText"] == "mode: "
    documentation = editor.request("completionItem/resolve", mode)["documentation"]
    assert documentation["kind"] == "markdown"


def test_a_client_without_defaults_gets_whole_edits(client: Client, project: Path) -> None:
    client.initialize(project, {})
    uri = (project / "p.oml").as_uri()
    client.open(uri, "steps:\n  - id: a\n        mo\n")

    found = client.at("textDocument/completion", uri, 2, 10)

    mode = next(item for item in found["items"] if item["label"] == "mode")
    assert mode["textEdit"] == {"range": span(2, 8, 10), "newText": "mode: "}
    assert mode["additionalTextEdits"] == [{"range": span(2, 0, 8), "newText": "    "}]
    assert "itemDefaults" not in found


def suggested_after_enter(client: Client, uri: str, text: str) -> list[str]:
    """The labels for the cursor at ``|`` when a line break was the last that was typed."""
    before, after = text.split("|")
    client.open(uri, before + after)
    place = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
    context = {"triggerKind": 2, "triggerCharacter": "\n"}
    asked = {"textDocument": {"uri": uri}, "position": place, "context": context}
    found = client.request("textDocument/completion", asked)
    return [item["label"] for item in found["items"]] if found else []


STEP = "steps:\n  - id: a\n    component: filesystem.csv_extractor\n    mode: read\n"


def test_a_line_break_asks_for_suggestions(client: Client, project: Path) -> None:
    declared = client.initialize(project)

    assert "\n" in declared["completionProvider"]["triggerCharacters"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(STEP + "    config:\n      |\n", ["path"], id="required config keys come first"),
        pytest.param(STEP + "    config:\n      path: x\n      |", ["connection"], id="then the others"),
        pytest.param(STEP + "    config:\n      path: x\n    |\n", ["needs"], id="keys of the step at their column"),
        pytest.param(STEP + "    config:\n      |path: x\n", [], id="a line pushed down"),
        pytest.param(STEP + "    # a remark\n    # more|\n", [], id="a comment"),
        pytest.param("description: >\n  Text.\n  |\nname: a\n", [], id="a block of text"),
    ],
)
def test_a_new_line_is_offered_what_can_stand_there(
    editor: Client, project: Path, text: str, expected: list[str]
) -> None:
    assert suggested_after_enter(editor, (project / "p.oml").as_uri(), text)[: len(expected) or None] == expected


@pytest.mark.parametrize("announced", [True, False])
def test_an_editor_that_can_asks_for_the_value_after_a_key(client: Client, project: Path, announced: bool) -> None:
    client.initialize(project, {**ABLE, "experimental": {"osiris": {"triggerSuggest": announced}}})
    uri = (project / "p.oml").as_uri()
    client.open(uri, "steps:\n  - id: a\n    mo\n")

    found = client.at("textDocument/completion", uri, 2, 6)

    mode = next(item for item in found["items"] if item["label"] == "mode")
    assert mode.get("command", {}).get("command") == ("editor.action.triggerSuggest" if announced else None)


def test_fix_all_applies_every_certain_fix_to_the_version_it_was_asked_for(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, PIPELINE.replace("sqlite.extractor", "sqlite.extracter"))
    editor.change(uri, 5, edit(5, 10, 14, "raed"))
    editor.diagnostics(uri, 5)

    [action] = editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": span(0, 0, 0),
            "context": {"diagnostics": [], "only": ["source.fixAll"]},
        },
    )

    [change] = action["edit"]["documentChanges"]
    assert action["kind"] == "source.fixAll.osiris"
    assert change["textDocument"] == {"uri": uri, "version": 5}
    assert [edit["newText"] for edit in change["edits"]] == ["sqlite.extractor", "read"]


# -- secrets


def test_a_connection_with_a_password_in_its_address_is_shown_without_it(client: Client, project: Path) -> None:
    (project / "osiris_connections.yaml").write_text(
        "connections:\n  sqlite:\n    shop: {path: 'postgres://me:hunter2hunter2@db/x'}\n"
    )
    client.initialize(project)
    uri = (project / "p.oml").as_uri()
    client.open(uri, PIPELINE)

    shown = client.at("textDocument/hover", uri, 7, 20)["contents"]["value"]

    assert "**@sqlite.shop**" in shown
    assert "hunter2" not in shown


SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def test_a_secret_in_a_document_is_repeated_by_no_message_and_no_log(project: Path) -> None:
    speaking = Client(env={"OSIRIS_LOG_LEVEL": "debug"})
    try:
        speaking.initialize(project)
        uri = (project / "p.oml").as_uri()
        text = PIPELINE + f"      password: {SECRET}\n"
        speaking.open(uri, text)
        speaking.at("textDocument/hover", uri, 9, 18)
        speaking.at("textDocument/completion", uri, 9, 18)
        (project / "p.oml").write_text(text)
        with pytest.raises(RequestRefusedError):
            speaking.command("osiris.run", uri)
        speaking.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        speaking.command("osiris.validate", uri)
        speaking.close()
    finally:
        speaking.kill()

    assert SECRET.encode() not in speaking.raw
    assert SECRET not in speaking.log
