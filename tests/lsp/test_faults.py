"""A fault of our own: what the client sees of it, and what it does not."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from osiris.core.error_taxonomy import ConfigurationError
from osiris.lsp.errors import RequestError
from osiris.lsp.loop import Server
from osiris.lsp.protocol import RequestHandler
from osiris.lsp.warm_up import SAMPLES, answers


class Memory:
    """In place of the wire: keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        header, _, body = data.partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body)
        self.messages.append(json.loads(body))


def answer_of(handler: RequestHandler) -> dict[str, Any]:
    """What a request is answered with whose handler is this one."""
    memory = Memory()

    async def ask() -> None:
        protocol = Server().protocol
        protocol.connect(memory, lambda code: None)  # type: ignore[arg-type]
        protocol.requests, protocol.notifications, protocol.initialized = {"x/ask": handler}, {}, True
        protocol.handle({"jsonrpc": "2.0", "id": 7, "method": "x/ask", "params": {}})
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(ask())
    [message] = memory.messages
    assert message["id"] == 7
    return message


def test_a_fault_is_answered_without_its_text_and_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def faulty(params: Any) -> None:
        raise ZeroDivisionError("password=hunter2")

    with caplog.at_level(logging.WARNING):
        error = answer_of(faulty)["error"]

    assert error["code"] == -32603
    assert error["message"] == "Osiris could not answer x/ask because of a fault of its own. Its log says where."
    [record] = caplog.records
    assert record.message.startswith("x/ask failed: ZeroDivisionError at ")
    assert "hunter2" not in record.message


def test_a_result_that_cannot_be_written_is_answered_as_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def faulty(params: Any) -> object:
        return {1j: 2}

    assert answer_of(faulty)["error"]["code"] == -32603


def test_an_error_that_the_user_understands_keeps_its_text() -> None:
    async def refusing(params: Any) -> None:
        raise RequestError("Save the document to a file first.")

    assert answer_of(refusing)["error"] == {"code": -32803, "message": "Save the document to a file first."}


def test_an_error_of_osiris_is_told_with_its_hint_and_masked() -> None:
    async def refusing(params: Any) -> None:
        raise ConfigurationError("The setting password=hunter2 is not usable.", hint="Set another one.")

    message = answer_of(refusing)["error"]["message"]

    assert "is not usable" in message
    assert "hunter2" not in message


def test_the_samples_that_warm_the_server_up_are_real_messages() -> None:
    protocol = Server().protocol

    for method, sample in SAMPLES.items():
        protocol.prepare(method, sample)
    for answer in answers():
        protocol.prepare_answer(answer)
