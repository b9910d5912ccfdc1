"""Whatever a client sends in whatever order, each request gets exactly one answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import InProcess
from lsp_client import ABLE
from test_fuzz import QUESTIONS, WIDE, Typed

URIS = ["untitled:1", "untitled:2"]
TEXT = "steps:\n  - id: a\n    component: duckdb.processor\n"

places = st.builds(
    lambda line, character: {"line": line, "character": character}, st.integers(0, 9), st.integers(0, 40)
)
spans = st.tuples(places, places).map(lambda two: {"start": two[0], "end": two[1]})
uris = st.sampled_from(URIS)
versions = st.integers(-3, 9)  # also those that are behind or far ahead


def question(method: str, uri: str, place: Any, span: Any) -> tuple[str, Any]:
    table = {**QUESTIONS, **WIDE}
    return method, table[method](None, Typed(uri, "oml", TEXT, "utf-16", TEXT), place, span)  # type: ignore[arg-type]


methods = st.sampled_from(sorted({*QUESTIONS, *WIDE}))
requests = st.one_of(
    st.builds(question, methods, uris, places, spans),
    st.tuples(methods, st.sampled_from([None, [], {}, {"textDocument": 3}, 7])),
    st.tuples(st.sampled_from(["unheard/of", "initialize", "$/odd"]), st.just({})),
)
notifications = st.one_of(
    st.builds(
        lambda uri, version: (
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "oml", "version": version, "text": TEXT}},
        ),
        uris,
        versions,
    ),
    st.builds(
        lambda uri, version, span, text: (
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"range": span, "text": text}]},
        ),
        uris,
        versions,
        spans,
        st.sampled_from(["", "x", "\n", "- id: b", "\x00", "😀"]),
    ),
    st.builds(lambda uri: ("textDocument/didClose", {"textDocument": {"uri": uri}}), uris),
    st.builds(lambda uri: ("textDocument/didSave", {"textDocument": {"uri": uri}}), uris),
    st.just(("workspace/didChangeConfiguration", {"settings": {"osiris": {"compileOnSave": False}}})),
    st.just(("workspace/didChangeWatchedFiles", {"changes": []})),
)
cancels = st.integers(1, 3).map(lambda back: ("cancel", back))
pauses = st.integers(1, 4).map(lambda rounds: ("pause", rounds))
messages = st.lists(
    st.one_of(requests.map(lambda it: ("request", it)), notifications.map(lambda it: ("notify", it)), cancels, pauses),
    max_size=25,
)


async def play(sequence: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Send all of it, then shut down; returns the answers, one for each request."""
    server = InProcess()
    begun = [server.start_request("initialize", {"capabilities": ABLE})]
    await server.answer_to(begun[0])
    for kind, what in sequence:
        if kind == "request":
            begun.append(server.start_request(*what))
        elif kind == "notify":
            server.notify(*what)
        elif kind == "cancel":
            server.notify("$/cancelRequest", {"id": begun[-what] if what <= len(begun) else "unknown"})
        else:
            for _ in range(what):
                await asyncio.sleep(0)
    begun.append(server.start_request("shutdown", None))
    begun.append(server.start_request("textDocument/hover", {}))
    answers = [await server.answer_to(request) for request in begun]
    await asyncio.sleep(0.001)  # a second answer to one of them would fail in ``InProcess.write``
    assert server.count() == len(begun)
    return answers


@given(messages)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_request_gets_exactly_one_answer(
    caplog: pytest.LogCaptureFixture, sequence: list[tuple[str, Any]]
) -> None:
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        answers = asyncio.run(play(sequence))

    assert all(("result" in answer) != ("error" in answer) for answer in answers)
    assert not [answer for answer in answers if answer.get("error", {}).get("code") == -32603]
    assert answers[-2]["result"] is None
    assert answers[-1]["error"]["code"] == -32600
    assert [record for record in caplog.records if record.name == "asyncio"] == []
