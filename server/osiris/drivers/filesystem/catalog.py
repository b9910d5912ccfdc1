"""Files as tables: each data file is one, and so is a folder of files with the same columns."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from osiris.core.catalog_source import Sample, ServerInfo, Timeouts
from osiris.core.error_taxonomy import ConfigurationError, OsirisError, describe
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.core.file_patterns import common_type
from osiris.core.os_errors import explain_os_error
from osiris.drivers.filesystem.data_files import DataFile, DataFiles
from osiris.drivers.filesystem.file_columns import FileColumns
from osiris.language.catalog import Column, Columns, TableInfo

MOST_COMPARED = 50
MOST_READ = 2_000
_MOST_REMARKS = 20


class FilesystemCatalog:
    """Looks through a folder for CSV, TSV, Parquet, JSON and NDJSON files."""

    dialect = ""

    @contextmanager
    def connect(self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts) -> Iterator[FilesystemSession]:
        """Open the folder that the field ``base_dir`` names, the project without one.

        Raises ConfigurationError or ConnectionError.
        """
        folder, shown = _folder(fields, root)
        with closing(FileColumns()) as reader:
            yield FilesystemSession(folder, shown, reader, timeouts)


def _folder(fields: Mapping[str, Any], root: Path) -> tuple[Path, str]:
    written = fields.get("base_dir") or "."
    if not isinstance(written, str) or "\0" in written:
        raise ConfigurationError("The base_dir of the connection is not a path.")
    folder = (root / os.path.expanduser(written)).resolve()
    if not folder.exists():
        raise Unreachable(
            f"The folder {written} does not exist.", hint="A step that writes makes it. Check base_dir otherwise."
        )
    if not folder.is_dir():
        raise Unreachable(f"{written} is a file, not a folder.", hint="base_dir names the folder that files stand in.")
    try:
        os.scandir(folder).close()
    except OSError as error:
        reason, hint = explain_os_error(error)
        raise Unreachable(f"The folder {written} cannot be read: {reason}.", hint=hint) from error
    return folder, written


@dataclass(frozen=True)
class _Found:
    """A table: its files, its columns, and how many rows it has where the files say so."""

    info: TableInfo
    files: tuple[DataFile, ...]
    columns: Columns


class FilesystemSession:
    """An open folder; implements ``osiris.core.catalog_source.CatalogSession``.

    A table is called as its file below the folder (``2026/orders.csv``), or as the folder and the ending of its files
    (``events/*.parquet``). Everything is looked at once, with the first question.
    """

    def __init__(self, folder: Path, shown: str, reader: FileColumns, timeouts: Timeouts) -> None:
        self._folder = folder
        self._shown = shown
        self._reader = reader
        self._seconds = timeouts.statement
        self._broken: list[str] = []
        self._cut = ""
        self._end = 0.0
        self._looked_at = 0
        self._some_left = False

    def server(self) -> ServerInfo:
        """Remarks: what was left out, and which files cannot be read, as far as the folder was looked through."""
        remarks = [] if os.access(self._folder, os.W_OK) else [f"The folder {self._shown} can be read, not written."]
        if self._cut:
            remarks.append(f"Not every file was looked at: {self._cut}.")
        remarks += self._broken[:_MOST_REMARKS]
        if len(self._broken) > _MOST_REMARKS:
            remarks.append(f"{len(self._broken) - _MOST_REMARKS} more files cannot be read.")
        return ServerInfo("Files", "", remarks=tuple(remarks))

    def tables(self) -> Sequence[TableInfo]:
        """Files and folders of equal files; how many rows they have is known of Parquet alone."""
        return [found.info for found in self._found.values()]

    def columns(self, tables: Sequence[TableInfo] | None = None) -> Mapping[tuple[str, str], Columns]:
        """The columns, with DuckDB's types: of a text file as its beginning has them."""
        wanted = self._found if tables is None else {info.name for info in tables}
        return {("", name): found.columns for name, found in self._found.items() if name in wanted}

    def sample(self, table: TableInfo, rows: int) -> Sample:
        """The first rows of the file, or of the first file of a folder."""
        found = self._found.get(table.name)
        if found is None:
            raise Unreachable(f"There is no file {table.name} any more that could be read.")
        try:
            return self._reader.sample(found.files[0], max(rows, 0))
        except Exception as error:
            raise Unreachable(f"{table.name} cannot be read: {describe(error)}") from error

    @cached_property
    def _found(self) -> dict[str, _Found]:
        self._end = time.monotonic() + self._seconds
        search = DataFiles(self._folder, self._seconds)
        files = search.found()
        self._broken += [f"The folder {name} cannot be read." for name in search.closed]
        groups: dict[tuple[str, str], list[DataFile]] = {}
        for file in files:
            groups.setdefault((file.folder, file.ending.lower()), []).append(file)
        found = [table for group in groups.values() for table in self._tables_of(group)]
        self._cut = search.cut or (f"the columns of {self._looked_at:,} were read" if self._some_left else "")
        return {table.info.name: table for table in sorted(found, key=lambda table: table.info.name)}

    def _tables_of(self, files: list[DataFile]) -> list[_Found]:
        """The tables of the files of one kind in one folder. Of very many the first are compared."""
        read = [(file, known) for file in files[:MOST_COMPARED] if (known := self._columns_of(file)) is not None]
        if _is_one_table([columns for _, (columns, _) in read], files):
            counts = [rows for _, (_, rows) in read]
            rows = None if None in counts or len(read) < len(files) else sum(count or 0 for count in counts)
            return [_folder_table(files, [columns for _, (columns, _) in read], rows)]
        read += [(file, known) for file in files[MOST_COMPARED:] if (known := self._columns_of(file)) is not None]
        return [
            _Found(TableInfo("", file.name, "file", _note([file]), rows), (file,), columns)
            for file, (columns, rows) in read
        ]

    def _columns_of(self, file: DataFile) -> tuple[Columns, int | None] | None:
        """The columns and the number of rows; None for a file that is broken, or one too many."""
        if self._looked_at >= MOST_READ or time.monotonic() > self._end:
            self._some_left = True
            return None
        self._looked_at += 1
        try:
            return self._reader.columns(file)
        except Exception as error:  # noqa: BLE001 - whatever a broken file makes its reader raise, it stops no other
            reason = (str(error) if isinstance(error, OsirisError) else describe(error)).rstrip(".")
            self._broken.append(reason + "." if file.name in reason else f"{file.name} cannot be read: {reason}.")
            return None


def _is_one_table(columns: list[Columns], files: list[DataFile]) -> bool:
    """Whether files are parts of one table: the same names, in a folder of their own or in partitions of one."""
    if len(columns) < 2 or any([c.name for c in one] != [c.name for c in columns[0]] for one in columns):
        return False
    if any(file.partitions for file in files):
        return all(file.partitions == files[0].partitions for file in files)
    return bool(files[0].folder)


def _folder_table(files: list[DataFile], columns: list[Columns], rows: int | None) -> _Found:
    first = files[0]
    levels = "".join("*/" for _ in first.partitions)
    home = f"{first.folder}/" if first.folder else ""
    merged = tuple(_merged(same) for same in zip(*columns, strict=True))
    partitions = tuple(
        Column(name, "VARCHAR", "string") for name in first.partitions if name not in {c.name for c in merged}
    )
    info = TableInfo("", f"{home}{levels}*{first.ending}", "file", _note(files), rows)
    return _Found(info, tuple(files), merged + partitions)


def _merged(same: tuple[Column, ...]) -> Column:
    """One column out of those of several files: numbers of both kinds are fractions, else different types are text."""
    type_ = common_type(column.type for column in same)
    found = next((column for column in same if column.type == type_), None)
    if found is not None:
        return found
    return Column(same[0].name, type_ or "VARCHAR", "double" if type_ else "string")


def _note(files: list[DataFile]) -> str:
    size: float = sum(file.size for file in files)
    unit = "bytes"
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    amount = f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
    packed = "" if files[0].compression == "none" else f", {files[0].compression}"
    return f"{files[0].format}{packed}, {amount}" + (f" in {len(files)} files" if len(files) > 1 else "")
