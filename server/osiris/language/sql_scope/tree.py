"""The parts of a query. Offsets are code points of the query's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from osiris.syntax.text import Span

Clause = Literal[
    "start", "with", "select", "from", "on", "using", "where", "group", "having", "order", "limit", "window", "values"
]
FrameKind = Literal["query", "tables", "names", "group"]


@dataclass(slots=True, eq=False)
class Cte:
    """A named query: ``WITH name (columns) AS (query)``."""

    name: str
    span: Span
    column_names: list[str] = field(default_factory=list)
    query: Query | None = None
    recursive: bool = False


@dataclass(slots=True, eq=False)
class Source:
    """A table, a named query, a query in parentheses or a function in FROM.

    ``span`` covers the name with the schema in front of it, or the parentheses. ``name`` is empty for a query in
    parentheses. ``column_names`` are those of ``t AS x (a, b)``, ``using`` those of the join that brought it.
    """

    span: Span
    name: str = ""
    name_span: Span = field(default=Span(0, 0))
    qualifiers: tuple[str, ...] = ()
    alias: str = ""
    alias_span: Span | None = None
    column_names: list[str] = field(default_factory=list)
    using: list[str] = field(default_factory=list)
    query: Query | None = None
    cte: Cte | None = None
    is_function: bool = False
    lateral: bool = False
    natural: bool = False

    @property
    def called(self) -> str:
        """What stands before the dot of its columns."""
        return self.alias or self.name

    @property
    def schema(self) -> str | None:
        """The schema in front of its name, if one is written."""
        return self.qualifiers[-1] if self.qualifiers else None


@dataclass(slots=True, eq=False)
class Item:
    """What stands between two commas of a select list.

    ``kind``: a star (``*``, ``t.*``), a plain column (``a``, ``t.a``) or anything else. ``name`` is what the item is
    called in the result, empty when nobody says it; ``column`` the column that it is. ``excluded`` are the columns that
    a star leaves out; ``changed``: a star does more than that, so that its columns are not certain.
    """

    kind: Literal["star", "column", "expression"]
    span: Span
    name: str = ""
    name_span: Span | None = None
    column: str = ""
    qualifier: str = ""
    excluded: tuple[str, ...] = ()
    changed: bool = False


@dataclass(slots=True, eq=False)
class Select:
    """One SELECT: of a UNION each branch is one. ``marks`` say from which offset on which clause is written."""

    query: Query
    start: int
    end: int = -1
    items: list[Item] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    marks: list[tuple[int, Clause]] = field(default_factory=list)
    has_list: bool = False

    def clause_at(self, offset: int) -> Clause:
        """The clause at ``offset``, parentheses left aside."""
        found: Clause = "start"
        for at, clause in self.marks:
            if at > offset:
                break
            found = clause
        return found


@dataclass(slots=True, eq=False)
class Query:
    """A statement, or a query in parentheses. ``outer`` is the SELECT around it, ``around`` the query around it.

    ``in_from``: it stands where a table stands, so that it sees the tables beside it only when it is ``lateral``.
    ``siblings`` is how many tables stand in front of it there.
    """

    start: int
    end: int = -1
    around: Query | None = None
    outer: Select | None = None
    in_from: bool = False
    lateral: bool = False
    siblings: int = 0
    cte: Cte | None = None
    ctes: list[Cte] = field(default_factory=list)
    selects: list[Select] = field(default_factory=list)

    def visible_ctes(self, offset: int) -> Iterator[Cte]:
        """The named queries that may be used at ``offset``, the nearest first."""
        query: Query | None = self
        inside: Cte | None = None
        while query is not None:
            for cte in reversed(query.ctes):
                before = cte is not inside and (inside is None or query.ctes.index(cte) < query.ctes.index(inside))
                if (before and cte.span.end <= offset) or (cte.recursive and cte.query is not None):
                    yield cte
            inside, query = query.cte, query.around


@dataclass(slots=True, eq=False)
class Frame:
    """A pair of parentheses, or the statement as a whole: what is between ``start`` and ``end``.

    ``word`` is what stands in front of it, in capitals (``COUNT``, ``IN``, ``USING``).
    """

    kind: FrameKind
    start: int
    end: int
    query: Query
    select: Select | None
    word: str = ""
    clause: Clause = "start"


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """Everything that was read of a text: its statements, and all parentheses in the order that they open in."""

    statements: tuple[Query, ...]
    frames: tuple[Frame, ...]

    def frame_at(self, offset: int) -> Frame:
        """The innermost pair of parentheses around ``offset``."""
        found = self.frames[0]
        for frame in self.frames:
            if frame.start > offset:
                break
            if offset <= frame.end:
                found = frame
        return found

    def queries(self) -> Iterator[Query]:
        """All queries, the outer ones first."""
        seen: set[int] = set()
        for frame in self.frames:
            if frame.kind == "query" and id(frame.query) not in seen:
                seen.add(id(frame.query))
                yield frame.query
