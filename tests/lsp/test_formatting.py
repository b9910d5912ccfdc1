"""``textDocument/formatting`` and ``textDocument/rangeFormatting`` as an editor uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_client import Client, apply_edits, position

MESSY = """\
oml_version:   "0.1.0"
name: shop
steps:
- id:  orders
  component: sqlite.extractor

- id:  totals
"""
OPTIONS = {"tabSize": 8, "insertSpaces": False, "trimTrailingWhitespace": False, "insertFinalNewline": False}


def formatted(editor: Client, uri: str, text: str, **params: Any) -> str:
    method = "textDocument/rangeFormatting" if "range" in params else "textDocument/formatting"
    edits = editor.request(method, {"textDocument": {"uri": uri}, "options": OPTIONS, **params})
    return apply_edits(text, edits)


def test_a_document_is_formatted_whatever_the_editor_thinks_of_tabs(editor: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    editor.open(uri, MESSY)

    result = formatted(editor, uri, MESSY)

    assert result == (
        'oml_version: "0.1.0"\nname: shop\nsteps:\n  - id: orders\n    component: sqlite.extractor\n\n  - id: totals\n'
    )
    editor.change(uri, 2, {"text": result})
    assert formatted(editor, uri, result) == result


def test_a_range_is_formatted_and_the_rest_is_left(editor: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    editor.open(uri, MESSY)

    chosen = {"start": position(3, 0), "end": position(4, 0)}
    assert formatted(editor, uri, MESSY, range=chosen) == MESSY.replace("id:  orders", "id: orders")


def test_edits_are_counted_in_the_units_of_the_client(editor: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    editor.open(uri, "a: {😀:   1}\n")

    [edit] = editor.request("textDocument/formatting", {"textDocument": {"uri": uri}, "options": OPTIONS})

    assert edit == {"range": {"start": position(0, 7), "end": position(0, 10)}, "newText": " "}


def test_the_whole_steps_of_a_broken_document_are_formatted(editor: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    text = 'steps:\n  -  id: a\n  -  id: "b\n  -  id: c\n'
    editor.open(uri, text)

    assert formatted(editor, uri, text) == 'steps:\n  - id: a\n  -  id: "b\n  - id: c\n'


@pytest.mark.parametrize("name", ["osiris_connections.yaml", "osiris.yaml"])
def test_the_files_of_the_project_are_formatted_too(editor: Client, project: Path, name: str) -> None:
    uri = (project / name).as_uri()
    text = "# Ours\nlogs:   {keep: 3 }\n"
    editor.open(uri, text, language="yaml")

    assert formatted(editor, uri, text) == "# Ours\nlogs: {keep: 3}\n"


def test_other_documents_are_not_ours_to_format(editor: Client, project: Path) -> None:
    uri = (project / "compose.yaml").as_uri()
    editor.notify(
        "textDocument/didOpen",
        {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": "services:   {}\n"}},
    )

    assert editor.request("textDocument/formatting", {"textDocument": {"uri": uri}, "options": OPTIONS}) is None
