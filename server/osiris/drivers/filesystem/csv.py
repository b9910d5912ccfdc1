"""Delimited text files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.file_patterns import common_type
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.filesystem import csv_options, text
from osiris.drivers.filesystem.csv_options import SNIFFED_ROWS
from osiris.drivers.filesystem.irregular import first_irregular_line, must_have_columns
from osiris.drivers.filesystem.sources import (
    Source,
    find_column,
    in_order,
    limited,
    links,
    literal_path,
    names_of,
    naming,
    open_partitions,
    projection,
    renamed,
    same_names,
    sources,
)
from osiris.drivers.filesystem.writing import copy_to
from osiris.drivers.paths import Place
from osiris.drivers.targets import complete_file
from osiris.sql.columns import Column, quote_name
from osiris.sql.messages import is_irregular

_MOST_SCANS = 200  # of one query
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
NUMERIC = (*_INTEGERS, "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class _Table:
    """A file that is ready to be scanned: where its text is, with which arguments, and the columns that come out."""

    source: Source
    path: Path
    options: dict[str, str]
    columns: tuple[Column, ...]


class CsvExtractor:
    """Reads delimited text files; nothing but the first rows is read before somebody needs the data."""

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows of the files as a lazy Dataset. Raises OsirisError or duckdb.Error."""
        step = step_context(ctx)
        place = step.path(config)
        found = sources(place, step)
        partitions: tuple[str, ...] = ()
        if len(found) == 1 and not found[0].partitions:
            table = self._table(found[0], config, step)
            scan, columns = csv_options.scan([table.path], table.options), table.columns
        else:
            scan, columns, partitions = self._together(found, config, step)
        if config.get("header") is False:
            count = len(columns) - len(partitions)
            names = [f"column{index}" if index < count else column.name for index, column in enumerate(columns)]
            scan = f"(SELECT {renamed(columns, names)} FROM {scan})"
            columns = tuple(Column(name, column.type) for name, column in zip(names, columns, strict=True))
        selected, kept = projection(columns, config, place.shown)
        return {"df": step.dataset(f"SELECT {selected} FROM {scan}{limited(config)}", columns=kept)}

    def _table(self, source: Source, config: dict[str, Any], step: StepContext) -> _Table:
        """One file, looked at. Raises OsirisError or duckdb.Error."""
        place = source.place
        path, compression = self._as_utf8(source, config, step)
        options = csv_options.reading(config, compression)
        with text.opened(Place(path, place.shown), compression) as stream:
            must_have_columns(stream, config, place.shown)
        path = self._begun(path, options, source, config, step)
        config = {**config, "dtype": {n: t for n, t in (config.get("dtype") or {}).items() if n not in source.keys}}
        try:
            columns = self._columns(path, options, place.shown, config, step)
        except Exception as error:
            if not is_irregular(error):
                raise
            path = self._uniform(path, options, source, step)
            columns = self._columns_of_uniform(path, options, place.shown, config, step)
        if len(columns) == 1 or config.get("skip_blank_lines") is False:
            path = self._blank_lines(path, options, source, columns, config, step)
        return _Table(source, path, options, columns)

    def _together(
        self, found: list[Source], config: dict[str, Any], step: StepContext
    ) -> tuple[str, tuple[Column, ...], tuple[str, ...]]:
        """What reads all files as one table, its columns, and which of them are partitions.

        Raises OsirisError that names the file, or duckdb.Error.
        """
        tables: list[_Table] = []
        for source in found:
            step.checkpoint()
            with naming(source):
                tables.append(self._table(source, config, step))
            names = names_of(tables[0].columns)
            same_names(found[0], names, source, names_of(tables[-1].columns))
        types = {name: self._type(name, [table.columns[at] for table in tables], tables, config, step)
                 for at, name in enumerate(names)}  # fmt: skip
        partitions = open_partitions(found, names)
        shared = {"types": csv_options.struct(types)} | csv_options.hive(partitions, config)
        scans: list[tuple[dict[str, str], list[Path]]] = []
        paths = links([(table.source, table.path) for table in tables], step, partitions)
        for table, path in zip(tables, paths, strict=True):
            options = {**table.options, **shared}
            if not scans or scans[-1][0] != options:
                scans.append((options, []))
            scans[-1][1].append(path)
        if len(scans) > _MOST_SCANS:
            raise ConfigurationError(
                f"The files of {config.get('path')} differ too often in how they begin or are compressed.",
                hint="Read them with several steps.",
            )
        parts = [csv_options.scan(group, options) for options, group in scans]
        scan = parts[0] if len(parts) == 1 else "(" + " UNION ALL ".join(f"FROM {part}" for part in parts) + ")"
        scan = in_order(scan, names, partitions)
        return scan, step.database.describe(scan), partitions

    def _type(
        self, name: str, columns: list[Column], tables: list[_Table], config: dict[str, Any], step: StepContext
    ) -> str:
        """The type of a column in all files: where they differ, files in which it has no value do not count."""
        kinds = {column.type for column in columns}
        if len(kinds) > 1 and "VARCHAR" in kinds:
            kinds = {
                column.type
                for column, table in zip(columns, tables, strict=True)
                if column.type != "VARCHAR" or self._has_value(table, name, step)
            }
        return common_type(kinds) or "VARCHAR"

    def _has_value(self, table: _Table, name: str, step: StepContext) -> bool:
        scan = csv_options.scan([table.path], table.options)
        query = f"SELECT 1 FROM {scan} WHERE {quote_name(name)} IS NOT NULL LIMIT 1"
        return step.database.connection.execute(query).fetchone() is not None

    def _as_utf8(self, source: Source, config: dict[str, Any], step: StepContext) -> tuple[Path, str]:
        """The file itself where DuckDB can read it, else a copy in UTF-8 in the spill folder."""
        place = source.place
        compression = text.compression_of(place.path, config.get("compression", "infer"))
        encoding = config.get("encoding", "utf-8")
        if encoding == "utf-8" and compression in ("none", "gzip", "zstd"):
            return literal_path(place, step, source.tag), compression
        copy = step.spill / f"{source.tag}-utf8.csv"
        with text.opened(place, compression) as stream, copy.open("wb") as target:
            for chunk in text.to_utf8(stream, encoding, place.shown, step.checkpoint):
                target.write(chunk)
        return copy, "none"

    def _begun(
        self, path: Path, options: dict[str, str], source: Source, config: dict[str, Any], step: StepContext
    ) -> Path:
        """Fixes in ``options`` where the header (or the first row) is: a header is the first line with something in it.

        The file itself, or a copy with as many empty lines before it: DuckDB skips comments without counting them.
        """
        compression, shown = csv_options.compression_in(options), source.place.shown
        named, comment = config.get("header") is not False, str(config.get("comment") or "")
        with text.opened(Place(path, shown), compression) as stream:
            before, comments = text.lines_before(stream, csv_options.lines_before_header(config), comment, named=named)
        options["skip"] = "0" if comments == before else str(before)
        if comments in (0, before):
            return path
        copy = step.spill / f"{source.tag}-begun.csv"
        with text.opened(Place(path, shown), compression) as stream, copy.open("wb") as target:
            lines = text.lines_of(text.to_utf8(stream, "utf-8", shown, step.checkpoint))
            for number, line in enumerate(lines):
                target.write(line[len(line.rstrip(b"\r\n")) :] if number < before else line)
        options["compression"] = "'none'"
        return copy

    def _uniform(self, path: Path, options: dict[str, str], source: Source, step: StepContext) -> Path:
        """A copy whose lines all end alike; DuckDB does not read a file in which they differ."""
        copy, shown = step.spill / f"{source.tag}-uniform.csv", source.place.shown
        with text.opened(Place(path, shown), csv_options.compression_in(options)) as stream, copy.open("wb") as out:
            chunks = text.to_utf8(stream, "utf-8", shown, step.checkpoint)
            out.writelines(text.uniform_lines(text.lines_of(chunks)))
        options["compression"] = "'none'"
        return copy

    def _columns(
        self, path: Path, options: dict[str, str], shown: str, config: dict[str, Any], step: StepContext
    ) -> tuple[Column, ...]:
        """Names and types of all columns; fixes in ``options`` what detection must not decide."""
        columns = step.database.describe(csv_options.scan([path], options))
        types = csv_options.wanted_types(config)
        if types and config.get("header") is False:
            types = {_numbered(name, columns): type_ for name, type_ in types.items()}
        fixed = {find_column(columns, name, shown).name: type_ for name, type_ in types.items()}
        for column in columns:
            if (
                column.type == "BOOLEAN"
                and column.name not in fixed
                and not self._true_false(path, options, column, step)
            ):
                fixed[column.name] = "VARCHAR"
        if not fixed:
            return columns
        options["types"] = csv_options.struct(fixed)
        return step.database.describe(csv_options.scan([path], options))

    def _columns_of_uniform(
        self, path: Path, options: dict[str, str], shown: str, config: dict[str, Any], step: StepContext
    ) -> tuple[Column, ...]:
        """As ``_columns``; when the rows still do not make a table, the error names the line."""
        try:
            return self._columns(path, options, shown, config, step)
        except Exception as error:
            if not is_irregular(error):
                raise
            with path.open("rb") as source:
                named = first_irregular_line(source, config, int(options["skip"]), step.checkpoint)
            raise named or error from error

    def _true_false(self, path: Path, options: dict[str, str], column: Column, step: StepContext) -> bool:
        """Whether a column detected as boolean is written as true and false, rather than as yes, no, t or f."""
        as_text = csv_options.scan([path], {**options, "all_varchar": "true", "auto_type_candidates": "['VARCHAR']"})
        name = quote_name(column.name)
        found = step.database.connection.execute(
            f"SELECT 1 FROM (FROM {as_text} LIMIT {SNIFFED_ROWS}) WHERE lower({name}) NOT IN ('true', 'false') LIMIT 1"
        ).fetchone()
        return found is None

    def _blank_lines(
        self,
        path: Path,
        options: dict[str, str],
        source: Source,
        columns: tuple[Column, ...],
        config: dict[str, Any],
        step: StepContext,
    ) -> Path:
        """The file, or a copy in which blank lines are what the user wants: DuckDB sees none among several columns."""
        compression, place = csv_options.compression_in(options), source.place
        with text.opened(Place(path, place.shown), compression) as stream:
            if not text.has_blank_line(stream, step.checkpoint):
                return path
        skip = config.get("skip_blank_lines") is not False
        delimiter = config.get("delimiter", ",").encode()
        instead = None if skip else (delimiter * (len(columns) - 1) or b'""')
        keep = int(options["skip"]) + (0 if config.get("header") is False else 1)
        copy = step.spill / f"{source.tag}-lines.csv"
        with text.opened(Place(path, place.shown), compression) as stream, copy.open("wb") as target:
            lines = text.lines_of(text.to_utf8(stream, "utf-8", place.shown, step.checkpoint))
            target.writelines(text.without_blank_lines(lines, keep, instead))
        options["compression"] = "'none'"
        return copy


