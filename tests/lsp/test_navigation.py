"""Go to definition, references and highlights in a project of several files, asked for as editors do."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from lsp_client import ABLE, Client, position, span

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
  - id: 🚀
    component: sqlite.extractor
    mode: read
    config: {description: 🚀, connection: "@sqlite.shop", table: orders}
"""


@pytest.fixture
def files(project: Path) -> Path:
    """A project with two pipelines, one of them with Windows line ends and in a folder."""
    (project / "shop.oml").write_text(SHOP, encoding="utf-8")
    (project / "more").mkdir()
    (project / "more" / "other.oml.yaml").write_bytes(OTHER.replace("\n", "\r\n").encode())
    return project


def uri_of(project: Path, name: str) -> str:
    return (project / name).as_uri()


def found(locations: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    """File name, line, first and last column of each location."""
    return [
        (
            unquote(place["uri"]).rsplit("/", 1)[-1],
            place["range"]["start"]["line"],
            place["range"]["start"]["character"],
            place["range"]["end"]["character"],
        )
        for place in locations
    ]


def references(client: Client, uri: str, line: int, character: int, *, declaration: bool = True) -> Any:
    return client.request(
        "textDocument/references",
        {
            "textDocument": {"uri": uri},
            "position": position(line, character),
            "context": {"includeDeclaration": declaration},
        },
    )


def with_links() -> dict[str, Any]:
    return {**ABLE, "textDocument": {**ABLE["textDocument"], "definition": {"linkSupport": True}}}


def test_from_sql_to_the_step_behind_characters_of_two_units(editor: Client, files: Path) -> None:
    uri = uri_of(files, "shop.oml")
    editor.open(uri, SHOP)

    place = editor.at("textDocument/definition", uri, 11, 52)

    assert place == {"uri": uri, "range": span(3, 8, 14)}


def test_a_client_that_takes_links_learns_the_whole_step_and_where_the_link_starts(client: Client, files: Path) -> None:
    client.initialize(files, with_links())
    uri = uri_of(files, "shop.oml")
    client.open(uri, SHOP)

    [link] = client.at("textDocument/definition", uri, 11, 52)

    assert link["originSelectionRange"] == span(11, 48, 57)
    assert link["targetSelectionRange"] == span(3, 8, 14)
    assert link["targetRange"] == {"start": position(3, 4), "end": position(6, 55)}


def test_from_a_connection_to_the_connections_file_and_its_unsaved_text(editor: Client, files: Path) -> None:
    uri, connections = uri_of(files, "shop.oml"), uri_of(files, "osiris_connections.yaml")
    editor.open(uri, SHOP)

    assert editor.at("textDocument/definition", uri, 6, 30) == {"uri": connections, "range": span(2, 4, 8)}

    editor.open(connections, "# new\n" + (files / "osiris_connections.yaml").read_text(), language="yaml")
    assert editor.at("textDocument/definition", uri, 6, 30) == {"uri": connections, "range": span(3, 4, 8)}


def test_a_connections_file_that_is_a_link_out_of_the_project_is_not_read(
    client: Client, files: Path, tmp_path_factory: Any
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "theirs.yaml"
    outside.write_text((files / "osiris_connections.yaml").read_text())
    (files / "osiris_connections.yaml").unlink()
    (files / "osiris_connections.yaml").symlink_to(outside)
    client.initialize(files)
    uri = uri_of(files, "shop.oml")
    client.open(uri, SHOP)

    assert client.at("textDocument/definition", uri, 6, 30) is None
    assert {place[0] for place in found(references(client, uri, 6, 30))} == {"shop.oml", "other.oml.yaml"}


def test_from_a_component_to_the_name_in_its_spec(editor: Client, files: Path) -> None:
    uri = uri_of(files, "shop.oml")
    editor.open(uri, SHOP)

    place = editor.at("textDocument/definition", uri, 8, 20)

    path = Path(unquote(place["uri"].removeprefix("file://")))
    line = path.read_text().splitlines()[place["range"]["start"]["line"]]
    assert path.name == "duckdb.processor.yaml"
    assert line == "name: duckdb.processor"
    assert place["range"]["start"]["character"] == 6


USES = [("shop.oml", 6, 26, 38), ("other.oml.yaml", 6, 43, 55)]


def test_all_uses_of_a_connection_in_open_and_closed_files(editor: Client, files: Path) -> None:
    uri = uri_of(files, "shop.oml")
    editor.open(uri, SHOP)

    assert found(references(editor, uri, 6, 30)) == [("osiris_connections.yaml", 2, 4, 8), *USES]
    assert found(references(editor, uri, 6, 30, declaration=False)) == USES


def test_all_uses_of_a_connection_from_its_file(editor: Client, files: Path) -> None:
    connections = uri_of(files, "osiris_connections.yaml")
    editor.open(connections, "\n" + (files / "osiris_connections.yaml").read_text(), language="yaml")

    assert sorted(found(references(editor, connections, 3, 6))) == sorted([("osiris_connections.yaml", 3, 4, 8), *USES])
    assert editor.at("textDocument/definition", connections, 3, 6) == {"uri": connections, "range": span(3, 4, 8)}
    assert editor.at("textDocument/documentHighlight", connections, 3, 6) == [{"range": span(3, 4, 8), "kind": 3}]
    assert references(editor, connections, 1, 3) is None


def test_who_uses_a_component(editor: Client, files: Path) -> None:
    uri = uri_of(files, "shop.oml")
    editor.open(uri, SHOP)

    assert found(references(editor, uri, 4, 18, declaration=False)) == [
        ("shop.oml", 4, 15, 31),
        ("other.oml.yaml", 4, 15, 31),
    ]


def test_a_step_is_highlighted_where_it_is_named(editor: Client, files: Path) -> None:
    uri = uri_of(files, "shop.oml")
    editor.open(uri, SHOP)

    assert editor.at("textDocument/documentHighlight", uri, 3, 9) == [
        {"range": span(3, 8, 14), "kind": 3},
        {"range": span(11, 48, 57), "kind": 2},
    ]


def test_an_untitled_document_without_a_folder_answers_for_itself(client: Client) -> None:
    client.initialize()
    client.open("untitled:one", SHOP)

    assert client.at("textDocument/definition", "untitled:one", 11, 52)["range"] == span(3, 8, 14)
    assert client.at("textDocument/definition", "untitled:one", 6, 30) is None
    assert [place["range"] for place in references(client, "untitled:one", 6, 30)] == [span(6, 26, 38)]


def test_a_file_outside_the_open_folders_answers_for_itself(client: Client, files: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("one.oml", "two.oml"):
        (elsewhere / name).write_text(SHOP)
    client.initialize(files)
    uri = (elsewhere / "one.oml").as_uri()
    client.open(uri, SHOP)

    assert found(references(client, uri, 6, 30)) == [("one.oml", 6, 26, 38)]


def test_in_utf_8_columns_count_bytes(client: Client, files: Path) -> None:
    client.initialize(files, {**ABLE, "general": {"positionEncodings": ["utf-8"]}})
    uri = uri_of(files, "shop.oml")
    client.open(uri, SHOP)

    assert [place["range"] for place in client.at("textDocument/documentHighlight", uri, 3, 9)] == [
        span(3, 8, 14),
        span(11, 52, 61),
    ]
