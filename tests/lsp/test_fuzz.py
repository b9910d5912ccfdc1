"""Random edits over the examples, with requests of every kind in between.

After each edit the server's text is the client's, and its findings are those of a server that has just seen this text
for the first time. Now and then every other answer is compared as well. No request is answered with an error, and
nothing is logged. ``OSIRIS_SOAK`` makes it 20,000 edits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from lsp_client import ABLE, Message, RequestRefusedError

from osiris.lsp.server import REQUESTS

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop"
EDITS = 20_000 if os.environ.get("OSIRIS_SOAK") else 200
EDITS_PER_TEXT = 60  # then the document starts again as the example has it
EDITS_PER_COMPARISON = 25
REQUEST_FAILED = -32803

CAPABILITIES: Message = {
    **ABLE,
    "textDocument": {
        **ABLE["textDocument"],
        "diagnostic": {},
        "definition": {"linkSupport": True},
        "foldingRange": {"lineFoldingOnly": False},
    },
}

# -- the client's text


@dataclass
class Typed:
    """A document as the client has it."""

    uri: str
    language: str
    original: str
    units: str
    text: str = ""
    version: int = 0
    tokens: str = ""

    def place(self, offset: int) -> Message:
        """The position of an offset in the agreed encoding; lines end at \\n, \\r\\n and \\r only."""
        before = self.text[:offset]
        if self.text[offset - 1 : offset + 1] == "\r\n":
            before = before[:-1]  # there is no position between the two
        line, character = 0, before
        for end in re.finditer(r"\r\n|\r|\n", before):
            line, character = line + 1, before[end.end() :]
        if self.units == "utf-32":
            return {"line": line, "character": len(character)}
        width = {"utf-8": 1, "utf-16": 2}[self.units]
        encoding = {"utf-8": "utf-8", "utf-16": "utf-16-le"}[self.units]
        return {"line": line, "character": len(character.encode(encoding)) // width}

    def range(self, start: int, end: int) -> Message:
        return {"start": self.place(start), "end": self.place(end)}


TYPED = (
    *("", "x", "\n", "\r\n", "\r", "  ", "    ", "\t", "- ", ": ", ":", "#", '"', "'", "[", "]", "{", "}", "&a ", "*a"),
    *("|\n", ">-\n", "${params.", "😀", "é", "\u2028", "\x85", "\ufeff", "\x00", "@sqlite.", "df_", ";", "--", "/*"),
    *("<<: *a", "!!str ", "? ", "  - id: orders\n", "needs: [", "# osiris: ignore[OML412]", "mode: read", "select 1"),
)


def edit(document: Typed, dice: random.Random) -> Message:
    """One change as a client sends it; the document has it already."""
    text = document.text
    start = dice.randrange(len(text) + 1)
    end = min(start + dice.choice((0, 0, 0, 0, 1, 1, 3, 12, 60)), len(text))
    if dice.random() < 0.15:  # whole lines
        start = text.rfind("\n", 0, start) + 1
        end = text.find("\n", end) + 1 or len(text)
    for at in (start, end):
        if text[at - 1 : at + 1] == "\r\n":
            start = end = at - 1
    kind = dice.random()
    if kind < 0.7:
        new = dice.choice(TYPED)
    elif kind < 0.85 and text:
        at = dice.randrange(len(text))
        new = text[at : at + dice.choice((4, 30, 120))]
    else:
        new = dice.choice(document.original.splitlines(keepends=True))
    change = {"range": document.range(start, end), "text": new}
    document.text = text[:start] + new + text[end:]
    return change


def change(server: InProcess, document: Typed, dice: random.Random, *, again: bool) -> None:
    """Edit the document once, or a few times in one message; ``again``: give it its first text."""
    document.version += 1
    if again:
        document.text = document.original
        changes: list[Message] = [{"text": document.text}]
    else:
        changes = [edit(document, dice) for _ in range(dice.choice((1, 1, 1, 1, 2, 4)))]
    server.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": document.uri, "version": document.version}, "contentChanges": changes},
    )


# -- requests of every kind

Ask = Callable[[InProcess, Typed, Message, Message], Any]


def at(server: InProcess, document: Typed, place: Message, span: Message) -> Message:
    return {"textDocument": {"uri": document.uri}, "position": place}


def of(server: InProcess, document: Typed, place: Message, span: Message) -> Message:
    return {"textDocument": {"uri": document.uri}}


def within(server: InProcess, document: Typed, place: Message, span: Message) -> Message:
    return {"textDocument": {"uri": document.uri}, "range": span}


OPTIONS = {"tabSize": 2, "insertSpaces": True}

# Parameters for every request that can be asked of a document directly.
QUESTIONS: dict[str, Ask] = {
    "textDocument/codeAction": lambda *it: {**within(*it), "context": {"diagnostics": []}},
    "textDocument/codeLens": of,
    "textDocument/completion": at,
    "textDocument/definition": at,
    "textDocument/diagnostic": of,
    "textDocument/documentHighlight": at,
    "textDocument/documentLink": of,
    "textDocument/documentSymbol": of,
    "textDocument/foldingRange": of,
    "textDocument/formatting": lambda *it: {**of(*it), "options": OPTIONS},
    "textDocument/hover": at,
    "textDocument/inlayHint": within,
    "textDocument/prepareCallHierarchy": at,
    "textDocument/prepareRename": at,
    "textDocument/rangeFormatting": lambda *it: {**within(*it), "options": OPTIONS},
    "textDocument/references": lambda *it: {**at(*it), "context": {"includeDeclaration": True}},
    "textDocument/rename": lambda *it: {**at(*it), "newName": "renamed"},
    "textDocument/selectionRange": lambda *it: {**of(*it), "positions": [it[2], it[3]["end"]]},
    "textDocument/semanticTokens/full": of,
    "textDocument/semanticTokens/range": within,
}
# Those that look at more than the document, or take long; they are asked less often.
WIDE: dict[str, Ask] = {
    "workspace/diagnostic": lambda *it: {"previousResultIds": []},
    "workspace/executeCommand": lambda *it: {"command": "osiris.validate", "arguments": [it[1].uri]},
    "workspace/symbol": lambda *it: {"query": "or"},
}
# Requests about something that another request has answered with.
FOLLOWING = {
    "codeAction/resolve": "textDocument/codeAction",
    "codeLens/resolve": "textDocument/codeLens",
    "completionItem/resolve": "textDocument/completion",
    "callHierarchy/incomingCalls": "textDocument/prepareCallHierarchy",
    "callHierarchy/outgoingCalls": "textDocument/prepareCallHierarchy",
    "textDocument/semanticTokens/full/delta": "textDocument/semanticTokens/full",
}
# These may be refused in words for the user: nothing can be renamed here, this name is not possible.
MAY_REFUSE = {"textDocument/rename", "textDocument/prepareRename", "codeAction/resolve"}


def test_every_kind_of_request_is_asked() -> None:
    assert {*QUESTIONS, *WIDE, *FOLLOWING, "initialize", "shutdown"} == set(REQUESTS)


async def ask(server: InProcess, method: str, params: Message) -> Any:
    """The answer; None where the server may and does refuse."""
    try:
        return await server.request(method, params)
    except RequestRefusedError as refused:
        if method in MAY_REFUSE and refused.code == REQUEST_FAILED:
            return None
        raise AssertionError(f"{method} was answered with {refused.code}: {refused.message}") from refused


def items_in(answer: Any) -> list[Message]:
    found = answer.get("items", []) if isinstance(answer, dict) else answer
    return [item for item in found or () if isinstance(item, dict)]


async def ask_something(server: InProcess, document: Typed, dice: random.Random) -> None:
    """One request, and those that can follow it."""
    first, second = sorted(dice.randrange(len(document.text) + 1) for _ in range(2))
    where = (document.place(dice.choice((first, second))), document.range(first, second))
    table = WIDE if dice.random() < 0.03 else QUESTIONS
    method = dice.choice(sorted(table))
    answer = await ask(server, method, table[method](server, document, *where))
    for follower, leader in FOLLOWING.items():
        if leader != method or not answer:
            continue
        if method == "textDocument/semanticTokens/full":
            if document.tokens:
                await ask(server, follower, {**of(server, document, *where), "previousResultId": document.tokens})
            document.tokens = answer.get("resultId", "")
        elif found := items_in(answer):
            chosen = dice.choice(found)
            await ask(server, follower, {"item": chosen} if follower.startswith("callHierarchy") else chosen)


# -- the comparison with a server that knows nothing of the past


async def fresh_server(folder: Path, documents: list[Typed]) -> InProcess:
    server = InProcess()
    await server.initialize(folder, capabilities(documents[0].units))
    for document in documents:
        open_document(server, document)
    await server.settle()
    return server


def capabilities(units: str) -> Message:
    return {**CAPABILITIES, "general": {"positionEncodings": [units]}}


def open_document(server: InProcess, document: Typed) -> None:
    item = {"uri": document.uri, "languageId": document.language, "version": document.version, "text": document.text}
    server.notify("textDocument/didOpen", {"textDocument": item})


async def compare(
    server: InProcess, folder: Path, documents: list[Typed], document: Typed, dice: random.Random
) -> None:
    """Text and findings must be those of a fresh server."""
    opened = server.session.documents.get(document.uri)
    assert opened is not None
    assert opened.text == document.text
    fresh = await fresh_server(folder, documents)
    asked = {"textDocument": {"uri": document.uri}}
    found = await server.request("textDocument/diagnostic", asked)
    assert found == await fresh.request("textDocument/diagnostic", asked)
    if document.version % EDITS_PER_COMPARISON == 0:
        first, second = sorted(dice.randrange(len(document.text) + 1) for _ in range(2))
        where = (document.place(first), document.range(first, second))
        for method in sorted(QUESTIONS):
            answers = [await ask(one, method, QUESTIONS[method](one, document, *where)) for one in (server, fresh)]
            if method.startswith("textDocument/semanticTokens"):  # their ids are numbers that the servers gave
                answers = [answer and answer["data"] for answer in answers]
            assert answers[0] == answers[1], method
    await fresh.close()


# -- the test


def example(folder: Path) -> None:
    """The example without what its runs leave behind."""
    ignored = shutil.ignore_patterns(".osiris", "out", "build", "logs", "data", "*.py")
    shutil.copytree(EXAMPLE, folder, ignore=ignored)
    (folder / ".env").write_text("WAREHOUSE=out/reports.db\nOSIRIS_PARAM_DAY=2026-01-01\n")


def documents_of(folder: Path, units: str) -> list[Typed]:
    paths = [
        *sorted((folder / "pipelines").glob("*")),
        *(folder / name for name in ("osiris_connections.yaml", "osiris.yaml")),
    ]
    return [Typed(path.as_uri(), "oml", path.read_text(encoding="utf-8"), units) for path in paths]


async def fuzz(folder: Path, units: str, edits: int, seed: int) -> None:
    dice = random.Random(seed)
    documents = documents_of(folder, units)
    server = InProcess()
    await server.initialize(folder, capabilities(units))
    for document in documents:
        document.text, document.version = document.original, 1
        open_document(server, document)
    done = 0
    while done < edits:
        document = dice.choice(documents)
        for number in range(EDITS_PER_TEXT):
            before = document.text
            change(server, document, dice, again=number == 0)
            done += 1
            try:
                for _ in range(dice.choice((0, 1, 1, 2))):
                    await ask_something(server, document, dice)
                await server.settle()
                await compare(server, folder, documents, document, dice)
            except BaseException:
                print(
                    f"seed {seed}, {units}, edit {done}, {document.uri}\nbefore: {before!r}\nafter: {document.text!r}"
                )
                raise
    await server.close()


@pytest.mark.soak
@pytest.mark.parametrize("units", ["utf-16", "utf-8", "utf-32"])
def test_the_server_knows_what_a_fresh_one_would_after_every_edit(
    units: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    example(tmp_path / "shop")
    seed = random.randrange(10**9) if os.environ.get("OSIRIS_SOAK") else 7

    with caplog.at_level(logging.WARNING):
        asyncio.run(fuzz(tmp_path / "shop", units, EDITS // 3, seed))

    assert caplog.messages == []
