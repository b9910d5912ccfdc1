"""The columns of a delimited text file by its beginning: names as the reading step gets them, types where plain.

Pure Python, for the editor: nothing heavy is imported, and no more than ``MOST_BYTES`` of a file are read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from osiris.language.catalog import Column, Columns
from osiris.syntax.tree import Plain

MOST_BYTES = 256 * 1024
MOST_ROWS = 200
MOST_COLUMNS = 5_000

_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zip": "zip", ".xz": "xz", ".zst": "zstd"}
_ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "ascii": "ascii", "latin-1": "latin-1", "iso-8859-1": "latin-1"}
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_CERTAINLY_TEXT = re.compile(r"[^\W\deEinfatyINFATY_]{2}|[^\W\d_].*\s.*[^\W\d_]|@")
_ARROW = {
    "BIGINT": "int64",
    "DOUBLE": "double",
    "BOOLEAN": "bool",
    "VARCHAR": "string",
    "TIMESTAMP": "timestamp[us]",
}
_DTYPES = {
    **dict.fromkeys(("string", "str", "object", "category"), "VARCHAR"),
    **dict.fromkeys(("int", "integer", "int64"), "BIGINT"),
    **dict.fromkeys(("float", "double", "float64"), "DOUBLE"),
    **dict.fromkeys(("bool", "boolean"), "BOOLEAN"),
    **dict.fromkeys(("datetime", "timestamp", "datetime64", "datetime64[ns]"), "TIMESTAMP"),
}


def csv_columns(path: Path, options: Mapping[str, Plain]) -> Columns | None:
    """The columns of the file with the ``options`` of the step that reads it.

    None where the beginning does not tell: another encoding, a broken or unknown compression, no line at all. Raises
    OSError.
    """
    text = _beginning(path, options)
    if text is None:
        return None
    rows = list(_rows(text, options))
    if not rows or "\0" in text or not rows[0] or len(rows[0]) > MOST_COLUMNS:
        return None
    if options.get("header", True) is False:
        names, data = [f"column{index}" for index in range(len(rows[0]))], rows
    else:
        names, data = _names(rows[0]), rows[1:]
    if any(len(row) > len(names) for row in data):
        return None  # a step would stop at this line
    return tuple(_column(name, [row[at] for row in data if at < len(row)], options) for at, name in enumerate(names))


def _beginning(path: Path, options: Mapping[str, Plain]) -> str | None:
    """The beginning of the file as text, whole lines only; None when it cannot be told."""
    encoding = _ENCODINGS.get(str(options.get("encoding") or "utf-8"))
    if encoding is None:
        return None
    compression = options.get("compression") or "infer"
    if compression == "infer":
        compression = _COMPRESSIONS.get(path.suffix.lower(), "none")
    with path.open("rb") as file:
        data = _unpacked(file, str(compression))
    if data is None or data.startswith(b"PAR1"):
        return None
    whole = len(data) <= MOST_BYTES
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data[:MOST_BYTES], final=whole)
    except UnicodeError:
        return None
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text if whole or not end else text[:end]


def _unpacked(file: IO[bytes], compression: str) -> bytes | None:
    """The first bytes of the content, one more than wanted when there are more."""
    import bz2
    import gzip
    import lzma
    import zipfile

    wanted = MOST_BYTES + 1
    try:
        if compression == "none":
            return file.read(wanted)
        if compression == "gzip":
            return gzip.GzipFile(fileobj=file).read(wanted)
        if compression == "bz2":
            return bz2.BZ2File(file).read(wanted)
        if compression == "xz":
            return lzma.LZMAFile(file).read(wanted)
        if compression == "zip":
            with zipfile.ZipFile(file) as archive:
                members = [info for info in archive.infolist() if not info.is_dir()]
                if len(members) != 1:
                    return None
                with archive.open(members[0]) as member:
                    return member.read(wanted)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return None  # broken, or protected by a password: the step says so when it runs
    return None


def _rows(text: str, options: Mapping[str, Plain]) -> Iterator[list[str]]:
    """The line of the names and some rows behind it."""
    header = options.get("header", True)
    numbered = header if isinstance(header, int) and not isinstance(header, bool) else 0
    skipped = options.get("skip_rows")
    before = numbered + (skipped if isinstance(skipped, int) and not isinstance(skipped, bool) else 0)
    source = io.StringIO(text, newline="")
    lines = (line.replace("\r\n", "\n").replace("\r", "\n") for line in _lines(source))
    for _ in range(before):
        if next(lines, None) is None:
            return
    comment = options.get("comment")
    if isinstance(comment, str) and comment:
        lines = (line.partition(comment)[0] for line in lines)
    delimiter = options.get("delimiter") or ","
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
        return
    found = 0
    try:
        for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
            if row:
                yield row
                found += 1
            if found > MOST_ROWS:
                return
    except csv.Error:
        return


def _lines(source: io.StringIO) -> Iterator[str]:
    """Lines that end in any of the three ways, and in no other."""
    return iter(re.split(r"(?<=\n)|(?<=\r)(?!\n)", source.getvalue()))


def _names(header: Sequence[str]) -> list[str]:
    """Names as DuckDB makes them: without blanks around them, numbered where empty, told apart where alike."""
    digits = len(str(len(header) - 1))
    used: dict[str, int] = {}
    names = []
    for index, written in enumerate(header):
        name = written.strip() or f"column{index:0{digits}}"
        while (key := name.casefold()) in used:
            number = used[key]
            used[key] = number + 1
            name = f"{name}_{number}"
        used[key] = 1
        names.append(name)
    return names


def _column(name: str, cells: Sequence[str], options: Mapping[str, Plain]) -> Column:
    type_ = _wanted_type(name, options)
    if type_ is None:
        type_ = _type_of(cells, options)
    return Column(name, type_, _ARROW.get(type_, ""))


def _wanted_type(name: str, options: Mapping[str, Plain]) -> str | None:
    """The type that ``dtype`` or ``parse_dates`` asks for."""
    types = options.get("dtype")
    if isinstance(types, dict) and name in types:
        return _DTYPES.get(str(types[name]), "")
    dates = options.get("parse_dates")
    return "TIMESTAMP" if isinstance(dates, list) and name in cast(list[object], dates) else None


def _type_of(cells: Sequence[str], options: Mapping[str, Plain]) -> str:
    """The type of a column where its first values leave no doubt, else empty."""
    absent = options.get("na_values")
    nulls = {"", *(str(value) for value in absent)} if isinstance(absent, list) else {""}
    values = [stripped for cell in cells if (stripped := cell.strip()) not in nulls]
    if not values:
        return ""
    if all(_INTEGER.fullmatch(value) for value in values):
        return "BIGINT"
    if all(_NUMBER.fullmatch(value) for value in values):
        return "DOUBLE"
    if all(value.lower() in ("true", "false") for value in values):
        return "BOOLEAN"
    return "VARCHAR" if any(_CERTAINLY_TEXT.search(value) for value in values) else ""
