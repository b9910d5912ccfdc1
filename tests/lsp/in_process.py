"""A server in this process, without a wire: messages go in as they are and come out as they are."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from lsp_client import Message, RequestRefusedError

from osiris.lsp.inbox import Inbox
from osiris.lsp.loop import Server, build

TIMEOUT = 60.0


class InProcess:
    """Use inside a running event loop. Whatever the server asks of its client is answered with null."""

    def __init__(self) -> None:
        protocol = Server().protocol
        protocol.connect(self, lambda code: None)  # type: ignore[arg-type]
        self.session = build(protocol)
        self.inbox = Inbox(protocol)
        self.session.backlog = self.inbox.__len__
        self.received: list[Message] = []
        self._answers: dict[int, Message] = {}
        self._next_id = 0

    def write(self, data: bytes) -> None:
        """What the server sends."""
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            assert message["id"] not in self._answers, f"answered twice: {message}"
            self._answers[message["id"]] = message
        elif "id" in message:
            self._put({"id": message["id"], "result": None})
        else:
            self.received.append(message)

    def _put(self, message: Message) -> None:
        self.inbox.put(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def notify(self, method: str, params: Any) -> None:
        self._put({"method": method, "params": params})

    def start_request(self, method: str, params: Any) -> int:
        self._next_id += 1
        self._put({"id": self._next_id, "method": method, "params": params})
        return self._next_id

    async def answer_to(self, request_id: int) -> Message:
        """The whole answer, be it a result or an error."""
        end = time.monotonic() + TIMEOUT
        while request_id not in self._answers:
            assert time.monotonic() < end, f"request {request_id} was not answered"
            await asyncio.sleep(0)
        return self._answers[request_id]

    def count(self) -> int:
        """How many requests have been answered."""
        return len(self._answers)

    async def request(self, method: str, params: Any) -> Any:
        """The result; RequestRefusedError when it is an error."""
        answer = await self.answer_to(self.start_request(method, params))
        if "error" in answer:
            raise RequestRefusedError(answer["error"])
        return answer["result"]

    async def initialize(self, folder: Path, capabilities: Message) -> None:
        """The handshake, without what a client's ``initialized`` begins in the background."""
        folders = [{"uri": folder.as_uri(), "name": folder.name}]
        await self.request("initialize", {"capabilities": capabilities, "workspaceFolders": folders})

    async def settle(self) -> None:
        """Let everything that was sent be taken in."""
        end = time.monotonic() + TIMEOUT
        while self.inbox:
            assert time.monotonic() < end, "what was sent is not taken in"
            await asyncio.sleep(0)

    async def close(self) -> None:
        """End as after ``shutdown``."""
        await self.request("shutdown", None)
