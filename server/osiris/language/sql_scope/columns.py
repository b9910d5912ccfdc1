"""The columns that tables, named queries and queries in parentheses give, as far as their text says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from osiris.language.catalog import Column, Columns
from osiris.language.sql_scope.tree import Cte, Item, Query, Select, Source


class Tables(Protocol):
    """The tables that stand outside the query."""

    def columns_of(self, name: str, schema: str | None) -> Columns | None:
        """The columns of a table; None when it is unknown or they are."""
        ...


class ColumnReader:
    """Reads the columns of a query's parts, each once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[int, Columns | None] = {}
        self._kept: list[object] = []  # what the keys above belong to, so that no other object gets the same
        self._reading: set[int] = set()

    def of_source(self, source: Source, ctes: Sequence[Cte]) -> Columns | None:
        """The columns of what stands in FROM; ``ctes`` are the named queries that it may mean."""
        if id(source) not in self._known:
            self._kept.append(source)
            self._known[id(source)] = _renamed(self._read_source(source, ctes), source.column_names)
        return self._known[id(source)]

    def _read_source(self, source: Source, ctes: Sequence[Cte]) -> Columns | None:
        if source.query is not None:
            return self.of_query(source.query)
        if source.is_function:
            return None
        cte = meant_cte(source, ctes)
        if cte is not None:
            return self.of_cte(cte)
        return self._tables.columns_of(source.name, source.schema)

    def of_cte(self, cte: Cte) -> Columns | None:
        """The columns of a named query."""
        return _renamed(self.of_query(cte.query) if cte.query is not None else None, cte.column_names)

    def of_query(self, query: Query, *, whole: bool = False) -> Columns | None:
        """The columns of a query's result. ``whole``: None when even one of them has no readable name."""
        if id(query) in self._reading or not query.selects:
            return None
        self._reading.add(id(query))
        try:
            return self._of_select(query.selects[0], whole)
        finally:
            self._reading.discard(id(query))

    def _of_select(self, select: Select, whole: bool) -> Columns | None:
        if not select.has_list:  # FROM t
            rest = self._star(select, Item("star", select.sources[0].span)) if select.sources else None
            return tuple(rest) if rest is not None else None
        found: list[Column] = []
        for item in select.items:
            columns = self._of_item(select, item)
            if columns is None:
                if whole or item.kind == "star":
                    return None
                continue
            found += columns
        return tuple(found) if found else None

    def _of_item(self, select: Select, item: Item) -> Iterable[Column] | None:
        if item.kind == "star":
            return None if item.changed else self._star(select, item)
        if not item.name:
            return None
        if item.kind == "column" and (column := self.column(select, item.qualifier, item.column)) is not None:
            return (_result(column, item.name),)
        return (Column(item.name, ""),)

    def column(self, select: Select, qualifier: str, name: str) -> Column | None:
        """The column that ``qualifier.name`` means in a SELECT; None when that is unknown or ambiguous."""
        found: list[Column] = []
        ctes = visible_ctes(select)
        for source in select.sources:
            if qualifier and source.called.casefold() != qualifier.casefold():
                continue
            columns = self.of_source(source, ctes)
            if columns is None and not qualifier:
                return None
            found += [c for c in columns or () if c.name.casefold() == name.casefold()]
        return found[0] if len(found) == 1 or (found and qualifier) else None

    def _star(self, select: Select, item: Item) -> list[Column] | None:
        found: list[Column] = []
        ctes = visible_ctes(select)
        excluded = {name.casefold() for name in item.excluded}
        sources = [s for s in select.sources if not item.qualifier or s.called.casefold() == item.qualifier.casefold()]
        for source in sources:
            columns = self.of_source(source, ctes)
            if columns is None or source.natural:
                return None
            merged = set() if item.qualifier else {name.casefold() for name in source.using}
            found += [
                _result(c, c.name)
                for c in columns
                if c.name.casefold() not in excluded and c.name.casefold() not in merged
            ]
        return found or None


def visible_ctes(select: Select) -> tuple[Cte, ...]:
    """The named queries that a SELECT may use."""
    return tuple(select.query.visible_ctes(select.start))


def meant_cte(source: Source, ctes: Iterable[Cte]) -> Cte | None:
    """The named query that a table name means."""
    if source.qualifiers or source.query is not None or source.is_function:
        return None
    return next((cte for cte in ctes if cte.name.casefold() == source.name.casefold()), None)


def _result(column: Column, name: str) -> Column:
    """A column as it comes out of a query: it is no key there, and a join may have made it null."""
    return replace(column, name=name, nullable=None, primary_key=0, unique=False, references="", generated=False)


def _renamed(columns: Columns | None, names: Sequence[str]) -> Columns | None:
    if not names:
        return columns
    return tuple(_renaming(columns or (), names))


def _renaming(columns: Columns, names: Sequence[str]) -> Iterator[Column]:
    for position, name in enumerate(names):
        yield replace(columns[position], name=name) if position < len(columns) else Column(name, "")
    yield from columns[len(names) :]
