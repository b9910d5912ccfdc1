"""A project of 300 files beside yaml-language-server with the same files, and the memory of both servers.

The peer has no diagnostics of files that are not open, so all files are opened in it; ours is asked for them with
``workspace/diagnostic`` while one file is open, as VS Code does. Memory is taken after the work on a project, after the
work on a file of 5,000 steps, and after both in one server.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.documents import pipeline, shop_project
from benchmarks.editor import ASKS, MORE_ASKS
from benchmarks.figures import Row
from benchmarks.peers import install
from benchmarks.process_usage import Memory, cpu_ms, memory
from benchmarks.rpc import Server
from benchmarks.servers import PEER, ours, peer
from benchmarks.typist import Samples, Typist

FILES, STEPS = 300, 20
LARGE_STEPS = 5000
MEMORY_BUDGET_MB = 300.0
PAUSE_SECONDS = 0.1  # between two keys of somebody who types fast
MOST_KEYS = 50

Open = Callable[[Path], Server]


def _pulling(root: Path) -> Server:
    return ours(root, pulls=True)


def _is_peer(server: Server) -> bool:
    return not server.pulls


def first_file(open_server: Open, root: Path, files: list[Path], first: Samples, spawned: Samples) -> Server:
    """Open one file in a fresh server and wait for its diagnostics, ``spawned`` from the start of the process.

    The server goes on.
    """
    start = time.perf_counter()
    server = open_server(root)

    def open_first() -> None:
        server.open(files[0])
        server.diagnostics(files[0].as_uri(), 1)

    first.time(server, open_first)
    spawned.wall.append((time.perf_counter() - start) * 1000)
    spawned.cpu.append(cpu_ms(server.process.pid))
    return server


def whole_project(server: Server, files: list[Path]) -> int:
    """The findings of all files; returns of how many files there were any."""
    if not _is_peer(server):
        answer = server.request("workspace/diagnostic", {"previousResultIds": []})
        return len(answer["items"])
    for file in files[1:]:
        server.open(file)
    for file in files[1:]:
        server.diagnostics(file.as_uri(), 1)
    return len(files)


class Project:
    """What is asked of one server that has a project open, with one file of it in the editor."""

    def __init__(self, server: Server, files: list[Path]) -> None:
        self.server = server
        self.file = files[0]
        self.lines = self.file.read_text(encoding="utf-8").split("\n")

    def at_connection(self, method: str, **more: Any) -> Any:
        """A request with the cursor in the name of the connection that all files use."""
        line = next(n for n, text in enumerate(self.lines) if "@sqlite.shop" in text)
        position = {"line": line, "character": self.lines[line].index("shop")}
        document = {"uri": self.file.as_uri()}
        return self.server.request(f"textDocument/{method}", {"textDocument": document, "position": position, **more})

    def symbols(self) -> None:
        """Look for steps by a few letters."""
        if not self.server.request("workspace/symbol", {"query": "part-1"}):
            raise RuntimeError("workspace/symbol finds nothing")

    def references(self) -> None:
        """Every file that uses the connection."""
        found = self.at_connection("references", context={"includeDeclaration": True})
        if len(found) != FILES + 1:
            raise RuntimeError(f"{len(found)} references were found")

    def rename(self) -> None:
        """Give the connection another name, in every file."""
        edit = self.at_connection("rename", newName="store")
        if len(edit["documentChanges"]) != FILES + 1:
            raise RuntimeError(f"{len(edit['documentChanges'])} files would be changed")


def keys_meanwhile(server: Server, file: Path) -> Samples:
    """Type in one file while the whole project is checked for the first time; each key until its diagnostics."""
    typist = Typist(server, file)
    asked = server.start("workspace/diagnostic", {"previousResultIds": []})
    samples = Samples()
    while not server.answered(asked) and len(samples.wall) < MOST_KEYS:
        samples.time(server, typist.keystroke)
        time.sleep(PAUSE_SECONDS)
    server.result(asked)
    return samples


def large_file(server: Server, document: Path, times: int) -> None:
    """Work on a large file: keys, and everything that an editor asks."""
    typist = Typist(server, document)
    for ask in (*ASKS, *MORE_ASKS):
        if ask.peer or not _is_peer(server):
            for _ in range(times):
                typist.keystroke()
                ask.send(typist)


def in_project(open_server: Open, root: Path, files: list[Path], runs: int) -> tuple[dict[str, Samples], Memory]:
    """All figures of one server in the project, and its memory afterwards."""
    names = ("spawned", "first", "whole", "again", "first symbol", "symbol", "references", "rename", "keys")
    taken = {name: Samples() for name in names}
    for _ in range(runs - 1):
        server = first_file(open_server, root, files, taken["first"], taken["spawned"])
        taken["whole"].time(server, partial(whole_project, server, files))
        server.stop()
    server = first_file(open_server, root, files, taken["first"], taken["spawned"])
    project = Project(server, files)
    taken["whole"].time(server, partial(whole_project, server, files))
    if not _is_peer(server):
        for _ in range(5 * runs):
            taken["again"].time(server, partial(whole_project, server, files))
            taken["symbol"].time(server, project.symbols)
            taken["references"].time(server, project.references)
            taken["rename"].time(server, project.rename)
    used = memory(server.process.pid)
    server.stop()
    if not _is_peer(server):
        for _ in range(runs):
            server = first_file(open_server, root, files, Samples(), Samples())
            taken["first symbol"].time(server, Project(server, files).symbols)
            server.stop()
            server = open_server(root)
            keys = keys_meanwhile(server, files[0])
            taken["keys"].wall += keys.wall
            taken["keys"].cpu += keys.cpu
            server.stop()
    return taken, used


def in_large_file(open_server: Open, root: Path, document: Path, files: list[Path], times: int) -> Memory:
    """The memory of one server after work on a large file; with ``files``, after work on them as well."""
    server = open_server(root)
    if files:
        server.open(files[0])
        server.diagnostics(files[0].as_uri(), 1)
        whole_project(server, files)
        if not _is_peer(server):
            Project(server, files).rename()
    large_file(server, document, times)
    used = memory(server.process.pid)
    server.stop()
    return used


def memory_rows(name: str, mine: Memory, theirs: Memory | None) -> list[Row]:
    """Four kinds of memory; what is resident is held against the budget, now and at its highest."""
    rows = []
    for kind, label, budget in (
        ("rss", "resident", MEMORY_BUDGET_MB),
        ("peak", "resident at its highest", MEMORY_BUDGET_MB),
        ("uss", "its own alone (USS)", None),
        ("pss", "its share (PSS)", None),
    ):
        others = [getattr(theirs, kind)] if theirs is not None else []
        rows.append(Row(f"memory, {name}: {label}", "MB", [getattr(mine, kind)], PEER, others, budget))
    return rows


def _row(name: str, mine: Samples, theirs: Samples | None, budget: float | None = None, statistic: str = "p95") -> Row:
    row = Row(f"{name}, {FILES} files", "ms", mine.wall, PEER, theirs.wall if theirs else [], budget, statistic)
    row.cpu, row.peer_cpu = mine.cpu, theirs.cpu if theirs else []
    return row


def rows(quick: bool) -> list[Row]:
    """All rows of a project, then those of memory."""
    missing = install()
    if missing:
        print(missing, file=sys.stderr)
    runs = 2 if quick else 5
    servers: list[Open] = [_pulling] if missing else [_pulling, peer]  # type: ignore[list-item]
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as alone:
        root = Path(name)
        files = shop_project(root, FILES, STEPS)
        taken = [in_project(server, root, files, runs) for server in servers]
        large = Path(alone) / "large.oml.yaml"
        large.write_text(pipeline(LARGE_STEPS), encoding="utf-8")
        in_large = [in_large_file(server, Path(alone), large, [], 1 if quick else 3) for server in servers]
        large = root / "large.oml.yaml"
        large.write_text(pipeline(LARGE_STEPS), encoding="utf-8")
        in_both = [in_large_file(server, root, large, files, 1 if quick else 3) for server in servers]
    mine, theirs = taken[0][0], taken[1][0] if len(taken) > 1 else {}
    table = [
        _row("spawn to the first file's diagnostics", mine["spawned"], theirs.get("spawned"), None, "median"),
        _row("opening the first file to its diagnostics", mine["first"], theirs.get("first"), None, "median"),
        _row("diagnostics of all files", mine["whole"], theirs.get("whole"), None, "median"),
        _row("diagnostics of all files, asked again", mine["again"], None, None, "median"),
        _row("didChange to diagnostics meanwhile", mine["keys"], None, 30.0),
        _row("workspace symbols, nothing read yet", mine["first symbol"], None, None, "median"),
        _row("workspace symbols", mine["symbol"], None),
        _row("references of a connection", mine["references"], None),
        _row("rename of a connection", mine["rename"], None),
    ]
    labels = (f"project of {FILES} files", f"file of {LARGE_STEPS:,} steps", "both in one server")
    for label, pair in zip(labels, ([used for _, used in taken], in_large, in_both), strict=True):
        table += memory_rows(label, pair[0], pair[1] if len(pair) > 1 else None)
    return table
