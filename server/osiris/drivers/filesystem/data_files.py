"""The data files below a folder, by their names: bounded, never out of the folder, nothing hidden."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osiris.core.files import is_inside
from osiris.core.project_scan import SKIPPED_FOLDERS
from osiris.drivers.filesystem.text import SUFFIXES
from osiris.language.project_file_names import LOCK_FILE

MOST_FILES = 5_000
MOST_ENTRIES = 50_000
MOST_LEVELS = 12

_FORMATS = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".json": "JSON",
    ".jsonl": "NDJSON",
    ".ndjson": "NDJSON",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows. ``name`` is its path below the folder that was searched, with ``/``; ``size`` in bytes."""

    path: Path
    name: str
    format: str
    compression: str
    size: int

    @property
    def folder(self) -> str:
        """The folder that holds it and its like: with hive partitions (``year=2026``) the one that they begin in."""
        parts = self.name.split("/")[:-1]
        return "/".join(parts[: _first_partition(parts)])

    @property
    def partitions(self) -> tuple[str, ...]:
        """The names of the partitions that it stands in."""
        parts = self.name.split("/")[:-1]
        return tuple(part.partition("=")[0] for part in parts[_first_partition(parts) :])

    @property
    def ending(self) -> str:
        """The end of its name that says what it is, such as ``.csv.gz``."""
        suffixes = Path(self.name).suffixes
        return "".join(suffixes[-1:] if self.compression == "none" else suffixes[-2:])


def _first_partition(parts: list[str]) -> int:
    at = len(parts)
    while at and "=" in parts[at - 1].strip("="):
        at -= 1
    return at


def data_format(name: str) -> tuple[str, str] | None:
    """The format and the compression that a file's name speaks of; None when it is no file of rows."""
    path = Path(name.lower())
    compression = SUFFIXES.get(path.suffix, "none")
    suffix = path.suffix if compression == "none" else Path(path.stem).suffix
    known = _FORMATS.get(suffix)
    if known is None or (known == "Parquet" and compression != "none"):
        return None
    return known, compression


class DataFiles:
    """A search through a folder. ``cut`` says why it ended early, empty when it saw everything."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """Search ``folder``, an absolute path with links resolved, for at most that many ``seconds``."""
        self.folder = folder
        self.cut = ""
        self.closed: list[str] = []
        self._end = time.monotonic() + seconds
        self._entries = 0

    def found(self) -> list[DataFile]:
        """The data files by name. ``closed`` holds the folders that could not be read."""
        files: list[DataFile] = []
        for file in self._below(self.folder, 0):
            if len(files) == MOST_FILES:
                self.cut = f"there are more than {MOST_FILES:,} data files"
                break
            files.append(file)
        return sorted(files, key=lambda file: file.name)

    def _below(self, folder: Path, level: int) -> Iterator[DataFile]:
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(self._counted(scanned), key=lambda entry: entry.name)
        except OSError:
            self.closed.append(self._name(folder))
            return
        for entry in entries:
            if self.cut or entry.name.startswith(".") or not _speakable(entry.name):
                continue
            try:
                is_folder, is_file = entry.is_dir(), entry.is_file()
                if entry.is_symlink() and (is_folder or not is_inside(Path(entry.path), self.folder)):
                    continue  # a folder behind a link is found by its own name, or lies elsewhere
                size = entry.stat().st_size if is_file else 0
            except OSError:
                continue  # it has gone, or is a circle of links
            if is_folder and level < MOST_LEVELS and _may_hold_data(entry.name):
                yield from self._below(Path(entry.path), level + 1)
            elif is_file and entry.name != LOCK_FILE and (kind := data_format(entry.name)) is not None:
                yield DataFile(Path(entry.path), self._name(Path(entry.path)), *kind, size)

    def _counted(self, scanned: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in scanned:
            self._entries += 1
            if self._entries > MOST_ENTRIES:
                self.cut = f"there are more than {MOST_ENTRIES:,} files and folders"
                return
            if time.monotonic() > self._end:
                self.cut = "looking through the folders took too long"
                return
            yield entry

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _may_hold_data(folder: str) -> bool:
    return folder not in SKIPPED_FOLDERS and not folder.startswith("_")  # such as _delta_log


def _speakable(name: str) -> bool:
    """Whether a name is text: what Python makes of bytes that are not UTF-8 is none."""
    return name.isprintable() and not any("\ud800" <= character <= "\udfff" for character in name)
