"""Processes that may not do everything, although the tests themselves may run as the superuser."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DROP_FROM_BOUNDING_SET = 24
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


def obey_permissions() -> None:
    """For ``preexec_fn``: the superuser reads and writes everything; give that up (Linux)."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            assert libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) == 0


@contextmanager
def read_only(folder: Path, *, but: str = "") -> Iterator[None]:
    """Inside the block nothing can be made in ``folder`` and the folders in it, but in the one called ``but``."""
    inside = [path for path in (folder, *folder.rglob("*")) if path.is_dir() and not path.is_symlink()]
    closed = {path: path.stat().st_mode for path in inside if path.name != but}
    for path in closed:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path, mode in closed.items():
            path.chmod(mode)
