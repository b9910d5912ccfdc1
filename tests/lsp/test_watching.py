"""What changes on disk, and which findings change with it; and documents that are known by more than one name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lsp_client import ABLE, Client, Message, edit

CREATED, CHANGED, DELETED = 1, 2, 3
PIPELINE = """\
oml_version: "0.1.0"
name: {name}
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config: {{connection: "@sqlite.shop", table: orders}}
  - id: totals
    component: duckdb.processor
    mode: transform
    config: {{query: SELECT * FROM df_orders}}
"""


def write(path: Path, name: str = "p") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PIPELINE.format(name=name))
    return path.as_uri()


def errors(findings: list[Message]) -> list[str]:
    return [finding["code"] for finding in findings if finding["severity"] == 1]


def codes(findings: list[Message]) -> set[str]:
    return {finding["code"] for finding in findings}


def tell(client: Client, *changes: tuple[Path, int]) -> None:
    told = [{"uri": path.as_uri(), "type": kind} for path, kind in changes]
    client.notify("workspace/didChangeWatchedFiles", {"changes": told})


def test_a_second_pipeline_of_the_same_name_is_told_and_its_end_as_well(editor: Client, project: Path) -> None:
    uri = write(project / "a.oml", "same")
    before = codes(editor.open(uri, PIPELINE.format(name="same")))

    write(project / "b.oml", "same")
    tell(editor, (project / "b.oml", CREATED))
    during = codes(editor.diagnostics(uri, 1))

    (project / "b.oml").unlink()
    tell(editor, (project / "b.oml", DELETED))
    assert codes(editor.diagnostics(uri, 1)) == before
    assert during - before == {"OML112"}


def test_other_columns_in_a_file_are_other_findings_in_the_steps_behind_it(editor: Client, project: Path) -> None:
    file, uri = project / "orders.csv", (project / "a.oml").as_uri()
    text = PIPELINE.format(name="a").replace("SELECT *", "SELECT amount")
    text = text.replace("sqlite.extractor", "filesystem.csv_extractor")
    text = text.replace('connection: "@sqlite.shop", table: orders', "path: orders.csv, columns: [id, amount]")
    file.write_text("id,amount\n1,2\n")
    assert errors(editor.open(uri, text)) == []

    for header, wrong in (("id,amuont", 1), ("id,amount", 0), ("amount", 1)):
        file.write_text(f"{header}\n")
        tell(editor, (file, CHANGED))
        assert errors(editor.diagnostics(uri, 1)).count("OML411") == wrong


def test_a_project_that_begins_in_a_folder_takes_its_documents(editor: Client, project: Path) -> None:
    uri = write(project / "inner" / "a.oml")
    assert errors(editor.open(uri, PIPELINE.format(name="p"))) == []

    marker = project / "inner" / "osiris_connections.yaml"
    marker.write_text("connections: {sqlite: {other: {path: x.db}}}\n")
    tell(editor, (marker, CREATED))
    assert errors(editor.diagnostics(uri, 1)) != []

    marker.unlink()
    tell(editor, (marker, DELETED))
    assert errors(editor.diagnostics(uri, 1)) == []


def test_only_the_documents_of_the_project_are_checked_again(client: Client, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    uris = [write(folder / "a.oml", folder.name) for folder in folders]
    client.initialize(workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name} for folder in folders])
    for uri, folder in zip(uris, folders, strict=True):
        client.open(uri, PIPELINE.format(name=folder.name))

    write(folders[1] / "b.oml", "other")
    tell(client, (folders[1] / "b.oml", CREATED))

    client.diagnostics(uris[1], 1)
    client.request("shutdown")
    client.drain()
    assert not [m for m in client.received if not m.get("taken") and (m.get("params") or {}).get("uri") == uris[0]]


def test_a_branch_that_is_checked_out_is_looked_at_once(editor: Client, project: Path) -> None:
    uri = write(project / "a.oml", "a")
    editor.open(uri, PIPELINE.format(name="a"))

    for number in range(300):
        write(project / f"p{number}.oml", f"p{number}")
        tell(editor, (project / f"p{number}.oml", CREATED))
    editor.diagnostics(uri, 1)
    editor.request("shutdown")

    editor.drain()
    published = [m for m in editor.received if m.get("method") == "textDocument/publishDiagnostics"]
    assert len(published) < 30


def test_variables_of_the_env_file_count_when_it_was_written(editor: Client, project: Path) -> None:
    uri = (project / "a.oml").as_uri()
    text = PIPELINE.format(name="p") + "params: {day: {type: integer, default: 1}}\n"
    assert errors(editor.open(uri, text)) == []

    (project / ".env").write_text("OSIRIS_PARAM_DAY=monday\n")
    tell(editor, (project / ".env", CREATED))

    assert errors(editor.diagnostics(uri, 1)) != []


def test_a_client_that_watches_nothing_sees_the_change_with_the_next_edit(client: Client, project: Path) -> None:
    client.initialize(project, {})
    uri = write(project / "a.oml")
    assert errors(client.open(uri, PIPELINE.format(name="p"))) == []

    (project / "osiris_connections.yaml").write_text("connections: {sqlite: {other: {path: x.db}}}\n")
    client.change(uri, 2, edit(1, 6, 7, "q"))

    assert errors(client.diagnostics(uri, 2)) != []


# -- names of documents


@pytest.mark.parametrize("spelling", ["a%20b/p%C3%A9.oml", "a b/pé.oml", "a%20b/p%c3%a9.oml", "%61%20b/pé.oml"])
def test_all_spellings_of_a_uri_are_one_document(editor: Client, project: Path, spelling: str) -> None:
    opened = project.as_uri() + "/a%20b/p%C3%A9.oml"
    editor.open(opened, "name: 'x'\nname: y\n")

    other = f"{project.as_uri()}/{spelling}"
    editor.change(other, 2, edit(1, 0, 4, "x-a"))

    assert "OML006" not in codes(editor.diagnostics(opened, 2))
    editor.notify("textDocument/didClose", {"textDocument": {"uri": other}})
    assert editor.wait_for("textDocument/publishDiagnostics", uri=opened, diagnostics=[])


def test_the_case_of_a_drive_letter_does_not_count(client: Client) -> None:
    client.initialize()
    client.open("file:///c%3A/project/p.oml", "name: x\nname: y\n")

    client.change("file:///C:/project/p.oml", 2, edit(1, 0, 4, "x-a"))

    assert "OML006" not in codes(client.diagnostics("file:///c%3A/project/p.oml", 2))


def test_a_file_that_is_open_through_a_link_is_not_reported_as_closed_too(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "real" / "p.oml")
    os.symlink(tmp_path / "real", tmp_path / "link")
    folder = tmp_path / "real"
    able = {**ABLE, "textDocument": {**ABLE["textDocument"], "diagnostic": {}}}
    client.initialize(folder, able)
    linked = (tmp_path / "link" / "p.oml").as_uri()
    item = {"uri": linked, "languageId": "oml", "version": 1, "text": "name: x\n"}
    client.notify("textDocument/didOpen", {"textDocument": item})

    items = client.request("workspace/diagnostic", {"previousResultIds": []})["items"]

    assert [item["uri"] for item in items] == [linked]


def test_an_untitled_document_has_every_help_without_a_folder(client: Client) -> None:
    client.initialize()
    uri = "untitled:Untitled-1"
    text = PIPELINE.format(name="p").replace("mode: read", "mode: raed")
    assert "OML125" in codes(client.open(uri, text))

    asked = {"textDocument": {"uri": uri}}
    assert client.at("textDocument/hover", uri, 4, 18) is not None
    assert client.at("textDocument/completion", uri, 5, 10)["items"]
    assert client.request("textDocument/documentSymbol", asked)
    assert client.request("textDocument/semanticTokens/full", asked)["data"]
    assert client.at("textDocument/definition", uri, 10, 38)
    assert client.request("textDocument/rename", {**asked, "position": {"line": 3, "character": 9}, "newName": "sales"})
    assert client.close() == 0
    assert client.log == ""
