"""The folders outside of a project that its steps may read from and write to: ``paths: {allow: [...]}`` in osiris.yaml.

A check compares texts alone, so that looking at a pipeline never touches a place that somebody else's osiris.yaml
names. A run follows links as well: what a link in such a folder leads to must lie in the project or in one of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.settings import ALLOWED_FOLDERS, CONFIG_FILE


def as_written(root: Path, written: Sequence[str]) -> tuple[str, ...]:
    """The folders as absolute paths; ``root`` is where relative ones start. The file system is not asked."""
    return tuple(os.path.normpath(root / folder) for folder in written)


def is_below(root: Path, path: str, folders: Sequence[str]) -> bool:
    """Whether ``path`` (relative to ``root``, or absolute) stands in one of the ``folders``, by their texts."""
    if not folders or "\0" in path or path.startswith("~"):
        return False
    full = os.path.normpath(root / path)
    return any(full == folder or full.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def followed(root: Path, written: Sequence[str]) -> tuple[Path, ...]:
    """The folders with links followed, as a run takes them. One that is not there yet counts as it is written.

    Raises ConfigurationError for one that a link makes the whole machine.
    """
    found = []
    for text, folder in zip(written, as_written(root, written), strict=True):
        resolved = Path(folder).resolve()
        if resolved == Path(resolved.anchor):
            raise ConfigurationError(
                f"{ALLOWED_FOLDERS} in {CONFIG_FILE} cannot be used: {text} is the whole machine.",
                hint="Name the folders that are needed.",
            )
        found.append(resolved)
    return tuple(found)
