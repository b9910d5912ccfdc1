"""Suggestions inside SQL as an editor gets them: by typing alone, and over a database that was discovered."""

from __future__ import annotations

from pathlib import Path

import pytest
from discovering import discover, execute, make_shop
from lsp_client import ABLE, Client, Message

HEAD = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      query: |
        """


@pytest.fixture
def uri(client: Client, tmp_path: Path) -> str:
    pipeline = make_shop(tmp_path)
    execute(tmp_path, "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    execute(tmp_path, "CREATE TABLE lines (id INTEGER, order_id INTEGER REFERENCES orders (id))")
    client.initialize(tmp_path, ABLE)
    client.open(pipeline.as_uri(), HEAD + "SELECT 1\n")
    discover(client, {"uri": pipeline.as_uri()})
    return pipeline.as_uri()


def typed(client: Client, uri: str, query: str, character: str | None = None) -> Message | None:
    """The answer for a cursor at ``|`` behind ``character``, which the editor asks for by itself; None: by hand."""
    before, after = (HEAD + query).split("<|>")
    client.open(uri, before + after + "\n")
    place = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
    context = {"triggerKind": 1} if character is None else {"triggerKind": 2, "triggerCharacter": character}
    found: Message | None = client.request(
        "textDocument/completion", {"textDocument": {"uri": uri}, "position": place, "context": context}
    )
    return found


def labels(found: Message | None) -> list[str]:
    return [item["label"] for item in found["items"]] if found else []


def test_a_column_comes_by_typing_alone_inside_a_join(client: Client, uri: str) -> None:
    query = "SELECT * FROM orders o\n        JOIN lines l ON <|>"

    by_blank = typed(client, uri, query, " ")
    by_dot = typed(client, uri, query.replace("<|>", "o.id = l.<|>"), ".")

    assert labels(by_blank)[0] == "o.id = l.order_id"
    assert labels(by_dot)[:2] == ["order_id", "id"]


def test_the_documentation_of_a_column_says_what_the_database_says(client: Client, uri: str) -> None:
    found = typed(client, uri, "SELECT o.<|> FROM orders o")

    assert found is not None
    [amount] = [item for item in found["items"] if item["label"] == "amount"]
    assert amount["detail"] == "DECIMAL(12, 2) not null"
    assert "Read just now" in str(client.request("completionItem/resolve", amount)["documentation"])


def test_a_function_is_documented(client: Client, uri: str) -> None:
    found = typed(client, uri, "SELECT <|> FROM orders o")

    assert found is not None
    [item] = [item for item in found["items"] if item["label"] == "strftime"]
    assert "A date as text" in str(client.request("completionItem/resolve", item)["documentation"])


@pytest.mark.parametrize(
    ("query", "character"),
    [
        ("SELECT * FROM orders <|>", " "),  # keywords alone
        ("SELECT * FROM orders WHERE id -<|>", "-"),
        ("SELECT * FROM orders\n        <|>", "\n"),
        ("SELECT 'a <|>'", " "),
    ],
)
def test_lists_that_nobody_wants_do_not_come_by_themselves(
    client: Client, uri: str, query: str, character: str
) -> None:
    assert typed(client, uri, query, character) is None


def test_hover_and_definition_of_a_column(client: Client, uri: str) -> None:
    client.open(uri, HEAD + "SELECT o.amount FROM orders o\n")
    at = (9, len("        SELECT o.am"))

    hover = client.at("textDocument/hover", uri, *at)
    place = client.at("textDocument/definition", uri, *at)

    assert "DECIMAL(12, 2)" in str(hover["contents"])
    assert place["uri"].endswith("sqlite.shop.yaml")
