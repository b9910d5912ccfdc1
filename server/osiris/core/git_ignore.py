"""Whether git would take a file of a folder into a commit: read from the files that say so, without running git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

_MOST_BYTES = 1024 * 1024


def is_ignored(folder: Path, name: str) -> bool | None:
    """Whether ``name`` in ``folder`` is ignored by git; None where no git repository is around.

    Reads ``.gitignore`` from the top of the repository down to ``folder``, and ``.git/info/exclude``. A file that is
    tracked already counts as what the patterns say.
    """
    folder = Path(os.path.abspath(folder))
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    if top is None:
        return None
    between = [place for place in (folder, *folder.parents) if place.is_relative_to(top)]
    ignored = False
    for place, source in (
        (top, top / ".git" / "info" / "exclude"),
        *((one, one / ".gitignore") for one in between[::-1]),
    ):
        path = (folder / name).relative_to(place).as_posix()
        for pattern in _patterns(source):
            wanted = not pattern.startswith("!")
            if _matches(pattern.removeprefix("!"), path):
                ignored = wanted
    return ignored


def _patterns(source: Path) -> Iterator[str]:
    try:
        if not source.is_file() or source.stat().st_size > _MOST_BYTES:
            return
        text = source.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            yield pattern


def _matches(pattern: str, path: str) -> bool:
    """A pattern without a slash in it holds in every folder, one with a slash from the folder of its file on."""
    folder_only, pattern = pattern.endswith("/"), pattern.rstrip("/")
    while pattern.startswith("**/"):
        pattern = pattern[3:]
    parts = path.split("/")
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in (parts[:-1] if folder_only else parts))
    start = pattern.lstrip("/")
    whole = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(fnmatchcase(one, start) for one in (whole[:-1] if folder_only else whole))
