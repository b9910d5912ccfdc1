"""Text as the client edits it: whatever the encoding and the line ends, every edit lands where the client means it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lsp_client import ABLE, Client, Message, edit, span

from osiris.lsp.positions import choose_encoding

Speaking = Callable[[str], Client]
EXAMPLE = Path(__file__).parents[2] / "examples" / "shop" / "pipelines" / "broken-orders.oml.yaml"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def speaking() -> Iterator[Speaking]:
    """One server per encoding, for all tests of this module; each test uses a document of its own."""
    clients: dict[str, Client] = {}

    def client(encoding: str) -> Client:
        if encoding not in clients:
            clients[encoding] = Client()
            clients[encoding].initialize(capabilities={**ABLE, "general": {"positionEncodings": [encoding]}})
        return clients[encoding]

    yield client
    for started in clients.values():
        assert started.close() == 0
        assert started.log == ""


@pytest.fixture
def uri() -> str:
    return f"untitled:Untitled-{next(_numbers)}"


def duplicate_key(findings: list[Message]) -> Message:
    [found] = [finding for finding in findings if finding["code"] == "OML006"]
    return found["range"]


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [(None, "utf-16"), (["utf-8", "utf-16"], "utf-8"), (["utf-32"], "utf-32"), (["latin-1"], "utf-16")],
)
def test_the_encoding_is_the_first_of_the_clients_that_is_known(offered: list[str] | None, agreed: str) -> None:
    assert choose_encoding(offered) == agreed


# An emoji is one code point, two units of UTF-16, four bytes of UTF-8; `é` is 1, 1 and 2.
UNITS = {"utf-8": (4, 2), "utf-16": (2, 1), "utf-32": (1, 1)}


@pytest.mark.parametrize("encoding", UNITS)
def test_columns_count_in_the_agreed_encoding_both_ways(speaking: Speaking, uri: str, encoding: str) -> None:
    client = speaking(encoding)
    emoji, accent = UNITS[encoding]
    client.open(uri, "x-a: {k: '😀é', l: 1}\n")
    at = 10 + emoji + accent + 3

    client.change(uri, 2, edit(0, at, at + 1, "k"))

    assert duplicate_key(client.diagnostics(uri, 2)) == span(0, at, at + 1)


@pytest.mark.parametrize("encoding", UNITS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_odd_characters_end_no_line_and_every_line_end_does(
    speaking: Speaking, uri: str, encoding: str, line_end: str
) -> None:
    client = speaking(encoding)
    lines = ["x-a: 'a\u2028b\u2029c'", "x-b: 'd\x85e'", "# form\x0cfeed \x0b \x1c", "x-c: 😀", "x-d: 1", ""]
    client.open(uri, line_end.join(lines))

    client.change(uri, 2, edit(4, 2, 3, "c"))

    assert duplicate_key(client.diagnostics(uri, 2)) == span(4, 0, 3)


def test_several_changes_apply_one_after_the_other(speaking: Speaking, uri: str) -> None:
    client = speaking("utf-16")
    client.open(uri, "a: 1\n")

    client.change(uri, 2, {"text": "x-a: 1\nx-b: 2\n"}, edit(1, 2, 3, "c"), edit(1, 2, 3, "a"))

    assert duplicate_key(client.diagnostics(uri, 2)) == span(1, 0, 3)


def test_positions_behind_the_end_of_a_line_or_the_text_mean_that_end(speaking: Speaking, uri: str) -> None:
    client = speaking("utf-16")
    client.open(uri, "x-a: 1\nx-b: 2\n")

    client.change(uri, 2, edit(0, 90, 99, "2"), edit(77, 0, 0, "x-a: 3"))

    assert duplicate_key(client.diagnostics(uri, 2)) == span(2, 0, 3)


def test_many_small_edits_leave_the_same_text_as_the_client_has(speaking: Speaking, uri: str) -> None:
    client = speaking("utf-16")
    text = "steps:\n  - id: a\n    mode: read\n"
    client.open(uri, "")
    for version, char in enumerate(text, 2):
        done = text[: version - 2]
        line, column = done.count("\n"), len(done) - (done.rfind("\n") + 1)
        client.change(uri, version, edit(line, column, column, char))

    last = client.diagnostics(uri, len(text) + 1)
    assert last == client.open(f"{uri}-fresh", text)


def test_after_random_edits_with_requests_in_between_the_server_knows_what_a_fresh_one_would(
    speaking: Speaking, uri: str
) -> None:
    client, dice = speaking("utf-16"), random.Random(20)
    text = EXAMPLE.read_text(encoding="utf-8")
    client.open(uri, text)

    for version in range(2, 152):
        start = dice.randrange(len(text) + 1)
        end = min(start + dice.choice([0, 0, 0, 1, 3, 30]), len(text))
        new = dice.choice(["", "x", "\n", "  ", "- ", ": ", '"', "[", "${params.", text[end : end + 20]])
        places = [
            {"line": text.count("\n", 0, at), "character": at - text.rfind("\n", 0, at) - 1} for at in (start, end)
        ]
        client.change(uri, version, {"range": {"start": places[0], "end": places[1]}, "text": new})
        text = text[:start] + new + text[end:]
        asked = dice.choice(["textDocument/hover", "textDocument/completion", ""])
        if asked:
            client.at(asked, uri, places[0]["line"], places[0]["character"])

    last = client.diagnostics(uri, 151)
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert last == client.open(uri, text)


def test_a_change_of_a_document_that_is_not_open_is_ignored(speaking: Speaking, uri: str) -> None:
    client = speaking("utf-16")

    client.change("untitled:unknown", 2, edit(0, 0, 0, "x"))

    assert client.at("textDocument/hover", "untitled:unknown", 0, 0) is None
