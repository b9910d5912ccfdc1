"""What is said of functions, aliases and named queries."""

from __future__ import annotations

from collections.abc import Sequence

from osiris.ide.column_texts import as_code, as_prose
from osiris.ide.sql.dialects import dialect_of
from osiris.language.catalog import Column

_MOST_COLUMNS = 30


def of_function(dialect: str, name: str) -> str | None:
    """How a function is called and what it gives. None for one that is not in our list."""
    lines = [f"{as_code(f.signature)}\n\n{f.text[:1].upper()}{f.text[1:]}." for f in dialect_of(dialect).function(name)]
    return "\n\n".join(lines) or None


def of_columns(columns: Sequence[Column] | None) -> str:
    """The columns of a result, as a list."""
    if not columns:
        return "Its columns are not known."
    lines = [f"- {as_code(c.name)}" + (f" {as_code(c.type)}" if c.type else "") for c in columns[:_MOST_COLUMNS]]
    more = len(columns) - _MOST_COLUMNS
    if more > 0:
        lines += ["", f"and {more} more column{'' if more == 1 else 's'}"]
    return "\n".join(lines)


def of_result(name: str, table: str, column: Column) -> str:
    """A column of a query's result."""
    lines = [f"**{as_code(name)}** · column of {as_code(table)}" if table else f"**{as_code(name)}**"]
    if column.type:
        lines += ["", f"- Type: {as_code(column.type)}"]
    if column.comment:
        lines += ["", as_prose(column.comment)]
    return "\n".join(lines)
