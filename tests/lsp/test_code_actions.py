"""Code actions as an editor asks for them: kinds, edits that are made when chosen, other files, and secrets."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lsp_client import ABLE, Client, Message, RequestRefusedError, edit

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
  - id: store
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/orders.csv
"""


def able(*without: str) -> Message:
    """An editor that knows all about code actions, but for some abilities."""
    capabilities = deepcopy(ABLE)
    actions: Message = {
        "dataSupport": True,
        "disabledSupport": True,
        "resolveSupport": {"properties": ["edit"]},
    }
    capabilities["textDocument"]["codeAction"] |= {key: one for key, one in actions.items() if key not in without}
    if "create" not in without:
        capabilities["workspace"]["workspaceEdit"]["resourceOperations"] = ["create"]
    return capabilities


@pytest.fixture
def editor(client: Client, project: Path) -> Client:
    client.initialize(project, able())
    return client


def opened(client: Client, project: Path, text: str, name: str = "p.oml") -> str:
    uri = (project / name).as_uri()
    client.open(uri, text, version=3)
    return uri


def actions(client: Client, uri: str, line: int, character: int, *only: str, **context: Any) -> list[Message]:
    place = {"line": line, "character": character}
    told = {"diagnostics": [], **({"only": list(only)} if only else {}), **context}
    asked = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": told}
    return client.request("textDocument/codeAction", asked) or []


def chosen(client: Client, found: list[Message], title: str) -> Message:
    """The edits of the action with this title, by the name of the file."""
    [action] = [one for one in found if one["title"] == title]
    if "edit" not in action:
        action = client.request("codeAction/resolve", action)
    changes = action["edit"]["documentChanges"]
    return {
        one["textDocument"]["uri"].rpartition("/")[2]: [each["newText"] for each in one["edits"]]
        for one in changes
        if "textDocument" in one
    }


# -- kinds


def test_the_kinds_are_declared(client: Client, project: Path) -> None:
    declared = client.initialize(project, able())["codeActionProvider"]

    assert declared == {
        "codeActionKinds": [
            "quickfix",
            "refactor.extract",
            "refactor.inline",
            "refactor.rewrite",
            "source.fixAll.osiris",
            "osiris",
        ],
        "resolveProvider": True,
    }


def test_only_a_client_that_can_ask_later_is_told_that_it_may(client: Client, project: Path) -> None:
    declared = client.initialize(project, able("resolveSupport"))["codeActionProvider"]

    assert declared["resolveProvider"] is False


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        ("quickfix", {"quickfix"}),
        ("refactor", {"refactor.extract", "refactor.rewrite"}),
        ("refactor.extract", {"refactor.extract"}),
        ("refactor.extract.param", set()),
        ("source", {"source.fixAll.osiris"}),
        ("source.fixAll", {"source.fixAll.osiris"}),
        ("source.organizeImports", set()),
    ],
)
def test_only_the_kinds_asked_for_are_sent(editor: Client, project: Path, only: str, kinds: set[str]) -> None:
    uri = opened(editor, project, PIPELINE.replace("mode: write", "mode: wriet").replace("table: orders", "table: 1"))

    found = actions(editor, uri, 11, 12, only) + actions(editor, uri, 13, 14, only)

    assert {action["kind"] for action in found} == kinds


def test_without_a_kind_everything_is_offered_but_fix_all(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE.replace("mode: write", "mode: wriet"))

    assert [(one["kind"], one["title"], one.get("isPreferred")) for one in actions(editor, uri, 11, 12)] == [
        ("quickfix", "Replace by `write`", True),
        ("refactor.rewrite", "Say that `store` needs `orders`", None),
    ]


def test_a_refusal_is_told_to_those_who_ask_for_it(editor: Client, project: Path) -> None:
    text = (
        PIPELINE.replace("steps:", "params: {to: {type: string}}\nsteps:")
        .replace("out/orders", '"${params.to}')
        .replace("csv\n", 'csv"\n')
    )
    uri = opened(editor, project, text)

    [refused] = actions(editor, uri, 14, 18, "refactor.inline")

    assert refused == {
        "title": "Inline the parameter `to`",
        "kind": "refactor.inline",
        "disabled": {"reason": "It has no default: its value is given when the pipeline runs."},
    }
    assert actions(editor, uri, 14, 18, triggerKind=2) == []


