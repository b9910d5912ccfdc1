"""One edit over several files: open, closed, and not there yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from osiris.lsp.capabilities import Client
from osiris.lsp.edits import workspace_edit
from osiris.lsp.loop import Server, build
from osiris.lsp.session import Session
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span


def session_with(**workspace_edit: Any) -> Session:
    session = build(Server().protocol)
    session.client = Client.read({"capabilities": {"workspace": {"workspaceEdit": workspace_edit}}})
    return session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "open.yaml").write_text("old: on disk\n")
    (tmp_path / "closed.yaml").write_bytes("🚀: 1\r\nkey: 2\r\n".encode())
    return tmp_path


def insert(offset: int, text: str) -> list[TextEdit]:
    return [TextEdit(Span(offset, offset), text)]


def place(line: int, character: int) -> types.Range:
    return types.Range(start=types.Position(line, character), end=types.Position(line, character))


def test_an_open_file_is_edited_in_its_version_a_closed_one_on_disk_and_a_missing_one_is_made(folder: Path) -> None:
    session = session_with(documentChanges=True, resourceOperations=["create"])
    uri = (folder / "open.yaml").as_uri()
    session.documents.open(types.TextDocumentItem(uri, "yaml", 3, "new:\n  text: 1\n"))

    edit = workspace_edit(
        session,
        {
            uri: insert(7, "x"),
            folder / "closed.yaml": insert(2, "y"),
            folder / ".env": insert(0, "A=1\n"),
        },
    )

    assert edit is not None
    changed, closed, made, filled = edit.document_changes or ()
    assert isinstance(changed, types.TextDocumentEdit)
    assert (changed.text_document.version, changed.edits) == (3, [types.TextEdit(place(1, 2), "x")])
    assert isinstance(closed, types.TextDocumentEdit)
    assert (closed.text_document.version, closed.edits) == (None, [types.TextEdit(place(0, 3), "y")])
    assert isinstance(made, types.CreateFile)
    assert made.uri == (folder / ".env").as_uri()
    assert made.options == types.CreateFileOptions(ignore_if_exists=True)
    assert isinstance(filled, types.TextDocumentEdit)
    assert (filled.text_document.uri, filled.edits) == (made.uri, [types.TextEdit(place(0, 0), "A=1\n")])


@pytest.mark.parametrize("able", [{}, {"documentChanges": True}, {"resourceOperations": ["create"]}])
def test_a_client_that_makes_no_files_gets_no_half_of_an_edit(folder: Path, able: dict[str, Any]) -> None:
    edits = {folder / "closed.yaml": insert(0, "y"), folder / ".env": insert(0, "A=1\n")}

    assert workspace_edit(session_with(**able), edits) is None


def test_a_file_that_cannot_be_read_is_not_edited(folder: Path) -> None:
    (folder / "binary.yaml").write_bytes(b"\xff\x00\x01")

    assert workspace_edit(session_with(), {folder / "binary.yaml": insert(0, "x")}) is None
    assert workspace_edit(session_with(), {folder: insert(0, "x")}) is None


def test_a_file_without_edits_is_left_out(folder: Path) -> None:
    edit = workspace_edit(session_with(), {folder / "open.yaml": [], folder / "closed.yaml": insert(0, "y")})

    assert edit is not None
    assert list(edit.changes or ()) == [(folder / "closed.yaml").as_uri()]
