"""A project with a SQLite database, and an editor whose user answers questions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lsp_client import ABLE, Client, Message

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: shop.db, default: true}
"""
PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: orders
  - id: save
    component: filesystem.csv_writer
    mode: write
    config:
      path: orders.csv
"""
OFFERED: Message = {
    **ABLE,
    "experimental": {"osiris": {"runEvent": True, "discoveryOffer": True}, "osirisSchemaView": True},
}
QUESTION = "window/showMessageRequest"


def make_shop(folder: Path, connections: str = CONNECTIONS) -> Path:
    """A project with one pipeline that reads the table ``orders`` of shop.db; returns the pipeline."""
    (folder / "osiris_connections.yaml").write_text(connections)
    execute(folder, "CREATE TABLE orders (id INTEGER PRIMARY KEY, amount DECIMAL(12, 2) NOT NULL, note TEXT)")
    pipeline = folder / "totals.oml"
    pipeline.write_text(PIPELINE)
    return pipeline


def execute(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as db, db:
        db.execute(statement)


def question(client: Client) -> Message:
    """The next question to the user."""
    return client.wait(lambda message: message.get("method") == QUESTION)


def answer(client: Client, asked: Message, title: str | None) -> None:
    client.send({"id": asked["id"], "result": None if title is None else {"title": title}})


def start_discovery(client: Client, argument: Message) -> int:
    return client.start_request("workspace/executeCommand", {"command": "osiris.discover", "arguments": [argument]})


def discover(client: Client, argument: Message, title: str = "Connect") -> list[Message]:
    """Discover for the first time: the user is asked, and answers with ``title``."""
    request = start_discovery(client, argument)
    answer(client, question(client), title)
    return client.result_of(request)


def questions(client: Client) -> int:
    """How many questions have arrived by now."""
    client.drain()
    return sum(message.get("method") == QUESTION for message in client.received)


def codes(found: list[Message]) -> list[str]:
    """The codes of diagnostics, in their order."""
    return [item["code"] for item in found]
