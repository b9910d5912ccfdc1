"""The language server beside a bare pygls server (start-up) and yaml-language-server with our schema (typing)."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.documents import orders_csv, pipeline
from benchmarks.figures import Row
from benchmarks.peers import YAML_LANGUAGE_SERVER, install
from benchmarks.rpc import Server

REPOSITORY = Path(__file__).resolve().parent.parent
OURS = [sys.executable, "-P", "-m", "osiris", "lsp"]


def _yaml_settings() -> dict[str, Any]:
    schema = (REPOSITORY / "schemas" / "oml.schema.json").as_uri()
    return {"yaml": {"schemas": {schema: ["*.oml.yaml"]}, "validate": True, "completion": True, "hover": True}}


def _workspace(folder: Path, steps: int) -> Path:
    (folder / "osiris.yaml").write_text('version: "2.0"\n', encoding="utf-8")
    orders_csv(folder / "data" / "orders.csv", 10)
    document = folder / f"bench-{steps}.oml.yaml"
    document.write_text(pipeline(steps), encoding="utf-8")
    return document


def start_up(runs: int) -> Row:
    """Spawn to the answer of `initialize`, in turn with a pygls server without any feature."""
    ours: list[float] = []
    bare: list[float] = []
    bare_command = [sys.executable, str(Path(__file__).with_name("bare_server.py"))]
    with tempfile.TemporaryDirectory() as name:
        for index in range(runs + 1):
            for command, samples in ((OURS, ours), (bare_command, bare)):
                server = Server(command, Path(name))
                if index:
                    samples.append(server.initialize_seconds * 1000)
                server.stop()
    row = Row("osiris lsp: spawn to initialize reply", "ms", ours, "bare pygls", bare)
    row.budget = (row.peer_value or 0) * 1.15
    return row


class Typist:
    """Types one character at a time at random places of one open document."""

    def __init__(self, server: Server, document: Path) -> None:
        """Open the document and wait for its first diagnostics."""
        self.server = server
        self.uri = document.as_uri()
        self.lines = document.read_text(encoding="utf-8").split("\n")
        self.version = 1
        self.rng = random.Random(3)
        item = {"uri": self.uri, "languageId": "yaml", "version": 1, "text": "\n".join(self.lines)}
        server.notify("textDocument/didOpen", {"textDocument": item})
        server.until_diagnostics(self.uri, 1)
        self.places = [n for n, line in enumerate(self.lines) if "as n" in line]

    def keystroke(self) -> float:
        """Add a character to a random query; milliseconds until its diagnostics are there."""
        line = self.rng.choice(self.places)
        at = {"line": line, "character": self.lines[line].index("as n")}
        self.lines[line] = self.lines[line].replace("as n", " as n", 1)
        self.version += 1
        identifier = {"uri": self.uri, "version": self.version}
        change = [{"range": {"start": at, "end": at}, "text": " "}]
        start = time.perf_counter()
        self.server.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": change})
        self.server.until_diagnostics(self.uri, self.version)
        return (time.perf_counter() - start) * 1000

    def ask(self, method: str) -> float:
        """Milliseconds of a completion or hover on a `component:` value."""
        line = next(n for n, text in enumerate(self.lines) if "component:" in text and n > self.rng.randrange(3))
        position = {"line": line, "character": len("    component: d")}
        start = time.perf_counter()
        self.server.request(method, {"textDocument": {"uri": self.uri}, "position": position})
        return (time.perf_counter() - start) * 1000


def typing(steps: int, keystrokes: int, budget: float) -> list[Row]:
    """didChange to diagnostics, completion and hover in a document of ``steps`` steps."""
    samples: dict[str, dict[str, list[float]]] = {}
    servers: dict[str, tuple[list[str], dict[str, Any] | None]] = {"ours": (OURS, None)}
    if YAML_LANGUAGE_SERVER.exists():
        servers["yaml-ls"] = ([str(YAML_LANGUAGE_SERVER), "--stdio"], _yaml_settings())
    for who, (command, settings) in servers.items():
        with tempfile.TemporaryDirectory() as name:
            server = Server(command, Path(name), settings)
            typist = Typist(server, _workspace(Path(name), steps))
            for _ in range(3):
                typist.keystroke()
            taken = samples.setdefault(who, {})
            taken["type"] = [typist.keystroke() for _ in range(keystrokes)]
            taken["completion"] = [typist.ask("textDocument/completion") for _ in range(keystrokes)]
            taken["hover"] = [typist.ask("textDocument/hover") for _ in range(keystrokes)]
            server.stop()
    peer = samples.get("yaml-ls", {})

    def row(name: str, kind: str, limit: float | None) -> Row:
        return Row(f"{name}, {steps} steps", "ms", samples["ours"][kind], "yaml-ls", peer.get(kind, []), limit, "p95")

    return [
        row("didChange to diagnostics", "type", budget),
        row("completion", "completion", 20.0 if steps >= 1000 else None),
        row("hover", "hover", 20.0 if steps >= 1000 else None),
    ]


def rows(quick: bool) -> list[Row]:
    """All rows of the editor's budgets."""
    if missing := install():
        print(missing, file=sys.stderr)
    count = 10 if quick else 40
    return [start_up(3 if quick else 9), *typing(100, count, 15.0), *typing(1000, count, 30.0)]


if __name__ == "__main__":
    print(json.dumps([row.cells() for row in rows(quick=True)], indent=1))
