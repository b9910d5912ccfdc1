"""Somebody who types in one open document and asks what an editor asks, with the time and CPU time that each takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process_usage import cpu_ms
from benchmarks.rpc import Server

SHOWN_LINES = 60


@dataclass
class Samples:
    """Wall and CPU milliseconds of the server, one of each per repetition."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def time(self, server: Server, work: Callable[[], Any]) -> Any:
        """Do something once and take its times down."""
        before, start = cpu_ms(server.process.pid), time.perf_counter()
        result = work()
        self.wall.append((time.perf_counter() - start) * 1000)
        self.cpu.append(cpu_ms(server.process.pid) - before)
        return result


class Typist:
    """Types one character at a time at random places of one open document, the same places for every server."""

    def __init__(self, server: Server, document: Path) -> None:
        """Open the document and wait for its first diagnostics."""
        self.server = server
        self.uri = document.as_uri()
        self.lines = document.read_text(encoding="utf-8").split("\n")
        self.version = 1
        self.rng = random.Random(3)
        self._tokens: str | None = None
        server.open(document)
        server.diagnostics(self.uri, 1)
        self.places = [n for n, line in enumerate(self.lines) if " as n" in line]
        self.components = [n for n, line in enumerate(self.lines) if line.startswith("    component: ")]
        self.needs = [n for n, line in enumerate(self.lines) if line.startswith("    needs: [")]

    @property
    def document(self) -> dict[str, str]:
        """The identifier of the document for a request."""
        return {"uri": self.uri}

    def keystroke(self) -> None:
        """Add a character to a random query and wait until the diagnostics of that version are there."""
        line = self.rng.choice(self.places)
        at = {"line": line, "character": self.lines[line].index("as n")}
        self.lines[line] = self.lines[line].replace("as n", " as n", 1)
        self.version += 1
        identifier = {"uri": self.uri, "version": self.version}
        change = [{"range": {"start": at, "end": at}, "text": " "}]
        self.server.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": change})
        self.server.diagnostics(self.uri, self.version)

    def ask(self, method: str, **more: Any) -> Any:
        """A request about the document."""
        return self.server.request(f"textDocument/{method}", {"textDocument": self.document, **more})

    def in_component(self, method: str) -> Any:
        """A request with the cursor in the name of a random step's component."""
        line = self.rng.choice(self.components)
        return self.ask(method, position={"line": line, "character": len("    component: d")})

    def in_needs(self, method: str, **more: Any) -> Any:
        """A request with the cursor in a step's name in the ``needs`` of a random step."""
        line = self.rng.choice(self.needs)
        return self.ask(method, position={"line": line, "character": len("    needs: [s")}, **more)

    def shown(self, method: str) -> Any:
        """A request for the part of the document that a window shows."""
        first = self.rng.randrange(max(len(self.lines) - SHOWN_LINES, 1))
        last = min(first + SHOWN_LINES, len(self.lines) - 1)
        span = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
        return self.ask(method, range=span)

    def tokens(self) -> Any:
        """All semantic tokens."""
        answer = self.ask("semanticTokens/full")
        self._tokens = answer["resultId"]
        return answer

    def tokens_delta(self) -> Any:
        """What has changed in the semantic tokens since they were asked for last."""
        answer = self.ask("semanticTokens/full/delta", previousResultId=self._tokens)
        self._tokens = answer["resultId"]
        return answer

    def format(self) -> Any:
        """The edits that format the document."""
        return self.ask("formatting", options={"tabSize": 2, "insertSpaces": True})

    def rename(self) -> Any:
        """The edits that rename a random step."""
        return self.in_needs("rename", newName="quite-another-name")
