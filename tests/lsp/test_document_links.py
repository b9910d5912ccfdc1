"""Document links as editors ask for them."""

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
    config: {connection: "@sqlite.shop", table: orders}
  - id: 🚀
    component: filesystem.csv_extractor
    mode: read
    config: {description: 🚀, path: my data.csv}
  - id: folder
    component: filesystem.csv_extractor
    mode: read
    config: {path: folder}
  - id: up
    component: filesystem.csv_extractor
    mode: read
    config: {path: link.csv}
"""


def test_links_to_the_connections_file_and_to_files_of_the_project(editor: Client, project: Path) -> None:
    (project / "my data.csv").write_text("a\n1\n")
    (project / "folder").mkdir()
    (project / "link.csv").symlink_to("/etc/hostname")  # leads out of the project
    uri = (project / "shop.oml").as_uri()
    editor.open(uri, PIPELINE)

    assert editor.request("textDocument/documentLink", {"textDocument": {"uri": uri}}) == [
        {"range": span(6, 26, 38), "target": f"{(project / 'osiris_connections.yaml').as_uri()}#L3,5"},
        {"range": span(10, 36, 47), "target": (project / "my data.csv").as_uri()},
    ]
