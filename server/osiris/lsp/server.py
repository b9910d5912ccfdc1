"""The server put together: the table of methods, the table of commands, and the loop.

A row names the module in ``features/`` (``commands/``) whose ``handle`` does the work. Modules are imported when a
message first needs them, so that the reply to ``initialize`` waits for nothing that it does not use; once the client
is ready, ``warm_up`` brings in the rest before the user types.
"""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

import osiris
from osiris.lsp import errors
from osiris.lsp.logging_setup import configure_logging
from osiris.lsp.protocol import Protocol
from osiris.lsp.session import Session
from osiris.lsp.wire import Reader, Writer, claim_stdio

REQUESTS: dict[str, str] = {
    types.INITIALIZE: "initialize",
    types.SHUTDOWN: "shutdown",
    types.TEXT_DOCUMENT_CODE_ACTION: "code_action",
    types.TEXT_DOCUMENT_COMPLETION: "completion",
    types.COMPLETION_ITEM_RESOLVE: "completion_resolve",
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: "document_symbol",
    types.TEXT_DOCUMENT_HOVER: "hover",
    types.WORKSPACE_EXECUTE_COMMAND: "execute_command",
}
NOTIFICATIONS: dict[str, str] = {
    types.INITIALIZED: "initialized",
    types.EXIT: "exit",
    types.TEXT_DOCUMENT_DID_OPEN: "did_open",
    types.TEXT_DOCUMENT_DID_CHANGE: "did_change",
    types.TEXT_DOCUMENT_DID_SAVE: "did_save",
    types.TEXT_DOCUMENT_DID_CLOSE: "did_close",
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: "did_change_configuration",
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: "did_change_watched_files",
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: "did_change_workspace_folders",
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: "work_done_progress_cancel",
}
COMMANDS: dict[str, str] = {
    "osiris.validate": "validate",
    "osiris.compile": "compile",
    "osiris.run": "run",
    "osiris.cancelRun": "cancel_run",
    "osiris.doctor": "doctor",
}


def feature(name: str) -> Any:
    """The ``handle`` of a module in ``features/``."""
    return import_module(f"osiris.lsp.features.{name}").handle


def command(name: str) -> Any:
    """The ``handle`` of the module in ``commands/`` that stands behind a command; RequestError if there is none."""
    module = COMMANDS.get(name)
    if module is None:
        known = ", ".join(sorted(COMMANDS))
        raise errors.RequestError(f"There is no command {name!r}. Known commands: {known}.", errors.INVALID_PARAMS)
    return import_module(f"osiris.lsp.commands.{module}").handle


class Server(LanguageServer):
    """pygls's server with our protocol. Its thread pool and its loop are never used."""

    def __init__(self) -> None:
        super().__init__("osiris", osiris.__version__, protocol_cls=Protocol, converter_factory=default_converter)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """To the log, never to a popup."""
        errors.report(getattr(source, "__name__", "the server"), error)


def build(server: Server) -> Session:
    """Fill the protocol's tables from ``REQUESTS`` and ``NOTIFICATIONS`` for a new session."""
    protocol = server.protocol
    assert isinstance(protocol, Protocol)
    session = Session(protocol)

    async def request(name: str, params: Any) -> Any:
        return await feature(name)(session, params)

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

    server = Server()
    protocol = server.protocol
    assert isinstance(protocol, Protocol)
    writer = Writer(wire_out)
    protocol.connect(writer, stop)
    session = build(server)

    def receive(body: bytes | None) -> None:
        if body is None:
            stop(0)
        elif not end.done():
            protocol.receive(body)

    def deliver(body: bytes | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(receive, body)

    writer.start()
    Reader(wire_in, deliver).start()
    code = await end
    protocol.cancel_all_but(None)
    session.close()
    writer.close()
    return code


def main() -> int:
    """Serve one client over standard input and output until it ends; returns the exit code of the process."""
    wire_in, wire_out = claim_stdio()
    configure_logging()
    return asyncio.run(_serve(wire_in, wire_out))
