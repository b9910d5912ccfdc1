"""The schema view: where the definition of a table leads, as a text of the client's own or as a read-only file."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from discovering import OFFERED, PIPELINE, discover, execute
from lsp_client import ABLE, Client, Message, RequestRefusedError

from osiris.core.project import Project
from osiris.core.user_dirs import state_dir
from osiris.language.connections import Connection
from osiris.lsp.connection_use import Target
from osiris.lsp.schema_documents import file_of
from osiris.syntax.text import Span

VIEWING: Message = {**ABLE, "experimental": {"osirisSchemaView": True}}
LINKING: Message = {**VIEWING, "textDocument": {**ABLE["textDocument"], "definition": {"linkSupport": True}}}
TABLE = (8, 14)  # in ``table: orders``


def open_and_discover(client: Client, uri: str) -> None:
    client.open(uri, PIPELINE)
    discover(client, {"uri": uri})


def text_at(text: str, place: Message) -> str:
    start, end = place["start"], place["end"]
    assert start["line"] == end["line"]
    return text.split("\n")[start["line"]][start["character"] : end["character"]]


def test_a_client_with_a_schema_view_gets_its_uri_and_asks_for_its_text(
    client: Client, tmp_path: Path, uri: str
) -> None:
    client.initialize(tmp_path, LINKING)
    open_and_discover(client, uri)

    [link] = client.at("textDocument/definition", uri, *TABLE)

    assert link["targetUri"].startswith("osiris-schema:/sqlite.shop.yaml?")
    assert unquote(urlsplit(link["targetUri"]).query) == str(tmp_path)
    text = client.command("osiris.schemaText", {"uri": link["targetUri"]})["text"]
    assert text_at(text, link["targetSelectionRange"]) == "orders"
    assert text_at(PIPELINE, link["originSelectionRange"]) == "orders"
    assert "    amount: DECIMAL(12, 2) not null" in text


def test_any_other_client_gets_a_file_that_nobody_can_write_to(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    open_and_discover(client, uri)

    found = client.at("textDocument/definition", uri, *TABLE)

    path = Path(unquote(urlsplit(found["uri"]).path))
    assert path.name == "sqlite.shop.yaml"
    assert not path.is_relative_to(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert text_at(path.read_text(), found["range"]) == "orders"


def test_the_file_follows_a_new_reading(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    open_and_discover(client, uri)
    path = Path(unquote(urlsplit(client.at("textDocument/definition", uri, *TABLE)["uri"]).path))
    execute(tmp_path, "CREATE TABLE customers (id INTEGER)")

    client.command("osiris.discover", {"uri": uri})

    assert "customers:" in path.read_text()


def test_the_name_of_a_connection_leads_to_no_other_folder(tmp_path: Path) -> None:
    connection = Connection("sqlite", "/../../../../escaped", {}, False, Span(0, 0))

    path = file_of(Target(Project(tmp_path), connection))

    assert path.resolve().parent.parent == state_dir().resolve() / "schema"


def test_nothing_is_defined_while_nothing_is_known(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    client.open(uri, PIPELINE)

    assert client.at("textDocument/definition", uri, *TABLE) is None


def test_the_view_of_a_connection_that_was_never_read_says_so(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path, OFFERED)

    text = client.command("osiris.schemaText", {"uri": f"osiris-schema:/sqlite.shop.yaml?{tmp_path}"})["text"]

    assert "Nothing is known of it yet" in text


@pytest.mark.parametrize(
    "wrong",
    [
        "osiris-schema:/sqlite.other.yaml?{project}",
        "osiris-schema:/sqlite.shop.yaml?/etc",
        "osiris-schema:/sqlite.shop.yaml",
        "file:///etc/passwd",
    ],
)
def test_a_uri_opens_nothing_but_the_connections_of_an_open_project(
    client: Client, tmp_path: Path, uri: str, wrong: str
) -> None:
    client.initialize(tmp_path)

    with pytest.raises(RequestRefusedError):
        client.command("osiris.schemaText", {"uri": wrong.format(project=tmp_path)})
