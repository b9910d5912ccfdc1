"""Rename over the files of a project, open and closed, asked for as editors do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_client import ABLE, Client, RequestRefusedError, position, span

INVALID_PARAMS, REQUEST_FAILED = -32602, -32803

CONNECTIONS = """\
connections:
  sqlite:
    # the shop 🚀
    shop: {path: shop.db}
    other: {path: other.db}
"""
SHOP = """\
oml_version: "0.1.0"
name: shop
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config: {connection: "@sqlite.shop", table: orders}
  - id: total
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT '🚀' AS "🚀", count(*) FROM df_orders
"""
OTHER = """\
oml_version: "0.1.0"
name: other
steps:
  - id: refunds
    component: sqlite.extractor
    mode: read
    config: {table: 🚀, connection: '@sqlite.shop'}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A project with two pipelines, one of them with Windows line ends and in a folder."""
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS, encoding="utf-8")
    (tmp_path / "shop.oml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.oml.yaml").write_bytes(OTHER.replace("\n", "\r\n").encode())
    return tmp_path


def capabilities(encoding: str = "utf-16", **workspace_edit: Any) -> dict[str, Any]:
    return {
        **ABLE,
        "general": {"positionEncodings": [encoding]},
        "textDocument": {**ABLE["textDocument"], "rename": {"prepareSupport": True}},
        "workspace": {"workspaceEdit": workspace_edit},
    }


def rename(client: Client, uri: str, line: int, character: int, new_name: str) -> Any:
    return client.request(
        "textDocument/rename",
        {"textDocument": {"uri": uri}, "position": position(line, character), "newName": new_name},
    )


def edits(edit: dict[str, Any]) -> dict[tuple[str, int | None], list[tuple[Any, str]]]:
    """Of each file and version the ranges and new texts."""
    return {
        (change["textDocument"]["uri"].rsplit("/", 1)[-1], change["textDocument"]["version"]): [
            (one["range"], one["newText"]) for one in change["edits"]
        ]
        for change in edit["documentChanges"]
    }


def test_a_step_is_renamed_for_this_version_of_the_document(client: Client, files: Path) -> None:
    declared = client.initialize(files, capabilities(documentChanges=True))
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP, version=7)

    assert declared["renameProvider"] == {"prepareProvider": True}
    assert client.at("textDocument/prepareRename", uri, 11, 50) == {"range": span(11, 48, 57), "placeholder": "orders"}
    assert edits(rename(client, uri, 11, 50, "raw-orders")) == {
        ("shop.oml", 7): [(span(3, 8, 14), "raw-orders"), (span(11, 48, 57), "df_raw_orders")]
    }


def test_a_client_that_knows_no_versions_gets_plain_changes(client: Client, files: Path) -> None:
    client.initialize(files, {})
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP)

    assert rename(client, uri, 7, 9, "sum") == {"changes": {uri: [{"range": span(7, 8, 13), "newText": "sum"}]}}


EVERYWHERE = {
    ("osiris_connections.yaml", None): [(span(3, 4, 8), "store")],
    ("shop.oml", 1): [(span(6, 34, 38), "store")],
    ("other.oml.yaml", None): [(span(6, 45, 49), "store")],
}


def test_a_connection_is_renamed_in_all_files_of_the_project(client: Client, files: Path) -> None:
    client.initialize(files, capabilities(documentChanges=True))
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP)

    assert client.at("textDocument/prepareRename", uri, 6, 36) == {"range": span(6, 34, 38), "placeholder": "shop"}
    assert edits(rename(client, uri, 6, 36, "store")) == EVERYWHERE


def test_a_rename_can_start_in_the_connections_file_with_its_unsaved_text(client: Client, files: Path) -> None:
    client.initialize(files, capabilities(documentChanges=True))
    connections, uri = (files / "osiris_connections.yaml").as_uri(), (files / "shop.oml").as_uri()
    client.open(uri, SHOP)
    client.open(connections, f"#\n{CONNECTIONS}", version=4, language="yaml")

    assert client.at("textDocument/prepareRename", connections, 4, 8) == {"range": span(4, 4, 8), "placeholder": "shop"}
    found = edits(rename(client, connections, 4, 8, "store"))
    assert found.pop(("osiris_connections.yaml", 4)) == [(span(4, 4, 8), "store")]
    assert found == {place: change for place, change in EVERYWHERE.items() if place[0] != "osiris_connections.yaml"}
    assert client.at("textDocument/prepareRename", connections, 2, 4) is None


def test_applied_to_the_files_the_project_is_as_sound_as_before(client: Client, files: Path) -> None:
    client.initialize(files, capabilities("utf-32", documentChanges=True))
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP)
    for change in rename(client, uri, 6, 36, "store")["documentChanges"]:
        path = next(file for file in files.rglob("*") if file.as_uri() == change["textDocument"]["uri"])
        lines = path.read_bytes().decode().splitlines(keepends=True)
        for one in change["edits"]:
            number, start = one["range"]["start"]["line"], one["range"]["start"]["character"]
            line = lines[number]
            lines[number] = line[:start] + one["newText"] + line[one["range"]["end"]["character"] :]
        path.write_bytes("".join(lines).encode())

    assert (files / "osiris_connections.yaml").read_text(encoding="utf-8") == CONNECTIONS.replace("shop:", "store:")
    assert (files / "shop.oml").read_text(encoding="utf-8") == SHOP.replace("@sqlite.shop", "@sqlite.store")
    other = (files / "more" / "other.oml.yaml").read_bytes().decode()
    assert other == OTHER.replace("@sqlite.shop", "@sqlite.store").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("line", "character", "new_name", "code", "message"),
    [
        (3, 9, "total", INVALID_PARAMS, "There is a step `total` already, in line 8."),
        (3, 9, "a b", INVALID_PARAMS, "`a b` contains a space."),
        (6, 36, "other", INVALID_PARAMS, "There is a connection `@sqlite.other` already."),
        (
            4,
            18,
            "x.y",
            REQUEST_FAILED,
            "`sqlite.extractor` cannot be renamed: it is the name of an installed component.",
        ),
        (5, 6, "x", REQUEST_FAILED, "There is nothing to rename here."),
    ],
)
def test_a_refusal_is_an_error_that_says_why(
    client: Client, files: Path, line: int, character: int, new_name: str, code: int, message: str
) -> None:
    client.initialize(files)
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP)

    with pytest.raises(RequestRefusedError) as refused:
        rename(client, uri, line, character, new_name)

    assert refused.value.code == code
    assert refused.value.message.startswith(message)


def test_a_use_in_another_file_that_cannot_be_renamed_is_named(client: Client, files: Path) -> None:
    text = OTHER.replace("'@sqlite.shop'", "'@sqlite.${params.db}'") + "params: {db: shop}\n"
    (files / "more" / "other.oml.yaml").write_text(text, encoding="utf-8")
    client.initialize(files)
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP)

    with pytest.raises(
        RequestRefusedError, match=r"other\.oml\.yaml: After this rename the pipeline would no longer be"
    ):
        rename(client, uri, 6, 36, "store")


def test_before_anything_is_renamed_the_client_hears_that_it_cannot_be(client: Client, files: Path) -> None:
    client.initialize(files)
    uri = (files / "shop.oml").as_uri()
    client.open(uri, SHOP)

    assert client.at("textDocument/prepareRename", uri, 5, 6) is None
    with pytest.raises(RequestRefusedError, match="it is the name of an installed component"):
        client.at("textDocument/prepareRename", uri, 4, 20)


def test_an_untitled_document_is_renamed_within_itself(client: Client) -> None:
    client.initialize(None, capabilities(documentChanges=True))
    client.open("untitled:one", SHOP)

    assert len(edits(rename(client, "untitled:one", 3, 9, "sales"))[("untitled:one", 1)]) == 2
