"""The tables and columns that a place in a query can name, with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from osiris.ide.sql.dialects import Dialect, dialect_of
from osiris.ide.sql.text import SqlText
from osiris.language.catalog import Column, Columns, TableInfo
from osiris.language.sql_scope.columns import ColumnReader, meant_cte
from osiris.language.sql_scope.place import SqlPlace
from osiris.language.sql_scope.tree import Cte, Source
from osiris.sql.step_columns import QueryTables, query_tables, step_columns

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


@dataclass(frozen=True, slots=True)
class Origin:
    """The table of a database that columns come from: its connection (``@family.alias``) and itself."""

    connection: str
    info: TableInfo


class SqlScope:
    """What is known at one place of one query."""

    def __init__(self, analysis: Analysis, env: Environment, sql: SqlText, place: SqlPlace) -> None:
        self.analysis = analysis
        self.env = env
        self.sql = sql
        self.place = place
        self.dialect: Dialect = dialect_of(sql.dialect)
        self.tables: QueryTables = query_tables(analysis, env, sql.step.index)
        self.reader = ColumnReader(self.tables)

    def columns(self, source: Source) -> Columns:
        """The columns of what stands in FROM; none when they are not known."""
        return self.reader.of_source(source, self.place.ctes) or ()

    def cte(self, source: Source) -> Cte | None:
        """The named query that a source is."""
        return meant_cte(source, self.place.ctes)

    def named(self, qualifiers: tuple[str, ...]) -> Source | None:
        """The table in scope that stands in front of a dot, the nearest one."""
        if not qualifiers:
            return None
        wanted = qualifiers[-1].casefold()
        for scope in self.place.scopes:
            for source in scope:
                if source.called.casefold() == wanted and _fits(source, qualifiers):
                    return source
        return None

    def origin(self, source: Source) -> Origin | None:
        """The table of a database that a source is, also when it is the data of a step that reads one as it is."""
        if source.query is not None or source.is_function or self.cte(source) is not None:
            return None
        return self.origin_of(source.name, source.schema)

    def origin_of(self, name: str, schema: str | None = None) -> Origin | None:
        """As ``origin``, for a table by its name."""
        step = self.tables.step_of(name) if self.tables.over_steps else None
        if step is not None:
            known = step_columns(self.analysis, self.env, step)
            if known is None or known.table is None or known.database is None:
                return None
            return Origin(known.database.connection.reference, known.table)
        found, database = self.tables.find(name, schema), self.tables.database
        return Origin(database.connection.reference, found.info) if found is not None and database is not None else None

    @cached_property
    def by_column(self) -> dict[str, list[Source]]:
        """The tables of the nearest SELECT by the folded names of their columns."""
        found: dict[str, list[Source]] = {}
        for source in self.place.sources:
            for name in {column.name.casefold() for column in self.columns(source)}:
                found.setdefault(name, []).append(source)
        return found

    def lookup(self, name: str) -> tuple[Source, Column] | None:
        """The column that a name without a dot means: that of the nearest SELECT which has one."""
        wanted = name.casefold()
        for scope in self.place.scopes:
            for source in scope:
                for column in self.columns(source):
                    if column.name.casefold() == wanted:
                        return source, column
        return None

    def selected(self) -> frozenset[str]:
        """The folded names of the columns that the select list has already."""
        items = self.place.select.items if self.place.select is not None else ()
        return frozenset(item.column.casefold() for item in items if item.kind == "column")

    def results(self) -> Iterator[str]:
        """The names that the select list gives to its items."""
        for item in self.place.select.items if self.place.select is not None else ():
            if item.name and item.name_span is not None and item.name != item.column:
                yield item.name


def _fits(source: Source, qualifiers: tuple[str, ...]) -> bool:
    if len(qualifiers) == 1:
        return True
    return not source.alias and source.schema is not None and source.schema.casefold() == qualifiers[-2].casefold()
