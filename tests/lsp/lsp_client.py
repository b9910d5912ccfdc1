"""A language client that shows everything: every message is kept, and nothing is answered that a test did not want."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-P", "-m", "osiris", "lsp"]
TIMEOUT = 20.0

Message = dict[str, Any]

# What an editor with all abilities says; tests take away or add what they are about.
ABLE: Message = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "completion": {
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown"],
                "insertTextModeSupport": {"valueSet": [1, 2]},
            },
            "completionList": {"itemDefaults": ["editRange", "insertTextMode"]},
        },
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "codeAction": {
            "isPreferredSupport": True,
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source"]}},
        },
        "publishDiagnostics": {
            "relatedInformation": True,
            "codeDescriptionSupport": True,
            "tagSupport": {"valueSet": [1, 2]},
            "versionSupport": True,
        },
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
    "experimental": {"osiris": {"runEvent": True}},
}


class RequestRefusedError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: Message) -> None:
        super().__init__(error["message"])
        self.code = error["code"]
        self.message = error["message"]


class Client:
    """One spawned ``osiris lsp`` and what it said."""

    def __init__(self, *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        self.received: list[Message] = []
        self.raw = b""
        self.log = ""
        self._seen = 0
        self._inbox: queue.Queue[Message | None] = queue.Queue()
        self._next_id = 0
        self._threads = [threading.Thread(target=t, daemon=True) for t in (self._read_wire, self._read_log)]
        for thread in self._threads:
            thread.start()

    # -- talking

    def initialize(self, root: Path | None = None, capabilities: Message | None = None, **params: Any) -> Message:
        """The handshake; returns the server's capabilities."""
        folders = [{"uri": root.as_uri(), "name": root.name}] if root else None
        answer = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root.as_uri() if root else None,
                "workspaceFolders": folders,
                "capabilities": ABLE if capabilities is None else capabilities,
                **params,
            },
        )
        self.notify("initialized", {})
        return answer["capabilities"]

    def send(self, message: Message) -> None:
        self.send_raw(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def send_raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def start_request(self, method: str, params: Any = None) -> int:
        self._next_id += 1
        self.send({"id": self._next_id, "method": method, "params": params})
        return self._next_id

    def request(self, method: str, params: Any = None) -> Any:
        return self.result_of(self.start_request(method, params))

    def command(self, name: str, argument: Any = None, **more: Any) -> Any:
        arguments = [] if argument is None else [argument]
        return self.request("workspace/executeCommand", {"command": name, "arguments": arguments, **more})

    def answer_of(self, method: str, params: Any = None) -> Message:
        """The whole answer to a request, also when it is an error."""
        request_id = self.start_request(method, params)
        return self.wait(lambda m: m.get("id") == request_id and "method" not in m)

    def result_of(self, request_id: int) -> Any:
        answer = self.wait(lambda m: m.get("id") == request_id and "method" not in m)
        if "error" in answer:
            raise RequestRefusedError(answer["error"])
        return answer["result"]

    # -- listening

    def wait(self, wanted: Callable[[Message], bool], timeout: float = TIMEOUT) -> Message:
        """The first message, from now on or not looked at yet, that is wanted."""
        for message in self.received:
            if not message.get("taken") and wanted(message):
                message["taken"] = True
                return message
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                message = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            if message is None:
                raise AssertionError(f"the server ended; its log:\n{self.log}")
            self.received.append(message)
            if wanted(message):
                message["taken"] = True
                return message
        raise AssertionError(f"no such message came; log:\n{self.log}\nreceived: {self.received[-10:]}")

    def wait_for(self, method: str, **params: Any) -> Any:
        """The parameters of the next message of this method whose parameters hold these values."""

        def wanted(message: Message) -> bool:
            found = message.get("params") or {}
            return message.get("method") == method and all(found.get(k) == v for k, v in params.items())

        return self.wait(wanted)["params"]

    def drain(self) -> None:
        """Take in what has arrived."""
        while True:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                return
            if message is not None:
                self.received.append(message)

    def answers_to(self, request_id: int) -> list[Message]:
        self.drain()
        return [m for m in self.received if m.get("id") == request_id and "method" not in m]

    # -- documents

    def open(self, uri: str, text: str, *, version: int = 1, language: str = "oml") -> list[Message]:
        """Open a document; returns its first diagnostics."""
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return self.diagnostics(uri, version)

    def change(self, uri: str, version: int, *changes: Message) -> None:
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", params)

    def diagnostics(self, uri: str, version: int) -> list[Message]:
        return self.wait_for("textDocument/publishDiagnostics", uri=uri, version=version)["diagnostics"]

    def at(self, method: str, uri: str, line: int, character: int) -> Any:
        return self.request(method, {"textDocument": {"uri": uri}, "position": position(line, character)})

    # -- the end

    def close(self) -> int:
        """Shut down as an editor does; returns the exit code."""
        if self.process.poll() is None:
            self.request("shutdown")
            self.notify("exit")
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(TIMEOUT)
        for thread in self._threads:
            thread.join(TIMEOUT)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)

    def _read_wire(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            self.raw += header
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
                self.raw += stream.readline()
                body = stream.read(length)
                self.raw += body
                self._inbox.put(json.loads(body))
        self._inbox.put(None)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line.decode("utf-8", "replace")


def position(line: int, character: int) -> Message:
    return {"line": line, "character": character}


def span(line: int, start: int, end: int) -> Message:
    return {"start": position(line, start), "end": position(line, end)}


def edit(line: int, start: int, end: int, text: str) -> Message:
    """A change of one line."""
    return {"range": span(line, start, end), "text": text}


def apply_edits(text: str, edits: list[Message]) -> str:
    """The text with LSP edits (UTF-16 positions of an ASCII text) applied."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    places = [
        (
            starts[e["range"]["start"]["line"]] + e["range"]["start"]["character"],
            starts[e["range"]["end"]["line"]] + e["range"]["end"]["character"],
            e["newText"],
        )
        for e in edits
    ]
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text