# -- edits


def test_an_edit_is_made_when_the_action_was_chosen(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE)

    [action] = actions(editor, uri, 9, 8, "refactor.rewrite")
    resolved = editor.request("codeAction/resolve", action)

    assert "edit" not in action
    [change] = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 3}
    assert [one["newText"] for one in change["edits"]] == ["\n    needs: [orders]"]


def test_an_edit_of_another_version_is_refused(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE)
    [action] = actions(editor, uri, 9, 8, "refactor.rewrite")

    editor.change(uri, 4, edit(0, 0, 0, "# new\n"))

    with pytest.raises(RequestRefusedError, match="Ask again") as refused:
        editor.request("codeAction/resolve", action)
    assert refused.value.code == -32801


def test_an_action_of_somebody_else_comes_back_as_it_was(editor: Client) -> None:
    action = {"title": "x", "kind": "quickfix", "data": {"foreign": 1}}

    assert editor.request("codeAction/resolve", action) == action


def test_a_client_that_cannot_ask_later_gets_the_edit_at_once(client: Client, project: Path) -> None:
    client.initialize(project, able("resolveSupport"))
    uri = opened(client, project, PIPELINE)

    [action] = actions(client, uri, 9, 8, "refactor.rewrite")

    assert chosen(client, [action], action["title"]) == {"p.oml": ["\n    needs: [orders]"]}


def test_fix_all_needs_no_second_time(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE.replace("extractor", "extracter").replace("table:", "tabel:"))

    found = actions(editor, uri, 0, 0, "source.fixAll")

    assert chosen(editor, found, "Apply all certain fixes") == {"p.oml": ["sqlite.extractor", "table"]}


def test_all_findings_of_one_code_are_mended(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE.replace("mode: write", "mode: wriet").replace("mode: read", "mode: raed"))

    found = actions(editor, uri, 5, 12, "quickfix")

    assert chosen(editor, found, "Fix all OML125 in this file (2)") == {"p.oml": ["read", "write"]}


def test_a_finding_is_suppressed(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE + "    owner: finance\n")

    [found] = [one for one in actions(editor, uri, 14, 6) if one["title"].startswith("Ignore")]

    assert found["title"] == "Ignore OML107 on this line"
    assert [one["code"] for one in found["diagnostics"]] == ["OML107"]
    assert chosen(editor, [found], found["title"]) == {"p.oml": ["  # osiris: ignore[OML107]"]}


def test_a_code_is_switched_off_for_the_project(editor: Client, project: Path) -> None:
    uri = opened(editor, project, PIPELINE + "    owner: finance\n")

    found = actions(editor, uri, 14, 6)

    assert chosen(editor, found, "Turn OML107 off in osiris.yaml") == {
        "osiris.yaml": ["diagnostics:\n  severity:\n    OML107: off\n"]
    }


def test_the_connections_file_has_fixes(editor: Client, project: Path) -> None:
    text = "connections:\n  sqlite:\n    shop: {pth: shop.db}\n"
    uri = opened(editor, project, text, "osiris_connections.yaml")

    found = actions(editor, uri, 2, 12)

    assert chosen(editor, found, "Replace by `path`") == {"osiris_connections.yaml": ["path"]}
    assert [one["title"] for one in actions(editor, uri, 0, 0, "source.fixAll")] == ["Apply all certain fixes"]


# -- secrets

SECRET = "Tr0ub4dor & 3"
CRM = "connections:\n  mysql:\n    crm: {host: db, database: crm, user: me, password: Tr0ub4dor & 3}\n"


def test_a_secret_is_moved_to_the_environment_when_it_was_chosen(editor: Client, project: Path) -> None:
    (project / ".env").write_text("OTHER=1")
    uri = opened(editor, project, CRM, "osiris_connections.yaml")

    found = actions(editor, uri, 2, 60)
    assert SECRET.encode() not in editor.raw
    edits = chosen(editor, found, "Move it to `.env` as MYSQL_CRM_PASSWORD")

    assert edits == {
        "osiris_connections.yaml": ['"${MYSQL_CRM_PASSWORD}"'],
        ".env": ["\nMYSQL_CRM_PASSWORD='Tr0ub4dor & 3'\n"],
    }


