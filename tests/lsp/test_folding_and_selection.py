"""Folding and growing a selection, as the client takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_client import ABLE, Client, position, span

TEXT = """\
name: x
steps:
  - id: a
    config:
      query: |
        SELECT "é",
          1
  - id: b
"""


def asked(client: Client, project: Path, able: dict[str, Any]) -> list[dict[str, Any]]:
    folding = {**ABLE, "textDocument": {**ABLE["textDocument"], "foldingRange": able}}
    client.initialize(project, folding)
    uri = (project / "p.oml").as_uri()
    client.open(uri, TEXT)
    return client.request("textDocument/foldingRange", {"textDocument": {"uri": uri}})


def test_an_editor_that_folds_lines_gets_lines(client: Client, project: Path) -> None:
    assert asked(client, project, {"lineFoldingOnly": True}) == [
        {"startLine": 1, "endLine": 7},
        {"startLine": 2, "endLine": 6},
        {"startLine": 3, "endLine": 6},
        {"startLine": 4, "endLine": 6},
    ]


def test_an_editor_that_folds_text_gets_its_places(client: Client, project: Path) -> None:
    folds = asked(client, project, {})

    assert folds[-1] == {"startLine": 4, "startCharacter": 14, "endLine": 6, "endCharacter": 11}


def test_no_more_than_the_editor_wants_the_outer_ones(client: Client, project: Path) -> None:
    folds = asked(client, project, {"lineFoldingOnly": True, "rangeLimit": 2})

    assert folds == [{"startLine": 1, "endLine": 7}, {"startLine": 2, "endLine": 6}]


def test_selections_grow_from_the_inside_for_each_cursor(editor: Client, project: Path) -> None:
    uri = (project / "p.oml").as_uri()
    editor.open(uri, TEXT)

    params = {"textDocument": {"uri": uri}, "positions": [position(2, 8), position(5, 17)]}
    first, second = editor.request("textDocument/selectionRange", params)

    assert first["range"] == span(2, 8, 9)
    assert first["parent"]["range"] == span(2, 4, 9)
    assert second["range"] == span(5, 16, 17)
    assert second["parent"]["range"] == span(5, 15, 18)
    ranges = []
    while second:
        ranges.append(second["range"]["start"]["line"])
        second = second.get("parent")
    assert ranges == sorted(ranges, reverse=True)
