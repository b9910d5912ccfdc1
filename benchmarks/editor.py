"""The language server beside a bare pygls server (start-up) and yaml-language-server with our schema (typing).

Every request comes after a keystroke whose diagnostics have been shown, as in an editor: what is asked for must be
worked out for the new text. Ours and the peer take turns, request by request.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.documents import orders_csv, pipeline
from benchmarks.figures import Row
from benchmarks.peers import install
from benchmarks.process_usage import cpu_ms
from benchmarks.rpc import Server
from benchmarks.servers import OURS, PEER, ours, peer
from benchmarks.typist import Samples, Typist

PEER_SECONDS = 12.0  # for each kind of request; the peer takes seconds for some of them
LEAST_OF_PEER = 3


class Ask(NamedTuple):
    """One kind of request; ``budgets``: p95 in milliseconds by number of steps; ``peer``: whether the peer has it."""

    name: str
    send: Callable[[Typist], Any]
    budgets: dict[int, float]
    peer: bool = True


# DESIGN.md has budgets up to 1,000 steps. Five times the steps may take five times as long: nothing is quadratic.
ASKS = (
    Ask("didChange to diagnostics", Typist.keystroke, {100: 15.0, 1000: 30.0, 5000: 150.0}),
    Ask("completion", lambda t: t.in_component("completion"), {1000: 20.0, 5000: 100.0}),
    Ask("hover", lambda t: t.in_component("hover"), {1000: 20.0, 5000: 100.0}),
)
MORE_ASKS = (
    Ask("definition", lambda t: t.in_needs("definition"), {1000: 20.0, 5000: 100.0}),
    Ask("references", lambda t: t.in_needs("references", context={"includeDeclaration": True}), {}, peer=False),
    Ask("rename of a step", Typist.rename, {}, peer=False),
    Ask("semantic tokens, full", Typist.tokens, {}, peer=False),
    Ask("semantic tokens, delta", Typist.tokens_delta, {1000: 20.0, 5000: 100.0}, peer=False),
    Ask("semantic tokens, range", lambda t: t.shown("semanticTokens/range"), {1000: 20.0, 5000: 100.0}, peer=False),
    Ask("document symbols", lambda t: t.ask("documentSymbol"), {}),
    Ask("folding", lambda t: t.ask("foldingRange"), {}),
    Ask("code lenses", lambda t: t.ask("codeLens"), {}, peer=False),
    Ask("inlay hints", lambda t: t.shown("inlayHint"), {1000: 20.0, 5000: 100.0}, peer=False),
    Ask("formatting", Typist.format, {}),
)


def bench_file(folder: Path, steps: int) -> Path:
    """A project with one pipeline of ``steps`` steps; returns the pipeline."""
    (folder / "osiris.yaml").write_text('version: "2.0"\n', encoding="utf-8")
    orders_csv(folder / "data" / "orders.csv", 10)
    document = folder / f"bench-{steps}.oml.yaml"
    document.write_text(pipeline(steps), encoding="utf-8")
    return document


def start_up(runs: int) -> Row:
    """Spawn to the answer of `initialize`, in turn with a pygls server without any feature."""
    mine, bare = Samples(), Samples()
    bare_command = [sys.executable, str(Path(__file__).with_name("bare_server.py"))]
    with tempfile.TemporaryDirectory() as name:
        for index in range(runs + 1):
            for command, samples in ((OURS, mine), (bare_command, bare)):
                server = Server(command, Path(name))
                if index:
                    samples.wall.append(server.initialize_seconds * 1000)
                    samples.cpu.append(cpu_ms(server.process.pid))
                server.stop()
    row = Row("osiris lsp: spawn to initialize reply", "ms", mine.wall, "bare pygls", bare.wall)
    row.cpu, row.peer_cpu = mine.cpu, bare.cpu
    row.budget = (row.peer_value or 0) * 1.15
    return row


def measure(ask: Ask, mine: Typist, other: Typist | None, times: int) -> tuple[Samples, Samples]:
    """One kind of request ``times`` times, in turn with the peer, after one that does not count."""
    taken, theirs = Samples(), Samples()
    spent = 0.0
    for index in range(times + 1):
        for typist, samples in ((mine, taken), (other, theirs)):
            if typist is None or (typist is other and spent > PEER_SECONDS and len(theirs.wall) >= LEAST_OF_PEER):
                continue
            began = time.perf_counter()
            if ask.send is not Typist.keystroke:
                typist.keystroke()
            (samples if index else Samples()).time(typist.server, partial(ask.send, typist))
            if typist is other:
                spent += time.perf_counter() - began
    return taken, theirs


def typing(steps: int, times: int, asks: tuple[Ask, ...]) -> list[Row]:
    """What is asked in a document of ``steps`` steps."""
    result: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as peers_folder:
        mine, other = ours(Path(folder)), peer(Path(peers_folder))
        typist = Typist(mine, bench_file(Path(folder), steps))
        peers_typist = Typist(other, bench_file(Path(peers_folder), steps)) if other is not None else None
        for ask in asks:
            taken, theirs = measure(ask, typist, peers_typist if ask.peer else None, times)
            row = Row(
                f"{ask.name}, {steps:,} steps", "ms", taken.wall, PEER, theirs.wall, ask.budgets.get(steps), "p95"
            )
            row.cpu, row.peer_cpu = taken.cpu, theirs.cpu
            result.append(row)
        for server in (mine, other):
            if server is not None:
                server.stop()
    return result


def rows(quick: bool) -> list[Row]:
    """All rows of the editor's budgets in one file."""
    if missing := install():
        print(missing, file=sys.stderr)
    count = 10 if quick else 40
    table = [start_up(3 if quick else 9), *typing(100, count, ASKS)]
    for steps in (1000, 5000):
        table += typing(steps, count if steps == 1000 else max(count // 2, 10), ASKS + MORE_ASKS)
    return table


if __name__ == "__main__":
    print(json.dumps([row.cells() for row in rows(quick=True)], indent=1))
