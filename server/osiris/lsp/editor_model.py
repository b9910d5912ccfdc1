"""The model that the user already has in their editor, asked by the request ``osiris/modelRequest`` to the client.

``{"model", "messages": [{"role", "text", "calls": [{"id", "name", "arguments"}], "answers"}], "tools": [{"name",
"description", "parameters"}], "partialResultToken"}`` -> ``{"text", "calls"}``. ``arguments`` are JSON in a text,
``parameters`` a JSON Schema. While it is answered, the client may tell pieces of the text as ``$/progress`` with that
token and ``{"text"}``; the answer has the whole text nevertheless. An error of the client is told to the user in the
client's words; the request is cancelled when the user stops.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcException

from osiris.core.llm.errors import ModelCancelledError, ModelError
from osiris.core.llm.messages import Message, Reply, Request, TextPiece, ToolCall, Usage
from osiris.core.llm.providers import EDITOR

if TYPE_CHECKING:
    from osiris.lsp.session import Session

MODEL_REQUEST = "osiris/modelRequest"
_LOOK_SECONDS = 0.1
_LONGEST_REASON = 300
_UNUSABLE = "The answer of the editor's AI model cannot be used."


@dataclass(frozen=True, slots=True)
class EditorModel:
    """A ``ChatModel`` in the editor. ``model``: which of its models; empty leaves that to the editor."""

    session: Session
    loop: asyncio.AbstractEventLoop
    model: str = ""
    provider: str = EDITOR
    host: str = EDITOR

    def reply(self, request: Request, cancel: threading.Event) -> Iterator[TextPiece | Reply]:
        """See ``ChatModel``. Call from a thread that is not the loop's."""
        told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        asked = self._asked(request, told)
        streamed = ""
        try:
            while not cancel.is_set():
                try:
                    piece = told.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    continue
                if piece is None:
                    yield from _rest(streamed, _answer(asked, answered=bool(streamed)))
                    return
                streamed += piece
                yield TextPiece(piece)
        finally:
            asked.cancel()  # nothing happens to what has ended
        raise ModelCancelledError("Stopped.")

    def _asked(self, request: Request, told: queue.SimpleQueue[str | None]) -> concurrent.futures.Future[Any]:
        """The request under way. ``told`` gets the pieces of its text, and None when it has ended."""
        asking = self._ask(_params(self.model, request), told)
        try:
            asked = asyncio.run_coroutine_threadsafe(asking, self.loop)
        except RuntimeError:  # The loop has been closed.
            asking.close()
            raise ModelCancelledError("Stopped.") from None
        asked.add_done_callback(lambda _: told.put(None))
        return asked

    async def _ask(self, params: dict[str, Any], told: queue.SimpleQueue[str | None]) -> Any:
        token = str(uuid.uuid4())

        def hear(value: Any) -> None:
            if isinstance(value, dict) and isinstance(text := value.get("text"), str) and text:
                told.put(text)

        self.session.partial_results[token] = hear
        try:
            return await self.session.protocol.ask(MODEL_REQUEST, {**params, "partialResultToken": token})
        finally:
            del self.session.partial_results[token]


def _answer(asked: concurrent.futures.Future[Any], *, answered: bool) -> Any:
    """What the client answered. Raises ModelError in its words, ModelCancelledError when the wire is closed."""
    if asked.cancelled():
        raise ModelCancelledError("Stopped.")
    try:
        return asked.result()
    except JsonRpcException as error:
        said = " ".join(str(error.message).split())[:_LONGEST_REASON].rstrip(".")
        raise ModelError(
            f"The editor's AI model does not answer: {said or 'no reason is given'}.", answered=answered
        ) from None


def _rest(streamed: str, answer: Any) -> Iterator[TextPiece | Reply]:
    """What of the answer has not been told yet. Raises ModelError when it is not what was told."""
    reply = _reply(answer)
    if not reply.message.text.startswith(streamed):
        raise ModelError(_UNUSABLE, answered=True)
    if rest := reply.message.text[len(streamed) :]:
        yield TextPiece(rest)
    yield reply


def _params(model: str, request: Request) -> dict[str, Any]:
    messages = [
        {
            "role": message.role,
            "text": message.text,
            "calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in message.calls],
            "answers": message.answers,
        }
        for message in request.messages
    ]
    tools = [{"name": t.name, "description": t.description, "parameters": dict(t.parameters)} for t in request.tools]
    return {"model": model or None, "messages": messages, "tools": tools}


def _reply(answer: Any) -> Reply:
    """The answer of the client. Raises ModelError for one of another shape."""
    if not isinstance(answer, dict) or not isinstance(text := answer.get("text") or "", str):
        raise ModelError(_UNUSABLE)
    given = answer.get("calls") or []
    if not isinstance(given, list):
        raise ModelError(_UNUSABLE)
    calls = tuple(map(_call, given))
    return Reply(Message("assistant", text, calls), "tool_calls" if calls else "stop", Usage(), EDITOR)


def _call(given: Any) -> ToolCall:
    match given:
        case {"id": str(call_id), "name": str(name), "arguments": str(arguments)}:
            return ToolCall(call_id, name, arguments)
    raise ModelError(_UNUSABLE)
