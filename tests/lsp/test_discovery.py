"""Discovery from the editor: what it brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from discovering import (
    OFFERED,
    PIPELINE,
    answer,
    codes,
    discover,
    execute,
    question,
    questions,
)
from lsp_client import ABLE, Client, Message, RequestRefusedError, apply_edits


def test_a_discovery_answers_with_what_it_read(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    client.open(uri, PIPELINE)

    [result] = discover(client, {"uri": uri})

    assert {key: result[key] for key in ("connection", "ok", "complete", "tables", "columns", "error")} == {
        "connection": "@sqlite.shop", "ok": True, "complete": True, "tables": 1, "columns": 3, "error": None,
    }  # fmt: skip


def test_open_documents_are_checked_again_with_what_is_known_now(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    wrong = PIPELINE.replace("table: orders", "table: ordres")
    assert "OML410" not in codes(client.open(uri, wrong))

    discover(client, {"uri": uri})

    again = client.diagnostics(uri, 1)
    assert [(item["code"], item["severity"]) for item in again if item["code"] == "OML410"] == [("OML410", 1)]


def test_a_client_that_pulls_is_asked_to_ask_again_and_told_that_the_catalog_changed(
    client: Client, tmp_path: Path, uri: str
) -> None:
    pulling = {
        **OFFERED,
        "textDocument": {**ABLE["textDocument"], "diagnostic": {}},
        "workspace": {**ABLE["workspace"], "diagnostics": {"refreshSupport": True}},
    }
    client.initialize(tmp_path, pulling, initializationOptions={"discovery": {"automatic": False}})

    discover(client, {"connections": ["@sqlite.shop"]})

    assert client.wait_for("osiris/catalogChanged") == {"connection": "@sqlite.shop"}
    assert client.wait(lambda message: message.get("method") == "workspace/diagnostic/refresh")


def test_columns_are_suggested_once_they_are_known(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    text = PIPELINE.replace("table: orders", "table: orders\n      columns: [am]")
    client.open(uri, text)
    discover(client, {"uri": uri})

    found = client.at("textDocument/completion", uri, 9, 18)

    assert "amount" in [item["label"] for item in found["items"]]


def test_without_arguments_it_is_about_what_open_pipelines_use(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    with pytest.raises(RequestRefusedError, match="no connection to discover"):
        client.command("osiris.discover")
    client.open(uri, PIPELINE)

    request = client.start_request("workspace/executeCommand", {"command": "osiris.discover", "arguments": []})
    answer(client, question(client), "Connect")

    assert [item["connection"] for item in client.result_of(request)] == ["@sqlite.shop"]


def test_a_connection_that_is_not_there_is_named(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)

    with pytest.raises(RequestRefusedError, match=r"no connection @sqlite\.other .* There is @sqlite\.shop"):
        client.command("osiris.discover", {"connections": ["@sqlite.other"]})


# -- the tree


def test_the_tree_shows_connections_tables_and_columns(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    [before] = client.command("osiris.catalog", {})["items"]
    assert (before["label"], before["state"], before["detail"]) == ("@sqlite.shop", "unknown", "not read yet")
    discover(client, {"connections": ["@sqlite.shop"]})

    [connection] = client.command("osiris.catalog", {})["items"]
    [table] = client.command("osiris.catalog", connection)["items"]
    columns = client.command("osiris.catalog", table)["items"]

    assert (connection["kind"], connection["state"], connection["age"]) == ("connection", "fresh", "just now")
    assert (table["kind"], table["label"]) == ("table", "orders")
    assert [(item["kind"], item["label"], item["leaf"]) for item in columns] == [
        ("column", "id", True),
        ("column", "amount", True),
        ("column", "note", True),
    ]
    assert "not null" in columns[1]["detail"]


# -- in the background


def test_what_is_old_is_read_again_when_a_pipeline_is_opened(client: Client, tmp_path: Path, uri: str) -> None:
    (tmp_path / "osiris.yaml").write_text("discovery: {max_age_hours: 0}\n")
    client.initialize(tmp_path)
    discover(client, {"connections": ["@sqlite.shop"]})
    execute(tmp_path, "CREATE TABLE customers (id INTEGER)")

    client.open(uri, PIPELINE)

    line = "@sqlite.shop: 2 tables with 4 columns read"
    assert client.wait(lambda m: m.get("method") == "window/logMessage" and line in m["params"]["message"])
    assert questions(client) == 1


def test_what_is_old_is_left_alone_where_the_user_wants_that(client: Client, tmp_path: Path, uri: str) -> None:
    (tmp_path / "osiris.yaml").write_text("discovery: {max_age_hours: 0}\n")
    client.initialize(tmp_path, initializationOptions={"discovery": {"automatic": False}})
    discover(client, {"connections": ["@sqlite.shop"]})
    client.wait_for("window/logMessage")

    client.open(uri, PIPELINE)

    with pytest.raises(AssertionError, match="no such message"):
        client.wait(lambda m: "read in" in str(m.get("params")), timeout=2.5)


def test_a_refresh_that_fails_is_a_line_in_the_log_and_no_message(client: Client, tmp_path: Path, uri: str) -> None:
    (tmp_path / "osiris.yaml").write_text("discovery: {max_age_hours: 0}\n")
    client.initialize(tmp_path)
    discover(client, {"connections": ["@sqlite.shop"]})
    (tmp_path / "shop.db").unlink()

    client.open(uri, PIPELINE)

    assert client.wait(
        lambda m: m.get("method") == "window/logMessage" and "could not be read" in m["params"]["message"]
    )
    [item] = client.command("osiris.catalog", {})["items"]
    assert item["state"] == "failed"
    assert not [m for m in client.received if m.get("method") == "window/showMessage" and m["params"]["type"] < 3]


# -- a new step


def test_a_step_is_made_from_a_table(client: Client, tmp_path: Path, uri: str) -> None:
    execute(tmp_path, "CREATE TABLE customers (id INTEGER, name TEXT)")
    client.initialize(tmp_path)
    client.open(uri, PIPELINE)
    discover(client, {"uri": uri})
    argument = {"uri": uri, "connection": "@sqlite.shop", "table": "customers", "position": {"line": 5, "character": 0}}
    request = client.start_request("workspace/executeCommand", {"command": "osiris.newStep", "arguments": [argument]})

    asked = client.wait(lambda message: message.get("method") == "workspace/applyEdit")
    client.send({"id": asked["id"], "result": {"applied": True}})

    assert client.result_of(request) == {"applied": True, "stepId": "extract-customers"}
    [change] = asked["params"]["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    text = apply_edits(PIPELINE, change["edits"])
    new = text[text.index("  - id: extract-customers") : text.index("  - id: save")]
    assert (
        new
        == """\
  - id: extract-customers
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: customers
      columns: [id, name]
"""
    )


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ({"connection": "@sqlite.other", "table": "orders"}, r"no connection @sqlite\.other"),
        ({"connection": "@sqlite.shop"}, 'needs a "connection" and a "table"'),
        ({"connection": "@sqlite.shop", "table": "orders", "position": [1]}, "'position' must be"),
    ],
)
def test_a_step_that_cannot_be_made_is_refused_with_the_reason(
    client: Client, tmp_path: Path, uri: str, argument: Message, why: str
) -> None:
    client.initialize(tmp_path)
    client.open(uri, PIPELINE)

    with pytest.raises(RequestRefusedError, match=why):
        client.command("osiris.newStep", {"uri": uri, **argument})
