"""What stands in a folder of a project: for people who type a path, never to find out what a project holds."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from osiris.core.files import is_inside
from osiris.core.project_scan import SKIPPED_FOLDERS
from osiris.language.environment import FolderEntry

MOST_ENTRIES = 2_000


def list_folder(root: Path, path: str) -> list[FolderEntry] | None:
    """The files and folders in ``path`` (relative to ``root``), by name; of very many the first that the disk gives.

    Hidden ones, folders such as ``node_modules`` or ``build``, and links that lead out of the project are left out.
    None for what is no folder inside the project, or cannot be read.
    """
    if "\0" in path or os.path.isabs(path) or not is_inside(root / path, root):
        return None
    try:
        with os.scandir(root / path) as entries:
            found = [made for entry in islice(entries, MOST_ENTRIES) if (made := _entry(entry, root)) is not None]
    except OSError:
        return None  # it is a file, it has gone, or it is closed to us: there is nothing to choose from
    return sorted(found, key=lambda entry: entry.name)


def _entry(entry: os.DirEntry[str], root: Path) -> FolderEntry | None:
    if entry.name.startswith(".") or (entry.is_symlink() and not is_inside(Path(entry.path), root)):
        return None
    try:
        is_folder = entry.is_dir()
    except OSError:
        return None  # a circle of links
    return None if is_folder and entry.name in SKIPPED_FOLDERS else FolderEntry(entry.name, is_folder)
