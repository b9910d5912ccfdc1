"""The columns and the first rows of one data file, from a bounded part of it.

Of a text file the beginning is copied, unpacked and in UTF-8, into a folder of our own, and DuckDB looks at that copy:
it can open nothing else. Of a Parquet file pyarrow reads the footer.
"""

from __future__ import annotations

import codecs
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osiris.core.catalog_source import Sample
from osiris.core.error_taxonomy import ValidationError
from osiris.drivers.duckdb.arrow_types import arrow_types
from osiris.drivers.filesystem.csv_options import struct
from osiris.drivers.filesystem.data_files import DataFile
from osiris.drivers.filesystem.text import opened
from osiris.drivers.paths import Place
from osiris.drivers.sample_values import plain_value
from osiris.language.catalog import Column, Columns
from osiris.sql.columns import quote_name, quote_text
from osiris.sql.gate import Limits, engine_message, open_run_connection

MOST_BYTES = 1024 * 1024
_MEMORY = 512 * 1024 * 1024
_MOST_COLUMNS = 10_000
_BLANK = re.compile(r"[\s,]*")
_TYPES = "['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR']"


class FileColumns:
    """Reads what stands in data files; ``close`` takes the folder of copies away."""

    def __init__(self) -> None:
        """Open the locked DuckDB. Raises ModuleNotFoundError when duckdb or pyarrow is not installed."""
        import pyarrow as pa

        self._arrow = pa
        self._copies = tempfile.TemporaryDirectory(prefix="osiris-discover-")
        self._copy = Path(self._copies.name) / "beginning"
        self._connection = open_run_connection(Limits(directories=(self._copies.name,), memory=_MEMORY, threads=1))
        self._arrow_types: dict[str, str] = {}

    def close(self) -> None:
        """Close DuckDB and remove the copies."""
        self._connection.close()
        self._copies.cleanup()

    def columns(self, file: DataFile) -> tuple[Columns, int | None]:
        """The columns, and how many rows there are where the file says so. Raises OsirisError or OSError."""
        if file.format == "Parquet":
            return self._of_parquet(file)
        described = self._asked(f"DESCRIBE FROM {self._source(file)}")
        types = [(str(row[0]), str(row[1])) for row in described[:_MOST_COLUMNS]]
        return tuple(Column(name, type_, self._arrow_of(type_)) for name, type_ in types), None

    def sample(self, file: DataFile, rows: int) -> Sample:
        """The first rows. Raises OsirisError or OSError."""
        if file.format == "Parquet":
            return self._sample_of_parquet(file, rows)
        found = self._asked(f"FROM {self._source(file)} LIMIT {rows}")
        names = tuple(str(described[0]) for described in self._connection.description or ())
        return Sample(names, tuple(tuple(plain_value(value) for value in row) for row in found))

    def _source(self, file: DataFile) -> str:
        """The table function that reads the copy of the file's beginning."""
        with opened(Place(file.path, file.name), file.compression) as source:
            head = source.read(MOST_BYTES + 1)
        text = _text(head[:MOST_BYTES], whole=len(head) <= MOST_BYTES)
        if not text.strip():
            raise ValidationError("it is empty")
        place = quote_text(str(self._copy))
        if file.format in ("JSON", "NDJSON"):
            self._copy.write_text("\n".join(_json_rows(text)), encoding="utf-8")
            return f"read_json({place}, format='newline_delimited', maximum_object_size={4 * MOST_BYTES})"
        self._copy.write_text(text, encoding="utf-8", newline="")
        return self._csv(place, file)

    def _csv(self, place: str, file: DataFile) -> str:
        delimiter = ", delim='\\t'" if file.format == "TSV" else ""
        fixed = f"header=true, quote='\"', sample_size=-1, ignore_errors=true{delimiter}"
        source = f"read_csv({place}, {fixed}, auto_type_candidates={_TYPES})"
        booleans = [str(row[0]) for row in self._asked(f"DESCRIBE FROM {source}") if row[1] == "BOOLEAN"]
        if not booleans:
            return source
        # As when a step reads it: a column of t and f, or of yes and no, is text.
        tests = ", ".join(f"bool_and(lower({quote_name(name)}) IN ('true', 'false'))" for name in booleans)
        (passed,) = self._asked(f"SELECT {tests} FROM read_csv({place}, {fixed}, all_varchar=true)")
        texts = {name: "VARCHAR" for name, ok in zip(booleans, passed, strict=True) if not ok}
        return f"{source[:-1]}, types={struct(texts)})" if texts else source

    def _asked(self, query: str) -> list[tuple[Any, ...]]:
        import duckdb

        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            reason = engine_message(error).partition("\n")[0].replace(str(self._copy), "it")
            if "sniffing file" in reason:
                raise ValidationError("its quotes and separators do not fit together as in a CSV file") from error
            raise ValidationError(reason.partition(": ")[2] or reason) from error
        return rows

    def _arrow_of(self, type_: str) -> str:
        if type_ not in self._arrow_types:
            self._arrow_types |= arrow_types(self._connection, [type_])
        return self._arrow_types[type_]

    def _of_parquet(self, file: DataFile) -> tuple[Columns, int | None]:
        with self._parquet(file) as parquet:
            schema = parquet.schema_arrow
            fields = [schema.field(index) for index in range(min(len(schema.names), _MOST_COLUMNS))]
            rows = int(parquet.metadata.num_rows)
        columns = tuple(
            Column(field.name, self._type_of(field), str(field.type), nullable=field.nullable) for field in fields
        )
        return columns, rows

    def _type_of(self, field: Any) -> str:
        """The DuckDB type that a column of a Parquet file gets; Arrow's where DuckDB knows none."""
        import duckdb

        try:
            empty = self._arrow.schema([field]).empty_table()
            return str(self._connection.from_arrow(empty).types[0])
        except (duckdb.Error, self._arrow.ArrowException):
            return str(field.type)

    def _sample_of_parquet(self, file: DataFile, rows: int) -> Sample:
        with self._parquet(file) as parquet:
            names = tuple(parquet.schema_arrow.names)
            batch = next(parquet.iter_batches(batch_size=max(rows, 1)), None) if rows else None
            found = [] if batch is None else [column.to_pylist() for column in batch.columns]
        return Sample(names, tuple(tuple(plain_value(value) for value in row) for row in zip(*found, strict=True)))

    def _parquet(self, file: DataFile) -> Any:
        from pyarrow import parquet

        try:
            return parquet.ParquetFile(str(file.path))
        except self._arrow.ArrowException as error:
            raise ValidationError("it is not a whole Parquet file") from error


def _text(head: bytes, *, whole: bool) -> str:
    """The beginning of a text file: UTF-16 with its mark, UTF-8, else Latin-1. Without ``whole`` the last line, which
    may be a part, is left out."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head.decode("utf-16", "ignore")
    else:
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=whole)
        except UnicodeDecodeError:
            text = head.decode("latin-1")
    if "\0" in text:
        raise ValidationError("it is not a text file")
    if not whole and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    return text


def _json_rows(text: str) -> Iterator[str]:
    """The objects of a JSON text, each on a line: those of an array, of lines, or the only one, as far as they go."""
    decoder = json.JSONDecoder()
    at = _after_blank(text, 0)
    if text.startswith("[", at):
        at = _after_blank(text, at + 1)
    found = 0
    while at < len(text) and text[at] == "{":
        try:
            row, at = decoder.raw_decode(text, at)
            line = json.dumps(row)
        except (json.JSONDecodeError, RecursionError):
            break  # cut off here, or broken: what came before is enough
        found += 1
        yield line
        at = _after_blank(text, at)
    if not found:
        raise ValidationError("it holds no JSON objects")


def _after_blank(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
