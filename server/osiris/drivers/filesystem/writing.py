"""Writing rows to a file by DuckDB's COPY, which streams and says how many there were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from osiris.drivers.context import StepContext
from osiris.sql.columns import quote_text

if TYPE_CHECKING:
    from osiris.sql.dataset import Dataset


def copy_to(data: Dataset, path: Path, options: list[str], step: StepContext, selected: str = "*") -> int:
    """Write all rows of ``data`` to ``path``; the number of rows. ``selected``: the select list.

    Raises duckdb.Error.
    """
    with data.scanned() as source:
        row = step.database.connection.execute(
            f"COPY (SELECT {selected} FROM {source}) TO {quote_text(str(path))} ({', '.join(options)})"
        ).fetchone()
    return int(row[0]) if row else 0
