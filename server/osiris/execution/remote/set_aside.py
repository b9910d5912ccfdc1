"""On the other machine: a file that several steps write is set aside as each of them leaves it.

The next one may change it before the host has fetched it, and nobody could ever send the first form again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

ASIDE = ".osiris/aside"


class SetAside:
    """Copies of files in the project ``root``; ``outputs``: by step, the files that it writes."""

    def __init__(self, root: Path, outputs: Mapping[str, Sequence[str]]) -> None:
        self._root = root
        writers = Counter(path for paths in outputs.values() for path in set(paths))
        self._shared = {step: [path for path in paths if writers[path] > 1] for step, paths in outputs.items()}

    def copy(self, step: str) -> None:
        """Copy what a step has just written, if others write to it, too. Without room on the disk nothing is done."""
        for path in self._shared.get(step, ()):
            source, place = self._root / path, self._root / self._place(step, path)
            if not source.is_file():
                continue
            with contextlib.suppress(OSError):
                place.parent.mkdir(parents=True, exist_ok=True)
                part = place.with_name(f"{place.name}.part")
                shutil.copy2(source, part)
                os.replace(part, place)

    def found(self, step: str, path: str) -> str | None:
        """Where the copy of a step's file is, relative to the project; None when there is none."""
        if path not in self._shared.get(step, ()):
            return None
        place = self._place(step, path)
        return place if (self._root / place).is_file() else None

    def _place(self, step: str, path: str) -> str:
        return f"{ASIDE}/{step}/{self._shared[step].index(path)}"
