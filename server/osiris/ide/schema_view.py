"""What is known of the database behind a connection, as a text to read: where the definitions of its tables stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from osiris.ide.column_texts import column_detail, one_line, table_detail
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.edits import scalar_text
from osiris.syntax.text import Span

# A text that an editor opens at once. Tables behind that many columns are shown without theirs.
_MOST_COLUMNS = 60_000
_LONGEST_COMMENT = 200

_PLAIN_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ,.()'\[\]]*(?<! )")

_Place = tuple[int, Span]


@dataclass(frozen=True, slots=True)
class SchemaView:
    """The text, a YAML map of schemas, tables and columns, and where in it they stand."""

    text: str
    _tables: dict[tuple[str, str], _Place] = field(repr=False)
    _columns: dict[tuple[str, str], dict[str, _Place]] = field(repr=False)

    def line_of(self, schema: str, table: str, column: str | None = None) -> int | None:
        """The line, from 0, of a table or of its column; None for an unknown table.

        Names are those of the catalog. A column that is not shown is looked for at its table.
        """
        found = self._find(schema, table, column)
        return found[0] if found is not None else None

    def span_of(self, schema: str, table: str, column: str | None = None) -> Span | None:
        """The name as it stands in the text, in code points; else as ``line_of``."""
        found = self._find(schema, table, column)
        return found[1] if found is not None else None

    def _find(self, schema: str, table: str, column: str | None) -> _Place | None:
        key = (schema, table)
        if column is not None and (place := self._columns.get(key, {}).get(column)) is not None:
            return place
        return self._tables.get(key)


def schema_view(knowledge: SchemaKnowledge, reference: str) -> SchemaView:
    """The view of the connection ``reference`` (``@mysql.shop``): of its last reading, else of what is locked."""
    return _rendered(knowledge.discovered or knowledge.locked, knowledge.locked, reference)


@lru_cache(maxsize=4)
def _rendered(catalog: Catalog | None, locked: Catalog | None, reference: str) -> SchemaView:
    writer = _Writer()
    writer.lines(*_head(catalog, locked, reference))
    if catalog is not None:
        for schema in catalog.schemas:
            writer.lines("", f"{_text(schema or 'tables')}:")
            for info in sorted(_of(catalog, schema), key=lambda info: info.name):
                writer.table(info, catalog)
    return SchemaView("".join(writer.parts), writer.tables, writer.columns)


def _of(catalog: Catalog, schema: str) -> Iterator[TableInfo]:
    return (info for info in catalog.tables if info.schema == schema)


def _head(catalog: Catalog | None, locked: Catalog | None, reference: str) -> Iterator[str]:
    yield f"# The database of {reference}, as it was last read. Nothing that is changed here has an effect."
    if catalog is None:
        yield "# Nothing is known of it yet: run `osiris discover`."
        return
    count = len(catalog.tables)
    what = f"{count} table{'' if count == 1 else 's'}"
    if catalog is locked:
        yield f"# {what}, from osiris.schema.json"
        return
    when = f", read at {catalog.read_at:%Y-%m-%d %H:%M} UTC" if catalog.read_at is not None else ""
    rest = "" if catalog.complete else "; there are more that could not be read"
    yield f"# {what}{when}{rest}"


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.tables: dict[tuple[str, str], _Place] = {}
        self.columns: dict[tuple[str, str], dict[str, _Place]] = {}
        self.line = 0
        self.offset = 0
        self.shown = 0

    def lines(self, *lines: str) -> None:
        for line in lines:
            self.parts += (line, "\n")
            self.line += 1
            self.offset += len(line) + 1

    def named(self, indent: int, name: str, rest: str) -> _Place:
        """A line ``name: rest``, and where the name stands."""
        text = _text(name)
        place = (self.line, Span(self.offset + indent, self.offset + indent + len(text)))
        self.lines(f"{' ' * indent}{text}:{rest}")
        return place

    def table(self, info: TableInfo, catalog: Catalog) -> None:
        key = (info.schema, info.name)
        columns = catalog.columns(info) if self.shown < _MOST_COLUMNS else ()
        why = " · its columns are not known" if columns is None else "" if columns else " · its columns are not shown"
        note = f"  # {table_detail(info)}{why}"
        self.tables[key] = self.named(2, info.name, note if columns else f" {{}}{note}")
        if columns:
            self.columns[key] = {column.name: self.named(4, column.name, _column(column)) for column in columns}
            self.shown += len(columns)


def _column(column: Column) -> str:
    kind, *facts = column_detail(column).split(" · ") if column.type or column.arrow else ["", column_detail(column)]
    comment = one_line(column.comment, _LONGEST_COMMENT)
    if column.values:
        shown = ", ".join(column.values[:8])
        facts.append(one_line(f"one of {shown}{', …' if len(column.values) > 8 else ''}", _LONGEST_COMMENT))
    notes = [fact for fact in (*facts, comment) if fact]
    kind = kind if _PLAIN_TYPE.fullmatch(kind) else _text(kind) if kind else ""
    return (f" {kind}" if kind else "") + (f"  # {' · '.join(notes)}" if notes else "")


def _text(name: str) -> str:
    return scalar_text(name) if name.isprintable() else json.dumps(name)
