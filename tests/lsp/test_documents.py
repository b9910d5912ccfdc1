"""Text as the client edits it: whatever the encoding and the line ends, every edit lands where the client means it."""

from __future__ import annotations

import pytest
from lsp_client import ABLE, Client, Message, edit, span

URI = "untitled:pipeline"


def client_with(client: Client, encodings: list[str] | None) -> str:
    able = {**ABLE, "general": {"positionEncodings": encodings} if encodings else {}}
    return client.initialize(capabilities=able)["positionEncoding"]


def duplicate_key(findings: list[Message]) -> Message:
    [found] = [finding for finding in findings if finding["code"] == "OML006"]
    return found["range"]


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [(None, "utf-16"), (["utf-8", "utf-16"], "utf-8"), (["utf-32"], "utf-32"), (["latin-1"], "utf-16")],
)
def test_the_encoding_is_the_first_of_the_clients_that_is_known(
    client: Client, offered: list[str] | None, agreed: str
) -> None:
    assert client_with(client, offered) == agreed


# An emoji is one code point, two units of UTF-16, four bytes of UTF-8; `é` is 1, 1 and 2.
UNITS = {"utf-8": (4, 2), "utf-16": (2, 1), "utf-32": (1, 1)}


@pytest.mark.parametrize("encoding", UNITS)
def test_columns_count_in_the_agreed_encoding_both_ways(client: Client, encoding: str) -> None:
    client_with(client, [encoding])
    emoji, accent = UNITS[encoding]
    client.open(URI, "x-a: {k: '😀é', l: 1}\n")
    at = 10 + emoji + accent + 3

    client.change(URI, 2, edit(0, at, at + 1, "k"))

    assert duplicate_key(client.diagnostics(URI, 2)) == span(0, at, at + 1)


@pytest.mark.parametrize("encoding", UNITS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_odd_characters_end_no_line_and_every_line_end_does(client: Client, encoding: str, line_end: str) -> None:
    client_with(client, [encoding])
    lines = ["x-a: 'a\u2028b\u2029c'", "x-b: 'd\x85e'", "# form\x0cfeed \x0b \x1c", "x-c: 😀", "x-d: 1", ""]
    client.open(URI, line_end.join(lines))

    client.change(URI, 2, edit(4, 2, 3, "c"))

    assert duplicate_key(client.diagnostics(URI, 2)) == span(4, 0, 3)


def test_several_changes_apply_one_after_the_other(client: Client) -> None:
    client_with(client, None)
    client.open(URI, "a: 1\n")

    client.change(URI, 2, {"text": "x-a: 1\nx-b: 2\n"}, edit(1, 2, 3, "c"), edit(1, 2, 3, "a"))

    assert duplicate_key(client.diagnostics(URI, 2)) == span(1, 0, 3)


def test_positions_behind_the_end_of_a_line_or_the_text_mean_that_end(client: Client) -> None:
    client_with(client, None)
    client.open(URI, "x-a: 1\nx-b: 2\n")

    client.change(URI, 2, edit(0, 90, 99, "2"), edit(77, 0, 0, "x-a: 3"))

    assert duplicate_key(client.diagnostics(URI, 2)) == span(2, 0, 3)


def test_many_small_edits_leave_the_same_text_as_the_client_has(client: Client) -> None:
    client_with(client, None)
    text = "steps:\n  - id: a\n    mode: read\n"
    client.open(URI, "")
    for version, char in enumerate(text, 2):
        done = text[: version - 2]
        line, column = done.count("\n"), len(done) - (done.rfind("\n") + 1)
        client.change(URI, version, edit(line, column, column, char))

    last = client.diagnostics(URI, len(text) + 1)
    client.open("untitled:fresh", text)

    again = client.request(
        "workspace/executeCommand", {"command": "osiris.validate", "arguments": [{"uri": "untitled:fresh"}]}
    )
    assert last == [{k: v for k, v in finding.items() if k != "uri"} for finding in again["diagnostics"]]


def test_a_change_of_a_document_that_is_not_open_is_ignored(client: Client) -> None:
    client_with(client, None)

    client.change("untitled:unknown", 2, edit(0, 0, 0, "x"))

    assert client.close() == 0
    assert client.log == ""
