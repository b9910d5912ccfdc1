"""The JSON-RPC side of the server: pygls's protocol with what it gets wrong put right.

- Every request gets exactly one response: also with malformed parameters, under cancellation, when its result cannot
  be written as JSON, before ``initialize`` and after ``shutdown``.
- Requests run as tasks; nothing runs in the threads that carry the wire. ``$/cancelRequest`` cancels the task and with
  it all that the task has started. ``shutdown`` cancels the rest.
- A response of the client that nobody waits for any more is dropped.
- No fault becomes a popup, and no foreign text reaches the client.

There is one table of handlers (``server.METHODS``). pygls's built-in handlers are left out: they would keep a second
store of documents, which splits lines where LSP does not.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from osiris.lsp import errors

if TYPE_CHECKING:
    from osiris.lsp.wire import Writer

RequestHandler = Callable[[Any], Awaitable[Any]]
NotificationHandler = Callable[[Any], None]
MessageId = str | int
T = TypeVar("T")

MOMENT_SECONDS = 0.1

_NOBODY: tuple[asyncio.Future[Any] | None, type[Any] | None] = (None, None)


class Protocol(LanguageServerProtocol):
    """Reads messages, runs their handlers and writes what comes of it."""

    # Parameters of these arrive as plain JSON: turning them into classes would cost more than all else they need.
    raw_methods = frozenset(
        {
            types.INITIALIZE,
            types.INITIALIZED,
            types.WORKSPACE_DID_CHANGE_CONFIGURATION,
            types.WORKSPACE_EXECUTE_COMMAND,
            types.PROGRESS,
        }
    )

    # These answers stay plain JSON: they hold whatever the user has written.
    raw_answers = frozenset({types.WORKSPACE_CONFIGURATION})

    requests: dict[str, RequestHandler]
    notifications: dict[str, NotificationHandler]
    initialized = False

    def connect(self, writer: Writer, stopped: Callable[[int], None]) -> None:
        """Use this writer; call ``stopped`` with the exit code when the client asks for the end."""
        self.wire = writer
        self._stopped = stopped
        self._running: dict[MessageId, asyncio.Task[Any]] = {}
        self._asked: dict[str, tuple[asyncio.Future[Any], type[Any] | None]] = {}

    def stop(self) -> None:
        """End: with exit code 0 after ``shutdown``, else 1."""
        self._stopped(0 if self._shutdown else 1)

    def _register_builtin_features(self) -> None:
        """None: see the module's text."""

    # -- receiving

    def parse(self, body: bytes) -> dict[str, Any] | None:
        """The message in ``body``; None for what is none, which is answered as JSON-RPC says."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self._send_error(None, errors.PARSE_ERROR, "The message is not valid JSON.")
            return None
        if not isinstance(message, dict):
            self._send_error(None, errors.INVALID_REQUEST, "A message must be a JSON object.")
            return None
        return message

    def handle(self, message: dict[str, Any], *, cancelled: bool = False) -> bool:
        """Handle one message; True when that began a task. Never raises, whatever the message holds.

        ``cancelled``: this request was cancelled before its turn came, and is only answered so.
        """
        method = message.get("method")
        if method is None:
            self._receive_response(message)
        elif "id" in message and not isinstance(message["id"], str | int):
            self._send_error(None, errors.INVALID_REQUEST, "The id of a request must be a number or text.")
        elif "id" in message:
            return self._receive_request(message["id"], str(method), message, cancelled)
        else:
            self._receive_notification(str(method), message)
        return False

    def _receive_request(self, msg_id: MessageId, method: str, message: dict[str, Any], cancelled: bool) -> bool:
        handler = self.requests.get(method)
        if self._shutdown:
            self._send_error(msg_id, errors.INVALID_REQUEST, "The server is shutting down.")
        elif not self.initialized and method != types.INITIALIZE:
            self._send_error(msg_id, errors.NOT_INITIALIZED, "The first request must be initialize.")
        elif handler is None:
            self._send_error(msg_id, errors.METHOD_NOT_FOUND, f"Osiris does not know the method {method}.")
        elif cancelled:
            self._send_error(msg_id, errors.REQUEST_CANCELLED, "The request was cancelled.")
        else:
            task = asyncio.ensure_future(self._answer(method, handler, message))
            self._running[msg_id] = task
            task.add_done_callback(partial(self._conclude, msg_id, method))
            if method == types.SHUTDOWN:
                self._shutdown = True  # from now on only ``exit`` counts
            return True
        return False

    async def _answer(self, method: str, handler: RequestHandler, message: dict[str, Any]) -> Any:
        try:
            params = self._params(method, message)
        except Exception as error:
            raise errors.RequestError(f"The parameters of {method} are malformed.", errors.INVALID_PARAMS) from error
        return await handler(params)

    def _receive_notification(self, method: str, message: dict[str, Any]) -> None:
        handler = self.notifications.get(method)
        ready = (self.initialized and not self._shutdown) or method == types.EXIT
        if handler is None or not ready:
            return
        try:
            handler(self._params(method, message))
        except Exception as error:  # noqa: BLE001 (a notification has no answer that could carry it)
            errors.report(method, error)

    def _params(self, method: str, message: dict[str, Any]) -> Any:
        if method in self.raw_methods:
            params = message.get("params") or {}
            if not isinstance(params, dict):
                raise TypeError("parameters must be an object")
            return params
        message_type = self.get_message_type(method)
        if message_type is None:
            return message.get("params")
        return self._converter.structure(message, message_type).params

    def prepare(self, method: str, sample: dict[str, Any]) -> None:
        """Make the converter for a method's parameters by converting a sample; nothing is done with it."""
        self._params(method, {"jsonrpc": "2.0", "id": 0, "method": method, "params": sample})

    def prepare_answer(self, sample: Any) -> None:
        """Make the converter for an answer by converting a sample; nothing is sent."""
        self._to_json(sample)

    def cancel(self, msg_id: Any) -> None:
        """Cancel a request that runs; it is then answered as cancelled. Any other id does nothing."""
        task = self._running.get(msg_id) if isinstance(msg_id, (str, int)) else None
        if task is not None:
            task.cancel()

    def cancel_all_but(self, current: asyncio.Task[Any] | None) -> None:
        """Cancel every request that still runs; each of them is then answered as cancelled."""
        for task in list(self._running.values()):
            if task is not current:
                task.cancel()

    async def conclude_all(self) -> None:
        """Answer what still runs: as cancelled, unless it ends within a moment, as ``shutdown`` does."""
        running = list(self._running.values())
        if running:
            await asyncio.wait(running, timeout=MOMENT_SECONDS)
            self.cancel_all_but(None)
            await asyncio.wait(running, timeout=MOMENT_SECONDS)
            await asyncio.sleep(0)  # for the answers, which are callbacks of the tasks

    # -- answering

    def _conclude(self, msg_id: MessageId, method: str, task: asyncio.Task[Any]) -> None:
        self._running.pop(msg_id, None)
        if task.cancelled():
            self._send_error(msg_id, errors.REQUEST_CANCELLED, "The request was cancelled.")
            return
        error = task.exception()
        if error is None:
            error = self._try_send({"jsonrpc": "2.0", "id": msg_id, "result": task.result()})
        if error is not None:
            code, text = errors.answer_for(method, error)
            self._send_error(msg_id, code, text, errors.data_for(error))

    def _send_error(
        self, msg_id: MessageId | None, code: int, message: str, data: dict[str, Any] | None = None
    ) -> None:
        error = {"code": code, "message": message} if data is None else {"code": code, "message": message, "data": data}
        self._try_send({"jsonrpc": "2.0", "id": msg_id, "error": error})

    def _try_send(self, message: Any) -> Exception | None:
        """Write a message; what cannot be written as JSON is returned as the error it raised."""
        try:
            body = self._to_json(message)
        except Exception as error:  # noqa: BLE001 (whoever sends must answer for it)
            return error
        self.wire.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return None

    def _to_json(self, message: Any) -> bytes:
        return json.dumps(message, default=self._serialize_message, separators=(",", ":")).encode("ascii")

    def _send_data(self, data: Any) -> None:
        """What pygls's own senders end in."""
        if (error := self._try_send(data)) is not None:
            errors.report("sending a message", error)

    def notify(self, method: str, params: Any | None = None) -> None:
        """Send a notification; ``params`` may be plain JSON or a type of lsprotocol. Call from the event loop only."""
        self._send_data({"jsonrpc": "2.0", "method": method, "params": params})

    def structure(self, data: Any, kind: type[T]) -> T:
        """Plain JSON as a type of lsprotocol."""
        return self._converter.structure(data, kind)

    # -- requests to the client

    async def ask(self, method: str, params: Any) -> Any:
        """Send a request to the client and wait for its answer. ``params`` may be plain JSON.

        Raises JsonRpcException when the client answers with an error. When the caller is cancelled, so is the request.
        """
        msg_id = str(uuid.uuid4())
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        kind = None if method in self.raw_answers else self.get_result_type(method)
        self._asked[msg_id] = (future, kind)
        self._send_data({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})
        try:
            return await future
        except asyncio.CancelledError:
            if self._asked.pop(msg_id, None) is not None:
                self.notify(types.CANCEL_REQUEST, {"id": msg_id})
            raise

    def _receive_response(self, message: dict[str, Any]) -> None:
        msg_id = message.get("id")
        future, result_type = self._asked.pop(msg_id, _NOBODY) if isinstance(msg_id, str) else _NOBODY
        if future is None or future.done():
            return  # Nobody waits for it: its caller was cancelled, or it was never asked.
        if isinstance(error := message.get("error"), dict):
            code = error.get("code")
            future.set_exception(
                JsonRpcException(str(error.get("message", "")), code=code if isinstance(code, int) else 0)
            )
            return
        try:
            answer = self._converter.structure(message, result_type).result if result_type else message.get("result")
        except Exception as malformed:  # noqa: BLE001 (cattrs raises many kinds)
            future.set_exception(JsonRpcException(f"The client's answer is malformed: {type(malformed).__name__}"))
            return
        future.set_result(answer)
