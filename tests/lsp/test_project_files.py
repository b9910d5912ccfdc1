"""osiris_connections.yaml, osiris.yaml and ``.env`` in an editor: findings, suggestions, hovers, outlines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_client import Client


def asked(client: Client, path: Path, marked: str, method: str) -> Any:
    """The answer for a cursor at ``|``."""
    before, after = marked.split("|")
    client.open(path.as_uri(), before + after)
    return client.at(method, path.as_uri(), before.count("\n"), len(before) - before.rfind("\n") - 1)


def labels(client: Client, path: Path, marked: str) -> list[str]:
    found = asked(client, path, marked, "textDocument/completion")
    return [item["label"] for item in found["items"]] if found else []


def codes(client: Client, path: Path, text: str) -> list[str]:
    return [item["code"] for item in client.open(path.as_uri(), text)]


def test_the_connections_file(editor: Client, project: Path) -> None:
    (project / ".env").write_text("CRM_PASSWORD=hunter2\n", encoding="utf-8")
    path = project / "osiris_connections.yaml"

    assert "CRM_PASSWORD" in labels(editor, path, "connections:\n  mysql:\n    crm:\n      password: ${|}\n")
    told = asked(
        editor, path, "connections:\n  mysql:\n    crm:\n      password: ${CRM_|PASSWORD}\n", "textDocument/hover"
    )
    assert "set in `.env`" in str(told)
    assert "hunter2" not in str(told)
    assert codes(editor, path, "connections:\n  sqlite:\n    a: {path: '${NO_SUCH_VARIABLE_HERE}'}\n") == ["OML336"]
    outline = editor.request("textDocument/documentSymbol", {"textDocument": {"uri": path.as_uri()}})
    assert [(symbol["name"], [child["name"] for child in symbol["children"]]) for symbol in outline] == [
        ("sqlite", ["a"])
    ]


def test_a_suggested_key_of_a_project_file_is_explained(editor: Client, project: Path) -> None:
    path = project / "osiris.yaml"
    found = asked(editor, path, "|", "textDocument/completion")
    item = next(item for item in found["items"] if item["label"] == "on_failure")

    assert "After a failed step" in str(editor.request("completionItem/resolve", item)["documentation"])


def test_the_env_file_of_a_project(editor: Client, project: Path) -> None:
    (project / "osiris_connections.yaml").write_text(
        "connections:\n  mysql:\n    crm: {host: h, database: d, user: u, password: '${CRM_PASSWORD}'}\n",
        encoding="utf-8",
    )
    path = project / ".env"

    assert labels(editor, path, "|") == ["CRM_PASSWORD"]
    assert "Asked for by" in str(asked(editor, path, "CRM_PASS|WORD=hunter2\n", "textDocument/hover"))
    assert codes(editor, path, "CRM_PASSWORD=hunter2\nCRM_PASSWORD\n") == ["OML337"]


def test_an_env_file_of_another_program_is_left_alone(editor: Client, project: Path) -> None:
    path = project / "web" / ".env"

    assert labels(editor, path, "|") == []
    assert asked(editor, path, "A|=1\n", "textDocument/hover") is None
    assert codes(editor, path, "no variable\n") == []


def test_a_line_break_brings_no_suggestions_that_the_next_one_would_take(editor: Client, project: Path) -> None:
    path = project / "osiris.yaml"
    assert labels(editor, path, "on_failure: stop\n|\n")

    place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": 1, "character": 0}}
    context = {"triggerKind": 2, "triggerCharacter": "\n"}

    assert editor.request("textDocument/completion", {**place, "context": context}) is None


def test_a_line_break_brings_suggestions_where_project_files_have_a_language_of_their_own(
    editor: Client, project: Path
) -> None:
    path = project / "osiris_connections.yaml"
    editor.open(path.as_uri(), "connections:\n  mysql:\n    crm:\n      \n", language="osiris-project")

    place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": 3, "character": 6}}
    context = {"triggerKind": 2, "triggerCharacter": "\n"}
    found = editor.request("textDocument/completion", {**place, "context": context})

    assert "host" in [item["label"] for item in found["items"]]
