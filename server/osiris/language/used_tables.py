"""Which tables of which connections a pipeline works with: what ``osiris.schema.json`` is to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osiris.language.analysis import Analysis
from osiris.language.connections import Connection
from osiris.syntax.text import Span


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table that a step names, in its ``table`` or in FROM and JOIN of its query.

    ``schema`` is None where the default one is meant. ``span`` is where the name stands, in the document. ``written``:
    the step writes the table, which therefore need not be there.
    """

    step: int
    connection: Connection
    schema: str | None
    table: str
    origin: Literal["table", "query"]
    span: Span
    written: bool = False


def used_tables(analysis: Analysis) -> tuple[TableUse, ...]:
    """The tables in the order of the steps, under all profiles; a table that is named twice comes twice.

    Names that only a run knows are left out.
    """
    return tuple(
        TableUse(
            step.index,
            named.connection,
            named.schema,
            named.table,
            named.origin,
            step.place(named.span),
            named.written,
        )
        for step, tables in zip(analysis.pipeline.steps, analysis.tables, strict=True)
        for named in tables
    )