def _numbered(name: str, columns: tuple[Column, ...]) -> str:
    """DuckDB's own name (``column07``) for the column that is called ``column7`` here."""
    number = name.removeprefix("column")
    return columns[int(number)].name if number.isdigit() and int(number) < len(columns) else name


class CsvWriter:
    """Writes a delimited text file that appears under its name when it is complete."""

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the target is as it was."""
        step = step_context(ctx)
        data = single_input(inputs, step_id)
        target = step.path(config)
        encoding = config.get("encoding", "utf-8")
        compression = text.compression_of(target.path, config.get("compression", "infer"))
        with complete_file(target, step.temporary(target.path), create_dirs=config.get("create_dirs", True)) as part:
            options = csv_options.writing(config, [c.name for c in data.columns if not c.type.startswith(NUMERIC)])
            head = csv_options.quoted_header(config, [c.name for c in data.columns])
            if encoding == "utf-8" and not head:
                rows = copy_to(data, part, [*options, f"COMPRESSION {compression}"], step)
            else:
                plain = step.spill / f"{step_id}-utf8.csv"
                rows = copy_to(data, plain, options, step)
                with plain.open("rb") as source, text.packing(part, compression) as packed:
                    for chunk in text.encoded(head, source, encoding, target.shown, step.checkpoint):
                        packed.write(chunk)
                plain.unlink()
        step.wrote(rows, target)
        return {}
