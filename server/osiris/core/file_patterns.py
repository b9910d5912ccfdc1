"""The files that a path with ``*``, ``?``, ``[...]`` or ``**`` stands for: in a fixed order, nothing hidden.

``*`` stands for anything in one name, ``**`` as a name of its own for any number of folders. A name that is there as it
is written is no pattern, whatever characters it has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

from osiris.core.files import is_inside

MOST_FILES = 10_000
MOST_ENTRIES = 200_000
_MOST_LEVELS = 32
_WILD = re.compile(r"[*?\[]")
_ANY_FOLDERS = "**"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_FLOATS = ("FLOAT", "DOUBLE")


def is_pattern(path: str) -> bool:
    """Whether a path has the characters of a pattern."""
    return _WILD.search(path) is not None


@dataclass(frozen=True, slots=True)
class Match:
    """A file that fits. ``below``: the names of its path from the first one that the pattern leaves open."""

    path: Path
    below: tuple[str, ...]

    @property
    def partitions(self) -> tuple[tuple[str, str], ...]:
        """The folders ``key=value`` that it stands in, those next to it, as far as the pattern leaves them open."""
        found: list[tuple[str, str]] = []
        for name in reversed(self.below[:-1]):
            key, equals, value = name.partition("=")
            if not key or not equals or "=" in value:
                break
            found.insert(0, (key, value))
        return tuple(found)


@dataclass
class Matches:
    """What a pattern found: the files, sorted by the names of their paths, and the folders that were looked into.

    ``cut``: there may be more, for there are very many.
    """

    files: list[Match] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    cut: bool = False
    entries: int = 0
    most_entries: int = MOST_ENTRIES
    inside: Path | None = None


def matches(
    pattern: Path, most: int = MOST_FILES, *, most_entries: int = MOST_ENTRIES, inside: Path | None = None
) -> Matches:
    """The files that ``pattern``, an absolute path, stands for; at most so many. Raises OSError for a closed folder.

    ``most_entries``: how many files and folders are looked at before it ends. ``inside``: no folder is looked into that
    a link puts outside of this one.
    """
    found = Matches(most_entries=most_entries, inside=inside)
    parts = pattern.parts
    folder, at = Path(parts[0]), 1
    while at < len(parts) and (not is_pattern(parts[at]) or os.path.lexists(folder / parts[at])):
        folder, at = folder / parts[at], at + 1
    if at == len(parts):
        return Matches([Match(pattern, ())]) if pattern.is_file() else found
    seen: set[Path] = set()
    for path in _below(folder, parts[at:], found, 0):
        if path not in seen:
            seen.add(path)
            found.files.append(Match(path, path.parts[at:]))
            if len(found.files) > most:
                found.cut = True
                break
    found.files.sort(key=lambda match: match.path.parts)
    return found


def _below(folder: Path, parts: tuple[str, ...], found: Matches, level: int) -> Iterator[Path]:
    name, rest = parts[0], parts[1:]
    if name == _ANY_FOLDERS:
        yield from _below(folder, rest or ("*",), found, level)
        if level < _MOST_LEVELS:
            for entry in _entries(folder, found):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield from _below(Path(entry.path), parts, found, level + 1)
        return
    if not is_pattern(name):
        path = folder / name
        if rest and path.is_dir():
            yield from _below(path, rest, found, level + 1)
        elif not rest and path.is_file():
            yield path
        return
    fits = re.compile(translate(name)).match
    for entry in _entries(folder, found):
        if fits(entry.name) and (not entry.name.startswith(".") or name.startswith(".")):
            if rest and entry.is_dir():
                yield from _below(Path(entry.path), rest, found, level + 1)
            elif not rest and entry.is_file():
                yield Path(entry.path)


def _entries(folder: Path, found: Matches) -> list[os.DirEntry[str]]:
    if found.cut or (found.inside is not None and not is_inside(folder, found.inside)):
        return []
    found.folders.append(folder)
    try:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
    except (FileNotFoundError, NotADirectoryError):
        return []
    found.entries += len(entries)
    found.cut = found.entries > found.most_entries
    return entries


def common_type(types: Iterable[str]) -> str | None:
    """The DuckDB type that holds the numbers of all ``types``, or the one type that they are; None without one."""
    different = set(types)
    if len(different) == 1:
        return different.pop()
    if different.issubset(_INTEGERS):
        return max(different, key=_INTEGERS.index)
    return "DOUBLE" if different and different.issubset((*_INTEGERS, *_FLOATS)) else None
