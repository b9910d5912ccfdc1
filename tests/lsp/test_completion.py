"""Suggestions in a project: what comes by itself, and what is asked when letters were faster than the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_client import Client

STEP = "steps:\n  - id: a\n    component: filesystem.csv_extractor\n    config:\n      "


def suggested(client: Client, uri: str, text: str, context: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer for a cursor at ``|``."""
    before, after = text.split("|")
    client.open(uri, before + after)
    place = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
    found = client.request(
        "textDocument/completion",
        {"textDocument": {"uri": uri}, "position": place, "context": context or {"triggerKind": 1}},
    )
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("character", ["\n", " "])
def test_a_list_that_no_letter_brought_is_asked_for_again_at_the_first_letter(
    editor: Client, project: Path, character: str
) -> None:
    uri = (project / "p.oml").as_uri()
    text = STEP + ("|\n" if character == "\n" else "encoding: |\n")

    by_itself = suggested(editor, uri, text, {"triggerKind": 2, "triggerCharacter": character})
    by_hand = suggested(editor, uri, text, {"triggerKind": 1})

    assert (by_itself["isIncomplete"], by_hand["isIncomplete"]) == (True, False)


def test_paths_of_the_project_come_folder_by_folder(editor: Client, project: Path) -> None:
    (project / "data" / "old").mkdir(parents=True, exist_ok=True)
    (project / "data" / "may.csv").write_text("a\n1\n", encoding="utf-8")
    uri = (project / "p.oml").as_uri()

    found = suggested(editor, uri, STEP + "path: data/|\n", {"triggerKind": 2, "triggerCharacter": "/"})

    labels = [item["label"] for item in found["items"]]
    assert labels.index("data/may.csv") < labels.index("data/old/")


def test_a_code_in_a_comment_is_explained(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()

    [item] = suggested(editor, uri, "# osiris: ignore[|]\nname: Big Orders\n")["items"]

    assert item["label"] == "OML111"
    assert "kebab-case" in str(editor.request("completionItem/resolve", item)["documentation"])


def test_a_client_that_shows_details_beside_all_labels_gets_them_there(client: Client, project: Path) -> None:
    able: dict[str, Any] = {"textDocument": {"completion": {"completionItem": {"labelDetailsSupport": True}}}}
    client.initialize(project, able)

    found = suggested(client, (project / "p.oml").as_uri(), STEP + "encoding: |\n")["items"]

    [utf_8] = [item for item in found if item["label"] == "utf-8"]
    assert (utf_8["labelDetails"], utf_8.get("detail")) == ({"description": "default"}, None)
