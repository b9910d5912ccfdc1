"""Positions in every answer count in the encoding that was agreed on: all three say the same places."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from lsp_client import Message
from test_fuzz import FOLLOWING, QUESTIONS, Typed, ask, capabilities, items_in, open_document

# An emoji is one code point, two units of UTF-16, four bytes of UTF-8; `é` is 1, 1 and 2. They stand before everything.
TEXT = """\
oml_version: "0.1.0"
name: p # 😀\x20\x20\x20
params: {day: {description: "😀é", default: "2026-01-01"}}
steps:
  - {description: "😀", id: orders, component: sqlite.extractor, mode: read, config: {connection: "@sqlite.shop", query: "SELECT '😀', ${params.day}"}}
  - {description: "é😀😀", id: totals, component: duckdb.processor, mode: transform, needs: [orders], config: {query: "SELECT '😀' AS a, * FROM df_orders"}}
  - {description: "😀", id: sums, component: duckdb.processor, mode: transform, config: {query: "SELECT '😀' AS a, * FROM df_totals"}}
  - {description: "é", id: out, component: filesystem.csv_writer, mode: wirte, needs: [sums, totls], config: {path: "😀.csv", delimter: ","}}
"""  # noqa: E501
CONNECTIONS = 'connections: {sqlite: {"😀": {path: a.db}, shop: {path: shop.db, default: true}}}\n'
UNITS = ("utf-32", "utf-16", "utf-8")


class Places:
    """Turns the positions in an answer into offsets in the text of their file."""

    def __init__(self, units: str, texts: dict[str, str]) -> None:
        self.units = units
        self.texts = texts

    def plain(self, value: Any, uri: str) -> Any:
        """The answer with an offset for each position; ``uri`` is the document it is about unless it says another."""
        if isinstance(value, list):
            return [self.plain(item, uri) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"line", "character"}:
            return self.offset(value, uri) if uri in self.texts else value
        if "startCharacter" in value:
            ends = ({"line": value[f"{end}Line"], "character": value[f"{end}Character"]} for end in ("start", "end"))
            return [self.offset(end, uri) for end in ends]
        named = value.get("uri") or value.get("targetUri") or (value.get("textDocument") or {}).get("uri") or uri
        return {
            key: self.plain(item, key if key in self.texts else uri if key.startswith("origin") else named)
            for key, item in value.items()
            if key != "resultId"  # a number that the server gave, or one of the findings as they are sent
        }

    def offset(self, place: Message, uri: str) -> int:
        lines = self.texts[uri].split("\n")
        before, units = 0, 0
        for char in lines[place["line"]]:
            if units >= place["character"]:
                break
            units, before = units + self.width(char), before + 1
        assert units == place["character"], f"{place} is inside a character"
        return sum(len(line) + 1 for line in lines[: place["line"]]) + before

    def width(self, text: str) -> int:
        if self.units == "utf-32":
            return len(text)
        return len(text.encode("utf-8")) if self.units == "utf-8" else len(text.encode("utf-16-le")) // 2

    def tokens(self, data: list[int], uri: str) -> list[tuple[int, int, int, int]]:
        """Semantic tokens as offset, end, kind and modifiers."""
        line = character = 0
        found = []
        for at in range(0, len(data), 5):
            down, right, length, kind, modifiers = data[at : at + 5]
            line, character = line + down, right if down else character + right
            start, end = ({"line": line, "character": character + more} for more in (0, length))
            found.append((self.offset(start, uri), self.offset(end, uri), kind, modifiers))
        return found


async def answers(folder: Path, units: str, method: str) -> tuple[list[Any], list[Any]]:
    """The answers to a request at many places, as they come and with offsets; with those that follow from them."""
    document = Typed((folder / "p.oml").as_uri(), "oml", TEXT, units, TEXT, 1)
    places = Places(units, {document.uri: TEXT, (folder / "osiris_connections.yaml").as_uri(): CONNECTIONS})
    server = InProcess()
    await server.initialize(folder, capabilities(units))
    open_document(server, document)
    raw, plain = [], []
    for offset in range(0, len(TEXT), 3):
        where = (document.place(offset), document.range(offset, min(offset + 40, len(TEXT))))
        answer = await ask(server, method, QUESTIONS[method](server, document, *where))
        found = [answer]
        for follower, leader in FOLLOWING.items():
            if leader == method and not method.startswith("textDocument/semanticTokens"):
                wrapped = follower.startswith("callHierarchy")
                items = items_in(answer)[:8]
                found += [await ask(server, follower, {"item": item} if wrapped else item) for item in items]
        raw.append(found)
        if method.startswith("textDocument/semanticTokens"):
            plain.append(places.tokens(answer["data"], document.uri))
        else:
            plain.append(places.plain(found, document.uri))
    await server.close()
    return raw, plain


@pytest.mark.parametrize("method", sorted(QUESTIONS))
def test_every_request_speaks_of_the_same_places_in_every_encoding(method: str, tmp_path: Path) -> None:
    (tmp_path / "p.oml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS, encoding="utf-8")

    raw, plain = zip(*(asyncio.run(answers(tmp_path, units, method)) for units in UNITS), strict=True)

    assert any(found for found in plain[0]), "nothing was answered at all"
    assert plain[1] == plain[0]
    assert plain[2] == plain[0]
    whole_lines = {"textDocument/foldingRange", "textDocument/codeLens"}
    assert raw[1] != raw[0] or method in whole_lines, "no position was behind an emoji"
