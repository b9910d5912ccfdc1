"""A small LSP client that times real servers over stdio."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Server:
    """One language server process; ``initialize_seconds`` is the time from spawn to its initialize reply."""

    def __init__(self, command: Sequence[str], root: Path, settings: dict[str, Any] | None = None) -> None:
        """Start the server and go through the handshake; ``settings`` answer its workspace/configuration."""
        self.settings = settings or {}
        start = time.perf_counter()
        self.process = subprocess.Popen(
            list(command), cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._id = 0
        capabilities = {
            "textDocument": {
                "publishDiagnostics": {"versionSupport": True},
                "completion": {"completionItem": {"snippetSupport": True}},
                "hover": {"contentFormat": ["markdown"]},
            },
            "workspace": {"configuration": True},
        }
        self.request(
            "initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": capabilities, "trace": "off"}
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

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            raise RuntimeError("the server closed its output")
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            return [self.settings.get(item.get("section", "")) for item in message["params"]["items"]]
        return None

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer."""
        self._id += 1
        self._send({"id": self._id, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._id and "method" not in message:
                return message.get("result")

    def until_diagnostics(self, uri: str, version: int | None) -> list[Any]:
        """Wait for the publish of this document (and version, where the server says versions)."""
        while True:
            message = self._receive()
            params = message.get("params", {})
            published = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri
            if published and params.get("version") in (None, version):
                return list(params["diagnostics"])

    def stop(self) -> None:
        """Shut the server down as an editor does."""
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.wait(10)
