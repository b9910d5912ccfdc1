"""Text files that are no table: there is nothing in them, or their rows differ in their number of fields."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from typing import IO, Any, Literal

from osiris.core.error_taxonomy import ExecutionError, OsirisError, ValidationError
from osiris.drivers.filesystem.csv_options import lines_before_header
from osiris.drivers.filesystem.text import CHUNK, Checkpoint

_LINES_PER_CHECK = 10_000


def must_have_columns(source: IO[bytes], config: Mapping[str, Any], shown: str) -> None:
    """Raise ValidationError when the columns of a file cannot be told because there is no line to tell them.

    ``source`` is the text in UTF-8; its first megabyte is looked at.
    """
    data = source.read(CHUNK)
    if len(data) == CHUNK:
        return
    content = data.removeprefix(codecs.BOM_UTF8)
    named = config.get("header") is not False
    lines = content.splitlines()[lines_before_header(config) :]
    if named or config.get("skip_blank_lines") is not False:
        comment = str(config.get("comment") or "").encode()
        lines = [line for line in lines if line and not (comment and line.startswith(comment))]
    if lines:
        return
    what = "header line, which names the columns" if named else "line, so its columns are not known"
    why = "is empty" if not content else "holds nothing but blank lines, comments and lines to skip"
    hint = "A file without rows still needs its header line." if named else "Check what was to write the file."
    raise ValidationError(f"{shown} {why}: it has no {what}.", hint=hint)


def first_irregular_line(
    source: IO[bytes], config: Mapping[str, Any], skip: int, checkpoint: Checkpoint
) -> OsirisError | None:
    """The error that names the first line which does not fit, counted from 1; None when every line does.

    ``source`` is the text in UTF-8, ``skip`` how many lines stand before the header (or the first row).
    """
    delimiter = str(config.get("delimiter", ","))
    if len(delimiter) != 1:
        return None
    lines = _lines(source, str(config.get("comment") or ""), checkpoint)
    for _ in range(skip):
        next(lines, None)
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == '"' else csv.QUOTE_MINIMAL
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    wanted, begin = 0, skip + 1
    try:
        for fields in reader:
            wanted = wanted or len(fields)
            if fields and len(fields) != wanted:
                return _wrong_count(begin, len(fields), wanted)
            begin = skip + reader.line_num + 1
    except csv.Error:
        return ExecutionError(
            f"Line {begin} has a quote that is not closed, or that is not followed by the delimiter or the line's end.",
            hint="Check the quotes from that line on; a quote inside a field is written twice.",
        )
    return None


def _wrong_count(line: int, found: int, wanted: int) -> OsirisError:
    fields = f"{found} field{'' if found == 1 else 's'}"
    columns = f"there {'is 1 column' if wanted == 1 else f'are {wanted} columns'}"
    return ExecutionError(
        f"Line {line} has {fields}, but {columns}.",
        hint="Check the delimiter and the quotes of that line; skip_rows leaves out lines before the header.",
    )


def _lines(source: IO[bytes], comment: str, checkpoint: Checkpoint) -> Iterator[str]:
    text = io.TextIOWrapper(source, encoding="utf-8-sig", errors="replace", newline="")
    for number, line in enumerate(text):
        if number % _LINES_PER_CHECK == 0:
            checkpoint()
        yield line.partition(comment)[0] + "\n" if comment and comment in line else line
