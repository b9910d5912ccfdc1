"""Inlay hints as the client gets them: where they lead, what they write, and the settings that turn them off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_client import Client, apply_edits, position, span

TEXT = """\
params: {least: 3}
steps:
  - id: a
    mode: read
  - id: b
    config: {limit: "${params.least}"}
  - id: c
"""


def hints(client: Client, uri: str, first: int = 0, last: int = 99) -> list[dict[str, Any]]:
    whole = {"start": position(first, 0), "end": position(last, 0)}
    return client.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})


def labels(found: list[dict[str, Any]]) -> list[str]:
    return ["".join(part["value"] for part in hint["label"]) for hint in found]


def test_the_step_above_is_named_led_to_and_can_be_written_down(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)

    first, second = hints(editor, uri)

    assert labels([first, second]) == ["needs: a", "needs: b"]
    assert first["position"] == position(4, 9)
    assert first["label"][1]["location"] == {"uri": uri, "range": span(2, 8, 9)}
    assert "needs: [a]" in apply_edits(TEXT, first["textEdits"])
    assert "waits for the one above" in first["tooltip"]["value"]


def test_only_for_the_lines_that_are_shown(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)

    assert labels(hints(editor, uri, 3, 5)) == ["needs: a"]


def test_settings_turn_each_kind_on_and_off(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)

    settings = {"osiris": {"inlayHints": {"implicitNeeds": False, "paramValues": True}}}
    editor.notify("workspace/didChangeConfiguration", {"settings": settings})

    assert labels(hints(editor, uri)) == ["= 3"]
