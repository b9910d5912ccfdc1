"""What a committed osiris.schema.json gives every editor, without any connection: suggestions, hovers, findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lsp_client import Client

START = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: orders
"""
COLUMNS = [{"name": "id", "type": "INTEGER", "primary_key": 1}, {"name": "amount", "type": "DECIMAL(12,2)"}]


@pytest.fixture
def uri(client: Client, tmp_path: Path) -> str:
    """A document in a project whose osiris.schema.json knows the table ``orders``."""
    tables = {"orders": {"kind": "table", "columns": COLUMNS}}
    lock = {"schema_version": 1, "connections": {"@sqlite.shop": {"dialect": "sqlite", "tables": tables}}}
    (tmp_path / "osiris.schema.json").write_text(json.dumps(lock))
    (tmp_path / "osiris_connections.yaml").write_text("connections: {sqlite: {shop: {path: shop.db}}}\n")
    client.initialize(tmp_path)
    return (tmp_path / "totals.oml").as_uri()


def test_a_column_is_suggested_with_its_type_and_documented_when_asked(client: Client, uri: str) -> None:
    client.open(uri, START + "      columns: [id, ]\n")

    [amount] = client.at("textDocument/completion", uri, 9, 20)["items"]

    assert (amount["label"], amount["detail"]) == ("amount", "DECIMAL(12,2)")
    resolved = client.request("completionItem/resolve", amount)
    assert "**`amount`** · column of `orders`" in resolved["documentation"]["value"]
    assert "From osiris.schema.json." in resolved["documentation"]["value"]


def test_a_table_is_suggested_and_documented(client: Client, uri: str) -> None:
    client.open(uri, START.replace("orders\n", "o\n"))

    found = client.at("textDocument/completion", uri, 8, 14)["items"]

    resolved = client.request("completionItem/resolve", next(item for item in found if item["label"] == "orders"))
    assert "- `amount` `DECIMAL(12,2)`" in resolved["documentation"]["value"]


def test_a_column_that_is_not_there_is_an_error_with_a_fix(client: Client, uri: str) -> None:
    found = client.open(uri, START + "      columns: [id, amuont]\n")

    [finding] = [one for one in found if one["severity"] == 1]
    assert finding["code"] == "OML411"
    assert finding["range"]["start"] == {"line": 9, "character": 20}
    place = {"textDocument": {"uri": uri}, "range": finding["range"], "context": {"diagnostics": [finding]}}
    titles = [action["title"] for action in client.request("textDocument/codeAction", place)]
    assert titles[0] == "Replace by `amount`"


def test_a_hover_tells_the_type(client: Client, uri: str) -> None:
    client.open(uri, START + "      columns: [id, amount]\n")

    assert "DECIMAL(12,2)" in str(client.at("textDocument/hover", uri, 9, 22)["contents"])
