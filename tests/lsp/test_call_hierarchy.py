"""The call hierarchy of steps, walked as editors do."""

from __future__ import annotations

from pathlib import Path

from lsp_client import Client, span

PIPELINE = """\
oml_version: "0.1.0"
name: shop
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config: {table: orders}
  - id: total
    component: duckdb.processor
    mode: transform
    needs: [orders]
    config:
      query: SELECT '🚀' AS "🚀", count(*) FROM df_orders
  - id: store
    component: filesystem.csv_writer
    mode: write
    config: {path: out/total.csv}
"""


def test_up_and_down_from_a_step(editor: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    editor.open(uri, PIPELINE)

    [total] = editor.at("textDocument/prepareCallHierarchy", uri, 7, 9)
    assert (total["name"], total["detail"]) == ("total", "duckdb.processor · transform")
    assert total["selectionRange"] == span(7, 8, 13)

    [needed] = editor.request("callHierarchy/outgoingCalls", {"item": total})
    assert needed["to"]["name"] == "orders"
    assert needed["fromRanges"] == [span(10, 12, 18), span(12, 48, 57)]

    [waiting] = editor.request("callHierarchy/incomingCalls", {"item": total})
    assert waiting["from"]["name"] == "store"
    assert waiting["fromRanges"] == [span(13, 8, 13)]

    [back] = editor.request("callHierarchy/outgoingCalls", {"item": waiting["from"]})
    assert back["to"]["name"] == "total"


def test_an_item_of_a_step_that_is_gone_has_no_calls(editor: Client, project: Path) -> None:
    uri = (project / "shop.oml").as_uri()
    editor.open(uri, PIPELINE)
    [total] = editor.at("textDocument/prepareCallHierarchy", uri, 7, 9)
    editor.change(uri, 2, {"text": PIPELINE.replace("id: total", "id: sum")})

    assert editor.request("callHierarchy/outgoingCalls", {"item": total}) is None
