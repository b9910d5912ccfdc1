"""One measured row: samples of ours, samples of the peer, and the budget they are held against."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Row:
    """``ours`` and ``peer`` are samples in ``unit``; ``budget`` is a limit for the ``statistic`` of ``ours``.

    ``cpu`` and ``peer_cpu``: CPU time in ``unit`` for the same samples, where it was taken. On a machine that is busy
    with other things it says more than time on the wall.
    """

    name: str
    unit: str
    ours: list[float]
    peer_name: str = ""
    peer: list[float] = field(default_factory=list)
    budget: float | None = None
    statistic: str = "median"
    cpu: list[float] = field(default_factory=list)
    peer_cpu: list[float] = field(default_factory=list)

    @staticmethod
    def _reduce(samples: Sequence[float], statistic: str) -> float:
        if statistic == "p95":
            ordered = sorted(samples)
            return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        return statistics.median(samples)

    @property
    def value(self) -> float:
        """The figure that is held against the budget."""
        return self._reduce(self.ours, self.statistic)

    @property
    def peer_value(self) -> float | None:
        """The same statistic of the peer, None without one."""
        return self._reduce(self.peer, self.statistic) if self.peer else None

    def cells(self) -> list[str]:
        """The row as text cells for a Markdown table."""
        spread = f"{min(self.ours):.3g}-{max(self.ours):.3g}"
        peer = f"{self.peer_value:.3g} ({self.peer_name})" if self.peer_value is not None else "-"
        budget = "-" if self.budget is None else f"{self.budget:.3g}"
        head = [self.name, f"{self.value:.3g} {self.unit} ({self.statistic})", f"{spread}, n={len(self.ours)}"]
        return [*head, self._cpu(), peer, budget, self._verdict()]

    def _verdict(self) -> str:
        """Against the budget. Time that only a busy machine took is told apart: the process itself did not use it."""
        if self.budget is None:
            return "-"
        if self.value <= self.budget:
            return "holds"
        in_cpu = bool(self.cpu) and self._reduce(self.cpu, self.statistic) <= self.budget
        return "MISSED (holds in CPU time)" if in_cpu else "MISSED"

    def _cpu(self) -> str:
        """CPU time, ours and the peer's after a slash."""
        taken = [f"{self._reduce(samples, self.statistic):.3g}" for samples in (self.cpu, self.peer_cpu) if samples]
        return " / ".join(taken) or "-"


HEADER = ["what", "ours", "spread", "CPU (ours / peer)", "peer", "budget", "verdict"]


def markdown(rows: Sequence[Row]) -> str:
    """All rows as one Markdown table."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines)


@dataclass(frozen=True)
class ProcessFigure:
    """Wall and CPU seconds of a whole process and the peak resident memory of its tree in MB."""

    seconds: float
    peak_mb: float
    cpu_seconds: float = 0.0


def whole_process(command: Sequence[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> ProcessFigure:
    """Run a command to its end, its output discarded.

    Raises:
        RuntimeError: the command exits with anything but 0.
    """
    import psutil

    environment = {**os.environ, **(env or {})}
    spent = _cpu_of_children()
    start = time.perf_counter()
    with subprocess.Popen(
        list(command), cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        peak = 0.0
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            try:
                root = psutil.Process(child.pid)
                while not done.wait(0.01):
                    tree = [root, *root.children(recursive=True)]
                    peak = max(peak, sum(p.memory_info().rss for p in tree) / 1e6)
            except psutil.Error:
                return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        _, errors = child.communicate()
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    if child.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} ended with {child.returncode}: {errors.decode(errors='replace')[-800:]}"
        )
    return ProcessFigure(seconds, peak, _cpu_of_children() - spent)


def _cpu_of_children() -> float:
    """CPU seconds of the processes that were started here and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def in_turn(
    ours: Sequence[str], peer: Sequence[str], runs: int, cwd: Path
) -> tuple[list[ProcessFigure], list[ProcessFigure]]:
    """Both commands ``runs`` times, A B A B, after one warm-up each, so that a drifting machine hits both alike."""
    whole_process(ours, cwd)
    whole_process(peer, cwd)
    mine: list[ProcessFigure] = []
    theirs: list[ProcessFigure] = []
    for _ in range(runs):
        mine.append(whole_process(ours, cwd))
        theirs.append(whole_process(peer, cwd))
    return mine, theirs
