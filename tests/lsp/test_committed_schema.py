"""The committed schema in the editor: how it is written, and what it is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from discovering import (
    CONNECTIONS,
    OFFERED,
    PIPELINE,
    answer,
    codes,
    discover,
    execute,
    question,
    questions,
)
from lsp_client import Client, RequestRefusedError, span


def test_the_schema_of_the_tables_in_use_is_written(client: Client, tmp_path: Path, uri: str) -> None:
    execute(tmp_path, "CREATE TABLE unused (id INTEGER)")
    client.initialize(tmp_path)
    request = client.start_request(
        "workspace/executeCommand", {"command": "osiris.lockSchema", "arguments": [{"uri": uri}]}
    )
    answer(client, question(client), "Connect")

    assert client.result_of(request) == {"path": str(tmp_path / "osiris.schema.json")}
    written = json.loads((tmp_path / "osiris.schema.json").read_text())
    assert list(written["connections"]["@sqlite.shop"]["tables"]) == ["orders"]


def test_the_committed_schema_is_not_written_from_nothing(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    request = client.start_request(
        "workspace/executeCommand", {"command": "osiris.lockSchema", "arguments": [{"uri": uri}]}
    )
    answer(client, question(client), "Not now")

    with pytest.raises(RequestRefusedError, match=r"Nothing is known of @sqlite\.shop yet"):
        client.result_of(request)

    assert not (tmp_path / "osiris.schema.json").exists()


def test_to_commit_the_schema_only_the_connections_are_asked_for_that_come_into_it(
    client: Client, tmp_path: Path, uri: str
) -> None:
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS + "  filesystem: {data: {base_dir: .}}\n")
    (tmp_path / "totals.oml").write_text(
        PIPELINE.replace("path: orders", 'connection: "@filesystem.data"\n      path: orders')
    )
    client.initialize(tmp_path)
    request = client.start_request(
        "workspace/executeCommand", {"command": "osiris.lockSchema", "arguments": [{"uri": uri}]}
    )
    asked = question(client)
    answer(client, asked, "Connect")
    client.result_of(request)

    assert "@sqlite.shop" in asked["params"]["message"]
    assert questions(client) == 1


def test_a_table_that_is_missing_from_the_committed_schema_is_told(client: Client, tmp_path: Path, uri: str) -> None:
    (tmp_path / "more.oml").write_text(PIPELINE.replace("totals", "more").replace("table: orders", "table: gone"))
    client.initialize(tmp_path, OFFERED)
    request = client.start_request(
        "workspace/executeCommand", {"command": "osiris.lockSchema", "arguments": [{"uri": uri}]}
    )
    answer(client, question(client), "Connect")
    client.result_of(request)

    shown = client.wait_for("window/showMessage")
    assert shown == {"type": 2, "message": "@sqlite.shop has no table gone, which more.oml reads."}


def test_a_client_without_a_tree_is_told_that_it_is_done(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    discover(client, {"connections": ["@sqlite.shop"]})
    assert client.wait_for("window/showMessage") == {
        "type": 3, "message": "@sqlite.shop: 1 table with 3 columns read.",
    }  # fmt: skip

    client.command("osiris.lockSchema", {"uri": uri})
    assert client.wait_for("window/showMessage", message="osiris.schema.json now holds 1 table.")


def test_the_committed_schema_is_watched(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    client.open(uri, PIPELINE)
    assert client.command("osiris.validate", {"uri": uri})["errors"] == 0
    request = client.start_request(
        "workspace/executeCommand", {"command": "osiris.lockSchema", "arguments": [{"uri": uri}]}
    )
    answer(client, question(client), "Connect")
    client.result_of(request)
    lock = tmp_path / "osiris.schema.json"
    client.open(uri, PIPELINE.replace("table: orders", "table: orders\n      columns: [amount]"), version=2)

    lock.write_text(lock.read_text().replace('"amount"', '"amounts"'))
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": lock.as_uri(), "type": 2}]})

    found = client.wait(
        lambda m: (
            m.get("method") == "textDocument/publishDiagnostics"
            and m["params"]["uri"] == uri
            and "OML411" in codes(m["params"]["diagnostics"])
        )
    )
    assert found["params"]["version"] == 2


def test_a_broken_committed_schema_has_its_finding_at_its_place(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    lock = tmp_path / "osiris.schema.json"
    text = '{\n  "schema_version": 1,\n  "connections": {"@sqlite.shop": {"tables": 3}}\n}\n'

    found = client.open(lock.as_uri(), text, language="json")

    assert "OML420" in codes(found)
    assert found[0]["range"]["start"]["line"] == 2


def test_the_action_that_updates_the_committed_schema_runs_the_command(
    client: Client, tmp_path: Path, uri: str
) -> None:
    (tmp_path / "osiris.schema.json").write_text('{"schema_version": 2}\n')
    client.initialize(tmp_path)
    lock = (tmp_path / "osiris.schema.json").as_uri()
    client.open(lock, '{"schema_version": 2}\n', language="json")

    actions = client.request(
        "textDocument/codeAction",
        {"textDocument": {"uri": lock}, "range": span(0, 0, 21), "context": {"diagnostics": []}},
    )

    assert {"title": "Update osiris.schema.json", "command": "osiris.lockSchema", "arguments": [{"uri": lock}]} in [
        action.get("command") for action in actions
    ]
