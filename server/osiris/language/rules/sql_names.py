"""The tables of a database that a query names, and the columns that can only be columns of one of them.

What is not certain to be such a name is left out: these names are held against what is known of the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from osiris.language.rules.sql_tables import tables_in
from osiris.language.rules.sql_words import (
    CALLS,
    EXPRESSION_BEFORE,
    EXPRESSION_BEHIND,
    HIDDEN_COLUMNS,
    HIDDEN_TABLE_STARTS,
    HIDDEN_TABLES,
    LEFT_ALONE,
    NO_COLUMNS,
    OPERATOR_BEFORE,
    OPERATOR_BEHIND,
)
from osiris.language.sql_scope.place import select_at
from osiris.language.sql_scope.read import read_script
from osiris.language.sql_scope.tree import Frame, Query, Script, Select, Source
from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.text import Span


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table in FROM or JOIN. ``span`` is its last name with the quotes around it; ``schema`` what stands in front."""

    name: str
    span: Span
    quoted: bool
    schema: str | None = None
    schema_quoted: bool = False


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column of the table at ``table``; ``span`` is its name with the quotes around it.

    ``qualifier`` is what stands before its dot, empty without one. ``beside`` are all tables that can be seen there.
    """

    name: str
    span: Span
    quoted: bool
    table: int
    qualifier: str = ""
    beside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryNames:
    """The names of a query in the order that they stand in."""

    tables: tuple[NamedTable, ...] = ()
    columns: tuple[NamedColumn, ...] = ()


_NOTHING = QueryNames()
_CLAUSES = frozenset(("select", "where", "group", "having", "order"))


@lru_cache(maxsize=2048)
def query_names(text: str, dialect: str) -> QueryNames:
    """The names in ``text``; none where it is not one closed query that only reads."""
    every = tokenize_sql(text, dialect=dialect)
    if dialect in ("mysql", "mariadb") and ("/*!" in text or "/*M!" in text):
        return _NOTHING  # comments that the server runs
    tokens = [token for token in every if token.kind != "comment"]
    while tokens and tokens[-1].kind == "semicolon":
        tokens.pop()
    first = next((token.text.upper() for token in tokens if token.text != "("), "")
    starts = ("SELECT", "WITH", "FROM") if dialect == "duckdb" else ("SELECT", "WITH")
    if first not in starts or any(token.kind in ("error", "semicolon") for token in tokens):
        return _NOTHING
    if any(token.kind == "word" and token.text.upper() in LEFT_ALONE for token in tokens):
        return _NOTHING
    return _Names(tokens, text, dialect).read()


class _Names:
    def __init__(self, tokens: list[SqlToken], text: str, dialect: str) -> None:
        self.tokens = tokens
        self.text = text
        self.dialect = dialect
        self.script: Script = read_script(tokens, len(text))
        self.at = {token.span.start: position for position, token in enumerate(tokens)}
        self.tables: list[NamedTable] = []
        self.of_source: dict[int, int] = {}  # which table a source is
        self.given: set[str] = set()  # names that the query gives itself
        self.taken: set[int] = set()  # where tokens start that name no column

    def read(self) -> QueryNames:
        self.sources()
        if not self.tables:
            return _NOTHING
        bare = self.bare_names_are_columns()
        columns = [column for place in self.places(bare) if (column := self.column(*place, bare)) is not None]
        return QueryNames(tuple(self.tables), tuple(columns))

    def sources(self) -> None:
        uses = {use.span for use in tables_in(self.text, self.dialect) if not use.is_file}
        queries = list(self.script.queries())
        ctes = {cte.name.casefold() for query in queries for cte in query.ctes}
        self.given |= ctes
        if any(token.kind == "word" and token.text.upper() == "RENAME" for token in self.tokens):
            said = zip(self.tokens, self.tokens[1:], strict=False)
            self.given |= {name.name.casefold() for before, name in said if before.text.upper() == "AS" and name.name}
        for query in queries:
            self.given |= {name.casefold() for cte in query.ctes for name in cte.column_names}
            for select in query.selects:
                for item in select.items:
                    if item.name and not (item.kind == "column" and item.name == item.column):
                        self.given.add(item.name.casefold())
                for source in select.sources:
                    self.source(source, uses, ctes)

    def source(self, source: Source, uses: set[Span], ctes: set[str]) -> None:
        self.given |= {name.casefold() for name in (source.called, source.name, *source.column_names)}
        if source.alias_span is not None:
            self.taken.add(source.alias_span.start)
        if source.query is not None:
            return
        first = self.at.get(source.span.start)
        last = self.at.get(source.name_span.start)
        if first is None or last is None:
            return
        self.taken |= {token.span.start for token in self.tokens[first : last + 1]}
        token = self.tokens[last]
        name = source.name
        hidden = name.lower().startswith(HIDDEN_TABLE_STARTS) or name.upper() in HIDDEN_TABLES
        if source.is_function or not name or source.span not in uses or len(source.qualifiers) > 1 or hidden:
            return
        if (not source.qualifiers and name.casefold() in ctes) or self.is_completed(first, last):
            return
        quoted = token.kind == "quoted_identifier"
        if not quoted and name.upper() in NO_COLUMNS:
            return
        self.of_source[id(source)] = len(self.tables)
        schema_quoted = self.tokens[first].kind == "quoted_identifier"
        self.tables.append(NamedTable(name, token.span, quoted, source.schema, schema_quoted))

    def is_completed(self, first: int, last: int) -> bool:
        """Whether something next to the name makes another one of it: a parameter, a dot, a parenthesis."""
        before = self.tokens[first - 1] if first else None
        behind = self.tokens[last + 1] if last + 1 < len(self.tokens) else None
        if before is not None and (before.text in "@:.$?#" or _touches(before, self.tokens[first])):
            return True
        return behind is not None and (behind.text in "(.@" or _touches(self.tokens[last], behind))

    def bare_names_are_columns(self) -> bool:
        """Whether a name without a dot can be told from a parameter's and from a function's own names."""
        if not any(len(select.sources) == 1 for query in self.script.queries() for select in query.selects):
            return False
        previous: SqlToken | None = None
        for token in self.tokens:
            is_value = previous is not None and (previous.text in OPERATOR_BEFORE or _is_value_behind(previous))
            if token.kind == "placeholder" and not is_value:
                return False
            if token.kind == "quoted_identifier" and token.placeholders:
                return False
            if token.kind == "operator" and token.text in ("->", "=>", ":=") and self.dialect == "duckdb":
                return False
            previous = token
        return True

    def places(self, bare: bool) -> Iterator[tuple[int, list[Frame]]]:
        """The tokens that may name columns, with the parentheses around them, the outermost first. ``bare``: also those
        that no dot stands in front of."""
        frames, opened, around = self.script.frames, 0, list[Frame]()
        for position, token in enumerate(self.tokens):
            start = token.span.start
            if token.kind not in ("word", "quoted_identifier") or start in self.taken or not token.name:
                continue
            dotted = position > 0 and self.tokens[position - 1].text == "."
            if not dotted and (not bare or (token.kind == "word" and token.text.upper() in NO_COLUMNS)):
                continue
            while opened < len(frames) and frames[opened].start <= start:
                around.append(frames[opened])
                opened += 1
            while len(around) > 1 and around[-1].end < start:
                around.pop()
            if any(frame.end < start for frame in around[1:]):
                around = [around[0], *(frame for frame in around[1:] if frame.end >= start)]
            yield position, around

    def column(self, at: int, around: Sequence[Frame], bare: bool) -> NamedColumn | None:
        frame, token = around[-1], self.tokens[at]
        select = select_at(frame, token.span.start)
        if select is None or frame.kind == "names" or (token.name or "").upper() in HIDDEN_COLUMNS:
            return None
        clause = frame.clause if frame.kind == "group" else select.clause_at(token.span.start)
        if len(frame.query.selects) > 1 and clause in ("order", "limit"):
            return None  # of the whole UNION
        if at and self.tokens[at - 1].text == ".":
            return None if self.is_renamed(at, frame) else self.qualified(at, frame.query, select)
        if bare and clause in _CLAUSES and not self.is_completed(at, at) and self.stands_alone(at, around):
            return self.alone(at, frame.query, select)
        return None

    def is_renamed(self, at: int, frame: Frame) -> bool:
        """Whether a dotted name stands behind RENAME, where it need not mean anything."""
        opening = self.at.get(frame.start - 1) or 0
        before = (self.tokens[max(opening - 1, 0)], self.tokens[max(at - 3, 0)])
        return any(token.kind == "word" and token.text.upper() == "RENAME" for token in before)

    def qualified(self, at: int, query: Query, select: Select) -> NamedColumn | None:
        tokens, token = self.tokens, self.tokens[at]
        qualifier = tokens[at - 2].name if at >= 2 else None
        before = tokens[at - 3] if at >= 3 else None
        behind = tokens[at + 1] if at + 1 < len(tokens) else None
        apart = tokens[at - 1].span.end != token.span.start or tokens[at - 2].span.end != tokens[at - 1].span.start
        if not qualifier or apart or (behind is not None and (behind.text in "(." or _touches(token, behind))):
            return None
        if before is not None and (before.text in "@:.$?#" or _touches(before, tokens[at - 2])):
            return None
        for scope in self.visible(query, select):
            meant = [source for source in scope if source.called.casefold() == qualifier.casefold()]
            if not meant:
                continue
            table = self.of_source.get(id(meant[0]))
            if table is None or len(meant) > 1 or meant[0].column_names:
                return None
            beside = [self.of_source.get(id(s)) for every in self.visible(query, select) for s in every]
            return self.named(token, table, qualifier, tuple(one for one in beside if one is not None))
        return None

    def stands_alone(self, at: int, around: Sequence[Frame]) -> bool:
        """Whether the token is all of an operand: what is around it says that a column stands there."""
        tokens, token = self.tokens, self.tokens[at]
        before = tokens[at - 1] if at else None
        behind = tokens[at + 1] if at + 1 < len(tokens) else None
        if before is None or (token.kind == "word" and token.text.upper() in NO_COLUMNS):
            return False
        if token.kind == "quoted_identifier" and self.dialect == "sqlite":
            return False  # SQLite takes it for a text when there is no such column
        word = before.text.upper() if before.kind == "word" else ""
        leads = word in EXPRESSION_BEFORE or (before.kind == "operator" and before.text in OPERATOR_BEFORE)
        if word == "BY":
            leads = at > 1 and tokens[at - 2].text.upper() in ("GROUP", "ORDER", "PARTITION")
        if not leads:
            return False
        if behind is not None and not (
            (behind.kind == "word" and behind.text.upper() in EXPRESSION_BEHIND)
            or (behind.kind == "operator" and behind.text in OPERATOR_BEHIND)
            or (around[-1].kind == "query" and self.is_renamed_item(at))
        ):
            return False
        return all(self.holds_expressions(frame) for frame in _groups(around))

    def is_renamed_item(self, at: int) -> bool:
        """Whether the token and a name behind it are all of an item of a select list: ``amount total``."""
        words = [token.text.upper() for token in self.tokens[at - 1 : at + 3]]
        name = self.tokens[at + 1]
        is_name = name.kind == "quoted_identifier" or (name.kind == "word" and words[2] not in NO_COLUMNS)
        return len(words) == 4 and is_name and words[0] in ("SELECT", "DISTINCT", ",") and words[3] in (",", "FROM")

    def holds_expressions(self, frame: Frame) -> bool:
        if self.text[frame.start - 1 : frame.start] != "(":
            return False
        opening = self.at.get(frame.start - 1)
        before = self.tokens[opening - 1] if opening else None
        if before is None:
            return False
        if before.kind == "word":
            return before.text.upper() in CALLS and self.tokens[(opening or 0) - 2].text != "."
        return before.kind == "operator" and before.text in OPERATOR_BEFORE

    def alone(self, at: int, query: Query, select: Select) -> NamedColumn | None:
        token = self.tokens[at]
        scopes = list(self.visible(query, select))
        if len(scopes) != 1 or len(scopes[0]) != 1 or (token.name or "").casefold() in self.given:
            return None
        [source] = scopes[0]
        table = self.of_source.get(id(source))
        return None if table is None or source.column_names else self.named(token, table)

    def visible(self, query: Query, select: Select) -> Iterator[tuple[Source, ...]]:
        """The tables that can be seen in a SELECT, its own first. Rather too many of those around it than too few."""
        yield tuple(select.sources)
        inner = query
        while inner.outer is not None:
            if not inner.in_from:
                yield tuple(inner.outer.sources)
            elif inner.siblings and (inner.lateral or self.dialect == "duckdb"):
                yield tuple(inner.outer.sources[: inner.siblings])
            inner = inner.outer.query

    def named(self, token: SqlToken, table: int, qualifier: str = "", beside: tuple[int, ...] = ()) -> NamedColumn:
        return NamedColumn(
            token.name or "", token.span, token.kind == "quoted_identifier", table, qualifier, beside or (table,)
        )


def _groups(around: Sequence[Frame]) -> Iterator[Frame]:
    """The parentheses around a place, up to those of its query."""
    for frame in reversed(around):
        if frame.kind == "query":
            return
        yield frame


def _touches(one: SqlToken, other: SqlToken) -> bool:
    """Whether one of two neighbours is a parameter that makes one name with the other."""
    return "placeholder" in (one.kind, other.kind) and one.span.end == other.span.start and _is_namelike(one, other)


def _is_namelike(one: SqlToken, other: SqlToken) -> bool:
    return all(token.kind in ("word", "quoted_identifier", "placeholder", "number") for token in (one, other))


def _is_value_behind(token: SqlToken) -> bool:
    word = token.text.upper() if token.kind == "word" else ""
    return word in ("IN", "AND", "OR", "LIKE", "ILIKE", "BETWEEN", "LIMIT", "OFFSET", "THEN", "ELSE", "WHEN", "NOT")
