"""Discovery from the editor: what it brings, how it fails, and that nothing waits for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from discovering import (
    CONNECTIONS,
    OFFERED,
    PIPELINE,
    answer,
    discover,
    execute,
    make_shop,
    question,
    questions,
    start_discovery,
)
from lsp_client import ABLE, TIMEOUT, Client, Message, RequestRefusedError, apply_edits, edit, span

SILENT = """\
connections:
  mysql:
    silent:
      host: 127.0.0.1
      port: {port}
      database: shop
      user: app
      password: ${{SHOP_PASSWORD:-x}}
      default: true
"""
OF_SILENT = PIPELINE.replace("sqlite", "mysql").replace("mysql.shop", "mysql.silent")


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return make_shop(tmp_path).as_uri()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """A project whose database accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        make_shop(tmp_path, SILENT.format(port=listener.getsockname()[1]))
        yield tmp_path


def children(client: Client) -> list[psutil.Process]:
    return psutil.Process(client.process.pid).children(recursive=True)


def worker(client: Client) -> psutil.Process:
    """The process that talks to the database."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        for child in children(client):
            try:
                if "osiris.core.discovery_worker" in child.cmdline():
                    return child
            except psutil.Error:
                continue
        time.sleep(0.02)
    raise AssertionError("no worker was started")


def until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still there after a while."""
    return psutil.wait_procs(processes, timeout=TIMEOUT)[1]


def codes(found: list[Message]) -> list[str]:
    return [item["code"] for item in found]


# -- what it brings


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


# -- the committed schema


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


# -- a database that hangs, and other faults


def test_the_editor_answers_as_before_while_a_database_hangs(client: Client, silent: Path) -> None:
    uri = (silent / "totals.oml").as_uri()
    client.initialize(silent)
    client.open(uri, OF_SILENT)
    request = start_discovery(client, {"uri": uri})
    answer(client, question(client), "Connect")
    worker(client)

    for version in range(2, 42):
        client.change(uri, version, edit(1, 6, 7, "abcd"[version % 4]))
        assert client.diagnostics(uri, version) is not None
        assert client.at("textDocument/hover", uri, 4, 16) is not None
        assert client.at("textDocument/completion", uri, 5, 10) is not None

    [item] = client.command("osiris.catalog", {})["items"]
    assert item["state"] == "discovering"
    assert client.answers_to(request) == []
    started = children(client)
    client.notify("$/cancelRequest", {"id": request})
    with pytest.raises(RequestRefusedError, match="cancelled"):
        client.result_of(request)
    assert until_gone(started) == []


def test_a_database_that_hangs_is_one_message_when_the_time_is_over(client: Client, silent: Path) -> None:
    client.initialize(silent, initializationOptions={"discovery": {"timeoutSeconds": 2}})
    request = start_discovery(client, {"connections": ["@mysql.silent"]})
    answer(client, question(client), "Connect")

    [result] = client.result_of(request)

    assert result["ok"] is False
    shown = client.wait_for("window/showMessage")
    assert shown["type"] == 1
    assert shown["message"].startswith("@mysql.silent could not be read: ")
    assert result["error"]["message"] in shown["message"]
    client.command("osiris.catalog", {})
    client.drain()
    assert sum(m.get("method") == "window/showMessage" for m in client.received) == 1


def test_a_worker_that_is_killed_is_one_message(client: Client, silent: Path) -> None:
    client.initialize(silent)
    request = start_discovery(client, {"connections": ["@mysql.silent"]})
    answer(client, question(client), "Connect")

    worker(client).kill()

    [result] = client.result_of(request)
    assert "killed" in result["error"]["message"]
    assert "killed" in client.wait_for("window/showMessage")["message"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_command_that_is_killed_is_one_message_and_leaves_nothing_behind(client: Client, silent: Path) -> None:
    client.initialize(silent)
    request = start_discovery(client, {"connections": ["@mysql.silent"]})
    answer(client, question(client), "Connect")
    started = [worker(client), *children(client)]

    next(child for child in started if "discover" in child.cmdline()).send_signal(signal.SIGKILL)

    [result] = client.result_of(request)
    assert "signal 9" in result["error"]["message"]
    assert until_gone(started) == []


def test_one_discovery_of_a_connection_is_under_way_at_a_time(client: Client, silent: Path) -> None:
    client.initialize(silent)
    requests = [start_discovery(client, {"connections": ["@mysql.silent"]}) for _ in range(2)]
    answer(client, question(client), "Connect")
    worker(client)

    assert sum("discovery_worker" in " ".join(child.cmdline()) for child in children(client)) == 1

    started = children(client)
    client.notify("$/cancelRequest", {"id": requests[0]})
    with pytest.raises(RequestRefusedError, match="cancelled"):
        client.result_of(requests[0])
    assert all(child.is_running() for child in started), "the other one still waits for it"
    client.notify("$/cancelRequest", {"id": requests[1]})
    assert until_gone(started) == []


def test_a_discovery_ends_with_the_server(client: Client, silent: Path) -> None:
    client.initialize(silent)
    start_discovery(client, {"connections": ["@mysql.silent"]})
    answer(client, question(client), "Connect")
    worker(client)
    started = children(client)

    assert client.close() == 0

    assert until_gone(started) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_discovery_ends_with_a_server_that_is_killed(client: Client, silent: Path) -> None:
    client.initialize(silent)
    start_discovery(client, {"connections": ["@mysql.silent"]})
    answer(client, question(client), "Connect")
    worker(client)
    started = children(client)

    client.process.kill()

    assert until_gone(started) == []


def test_the_reason_of_a_failure_is_no_markdown(client: Client, tmp_path: Path) -> None:
    make_shop(tmp_path, 'connections:\n  sqlite:\n    shop: {path: "![a](b).db"}\n')
    client.initialize(tmp_path)

    [result] = discover(client, {"connections": ["@sqlite.shop"]})

    assert "![a](b).db" in result["error"]["message"]
    [item] = client.command("osiris.catalog", {})["items"]
    assert "\\!\\[a\\]\\(b\\).db" in item["tooltip"]


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    text = SILENT.format(port=9).replace(":-x", "")
    make_shop(tmp_path, text)
    client = Client(env={"SHOP_PASSWORD": "canary-of-the-shop"})
    client.initialize(tmp_path)
    request = start_discovery(client, {"connections": ["@mysql.silent"]})
    answer(client, question(client), "Connect")

    assert client.result_of(request)[0]["ok"] is False

    client.close()
    assert b"canary-of-the-shop" not in client.raw
    assert "canary-of-the-shop" not in client.log


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


def test_a_connection_that_was_mended_has_not_failed(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    file = tmp_path / "osiris_connections.yaml"
    file.write_text(CONNECTIONS.replace("shop.db", "missing.db"))
    discover(client, {"connections": ["@sqlite.shop"]})
    [failed] = client.command("osiris.catalog", {})["items"]

    file.write_text(CONNECTIONS)

    [mended] = client.command("osiris.catalog", {})["items"]
    assert (failed["state"], mended["state"]) == ("failed", "unknown")
    assert "missing.db" in failed["tooltip"]
