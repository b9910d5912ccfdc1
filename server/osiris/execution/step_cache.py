"""Rows that need not be made again, since all that they are made of is the same: config, inputs, spec, source.

    .osiris/data/cache/<key>.arrow

The key of a step is a digest of everything its rows depend on. A step has a key only where that can be proven: a source
in files that the system tells apart (size, time of change, number of the file), SQL without clock and chance, no
parameter that must stay secret. Nobody can prove that a server still holds the same, so its rows are used again only
where the project says for how long (``runs.reuse_sources_minutes``), and what is made of them has their age.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.core.error_taxonomy import OsirisError
from osiris.core.files import private_folder
from osiris.execution.left_data import PART, data_folder
from osiris.execution.resume import Resume
from osiris.execution.step_keys import ENDING, Servers, keys_of, written_by
from osiris.execution.summed_files import is_sound

if TYPE_CHECKING:
    from osiris.execution.preparation import PreparedStep

MOST_BYTES = 2 * 10**9
MOST_ROWS = 1_000_000  # of a computed result: more rows take too long to write
LEAST_SECONDS = 1.0  # of a computed result: what is made sooner is made again
_ABANDONED_SECONDS = 3600.0  # nobody writes to a file any more that has not changed for so long


class StepCache:
    """What earlier runs of a project left for all runs that follow."""

    def __init__(
        self, root: Path, steps: Mapping[str, PreparedStep], allowed: tuple[Path, ...] = (), reuse: float = 0
    ) -> None:
        """``allowed``: the folders outside of the project that steps may touch.

        ``reuse``: for how many seconds rows that came from a server may be used again.
        """
        self._root = root
        self._steps = steps
        self._allowed = allowed
        self.folder = data_folder(root) / "cache"
        self._servers = Servers(self.folder, reuse) if reuse > 0 else None
        self.keys = dict(keys_of(root, steps, allowed, self._servers, written_by(root, steps, allowed)))

    def hits(self) -> Resume:
        """What this run need not do: steps whose rows are here, and those of whose rows only such steps are made."""
        consumers: dict[str, list[str]] = {name: [] for name in self._steps}
        for name, step in self._steps.items():
            for source in set((step.manifest.get("inputs") or {}).values()):
                consumers[source].append(name)
        left: dict[str, Path] = {}
        done: set[str] = set()
        for name in reversed(list(self._steps)):
            if not consumers[name]:
                continue  # nobody takes its rows: it runs for what else it does
            if done.issuperset(consumers[name]) and name in self.keys:
                done.add(name)
            elif name in self.keys and _usable(path := self._path(self.keys[name])):
                left[name] = path
                done.add(name)
        for name, path in left.items():
            if self._servers is None or self.keys[name] not in self._servers.keys:  # the time of those is their age
                with contextlib.suppress(OSError):
                    os.utime(path)  # what is used stays longest
        return Resume("cache", frozenset(done), left)

    def offer(self, name: str, file: Path) -> None:
        """Keep the rows in a complete file, when the source is still what it was when the run began."""
        if (place := self._place(name)) is not None:
            with contextlib.suppress(OSError):
                os.link(file, place)

    def place_for_result(self, name: str, rows: int, seconds: float) -> Path | None:
        """Where a computed result of so many rows may be written; None when it shall not be kept."""
        if seconds < LEAST_SECONDS or rows > MOST_ROWS:
            return None
        return self._place(name)

    def trim(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove what was not used for longest, until the rest takes no more than ``most_bytes``.

        What runs that were killed have not completed goes, too.
        """
        with contextlib.suppress(OSError):
            found = sorted(
                (
                    (entry.stat().st_mtime, entry.stat().st_size, entry.path)
                    for entry in os.scandir(self.folder)
                    if entry.name.endswith(ENDING)
                ),
                reverse=True,
            )
            total = 0
            for _, size, path in found:
                total += size
                if total > most_bytes:
                    os.unlink(path)
            for part in self.folder.glob(f".*{PART}"):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{ENDING}"

    def _place(self, name: str) -> Path | None:
        key = self.keys.get(name)
        if key is None or self._path(key).exists():
            return None
        wanted, todo = set[str](), [name]
        while todo:
            one = todo.pop()
            wanted.add(one)
            todo += (self._steps[one].manifest.get("inputs") or {}).values()
        made_of = {one: step for one, step in self._steps.items() if one in wanted}
        if dict(keys_of(self._root, made_of, self._allowed, self._servers)).get(name) != key:
            return None  # a source has changed since the run began
        try:
            private_folder(self._root / ".osiris")
            private_folder(self.folder.parent)
            private_folder(self.folder)
        except (OSError, OsirisError):
            return None
        return self._path(key)


def _usable(path: Path) -> bool:
    """Whether rows are there; a file that is damaged goes, so that its rows are made and kept anew."""
    if not path.is_file():
        return False
    if is_sound(path):
        return True
    with contextlib.suppress(OSError):
        path.unlink()
    return False
