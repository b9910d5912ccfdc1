"""Diagnostics while typing: for which version, for which documents, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lsp_client import ABLE, Client, edit, position, span

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
  - id: totals
    component: duckdb.processor
    mode: transform
    needs: [orders]
    config:
      query: SELECT 1 AS one
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project")
    (path / "osiris_connections.yaml").write_text("connections:\n  sqlite:\n    shop: {path: shop.db, default: true}\n")
    return path


@pytest.fixture(scope="module")
def editor(folder: Path) -> Iterator[Client]:
    """One server for all tests of this module; each uses documents of its own."""
    client = Client()
    client.initialize(folder)
    yield client
    assert client.close() == 0
    assert client.log == ""


def codes(findings: list[dict[str, object]]) -> list[object]:
    return [finding["code"] for finding in findings if finding["severity"] == 1]


def test_every_version_is_answered_with_its_own_number(editor: Client, folder: Path) -> None:
    uri = (folder / "versions.oml").as_uri()
    assert codes(editor.open(uri, PIPELINE, version=7)) == []

    editor.change(uri, 8, edit(5, 10, 14, "raed"))
    assert codes(editor.diagnostics(uri, 8)) == ["OML125"]

    editor.change(uri, 9, edit(5, 10, 14, "read"))
    assert codes(editor.diagnostics(uri, 9)) == []


def test_a_finding_has_range_code_source_and_documentation(editor: Client, folder: Path) -> None:
    found = editor.open((folder / "one.oml").as_uri(), PIPELINE.replace("[orders]", "[order]"))
    [finding] = [finding for finding in found if finding["severity"] == 1]

    assert finding["range"] == span(12, 12, 17)
    assert (finding["severity"], finding["source"]) == (1, "osiris")
    page = urlsplit(finding["codeDescription"]["href"])
    line = int(page.fragment.removeprefix("L"))
    assert Path(page.path).read_text().splitlines()[line - 1].startswith(f"### {finding['code']}")


def test_a_duplicate_id_points_at_the_other_one(editor: Client, folder: Path) -> None:
    uri = (folder / "two.oml").as_uri()
    found = editor.open(uri, PIPELINE.replace("id: totals", "id: orders"))

    related = [place for finding in found for place in finding.get("relatedInformation", ())]
    assert {"uri": uri, "range": span(3, 8, 14)} in [place["location"] for place in related]


def test_a_half_typed_step_hides_nothing_in_the_others(editor: Client, folder: Path) -> None:
    broken = PIPELINE.replace("    mode: read\n", "    mo\n").replace("[orders]", "[order]")

    found = editor.open((folder / "broken.oml").as_uri(), broken)

    assert {finding["range"]["start"]["line"] for finding in found if finding["severity"] == 1} >= {5, 12}


def test_plain_yaml_gets_nothing_until_it_says_oml_version(editor: Client, folder: Path) -> None:
    uri = (folder / "values.yaml").as_uri()
    item = {"uri": uri, "languageId": "yaml", "version": 1, "text": "a: 1\na: 2\n"}
    editor.notify("textDocument/didOpen", {"textDocument": item})
    assert editor.at("textDocument/hover", uri, 0, 0) is None

    editor.change(uri, 2, edit(0, 0, 0, 'oml_version: "0.1.0"\n'))

    assert "OML006" in codes(editor.diagnostics(uri, 2))
    editor.drain()
    assert not any((m.get("params") or {}).get("version") == 1 and m["params"]["uri"] == uri for m in editor.received)


def test_yaml_that_is_no_pipeline_any_more_loses_its_findings(editor: Client, folder: Path) -> None:
    uri = (folder / "once.yaml").as_uri()
    assert editor.open(uri, 'oml_version: "0.1.0"\n', language="yaml") != []

    editor.change(uri, 2, edit(0, 0, 20, "x: 1"))

    assert editor.diagnostics(uri, 2) == []


def test_closing_a_document_takes_its_findings_away(editor: Client, folder: Path) -> None:
    uri = (folder / "closed.oml").as_uri()
    editor.open(uri, "name: x\n")

    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    assert editor.wait_for("textDocument/publishDiagnostics", uri=uri, diagnostics=[]) is not None


def test_a_document_that_is_no_file_is_checked_and_mended_too(editor: Client) -> None:
    uri = "untitled:Untitled-1"

    found = editor.open(uri, PIPELINE.replace("mode: read", "mode: raed"))
    [finding] = [f for f in found if f["range"]["start"]["line"] == 5]
    actions = editor.request(
        "textDocument/codeAction",
        {"textDocument": {"uri": uri}, "range": finding["range"], "context": {"diagnostics": [finding]}},
    )

    [edits] = [change["edits"] for change in actions[0]["edit"]["documentChanges"]]
    assert edits == [{"range": span(5, 10, 14), "newText": "read"}]


def test_a_file_outside_every_folder_is_its_own_small_project(editor: Client, tmp_path: Path) -> None:
    uri = (tmp_path / "lonely.oml").as_uri()

    found = editor.open(uri, PIPELINE)

    assert codes(found) == []
    assert editor.at("textDocument/hover", uri, 4, 17) is not None


def test_the_connections_file_has_findings_of_its_own(editor: Client, tmp_path: Path) -> None:
    uri = (tmp_path / "osiris_connections.yaml").as_uri()

    found = editor.open(uri, "connections:\n  sqlite:\n    shop: 3\n", language="yaml")

    assert [finding["range"]["start"]["line"] for finding in found] == [2]


def test_typing_in_the_connections_file_checks_the_pipelines_at_once(client: Client, project: Path) -> None:
    client.initialize(project)
    pipeline = (project / "shop.oml").as_uri()
    connections = (project / "osiris_connections.yaml").as_uri()
    assert codes(client.open(pipeline, PIPELINE)) == []

    client.open(connections, "connections:\n  sqlite:\n    other: {path: x.db}\n", language="yaml")
    assert codes(client.diagnostics(pipeline, 1)) != []

    client.notify("textDocument/didClose", {"textDocument": {"uri": connections}})
    assert codes(client.diagnostics(pipeline, 1)) == []


def test_a_watched_file_that_changed_on_disk_checks_the_pipelines(client: Client, project: Path) -> None:
    able = {**ABLE, "workspace": {**ABLE["workspace"], "didChangeWatchedFiles": {"dynamicRegistration": True}}}
    client.initialize(project, able)
    asked = client.wait(lambda m: m.get("method") == "client/registerCapability")
    client.send({"id": asked["id"], "result": None})
    patterns = [w["globPattern"] for w in asked["params"]["registrations"][0]["registerOptions"]["watchers"]]
    assert patterns == ["**/*.oml", "**/*.{yaml,yml}", "**/.env", "**/osiris.schema.json", "**/*.{csv,tsv}"]
    uri = (project / "shop.oml").as_uri()
    assert codes(client.open(uri, PIPELINE)) == []

    file = project / "osiris_connections.yaml"
    file.write_text("connections:\n  sqlite:\n    other: {path: x.db}\n")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": file.as_uri(), "type": 2}]})

    assert codes(client.diagnostics(uri, 1)) != []


def test_a_burst_of_changes_ends_with_the_findings_of_the_last(editor: Client, folder: Path) -> None:
    uri = (folder / "burst.oml").as_uri()
    editor.open(uri, PIPELINE)

    for version in range(2, 60):
        editor.change(uri, version, edit(1, 6, 10, "Shop" if version % 2 else "shop"))

    assert any(f["range"]["start"] == position(1, 6) for f in editor.diagnostics(uri, 59))


def test_a_client_that_can_show_little_is_sent_little(client: Client, project: Path) -> None:
    client.initialize(project, {})

    found = client.open((project / "x.oml").as_uri(), PIPELINE.replace("id: totals", "id: orders"))

    assert found
    assert all(set(finding) == {"range", "severity", "code", "source", "message"} for finding in found)
