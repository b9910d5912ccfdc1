"""What can be seen at a place of a query, and the columns that its parts give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from osiris.language.sql_binding.shape import Shape, shape
from osiris.language.sql_binding.tree import Item, Name, Source


@dataclass(slots=True, eq=False, repr=False)
class Place:
    """A table that a name was looked for in: what it is called there and its columns. ``table`` is the one outside the
    query that it is (in one case), empty for others."""

    called: str
    table: str
    columns: Shape


@dataclass(slots=True, eq=False, repr=False)
class Table:
    """A table in FROM."""

    name: Name | None
    columns: Shape | None
    outside: str
    source: Source


@dataclass(slots=True, eq=False, repr=False)
class Scope:
    """What can be seen at a place. ``given`` are names of the select list, ``unclear`` says that there may be more."""

    tables: list[Table] = field(default_factory=list)
    outer: Scope | None = None
    given: set[str] = field(default_factory=set)
    unclear: bool = False

    def add_branch(self, columns: Shape | None, seen: Scope) -> None:
        """What ORDER BY behind several branches sees of one of them."""
        self.tables += seen.tables
        self.given |= seen.given
        self.given.update(name.casefold() for name in columns or ())
        self.unclear |= seen.unclear or columns is None or columns.unnamed


def places_seen(scope: Scope) -> tuple[Place, ...]:
    """The tables that are seen, the nearest first."""
    found: list[Place] = []
    at: Scope | None = scope
    while at is not None:
        found += (place_of(table) for table in at.tables)
        at = at.outer
    return tuple(found)


def place_of(table: Table) -> Place:
    """The table as a place where a name was looked for."""
    assert table.columns is not None
    return Place(table.name.text if table.name is not None else "", table.outside, table.columns)


def result_scope(columns: Shape | None, outer: Scope | None) -> Scope:
    """What is seen behind a query whose tables are out of sight: the columns of its result."""
    given = {name.casefold() for name in columns or ()}
    return Scope(outer=outer, given=given, unclear=columns is None or columns.unnamed)


def renamed_columns(columns: Shape | None, names: Sequence[Name]) -> Shape | None:
    """The first columns with other names."""
    if not names or columns is None:
        return columns
    rest = tuple(columns)
    if columns.doubled or columns.unnamed:  # which of them the first ones are is not known
        rest += tuple(name for name in rest if name.casefold() in columns.doubled)
    else:
        rest = rest[len(names) :]
    return shape(None, (*(name.text for name in names), *rest), columns.unnamed)


def together(left: Shape | None, right: Shape | None) -> Shape | None:
    """The columns of both, each once."""
    if left is None or right is None:
        return None
    more = tuple(name for name in right if not left.may_have(name.casefold()))
    return shape(left, more, right.unnamed)


def starred(item: Item, scope: Scope) -> list[Table]:
    """The tables whose columns a star stands for."""
    tables = [table for table in scope.tables if not table.source.left_out]
    if item.qualifier is None:
        return tables
    return [table for table in tables if table.name is not None and table.name.key == item.qualifier.key]


def selected_columns(items: Sequence[Item], scope: Scope) -> Shape | None:
    """The columns of a select list."""
    base: Shape | None = None
    names: list[str] = []
    unnamed = False
    for item in items:
        if item.kind == "star":
            tables = starred(item, scope)
            if not tables or any(table.columns is None for table in tables):
                return None
            if len(tables) == 1 and base is None and not names and not (item.excluded or item.renamed):
                base = tables[0].columns
                continue
            excluded = {parts[-1].key for parts in item.excluded if len(parts) == 1}
            renamed = dict(item.renamed)
            for table in tables:
                columns = table.columns
                assert columns is not None
                if columns.doubled:
                    return None
                unnamed |= columns.unnamed
                merged = {name.key for name in table.source.using} if item.qualifier is None else set()
                before = [one.columns for one in tables[: tables.index(table)]] if table.source.natural else []
                for name in columns:
                    key = name.casefold()
                    common = any(one is not None and one.may_have(key) for one in before)
                    if key in excluded or key in merged or common:
                        continue
                    names.append(renamed[key].text if key in renamed else name)
        elif item.kind == "open" or (item.kind == "expression" and item.name is None):
            if item.kind == "open":
                return None
            unnamed = True
        elif item.name is not None:
            names.append(item.name.text)
    return shape(base, tuple(names), unnamed)
