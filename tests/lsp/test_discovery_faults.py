"""Discovery from the editor that fails: nothing waits for it, and nothing is left behind."""

from __future__ import annotations

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
    PIPELINE,
    answer,
    discover,
    make_shop,
    question,
    start_discovery,
)
from lsp_client import TIMEOUT, Client, RequestRefusedError, edit

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


def test_a_connection_that_was_mended_has_not_failed(client: Client, tmp_path: Path) -> None:
    make_shop(tmp_path)
    client.initialize(tmp_path)
    file = tmp_path / "osiris_connections.yaml"
    file.write_text(CONNECTIONS.replace("shop.db", "missing.db"))
    discover(client, {"connections": ["@sqlite.shop"]})
    [failed] = client.command("osiris.catalog", {})["items"]

    file.write_text(CONNECTIONS)

    [mended] = client.command("osiris.catalog", {})["items"]
    assert (failed["state"], mended["state"]) == ("failed", "unknown")
    assert "missing.db" in failed["tooltip"]
