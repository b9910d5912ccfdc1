"""The columns of the data files of a project, for whoever writes a pipeline: cheap, and never out of the project.

A text file is looked at here. What a Parquet file holds is known when it was discovered as a table of a filesystem
connection.
"""

from __future__ import annotations

import json
import os
import posixpath
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

from osiris.core.file_patterns import is_pattern, matches
from osiris.core.files import is_inside
from osiris.language.catalog import Catalog, Column, Columns, Table, TableInfo
from osiris.language.connections import Connection
from osiris.language.environment import Environment
from osiris.syntax.tree import Plain

MOST_KEPT = 500
MOST_COMPARED = 50
"""Files of a pattern; of more nothing is said."""
MOST_ENTRIES = 5_000
RECHECK_SECONDS = 1.0

_OPTIONS = (
    "delimiter",
    "header",
    "encoding",
    "skip_rows",
    "compression",
    "comment",
    "dtype",
    "parse_dates",
    "na_values",
)
_NO_TEXT = (".parquet", ".pq", ".json", ".jsonl", ".ndjson", ".db", ".sqlite", ".duckdb", ".xlsx")

_Key = tuple[str, str]
_Signature = tuple[int, int, int]


class FileTables:
    """The tables of the files below ``root``; each file is read again only when it changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fitting: OrderedDict[str, tuple[float, list[str] | None]] = OrderedDict()
        self._known: OrderedDict[_Key, tuple[_Signature, Columns | None]] = OrderedDict()

    def table(self, path: str, options: Mapping[str, Plain], env: Environment) -> Table | None:
        """The columns of the file at ``path`` (relative to the project) as a step with ``options`` reads it.

        None for a file that is not there, lies outside or says nothing. ``env`` gives what was discovered.
        """
        if not path or "\0" in path or os.path.isabs(path):
            return None
        if path.lower().endswith(_NO_TEXT):
            return _discovered(path, env)
        columns = self._columns_of_all(path, options) if is_pattern(path) else self._text_columns(path, options)
        return None if columns is None else Table(TableInfo("", posixpath.basename(path), "file"), columns)

    def forget_changed(self) -> bool:
        """Whether files that were read are others now, or gone. They are read again when somebody asks."""
        changed = [key for key, kept in list(self._known.items()) if _signature(self._root / key[0]) != kept[0]]
        for key in changed:
            self._known.pop(key, None)
        return bool(changed)

    def fitting(self, pattern: str) -> list[str] | None:
        """The files of the project that fit ``pattern``, those behind links that lead out left out.

        None for a pattern that leads out of the project, and where too many files and folders would have to be seen.
        """
        if not pattern or "\0" in pattern or os.path.isabs(pattern) or not is_inside(self._root / pattern, self._root):
            return None
        now = time.monotonic()
        kept = self._fitting.get(pattern)
        if kept is not None and now < kept[0]:
            return kept[1]
        try:
            found = matches(
                self._root / os.path.normpath(pattern), MOST_COMPARED, most_entries=MOST_ENTRIES, inside=self._root
            )
        except OSError:
            return None
        inside = [match.path for match in found.files if is_inside(match.path, self._root)]
        files = None if found.cut else [path.relative_to(self._root).as_posix() for path in inside]
        self._fitting[pattern] = (now + RECHECK_SECONDS, files)
        while len(self._fitting) > MOST_KEPT:
            self._fitting.popitem(last=False)
        return files

    def _columns_of_all(self, pattern: str, options: Mapping[str, Plain]) -> Columns | None:
        """The columns of all files of a pattern, when they are the same; with partitions none can be said."""
        files = self.fitting(pattern)
        if not files or any("=" in part for path in files for part in path.split("/")[:-1]):
            return None
        found = [self._text_columns(path, options) for path in files]
        names = [tuple(column.name for column in one) for one in found if one is not None]
        if len(names) < len(found) or len(set(names)) != 1:
            return None
        return tuple(_same(columns) for columns in zip(*(one for one in found if one is not None), strict=True))

    def _text_columns(self, path: str, options: Mapping[str, Plain]) -> Columns | None:
        from osiris.core.csv_header import csv_columns

        full = self._root / path
        key = (path, json.dumps({name: options[name] for name in _OPTIONS if name in options}, default=str))
        try:
            state = full.stat()
        except (OSError, ValueError):
            self._known.pop(key, None)
            return None
        now = (state.st_mtime_ns, state.st_size, state.st_ino)
        kept = self._known.get(key)
        if kept is not None and kept[0] == now:
            return kept[1]
        if not stat.S_ISREG(state.st_mode) or not is_inside(full, self._root):
            return None
        try:
            columns = csv_columns(full, options)
        except OSError:
            return None
        self._known[key] = (now, columns)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return columns


def _signature(file: Path) -> _Signature | None:
    try:
        state = file.stat()
    except (OSError, ValueError):
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _same(columns: tuple[Column, ...]) -> Column:
    """One column out of those of several files; its type is told where all files tell the same."""
    first = columns[0]
    return first if len({column.type for column in columns}) == 1 else Column(first.name, "", "")


def _discovered(path: str, env: Environment) -> Table | None:
    """What discovery found out about a file, as itself or as one of a folder of equal files."""
    for name, catalog in _catalogs(path, env):
        ending = "".join(Path(name).suffixes[-1:])
        folder = posixpath.dirname(name)
        for candidate in (name, f"{folder}/*{ending}"):
            table = catalog.table(candidate, "")
            if table is not None:
                return table
    return None


def _catalogs(path: str, env: Environment) -> Iterator[tuple[str, Catalog]]:
    """The readings of the folders that ``path`` lies in, with its name below each."""
    connections = env.connections
    aliases: Mapping[str, Connection] = connections.families.get("filesystem", {}) if connections is not None else {}
    for connection in aliases.values():
        base = connection.fields.get("base_dir") or "."
        if not isinstance(base, str) or "${" in base:
            continue
        name = (
            posixpath.relpath(posixpath.normpath(path), posixpath.normpath(base)) if not os.path.isabs(base) else ".."
        )
        knowledge = None if name.startswith("..") else env.schema_of(connection)
        if knowledge is not None:
            yield from ((name, catalog) for catalog in knowledge.catalogs)
