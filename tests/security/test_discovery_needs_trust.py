"""In a workspace that is not trusted nothing is connected to, whatever the user has agreed to before."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from lsp.lsp_client import ABLE, Client, Message
from osiris.core.cache_fingerprint import SchemaFingerprint
from osiris.core.config import Config
from osiris.core.state_store import StateStore
from osiris.lsp.server import COMMANDS, REQUESTS

OFFERED: Message = {**ABLE, "experimental": {"osiris": {"discoveryOffer": True}, "osirisSchemaView": True}}
SECRET = "canary-of-the-connection"
CONNECTIONS = """\
connections:
  mysql:
    shop: {{host: 127.0.0.1, port: {port}, database: shop, user: app, password: "${{SHOP_PASSWORD}}", default: true}}
"""
PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.shop"
      table: orders
"""


@dataclass
class Listener:
    """A server that notes who connects, and says nothing."""

    port: int
    connected: list[str] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Listener(server.getsockname()[1])
        kept: list[socket.socket] = []

        def listen() -> None:
            try:
                while True:
                    connection, address = server.accept()
                    kept.append(connection)
                    found.connected.append(str(address))
            except OSError:
                return  # closed: the test is over

        threading.Thread(target=listen, daemon=True).start()
        yield found
        for connection in kept:
            connection.close()


@pytest.fixture
def uri(tmp_path: Path, listener: Listener) -> str:
    """A pipeline whose connection the user has agreed to already; nothing is known of its database."""
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS.format(port=listener.port))
    (tmp_path / "totals.oml").write_text(PIPELINE)
    connection = Config.load(tmp_path).connection("@mysql.shop")
    fingerprint = SchemaFingerprint.of(connection, root=tmp_path, env={"SHOP_PASSWORD": SECRET})
    with StateStore() as store:
        store.grant_consent(str(fingerprint))
    return (tmp_path / "totals.oml").as_uri()


@pytest.fixture
def client() -> Iterator[Client]:
    started = Client(env={"SHOP_PASSWORD": SECRET})
    yield started
    started.kill()


def until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_in_a_trusted_workspace_the_old_consent_is_enough(
    client: Client, tmp_path: Path, uri: str, listener: Listener
) -> None:
    client.initialize(tmp_path, OFFERED)
    client.open(uri, PIPELINE)

    assert until(lambda: listener.connected)


def test_in_any_other_nothing_is_started_and_nothing_is_connected_to(
    client: Client, tmp_path: Path, uri: str, listener: Listener
) -> None:
    client.initialize(tmp_path, OFFERED, initializationOptions={"trusted": False})
    client.open(uri, PIPELINE)
    server, started = psutil.Process(client.process.pid), set[int]()
    watching = threading.Event()

    def watch() -> None:
        while not watching.is_set():
            started.update(child.pid for child in server.children(recursive=True))
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for command in sorted(set(COMMANDS) - {"osiris.doctor"}):  # which starts a process of its own, outside
            for argument in ({"uri": uri}, {"connections": ["@mysql.shop"]}, {"connection": "@mysql.shop"}):
                client.answer_of("workspace/executeCommand", {"command": command, "arguments": [argument]})
        place = {"textDocument": {"uri": uri}, "position": {"line": 8, "character": 16}}
        for method in sorted(method for method in REQUESTS if method.startswith("textDocument/")):
            client.answer_of(method, place)
        client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"trusted": True}}})
        for version in (2, 3):
            client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
            client.open(uri, PIPELINE, version=version)
        time.sleep(2.5)  # longer than the server waits before it looks at the databases of an open pipeline
        client.command("osiris.catalog", {})
    finally:
        watching.set()
        thread.join()

    assert started == set()
    assert listener.connected == []
    client.drain()
    assert not [message for message in client.received if message.get("method") == "window/showMessageRequest"]
    assert SECRET not in json.dumps(client.received)


def test_a_discovery_ends_when_trust_is_taken_back(
    client: Client, tmp_path: Path, uri: str, listener: Listener
) -> None:
    client.initialize(tmp_path, OFFERED)
    client.open(uri, PIPELINE)
    assert until(lambda: listener.connected)
    server = psutil.Process(client.process.pid)
    assert server.children(recursive=True)

    client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"trusted": False}}})

    assert until(lambda: not server.children(recursive=True))
