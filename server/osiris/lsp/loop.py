"""The server put together: wire, protocol, session and event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

import osiris
from osiris.lsp import errors
from osiris.lsp.inbox import Inbox
from osiris.lsp.logging_setup import configure_logging
from osiris.lsp.protocol import Protocol
from osiris.lsp.server import NOTIFICATIONS, REQUESTS, feature
from osiris.lsp.session import Session
from osiris.lsp.wire import Reader, Writer

# What answers with edits: they must fit the text that the client has when it gets them.
EDITS = frozenset({"code_action", "formatting", "range_formatting", "rename"})


class Server(LanguageServer):
    """pygls's server with our protocol. Its thread pool and its loop are never used."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("osiris", osiris.__version__, protocol_cls=Protocol, converter_factory=default_converter)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """To the log, never to a popup."""
        errors.report(getattr(source, "__name__", "the server"), error)


def build(protocol: Protocol) -> Session:
    """Fill the protocol's tables from ``REQUESTS`` and ``NOTIFICATIONS`` for a new session."""
    session = Session(protocol)

    async def request(name: str, params: Any) -> Any:
        handle = feature(name)
        if name not in EDITS:
            return await handle(session, params)
        document = session.documents.get(params.text_document.uri)
        version = document.version if document is not None else None
        answer = await handle(session, params)
        if document is not None and document.version != version:
            raise errors.RequestError("The document was changed meanwhile.", errors.CONTENT_MODIFIED)
        return answer

    def notification(name: str, params: Any) -> None:
        feature(name)(session, params)

    protocol.requests = {method: partial(request, name) for method, name in REQUESTS.items()}
    protocol.notifications = {method: partial(notification, name) for method, name in NOTIFICATIONS.items()}
    return session


async def _serve(wire_in: int, wire_out: int) -> int:
    loop = asyncio.get_running_loop()
    end: asyncio.Future[int] = loop.create_future()

    def stop(code: int) -> None:
        if not end.done():
            end.set_result(code)

    protocol = Server().protocol
    writer = Writer(wire_out)
    protocol.connect(writer, stop)
    session = build(protocol)

    inbox = Inbox(protocol)
    session.backlog = inbox.__len__

    def end_of_wire() -> None:
        if inbox:
            loop.call_soon(end_of_wire)  # what has arrived goes first
        else:
            stop(0)

    def receive(body: bytes | None) -> None:
        if body is None:
            end_of_wire()
        elif not end.done():
            session.collector.busy()
            inbox.put(body)

    def deliver(body: bytes | None) -> bool:
        try:
            loop.call_soon_threadsafe(receive, body)
        except RuntimeError:  # The loop has been closed: nobody is there to receive.
            return False
        return True

    writer.start()
    Reader(wire_in, deliver).start()
    code = await end
    await protocol.conclude_all()
    session.close()
    writer.close()
    return code


def serve(wire_in: int, wire_out: int) -> int:
    """Serve one client over two descriptors until it ends; returns the exit code of the process."""
    configure_logging()
    return asyncio.run(_serve(wire_in, wire_out))
