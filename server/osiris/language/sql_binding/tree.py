"""A query as far as names matter. Offsets are code points of the query's text.

How the parts of an expression hang together is left out: a ``Bag`` holds the names and queries in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from osiris.syntax.text import Span


class NotUnderstood(Exception):  # noqa: N818 - nothing is wrong with the query
    """The query holds something that this reader does not know."""


@dataclass(slots=True, eq=False, repr=False)
class Name:
    """A name as it is written; ``span`` takes in the quotes around it, ``key`` is it in one case."""

    text: str
    span: Span
    quoted: bool
    key: str


@dataclass(slots=True, eq=False, repr=False)
class Bag:
    """What an expression, or a list of them, refers to: names with the dots between them, and queries."""

    names: list[tuple[Name, ...]] = field(default_factory=list)
    queries: tuple[Query, ...] = ()


ItemKind = Literal["star", "column", "expression", "open"]


@dataclass(slots=True, eq=False, repr=False)
class Item:
    """What stands between two commas of a select list.

    ``name`` is what it is called in the result: said with AS, or the last part of a ``column``. An ``expression``
    without a name gets one that nobody would write without quotes; of an ``open`` item nothing is known. A star may
    have a ``qualifier``; it leaves out what is ``excluded`` and calls what is ``renamed`` (by name in one case)
    otherwise; what it replaces is ``expected`` to be there. ``unclear``: the names that the item gives can be used
    elsewhere in the query.
    """

    kind: ItemKind
    bag: Bag
    name: Name | None = None
    alias: bool = False
    unclear: bool = False
    qualifier: Name | None = None
    excluded: tuple[tuple[Name, ...], ...] = ()
    expected: tuple[tuple[Name, ...], ...] = ()
    renamed: tuple[tuple[str, Name], ...] = ()


@dataclass(slots=True, eq=False, repr=False)
class Source:
    """What stands in FROM: a table (``parts``), a query, or anything else, whose columns are not known.

    ``bag`` is what it refers to itself, ``on`` the condition of the join that brings it, ``using`` its columns.
    ``left_out``: the join does not add the columns, as SEMI and ANTI; ``grouped``: it is one of several tables in
    parentheses that the join brings. ``function``: it is a function that gives one column.
    """

    bag: Bag
    parts: tuple[Name, ...] = ()
    query: Query | None = None
    alias: Name | None = None
    columns: tuple[Name, ...] = ()
    using: tuple[Name, ...] = ()
    on: Bag | None = None
    natural: bool = False
    left_out: bool = False
    grouped: bool = False
    function: str = ""

    @property
    def called(self) -> Name | None:
        """What stands before the dot of its columns."""
        return self.alias or (self.parts[-1] if self.parts else None)


@dataclass(slots=True, eq=False, repr=False)
class Core:
    """One SELECT. ``rest`` is what WHERE, GROUP BY and the others hold, ``windows`` are the named windows."""

    items: list[Item] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    rest: Bag = field(default_factory=Bag)
    windows: list[tuple[str, Bag]] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Both:
    """Two bodies that UNION, EXCEPT or INTERSECT joins."""

    left: Body
    right: Body
    by_name: bool


@dataclass(slots=True, eq=False, repr=False)
class Rows:
    """VALUES, with this many columns."""

    width: int
    bag: Bag


@dataclass(slots=True, eq=False, repr=False)
class Cte:
    """A named query: ``WITH name (columns) AS (query)``."""

    name: Name
    columns: tuple[Name, ...]
    query: Query
    recursive: bool


@dataclass(slots=True, eq=False, repr=False)
class Query:
    """A whole query. ``order`` is what ORDER BY holds, ``limit`` what LIMIT and OFFSET do; ``used`` are the named
    windows that are used anywhere in the text, which DuckDB looks at alone.
    """

    ctes: tuple[Cte, ...]
    body: Body
    order: Bag | None = None
    limit: Bag | None = None
    used: frozenset[str] = frozenset()


Body = Core | Both | Rows | Query
