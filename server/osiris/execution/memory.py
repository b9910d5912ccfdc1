"""How much memory a run may use."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNLIMITED = 1 << 60
_FALLBACK = 2 * 1024**3
SHARE_OF_MACHINE = 0.8


def run_memory(configured: int | None) -> int:
    """The limit of a run in bytes: what is configured, else four fifths of what the machine or its container has."""
    if configured is not None:
        return configured
    return int(available_memory() * SHARE_OF_MACHINE)


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
