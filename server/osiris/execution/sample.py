"""The first rows that a step yields, for somebody who wants to see them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.sql.columns import quote_name
from osiris.sql.messages import explain_engine_error

if TYPE_CHECKING:
    from osiris.sql.dataset import Dataset

_AS_THEY_ARE = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
    | {"UHUGEINT", "VARCHAR", "DOUBLE"}
)


@dataclass
class Sample:
    """``found`` is filled by the run: columns with their types, rows, and whether there are ``more`` than ``limit``."""

    step: str
    limit: int
    found: dict[str, Any] | None = field(default=None)

    def most_of(self, step: str) -> int | None:
        """How many rows of a step are wanted; None: all that there are."""
        return self.limit + 1 if step == self.step else None

    def fill(self, data: Dataset) -> None:
        """Take the rows. What JSON can hold exactly stays what it is; the rest is text as DuckDB writes it.

        Raises ExecutionError when they cannot be read after all.
        """
        import duckdb

        columns = data.columns
        wanted = ", ".join(
            quote_name(c.name) if c.type in _AS_THEY_ARE else f"CAST({quote_name(c.name)} AS VARCHAR)" for c in columns
        )
        try:
            rows = data.relation().project(wanted).limit(self.limit + 1).fetchall()
        except duckdb.Error as error:
            message, hint = explain_engine_error(data.failure() or error)
            raise ExecutionError(message, hint=hint) from error
        self.found = {
            "columns": [{"name": column.name, "type": column.type} for column in columns],
            "rows": [[_cell(cell) for cell in row] for row in rows[: self.limit]],
            "more": len(rows) > self.limit,
        }


def _cell(value: Any) -> Any:
    """The value where JSON knows it, else its text: so for NaN and infinity."""
    known = value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
    return value if known else str(value)
