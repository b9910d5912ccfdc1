"""Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError, ExecutionError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.file_patterns import common_type
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.filesystem.csv_options import text_list
from osiris.drivers.filesystem.sources import (
    Source,
    in_order,
    limited,
    links,
    literal_path,
    names_of,
    naming,
    open_partitions,
    projection,
    same_names,
    sources,
)
from osiris.drivers.filesystem.writing import copy_to
from osiris.drivers.targets import complete_file
from osiris.sql.columns import Column, quote_name

VECTOR = 2048
_NEGATIVE_INTERVALS = "do not support negative intervals"


class ParquetExtractor:
    """Reads Parquet files; only their footers are read before somebody needs the data."""

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows of the files as a lazy Dataset. Raises OsirisError or duckdb.Error."""
        step = step_context(ctx)
        place = step.path(config)
        found = sources(place, step)
        if len(found) == 1 and not found[0].partitions:
            scan = _scan([literal_path(found[0].place, step, step_id)])
        else:
            scan = self._together(found, step)
        selected, kept = projection(step.database.describe(scan), config, place.shown)
        return {"df": step.dataset(f"SELECT {selected} FROM {scan}{limited(config)}", columns=kept)}

    def _together(self, found: list[Source], step: StepContext) -> str:
        """What reads all files as one table. Raises OsirisError that names the file that does not fit."""
        tables: list[tuple[Column, ...]] = []
        paths = links([(source, source.place.path) for source in found], step, ())
        for source, path in zip(found, paths, strict=True):
            step.checkpoint()
            with naming(source):
                tables.append(step.database.describe(_scan([path])))
            same_names(found[0], names_of(tables[0]), source, names_of(tables[-1]))
            for ours, theirs in zip(tables[0], tables[-1], strict=True):
                if common_type((ours.type, theirs.type)) is None:
                    raise ConfigurationError(
                        f"The column {ours.name} is {ours.type} in {found[0].place.shown}, but {theirs.type} in "
                        f"{source.place.shown}.",
                        hint="Write the files with one type, or read them with two steps and cast in SQL.",
                    )
        partitions = open_partitions(found, names_of(tables[0]))
        paths = links([(source, source.place.path) for source in found], step, partitions)
        scan = _scan(paths, partitions=bool(partitions), widened=len(set(tables)) > 1)
        return in_order(scan, names_of(tables[0]), partitions)


def _scan(paths: list[Path], *, partitions: bool = False, widened: bool = False) -> str:
    """The table function. ``widened``: a column has the type that holds the values of all files."""
    hive = ", hive_partitioning=true, hive_types_autocast=false" if partitions else ", hive_partitioning=false"
    return f"read_parquet({text_list(map(str, paths))}{hive}{', union_by_name=true' if widened else ''})"


class ParquetWriter:
    """Writes a Parquet file that appears under its name when it is complete."""

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the target is as it was."""
        import duckdb

        step = step_context(ctx)
        data = single_input(inputs, step_id)
        target = step.path(config)
        compression = {"none": "uncompressed"}.get(
            config.get("compression", "snappy"), config.get("compression", "snappy")
        )
        group = -(-int(config.get("row_group_size", 122_880)) // VECTOR) * VECTOR
        options = ["FORMAT parquet", f"COMPRESSION {compression}", f"ROW_GROUP_SIZE {group}"]
        with complete_file(target, step.temporary(target.path), create_dirs=config.get("create_dirs", True)) as part:
            try:
                rows = copy_to(data, part, options, step)
            except duckdb.IOException as error:
                raise _no_interval(error, data.columns) or error from None
        step.wrote(rows, target)
        return {}


def _no_interval(error: Exception, columns: Sequence[Column]) -> ExecutionError | None:
    """DuckDB's error in words, when it is about durations below zero."""
    if _NEGATIVE_INTERVALS not in str(error):
        return None
    names = [column.name for column in columns if "INTERVAL" in column.type]
    which = f"The column {names[0]}" if len(names) == 1 else f"One of the columns {', '.join(names)}"
    found = ExecutionError(
        f"{which} holds a duration below zero, which Parquet files cannot hold.",
        hint=f"Cast it in a SQL step: epoch({quote_name(names[0])}) for seconds, or CAST(... AS VARCHAR) for text.",
    )
    found.category = ErrorCategory.DATA
    return found
