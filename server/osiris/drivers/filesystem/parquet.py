"""Parquet files."""

from __future__ import annotations

from typing import Any, ClassVar

from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import single_input, step_context
from osiris.drivers.filesystem.sources import limited, literal_path, projection, readable
from osiris.drivers.filesystem.writing import copy_to
from osiris.drivers.targets import complete_file
from osiris.sql.columns import quote_text

VECTOR = 2048


class ParquetExtractor:
    """Reads a Parquet file; only its footer is read before somebody needs the data."""

    lazy: ClassVar[bool] = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Return the rows of the file as a lazy Dataset. Raises OsirisError or duckdb.Error."""
        step = step_context(ctx)
        place = readable(step.path(config))
        scan = f"read_parquet({quote_text(str(literal_path(place, step)))})"
        selected, kept = projection(step.database.describe(scan), config, place.shown)
        return {"df": step.dataset(f"SELECT {selected} FROM {scan}{limited(config)}", columns=kept)}


class ParquetWriter:
    """Writes a Parquet file that appears under its name when it is complete."""

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the target is as it was."""
        step = step_context(ctx)
        data = single_input(inputs, step_id)
        target = step.path(config)
        compression = {"none": "uncompressed"}.get(
            config.get("compression", "snappy"), config.get("compression", "snappy")
        )
        group = -(-int(config.get("row_group_size", 122_880)) // VECTOR) * VECTOR
        options = ["FORMAT parquet", f"COMPRESSION {compression}", f"ROW_GROUP_SIZE {group}"]
        with complete_file(target, step.temporary(target.path), create_dirs=config.get("create_dirs", True)) as part:
            rows = copy_to(data, part, options, step)
        step.wrote(rows, target)
        return {}