def test_a_secret_in_a_pipeline_becomes_a_sensitive_parameter(editor: Client, project: Path) -> None:
    text = PIPELINE.replace("table: orders", "table: orders\n      x: ghp_16C7e42F292c6912E7710c838347Ae178B4a")
    uri = opened(editor, project, text)

    found = actions(editor, uri, 9, 12)

    assert chosen(editor, found, "Move it to a new `.env` as OSIRIS_PARAM_X") == {
        "p.oml": ["params:\n  x: {type: string, sensitive: true}\n", '"${params.x}"'],
        ".env": ["OSIRIS_PARAM_X=ghp_16C7e42F292c6912E7710c838347Ae178B4a\n"],
    }


def test_git_is_told_not_to_take_the_environment(editor: Client, project: Path) -> None:
    (project / ".git").mkdir()
    (project / ".gitignore").write_text("build/\n")
    uri = opened(editor, project, CRM, "osiris_connections.yaml")

    found = actions(editor, uri, 2, 60)
    edits = chosen(editor, found, "Move it to a new `.env` as MYSQL_CRM_PASSWORD, and let git ignore `.env`")

    assert edits[".gitignore"] == [".env\n"]


def test_a_secret_is_not_sent_to_a_client_that_cannot_ask_for_it(client: Client, project: Path) -> None:
    client.initialize(project, able("resolveSupport"))
    uri = opened(client, project, CRM, "osiris_connections.yaml")

    titles = [one["title"] for one in actions(client, uri, 2, 60)]

    assert [title for title in titles if "MYSQL_CRM_PASSWORD" in title] == [
        "Replace by `${MYSQL_CRM_PASSWORD}`; set MYSQL_CRM_PASSWORD in `.env`"
    ]
    assert SECRET.encode() not in client.raw


def test_a_variable_with_another_value_is_not_overwritten(editor: Client, project: Path) -> None:
    (project / ".env").write_text("MYSQL_CRM_PASSWORD=other\n")
    uri = opened(editor, project, CRM, "osiris_connections.yaml")

    assert not [one for one in actions(editor, uri, 2, 60) if one["title"].startswith("Move it")]


def test_an_untrusted_workspace_moves_nothing(client: Client, project: Path) -> None:
    client.initialize(project, able(), initializationOptions={"trusted": False})
    uri = opened(client, project, CRM, "osiris_connections.yaml")

    assert not [one for one in actions(client, uri, 2, 60) if one["title"].startswith("Move it")]


@pytest.mark.parametrize("name", [".env", ".gitignore", "osiris.yaml"])
def test_nothing_is_written_behind_a_link_that_leads_out_of_the_project(
    editor: Client, project: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    outside = tmp_path_factory.mktemp("home") / "settings"
    outside.write_text("")
    (project / ".git").mkdir()
    (project / name).symlink_to(outside)
    connections = opened(editor, project, CRM, "osiris_connections.yaml")
    pipeline = opened(editor, project, PIPELINE + "    owner: finance\n")

    offered = [*actions(editor, connections, 2, 60), *actions(editor, pipeline, 14, 6)]
    edits = [one["edit"] if "edit" in one else editor.request("codeAction/resolve", one)["edit"] for one in offered]

    touched = {change["textDocument"]["uri"] for one in edits for change in one["documentChanges"] if "edits" in change}
    assert (project / name).as_uri() not in touched
    assert connections in touched


def test_a_moved_secret_is_in_no_log(project: Path) -> None:
    speaking = Client(env={"OSIRIS_LOG_LEVEL": "debug"})
    try:
        speaking.initialize(project, able())
        uri = opened(speaking, project, CRM, "osiris_connections.yaml")
        chosen(speaking, actions(speaking, uri, 2, 60), "Move it to a new `.env` as MYSQL_CRM_PASSWORD")
        speaking.close()
    finally:
        speaking.kill()

    assert SECRET not in speaking.log
