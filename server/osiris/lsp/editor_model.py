"""The model that the user already has in their editor, asked by the request ``osiris/modelRequest`` to the client.

``{"model", "messages": [{"role", "text", "calls": [{"id", "name", "arguments"}], "answers"}], "tools": [{"name",
"description", "parameters"}]}`` -> ``{"text", "calls"}``. ``arguments`` are JSON in a text, ``parameters`` a JSON
Schema. An error of the client is told to the user in the client's words; the request is cancelled when the user stops.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
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
        """See ``ChatModel``: the answer arrives whole. Call from a thread that is not the loop's."""
        reply = _reply(self._ask(request, cancel))
        if reply.message.text:
            yield TextPiece(reply.message.text)
        yield reply

    def _ask(self, request: Request, cancel: threading.Event) -> Any:
        asking = self.session.protocol.ask(MODEL_REQUEST, _params(self.model, request))
        try:
            asked = asyncio.run_coroutine_threadsafe(asking, self.loop)
        except RuntimeError:  # The loop has been closed.
            asking.close()
            raise ModelCancelledError("Stopped.") from None
        while not cancel.is_set():
            done, _ = concurrent.futures.wait([asked], _LOOK_SECONDS)
            if not done:
                continue
            if asked.cancelled():
                break
            try:
                return asked.result()
            except JsonRpcException as error:
                said = " ".join(str(error.message).split())[:300].rstrip(".")
                raise ModelError(f"The editor's AI model does not answer: {said or 'no reason is given'}.") from None
        asked.cancel()
        raise ModelCancelledError("Stopped.")


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
