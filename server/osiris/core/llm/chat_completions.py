"""One request to an endpoint that speaks OpenAI's chat completions, streamed.

Format: the providers' public descriptions of ``POST /chat/completions`` with ``stream: true`` (server-sent events).
The HTTP client runs in an event loop of its own thread, so that stopping closes the connection at once, whatever it
waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from osiris.core.error_categories import ErrorCategory
from osiris.core.llm.errors import ModelCancelledError, ModelError
from osiris.core.llm.failures import model_error
from osiris.core.llm.messages import Finish, Message, Reply, Request, TextPiece, Tool, ToolCall, Usage
from osiris.core.llm.providers import PROVIDERS, host_of
from osiris.core.llm.transport import guarded_client
from osiris.core.lookup import require_packages

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Piece = TextPiece | Reply

MOST_SECONDS = 900.0
"""For one answer, however much life it shows."""

_NO_KEY = "none"  # the client insists on a text; servers that want no key ignore it
_TICK = 0.05
_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "filtered",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is. ``timeout``: seconds to connect, and to wait for each next piece of an answer."""

    provider: str
    model: str
    base_url: str
    key: str | None = field(repr=False)
    timeout: float = 60.0

    @property
    def is_own(self) -> bool:
        """Whether this is the provider's own address."""
        return self.provider in PROVIDERS and self.base_url == PROVIDERS[self.provider].base_url

    @property
    def name(self) -> str:
        """What users know it as: the provider's name, else the host of another server."""
        return PROVIDERS[self.provider].title if self.is_own else host_of(self.base_url)


def stream_reply(endpoint: Endpoint, request: Request, cancel: threading.Event) -> Iterator[Piece]:
    """The answer as it arrives, at last the whole.

    Raises ModelError, ModelCancelledError soon after ``cancel`` is set, MissingPackageError. Closing the iterator
    closes the connection.
    """
    require_packages(("openai",), "Talking to an AI model")
    pieces: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
    reading = _Reading(endpoint, request, pieces)
    reading.start()
    try:
        while True:
            if cancel.is_set():
                raise ModelCancelledError("Stopped.")
            with contextlib.suppress(queue.Empty):
                piece = pieces.get(timeout=_TICK)
                if piece is None:
                    return
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
    finally:
        reading.stop()


class _Reading(threading.Thread):
    """Puts the pieces of one answer into a queue; the last thing in it is None or what went wrong."""

    def __init__(self, endpoint: Endpoint, request: Request, pieces: queue.SimpleQueue[Any]) -> None:
        super().__init__(name="osiris-model", daemon=True)
        self._endpoint = endpoint
        self._request = request
        self._pieces = pieces
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Read to the end, or until ``stop``."""
        try:
            asyncio.run(self._read())
        except asyncio.CancelledError:
            self._pieces.put(None)
        except Exception as error:  # noqa: BLE001 - carried to the thread that reads, cause and all
            self._pieces.put(error)
        else:
            self._pieces.put(None)

    def stop(self) -> None:
        """Close the connection if it is still open. From any thread, any number of times."""
        self._stopped.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(task.cancel)

    async def _read(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), cast("asyncio.Task[None]", asyncio.current_task())
        if self._stopped.is_set():
            return
        from openai import APIError, AsyncOpenAI

        at, answer = self._endpoint, _Answer(self._endpoint.model)
        http = guarded_client(at.name, at.key, at.timeout, of_openai=at.is_own and at.provider == "openai")
        # Who retries must also say so.
        client = AsyncOpenAI(
            base_url=at.base_url, api_key=at.key or _NO_KEY, timeout=at.timeout, max_retries=0, http_client=http
        )
        async with client:
            try:
                async with asyncio.timeout(MOST_SECONDS) as limit:
                    await self._receive(client, answer)
            except (APIError, OSError) as error:
                if isinstance(error.__cause__, ModelError):  # of the client that we gave it
                    raise error.__cause__ from None
                if limit.expired():
                    raise _endless(at.name) from error
                raise model_error(error, at.name, answer.begun) from error
            except (ValueError, TypeError, AttributeError) as error:  # JSON, or parts of it, that are something else
                raise _unreadable(at.name, answer) from error

    async def _receive(self, client: AsyncOpenAI, answer: _Answer) -> None:
        create = cast(Any, client.chat.completions.create)  # our plain dictionaries instead of its hundred types
        async with await create(**_body(self._endpoint.model, self._request)) as stream:
            async for chunk in stream:
                text = answer.take(chunk)
                if text:
                    self._pieces.put(TextPiece(text))
        self._pieces.put(answer.reply(self._endpoint.name))


@dataclass(slots=True)
class _Answer:
    """An answer that is put together from the chunks of a stream."""

    model: str
    begun: bool = False
    finish: str | None = None
    usage: Usage = field(default_factory=Usage)
    texts: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)

    def take(self, chunk: Any) -> str:
        """Add a chunk; the text in it."""
        self.begun = True
        self.model = getattr(chunk, "model", None) or self.model
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self.usage = Usage(usage.prompt_tokens, usage.completion_tokens)
        text = ""
        for choice in getattr(chunk, "choices", None) or ():
            self.finish = choice.finish_reason or self.finish
            if choice.delta is not None:
                text += choice.delta.content or ""
                self._take_calls(choice.delta.tool_calls or ())
        self.texts.append(text)
        return text

    def _take_calls(self, deltas: Any) -> None:
        for position, delta in enumerate(deltas):
            index = delta.index if delta.index is not None else position
            if delta.id and index in self.calls and self.calls[index][0] not in ("", delta.id):
                index = max(self.calls) + 1  # some endpoints give every call the index 0
            call = self.calls.setdefault(index, ["", "", ""])
            call[0] = call[0] or delta.id or ""
            if delta.function is not None:
                call[1] += delta.function.name or ""
                call[2] += delta.function.arguments or ""

    def reply(self, name: str) -> Reply:
        """The whole answer. Raises ModelError for one that is not whole."""
        if not self.begun:
            raise _unreadable(name, self)
        if self.finish is None:
            raise ModelError(
                f"The answer of {name} broke off.",
                hint="Try again.",
                transient=True,
                answered=bool(self.calls) or any(self.texts),
            )
        calls = tuple(
            ToolCall(call_id or f"call_{index}", name, arguments)
            for index, (call_id, name, arguments) in sorted(self.calls.items())
        )
        finish = "tool_calls" if calls and self.finish in ("stop", "function_call") else self.finish
        message = Message("assistant", "".join(self.texts), calls)
        return Reply(message, _FINISHES.get(finish, "stop"), self.usage, self.model)


def _endless(name: str) -> ModelError:
    return ModelError(
        f"The answer of {name} did not come to an end within {MOST_SECONDS / 60:.0f} minutes.",
        hint="Try again, or another model.",
        category=ErrorCategory.TIMEOUT,
        answered=True,
    )


def _unreadable(name: str, answer: _Answer) -> ModelError:
    return ModelError(
        f"The answer of {name} is no chat completion.",
        hint="Check that the address is the one of a chat-completions server.",
        answered=bool(answer.calls) or any(answer.texts),
    )


def _body(model: str, request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body["max_tokens"] = request.max_tokens
    return body


def _message(message: Message) -> dict[str, Any]:
    data: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        data["content"] = message.text or None
        data["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in message.calls
        ]
    if message.answers is not None:
        data["tool_call_id"] = message.answers
    return data


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def request_bytes(model: str, request: Request) -> bytes:
    """The body of the request as JSON: what is shown before it is sent, and how long it is."""
    import json

    return json.dumps(_body(model, request), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
