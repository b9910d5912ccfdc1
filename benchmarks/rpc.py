"""A small LSP client that times real servers over stdio."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
        "completion": {
            "completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]},
            "completionList": {"itemDefaults": ["editRange", "insertTextMode"]},
        },
        "hover": {"contentFormat": ["markdown"]},
        "definition": {"linkSupport": True},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "foldingRange": {"lineFoldingOnly": True},
        "formatting": {},
        "rename": {"prepareSupport": True},
        "codeLens": {},
        "inlayHint": {},
        "semanticTokens": {
            "requests": {"range": True, "full": {"delta": True}},
            "formats": ["relative"],
            "tokenTypes": [],
            "tokenModifiers": [],
        },
    },
    "workspace": {"configuration": True, "workspaceEdit": {"documentChanges": True}, "workspaceFolders": True},
}


class Server:
    """One language server process; ``initialize_seconds`` is the time from spawn to its initialize reply."""

    def __init__(
        self, command: Sequence[str], root: Path, settings: dict[str, Any] | None = None, *, pulls: bool = False
    ) -> None:
        """Start the server and go through the handshake.

        ``settings`` answer its workspace/configuration. ``pulls``: say that diagnostics are asked for, as VS Code does.
        """
        self.settings = settings or {}
        self.pulls = pulls
        start = time.perf_counter()
        self.process = subprocess.Popen(
            list(command), cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._id = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._published: dict[str, dict[str, Any]] = {}
        able = {**ABILITIES, "textDocument": {**ABILITIES["textDocument"], **({"diagnostic": {}} if pulls else {})}}
        folders = [{"uri": root.as_uri(), "name": root.name}]
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": root.as_uri(),
                "workspaceFolders": folders,
                "capabilities": able,
                "trace": "off",
            },
        )
        self.initialize_seconds = time.perf_counter() - start
        self.notify("initialized", {})
        if settings:
            self.notify("workspace/didChangeConfiguration", {"settings": settings})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _receive(self) -> None:
        """Take one message in: an answer or diagnostics to whoever waits for them, a request is answered."""
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            raise RuntimeError("the server closed its output")
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" not in message:
            if message.get("id") is None:
                raise RuntimeError(f"the server could not read a message: {message.get('error')}")
            self._answers[message["id"]] = message
        elif "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        elif message["method"] == "textDocument/publishDiagnostics":
            self._published[message["params"]["uri"]] = message["params"]

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            return [self.settings.get(item.get("section", "")) for item in message["params"]["items"]]
        return None

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def start(self, method: str, params: Any) -> int:
        """Send a request and do not wait; its id is for ``answered`` and ``result``."""
        self._id += 1
        self._send({"id": self._id, "method": method, "params": params})
        return self._id

    def answered(self, request_id: int) -> bool:
        """Whether the answer to a request is among the messages that were taken in."""
        return request_id in self._answers

    def result(self, request_id: int) -> Any:
        """Wait for the answer to a request.

        Raises:
            RuntimeError: the answer is an error, or the server has ended.
        """
        while request_id not in self._answers:
            self._receive()
        answer = self._answers.pop(request_id)
        if "error" in answer:
            raise RuntimeError(f"the server answered with an error: {answer['error'].get('message')}")
        return answer.get("result")

    def request(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer."""
        return self.result(self.start(method, params))

    def open(self, document: Path) -> None:
        """Open a file as version 1."""
        text = document.read_text(encoding="utf-8")
        uri = document.as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._published.pop(uri, None)
        self.notify("textDocument/didOpen", {"textDocument": item})

    def diagnostics(self, uri: str, version: int | None) -> list[Any]:
        """Wait for the findings of this document: asked for, or published for this version where versions are said."""
        if self.pulls:
            return list(self.request("textDocument/diagnostic", {"textDocument": {"uri": uri}}).get("items", []))
        while True:
            found = self._published.pop(uri, None)
            if found is not None and found.get("version") in (None, version):
                return list(found["diagnostics"])
            self._receive()

    def stop(self) -> None:
        """Shut the server down as an editor does."""
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.wait(30)
