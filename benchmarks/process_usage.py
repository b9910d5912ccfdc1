"""What a running process has used so far: CPU time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1e6


def cpu_ms(pid: int) -> float:
    """CPU milliseconds of all threads of a process until now; as fine as the machine tells."""
    tasks = Path(f"/proc/{pid}/task")
    try:
        spent = sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks.iterdir())
    except (OSError, ValueError, IndexError):
        spent = 0
    if spent:
        return spent / 1e6
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system) * 1000


@dataclass(frozen=True)
class Memory:
    """Megabytes of a process: resident, its own alone (USS), its share (PSS), and the most it ever had resident."""

    rss: float
    uss: float
    pss: float
    peak: float


def memory(pid: int) -> Memory:
    """The memory of a process now. PSS and the peak are those of ``rss`` where the system does not tell."""
    process = psutil.Process(pid)
    full = process.memory_full_info()
    peak = full.rss
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    return Memory(full.rss / MB, full.uss / MB, getattr(full, "pss", full.rss) / MB, peak / MB)
