"""Messages that have arrived, in their order.

A request begins on the state that the messages before it left: a change that came behind it waits until its handler
has taken its snapshot, so that the positions in it mean what the client meant. Cancelling goes ahead of everything:
what was cancelled before its turn is never begun.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from lsprotocol import types

if TYPE_CHECKING:
    from osiris.lsp.protocol import MessageId, Protocol


class Inbox:
    """Gives messages to the protocol, one request for each round of the event loop."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._messages: deque[dict[str, Any]] = deque()
        self._waiting: set[MessageId] = set()
        self._cancelled: set[MessageId] = set()
        self._scheduled = False

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._messages)

    def put(self, body: bytes) -> None:
        """Take one message. Never raises: what is not a message is answered or dropped as JSON-RPC says."""
        message = self._protocol.parse(body)
        if message is None:
            return
        msg_id = message.get("id")
        if message.get("method") == types.CANCEL_REQUEST and msg_id is None:
            self._cancel(message)
            return
        if isinstance(msg_id, str | int) and "method" in message:
            self._waiting.add(msg_id)
        self._messages.append(message)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._work)

    def _cancel(self, message: dict[str, Any]) -> None:
        params = message.get("params")
        msg_id = params.get("id") if isinstance(params, dict) else None
        if isinstance(msg_id, str | int) and msg_id in self._waiting:
            self._cancelled.add(msg_id)
        else:
            self._protocol.cancel(msg_id)

    def _work(self) -> None:
        self._scheduled = False
        while self._messages:
            message = self._messages.popleft()
            msg_id = message.get("id")
            cancelled = False
            if isinstance(msg_id, str | int) and "method" in message:
                self._waiting.discard(msg_id)
                cancelled = msg_id in self._cancelled
                self._cancelled.discard(msg_id)
            if self._protocol.handle(message, cancelled=cancelled) and self._messages:
                self._scheduled = True
                asyncio.get_running_loop().call_soon(self._work)
                return
