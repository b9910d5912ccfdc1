"""Writing rows to a file by DuckDB's COPY, which streams and says how many there were."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.drivers.context import StepContext
from osiris.sql.columns import quote_name, quote_text

if TYPE_CHECKING:
    from osiris.sql.dataset import Dataset


def copy_to(data: Dataset, path: Path, options: list[str], step: StepContext, selected: str = "*") -> int:
    """Write all rows of ``data`` to ``path``; the number of rows. ``selected``: the select list.

    Raises duckdb.Error.
    """
    once = data.once
    with data.scanned() as source:
        source = _by_one_thread(source) if once else source
        row = step.database.connection.execute(
            f"COPY (SELECT {selected} FROM {source}) TO {quote_text(str(path))} ({', '.join(options)})"
        ).fetchone()
    return int(row[0]) if row else 0


def _by_one_thread(source: str) -> str:
    """What reads a stream in one thread. Several would wait for each other, and keep far more of its rows meanwhile.

    Rows that are numbered as they come are not handed out to threads. The number is asked for, else it would be left
    out together with its effect.
    """
    number = quote_name(f"__row_{secrets.token_hex(8)}")  # no column of a user is called that
    numbered = f"SELECT *, row_number() OVER () AS {number} FROM {source}"
    return f"(SELECT * EXCLUDE ({number}) FROM ({numbered}) WHERE {number} > 0)"
