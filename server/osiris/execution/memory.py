"""How much memory a run may use, and how much it does."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNLIMITED = 1 << 60
_FALLBACK = 2 * 1024**3
SHARE_OF_MACHINE = 0.8
DETERMINISTIC = 10**9


def run_memory(configured: int | None, *, deterministic: bool = False) -> int:
    """The limit of a run in bytes: what is configured, else four fifths of what the machine or its container has.

    A ``deterministic`` run takes no more than 1 GB of that: the limit decides in which parts DuckDB does its work, and
    so the order of rows that nobody sorts, which must not depend on the machine.
    """
    if configured is not None:
        return configured
    share = int(available_memory() * SHARE_OF_MACHINE)
    return min(share, DETERMINISTIC) if deterministic else share


def available_memory() -> int:
    """The memory of the machine, or of the container when that allows less, in bytes."""
    sizes = [size for size in (_machine(), *map(_cgroup, _CGROUP_FILES)) if size is not None]
    return min(sizes, default=_FALLBACK)


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # no sysconf on this platform
        return None


def _cgroup(name: str) -> int | None:
    try:
        text = Path(name).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) < _UNLIMITED else None


class MemoryWatch:
    """The most memory that this process and those it started took at one time, in bytes of resident pages."""

    def __init__(self) -> None:
        self._most_of_tree = 0

    def look(self) -> int:
        """What the tree of processes takes right now; 0 where the system does not say."""
        now = sum(_resident(process) for process in _tree(os.getpid()))
        self._most_of_tree = max(self._most_of_tree, now)
        return now

    def peak(self) -> int | None:
        """The highest that was seen; of this process alone the system itself knows the highest. None: nobody knows."""
        self.look()
        return max(self._most_of_tree, _own_peak()) or None


def own_memory() -> int:
    """What this process alone takes right now, in bytes; 0 where the system does not say. Costs next to nothing."""
    return _resident(os.getpid())


def _own_peak() -> int:
    with contextlib.suppress(OSError, ValueError):  # ru_maxrss of Linux begins at what the parent had, even after exec
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) if sys.platform == "darwin" else int(most) * 1024


def _tree(process: int) -> Iterator[int]:
    yield process
    try:
        threads = os.listdir(f"/proc/{process}/task")
    except OSError:
        return
    for thread in threads:
        try:
            children = Path(f"/proc/{process}/task/{thread}/children").read_text().split()
        except OSError:
            continue
        for child in children:
            if _command(int(child)) != _command(process):  # else: just forked, and its pages are still its parent's
                yield from _tree(int(child))


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
