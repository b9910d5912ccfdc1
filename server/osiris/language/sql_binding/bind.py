"""Looks up what the names of a query can mean, by the rules of DuckDB, and says which can mean nothing.

A query sees its tables, the names that its select list gives, and what the queries around it see. Where any of that is
not known in full, a name may mean it, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osiris.language.sql_binding.given_names import is_column, is_kept, names_of_rows
from osiris.language.sql_binding.queries import read_query
from osiris.language.sql_binding.scope import (
    Place,
    Scope,
    Table,
    place_of,
    places_seen,
    renamed_columns,
    result_scope,
    selected_columns,
    starred,
    together,
)
from osiris.language.sql_binding.shape import Shape, shape
from osiris.language.sql_binding.tree import Bag, Body, Both, Core, Cte, Item, Name, NotUnderstood, Query, Rows, Source
from osiris.language.sql_binding.words import ANSWERED
from osiris.syntax.text import Span

_ANY = Name("*", Span(0, 0), True, "*")
_MOST_MISSING = 200
_GIVEN = "alias"
"""``alias.x`` is what the select list calls ``x``."""
_MOST_INSIDE = 80
"""How many queries may stand in one another, also by their names; with more nothing is said, on every machine."""
_SCHEMAS = frozenset(("main", "temp", "memory", "system", "pg_catalog", "information_schema"))

Tables = tuple[tuple[str, Shape | None], ...]
"""The tables outside the query: name in one case, and columns, None when they are not known."""


@dataclass(slots=True, eq=False, repr=False)
class Missing:
    """A name that means nothing. ``places`` is where it was looked for; with none, ``name`` stands for a table."""

    name: Name
    places: tuple[Place, ...]
    tables: tuple[str, ...] = ()


@dataclass(slots=True, eq=False, repr=False)
class Bound:
    """What is known of a query: the columns of its result, None when they are not, and the names that mean nothing."""

    columns: Shape | None
    missing: tuple[Missing, ...]


NOTHING = Bound(None, ())


def bind(text: str, tables: Tables, dialect: str = "duckdb") -> Bound:
    """Bind the query in ``text`` over ``tables``; nothing is known and missing where it is not understood."""
    query = read_query(text, dialect)
    if query is None:
        return NOTHING
    binder = _Binder(dict(tables), query.used, dialect)
    try:
        columns = binder.query(query, None, {})
    except NotUnderstood:
        return NOTHING
    return Bound(columns, tuple({found.name.span: found for found in binder.missing}.values()))


def columns_of_query(text: str, dialect: str, tables: Tables = ()) -> tuple[str, ...] | None:
    """The names of the columns that a query in a database's own dialect gives, None when not all are certain.

    Each database names what has no name in its own way, and tells names that come twice apart in its own way:
    ``given_names`` says which names are the same everywhere.
    """
    columns = bind(text, tables, dialect).columns
    if columns is None or columns.unnamed or columns.doubled:
        return None
    return tuple(columns)


@dataclass(slots=True, eq=False, repr=False)
class _Named:
    """A named query and the columns that it gives, once it was asked for. ``seen``: what it sees itself."""

    cte: Cte
    seen: Ctes
    scope: Scope | None
    asked: bool = False
    columns: Shape | None = None


Ctes = Mapping[str, _Named]


class _Binder:
    def __init__(self, tables: Mapping[str, Shape | None], windows: frozenset[str], dialect: str) -> None:
        self.tables = tables
        self.windows = windows
        self.dialect = dialect
        self.missing: list[Missing] = []
        self.inside = 0

    # -- queries

    def query(self, query: Query, outer: Scope | None, ctes: Ctes) -> Shape | None:
        """The columns of a query's result."""
        if query.ctes:
            ctes = dict(ctes)
            for cte in query.ctes:
                ctes[cte.name.key] = _Named(cte, dict(ctes), outer)
        self.inside += 1
        if self.inside > _MOST_INSIDE:
            raise NotUnderstood
        columns, scope = self.body(query.body, outer, ctes)
        if query.order is not None:
            self.bag(query.order, scope, ctes)
        if query.limit is not None:
            self.bag(query.limit, Scope(outer=scope), ctes)
        self.inside -= 1
        return columns

    def body(self, body: Body, outer: Scope | None, ctes: Ctes) -> tuple[Shape | None, Scope]:
        """The columns, and what ORDER BY behind it sees."""
        if isinstance(body, Core):
            return self.core(body, outer, ctes)
        if isinstance(body, Rows):
            self.bag(body.bag, Scope(outer=outer), ctes)
            rows = names_of_rows(body.width, self.dialect)
            return rows, Scope(outer=outer, given=set(rows.added) if rows is not None else set(), unclear=rows is None)
        if isinstance(body, Query):
            columns = self.query(body, outer, ctes)
            return columns, result_scope(columns, outer)
        return self.branches(body, outer, ctes)

    def branches(self, body: Both, outer: Scope | None, ctes: Ctes) -> tuple[Shape | None, Scope]:
        """As ``body``, of several that are joined; there may be thousands, so that none is looked at inside another."""
        behind: list[Both] = []
        first: Body = body
        while isinstance(first, Both):
            behind.append(first)
            first = first.left
        columns, seen = self.body(first, outer, ctes)
        scope = Scope(outer=outer)
        scope.add_branch(columns, seen)
        for both in reversed(behind):
            right, seen = self.body(both.right, outer, ctes)
            scope.add_branch(right, seen)
            columns = together(columns, right) if both.by_name else columns
        return columns, scope

    def named(self, name: Name, ctes: Ctes) -> tuple[bool, Shape | None]:
        """Whether a table is a named query, and its columns."""
        found = ctes.get(name.key)
        if found is None:
            return False, None
        if not found.asked:
            found.asked = True
            body = found.cte.query.body
            if found.cte.recursive and isinstance(body, Both):
                self._recursive(found, body)
            else:
                found.columns = renamed_columns(self.query(found.cte.query, found.scope, found.seen), found.cte.columns)
        return True, found.columns

    def _recursive(self, found: _Named, body: Both) -> None:
        """The first branch says the columns, which the second one then sees."""
        first, _ = self.body(body.left, found.scope, found.seen)
        found.columns = renamed_columns(first, found.cte.columns)
        if not found.cte.query.ctes:
            self.body(body.right, found.scope, {**found.seen, found.cte.name.key: found})

    def core(self, core: Core, outer: Scope | None, ctes: Ctes) -> tuple[Shape | None, Scope]:
        """The columns of one SELECT, and what can be seen in it."""
        scope = Scope(outer=outer)
        if self.dialect != "duckdb" and any(source.left_out for source in core.sources):
            raise NotUnderstood  # SEMI and ANTI are names of tables there
        for source in core.sources:
            scope.tables.append(self.table(source, scope, ctes))
        for table in scope.tables:
            if table.source.on is not None:
                self.bag(table.source.on, scope, ctes)
            if table.source.using:
                self.using(table, scope)
        scope.tables = [table for table in scope.tables if not table.source.left_out]
        for item in core.items:
            self.bag(item.bag, scope, ctes)
            if item.kind == "star":
                self.star(item, scope)
                scope.given.update(name.key for _, name in item.renamed)
            scope.unclear |= item.unclear
            if item.alias and item.name is not None:
                scope.given.add(item.name.key)
        self.bag(core.rest, scope, ctes)
        for name, bag in core.windows:
            if name in self.windows:
                self.bag(bag, scope, ctes)
        if self.dialect != "duckdb" and not all(self.is_certain(item, scope) for item in core.items):
            return None, scope
        return selected_columns(core.items, scope), scope

    def is_certain(self, item: Item, scope: Scope) -> bool:
        """Whether a database of another dialect calls a column of its result as the item says."""
        if item.kind != "column" or item.name is None:
            return True
        if item.alias:
            return is_kept(item.name, self.dialect)
        known = any(table.columns is not None and table.columns.lists(item.name.key) for table in scope.tables)
        return is_kept(item.name, self.dialect) and (known or is_column(item.name, self.dialect))

    def table(self, source: Source, scope: Scope, ctes: Ctes) -> Table:
        """What a table in FROM has; what stands before it can be seen in it."""
        before = Scope(list(scope.tables), scope.outer)
        self.bag(source.bag, before, ctes)
        columns: Shape | None = None
        outside = ""
        if source.query is not None:
            columns = self.query(source.query, before, ctes)
        elif len(source.parts) == 1:
            is_named, columns = self.named(source.parts[0], ctes)
            if not is_named:
                outside = source.parts[0].key
                columns = self.tables.get(outside)
        elif source.function and self.dialect == "duckdb":
            names = [name for name in (source.alias.text if source.alias else "", source.function) if name]
            columns = shape(None, tuple(names))
        return Table(source.called, renamed_columns(columns, source.columns), outside, source)

    def using(self, table: Table, scope: Scope) -> None:
        """The columns of USING are on both sides."""
        before = scope.tables[: scope.tables.index(table)]
        if table.source.grouped or table.columns is None or any(one.columns is None for one in before):
            return
        for name in table.source.using:
            if not table.columns.may_have(name.key):
                self.missing.append(Missing(name, (place_of(table),)))
            elif not any(one.columns is not None and one.columns.may_have(name.key) for one in before):
                self.missing.append(Missing(name, tuple(place_of(one) for one in before)))

    def star(self, item: Item, scope: Scope) -> None:
        """The columns that a star leaves out or replaces are there."""
        tables = starred(item, scope)
        if item.qualifier is not None and not tables:
            self.found(self.dotted((item.qualifier, _ANY), scope))
        if not tables or any(one.columns is None for one in tables):
            return
        for parts in (*item.excluded, *item.expected):
            if len(parts) == 1 and not any(one.columns and one.columns.may_have(parts[0].key) for one in tables):
                self.missing.append(Missing(parts[0], tuple(place_of(one) for one in tables)))

    # -- names

    def bag(self, bag: Bag, scope: Scope, ctes: Ctes) -> None:
        """Look up all names of an expression."""
        for parts in bag.names:
            if len(self.missing) >= _MOST_MISSING:
                return
            missing = self.single(parts[0], scope) if len(parts) == 1 else self.dotted(parts, scope)
            self.found(missing)
        for query in bag.queries:
            self.query(query, scope, ctes)

    def found(self, missing: Missing | None) -> None:
        """Note what means nothing."""
        if missing is not None:
            self.missing.append(missing)

    def single(self, name: Name, scope: Scope) -> Missing | None:
        """A name without a dot."""
        key = name.key
        if key in ANSWERED or key in _SCHEMAS:
            return None
        at: Scope | None = scope
        while at is not None:
            if at.unclear or key in at.given:
                return None
            for table in at.tables:
                if table.columns is None or table.columns.may_have(key):
                    return None
                if table.name is not None and table.name.key == key:
                    return None  # all columns as one value
            at = at.outer
        places = places_seen(scope)
        return Missing(name, places) if places else None

    def dotted(self, parts: Sequence[Name], scope: Scope) -> Missing | None:
        """``table.column``, a field of a column, or both."""
        qualifier, name = parts[0], parts[1]
        meant: list[Table] = []
        at: Scope | None = scope
        while at is not None:
            if at.unclear or qualifier.key in at.given:
                return None
            for table in at.tables:
                if table.columns is None or table.columns.may_have(qualifier.key):
                    return None
                if table.name is not None and table.name.key == qualifier.key:
                    meant.append(table)
                elif table.name is not None and len(parts) > 2 and table.name.key == name.key:
                    return None  # `schema.table.column`
            at = at.outer
        if name.key in ANSWERED or qualifier.key in _SCHEMAS or qualifier.key == _GIVEN:
            return None
        if meant:
            if name is _ANY or any(table.columns is None or table.columns.may_have(name.key) for table in meant):
                return None
            return Missing(name, (place_of(meant[0]),))
        names = tuple(table.name.text for table in scope.tables if table.name is not None)
        return Missing(qualifier, (), names) if names else None
