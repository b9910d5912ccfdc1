"""What has no effect is shown faded, what has been replaced is struck out, by clients that can."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsp_client import ABLE, Client

PIPELINE = """\
oml_version: 0.1.0
name: orders
params: {spare: 1}
steps:
  - id: orders
    component: filesystem.csv_extractor
    mode: read
    config: {path: orders.csv, chunk_size: 1000}
"""


@pytest.mark.parametrize(
    ("able", "tags"),
    [([1, 2], {"OML144": [1], "OML209": [2]}), ([1], {"OML144": [1]}), ([], {})],
)
def test_tags(client: Client, tmp_path: Path, able: list[int], tags: dict[str, list[int]]) -> None:
    text = ABLE["textDocument"]
    published = {**text["publishDiagnostics"], "tagSupport": {"valueSet": able}}
    (tmp_path / "orders.csv").write_text("a\n1\n")
    client.initialize(tmp_path, {**ABLE, "textDocument": {**text, "publishDiagnostics": published}})

    found = client.open((tmp_path / "one.oml").as_uri(), PIPELINE)

    assert {item["code"]: item["tags"] for item in found if "tags" in item} == tags
