"""The table or column of a database that is named at a place, and where the schema view tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.column_texts import column_markdown, table_markdown
from osiris.ide.cursor import Cursor, Role, cursor_at
from osiris.ide.schema_view import SchemaView, schema_view
from osiris.ide.sql.meaning import database_table, meaning_at
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, Table
from osiris.language.connections import Connection
from osiris.language.step_database import StepDatabase, step_database
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


@dataclass(frozen=True, slots=True, eq=False)
class TablePlace:
    """A table of a database, or one of its columns, as it is named at ``origin``.

    ``catalog`` is the reading of ``knowledge`` that the table was found in.
    """

    origin: Span
    connection: Connection
    knowledge: SchemaKnowledge
    catalog: Catalog
    table: Table
    column: Column | None = None

    def markdown(self) -> str:
        """All that is known of it."""
        if self.column is not None:
            return column_markdown(self.column, self.table.info, self.knowledge, self.catalog)
        return table_markdown(self.table, self.knowledge, self.catalog)

    def view(self) -> SchemaView:
        """The schema view of the connection."""
        return schema_view(self.knowledge, self.connection.reference)

    def span_in(self, view: SchemaView) -> Span | None:
        """Where the view tells of it; None when it is of a table that only osiris.schema.json knows."""
        info = self.table.info
        found = self.knowledge.discovered or self.catalog
        if found is not self.catalog:  # the committed file writes no schema where it is the default one
            there = found.find(info.name, info.schema or None)
            info = there or info
        return view.span_of(info.schema, info.name, self.column.name if self.column is not None else None)


def table_at(analysis: Analysis, env: Environment, offset: int) -> TablePlace | None:
    """What the text at ``offset`` (code points) names: in a key that the component marks for that, or in SQL."""
    cursor = cursor_at(analysis.document, offset)
    return table_at_cursor(analysis, env, cursor) or _in_sql(analysis, env, cursor)


def table_at_cursor(analysis: Analysis, env: Environment, cursor: Cursor) -> TablePlace | None:
    """As ``table_at``, for a cursor that is known already."""
    step, within = cursor.step, cursor.within
    if cursor.role not in (Role.VALUE, Role.ITEM) or step is None or step >= len(analysis.specs):
        return None
    spec = analysis.specs[step]
    if spec is None or len(within) not in (2, 3) or within[0] != "config" or cursor.token.start == cursor.token.end:
        return None
    key = within[1]
    is_column = key in spec.column_keys
    if not is_column and key != spec.table_key:
        return None
    database = step_database(analysis, step, env)
    found = _table(database) if database is not None else None
    if database is None or found is None or database.knowledge is None:
        return None
    table, catalog = found
    column = table.column(written_name(cursor)) if is_column else None
    if is_column and column is None:
        return None
    return TablePlace(cursor.token, database.connection, database.knowledge, catalog, table, column)


def _in_sql(analysis: Analysis, env: Environment, cursor: Cursor) -> TablePlace | None:
    found = meaning_at(analysis, env, cursor)
    if found is None or found.source is None or (found.is_alias and found.column is None):
        return None
    known = database_table(found.scope, found.source)
    if known is None:
        return None
    column = known.table.column(found.column.name) if found.column is not None else None
    return TablePlace(found.place, known.connection, known.knowledge, known.catalog, known.table, column)


def _table(database: StepDatabase) -> tuple[Table, Catalog] | None:
    found = database.found()
    if found is None or database.knowledge is None or database.knowledge.discovered is None:
        return found
    # What the last reading says of it is more: comments, keys, how many rows.
    latest = database.knowledge.discovered.table(database.table or "", database.schema)
    return (latest, database.knowledge.discovered) if latest is not None and latest.columns is not None else found


def written_name(cursor: Cursor) -> str:
    """What the token at the cursor says, without the escapes of its quotes."""
    if cursor.quote == '"' and "\\" in cursor.text:
        try:
            return str(json.loads(f'"{cursor.text}"'))
        except ValueError:
            return cursor.text
    return cursor.text.replace("''", "'") if cursor.quote == "'" else cursor.text
