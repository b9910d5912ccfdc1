"""The names of tables and columns that may stand at a place of a query, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from osiris.ide.column_texts import column_detail, one_line, table_detail
from osiris.ide.completion.ranking import best
from osiris.ide.completion.suggestion import ItemKind, Topic
from osiris.ide.sql.joins import conditions
from osiris.ide.sql.scope import Origin, SqlScope
from osiris.language.catalog import Column, TableInfo
from osiris.language.sql_scope.place import SqlPlace
from osiris.language.sql_scope.tree import Source
from osiris.sql.step_columns import step_columns
from osiris.syntax.tree import Style

MOST_TABLES = 300
"""How many tables of a database are looked at more closely: more than are ever shown."""
_LONGEST_LINE = 100
_MOST_WRITTEN_OUT = 100  # columns that a star is offered to be written out for before it is there


class Named(NamedTuple):
    """A name to suggest: its ``parts`` between dots, or the ``text`` that says it all.

    ``label`` is what is shown, ``word`` what typed text is compared with, ``tail`` what is written behind it. ``about``
    is the column or table that it names, ``table`` how the column's table is called in the query, ``origin`` the table
    of a database that it is of: so that what is said of it need not be written for names that are not shown.
    """

    label: str
    word: str
    kind: ItemKind
    parts: tuple[str, ...]
    told: str = ""
    text: str = ""
    tail: str = ""
    conditions: bool = False
    about: Column | TableInfo | None = None
    table: str = ""
    origin: Origin | None = None

    @property
    def detail(self) -> str:
        """What is shown beside it."""
        if isinstance(self.about, TableInfo):
            return table_detail(self.about)
        if self.about is None:
            return self.told
        detail = column_detail(self.about)
        if not self.table or len(self.parts) > 1:
            return detail
        return f"{detail} · {one_line(self.table, 80)}" if detail else one_line(self.table, 80)

    @property
    def topic(self) -> Topic | None:
        """What documents it."""
        if self.origin is None:
            return None
        info = self.origin.info
        column = self.about.name if isinstance(self.about, Column) else None
        return Topic(connection=self.origin.connection, table=(info.schema, info.name), column=column)


# -- columns


def columns(scope: SqlScope) -> Iterator[Named]:
    """What an expression may start with: a condition of a join, columns, and the names in front of their dots."""
    place = scope.place
    if place.qualifiers:
        yield from _behind_dot(scope)
        return
    if place.clause == "on":
        yield from _conditions(scope)
    if place.clause in ("group", "order", "having"):
        for name in scope.results():
            yield Named(name, name, ItemKind.COLUMN, (name,), "of the select list")
    selected = scope.selected() if place.clause == "select" else frozenset()
    found = list(_of_select(scope, place.sources)) if place.sources else list(_of_all_steps(scope))
    yield from (named for named in found if named.word.casefold() not in selected)
    if 1 < len(found) <= _MOST_WRITTEN_OUT and place.sources and _starts_item(place):
        yield from _all(scope, place.sources, "")
    yield from (named for named in found if named.word.casefold() in selected)
    for scope_sources in place.scopes[1:]:
        yield from _of_outer(scope, scope_sources)
    yield from _prefixes(scope)


def _starts_item(place: SqlPlace) -> bool:
    """Whether an item of the select list starts at the cursor, where a star may stand."""
    if place.clause != "select" or place.frame.kind != "query" or place.quote or place.previous is None:
        return False
    return place.previous.text.upper() in ("SELECT", "DISTINCT", "ALL", ",")


def _conditions(scope: SqlScope) -> Iterator[Named]:
    """Whole conditions behind ON and AND; behind ``a.x =`` the column that it is compared with."""
    place, dialect = scope.place, scope.dialect
    left = _compared(scope)
    for found in conditions(scope):
        one, two = (found.left.called, found.left_column), (found.right.called, found.right_column)
        why = "foreign key" if found.declared else "called alike"
        if left is not None:
            other = two if left == _folded(one) else one if left == _folded(two) else None
            if other is not None:
                yield Named(".".join(other), other[1], ItemKind.COLUMN, other, why, conditions=True)
            continue
        if place.previous is not None and place.previous.text.upper() not in ("ON", "AND", "OR", "("):
            return
        text = " = ".join(f"{dialect.identifier(a)}.{dialect.identifier(b)}" for a, b in (one, two))
        label = f"{one[0]}.{one[1]} = {two[0]}.{two[1]}"
        yield Named(label, label, ItemKind.CONDITION, one, why, text=text, conditions=True)


def _folded(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[0].casefold(), pair[1].casefold()


def _compared(scope: SqlScope) -> tuple[str, str] | None:
    """The qualified column in front of the ``=`` before the cursor."""
    before = scope.place.before
    if (
        len(before) < 4
        or before[-1].text != "="
        or before[-3].text != "."
        or not before[-4].name
        or not before[-2].name
    ):
        return None
    return _folded((before[-4].name, before[-2].name))


def _of_select(scope: SqlScope, sources: Sequence[Source]) -> Iterator[Named]:
    for source in sources:
        origin = scope.origin(source)
        for column in scope.columns(source):
            ambiguous = len(scope.by_column.get(column.name.casefold(), ())) > 1 and bool(source.called)
            parts = (source.called, column.name) if ambiguous else (column.name,)
            if ambiguous and scope.place.quote:
                parts = (column.name,)
            yield _column(column, parts, source.called, origin)


def _of_outer(scope: SqlScope, sources: Sequence[Source]) -> Iterator[Named]:
    """The columns of tables around the query that the cursor stands in, with the names of their tables."""
    for source in sources:
        origin = scope.origin(source)
        if source.called:
            for column in scope.columns(source):
                yield _column(column, (source.called, column.name), source.called, origin)


def _of_all_steps(scope: SqlScope) -> Iterator[Named]:
    """While no table is named: the columns of the steps whose data the query can use."""
    if not scope.tables.over_steps or scope.place.clause != "select":
        return
    for index in dict.fromkeys(scope.tables.steps.values()):
        name = next(name for name, step in scope.tables.steps.items() if step == index)
        found = scope.tables.find(name)
        for column in (found.columns or ()) if found is not None else ():
            yield _column(column, (column.name,), name, scope.origin_of(name))


def _column(column: Column, parts: tuple[str, ...], table: str, origin: Origin | None) -> Named:
    label = parts[0] if len(parts) == 1 else ".".join(parts)
    return Named(label, column.name, ItemKind.COLUMN, parts, about=column, table=table, origin=origin)


def _behind_dot(scope: SqlScope) -> Iterator[Named]:
    place = scope.place
    source = scope.named(place.qualifiers)
    if source is None:
        yield from _of_table(scope)
        return
    if place.clause == "on" and not place.quote and _compared(scope) is None:
        for found in conditions(scope):
            one, two = (found.left, found.left_column), (found.right, found.right_column)
            if source in (found.left, found.right):
                (_, name), (other, named) = (one, two) if found.left is source else (two, one)
                dialect = scope.dialect
                text = f"{dialect.identifier(name)} = {dialect.identifier(other.called)}.{dialect.identifier(named)}"
                label, why = f"{name} = {other.called}.{named}", "foreign key" if found.declared else "called alike"
                yield Named(label, label, ItemKind.CONDITION, (name,), why, text=text, conditions=True)
    selected = scope.selected() if place.clause == "select" else frozenset()
    origin = scope.origin(source)
    found_columns = [_column(column, (column.name,), "", origin) for column in scope.columns(source)]
    if place.clause == "on":
        meant = _partners(scope, source)
        found_columns.sort(key=lambda named: named.word.casefold() not in meant)
    yield from (named for named in found_columns if named.word.casefold() not in selected)
    if place.clause == "select" and len(found_columns) > 1 and not place.quote:
        yield Named("*", "*", ItemKind.VALUE, ("*",), "every column", text="*")
    yield from (named for named in found_columns if named.word.casefold() in selected)


def _partners(scope: SqlScope, source: Source) -> set[str]:
    """The folded names of the columns of ``source`` that join with the column in front of the ``=``."""
    left = _compared(scope)
    meant: set[str] = set()
    for found in conditions(scope) if left is not None else ():
        one, two = (found.left.called, found.left_column), (found.right.called, found.right_column)
        if found.right is source and _folded(one) == left:
            meant.add(found.right_column.casefold())
        elif found.left is source and _folded(two) == left:
            meant.add(found.left_column.casefold())
    return meant


def _of_table(scope: SqlScope) -> Iterator[Named]:
    """The columns of a table that FROM does not name yet."""
    qualifiers = scope.place.qualifiers
    schema = qualifiers[-2] if len(qualifiers) > 1 else None
    found = scope.tables.find(qualifiers[-1], schema)
    if found is None:
        return
    origin = scope.origin_of(qualifiers[-1], schema)
    for column in found.columns or ():
        yield _column(column, (column.name,), "", origin)


def _prefixes(scope: SqlScope) -> Iterator[Named]:
    """Aliases and tables in scope, with the dot behind which their columns come."""
    if scope.place.quote:
        return
    for sources in scope.place.scopes:
        for source in sources:
            if source.called:
                what = f"alias of {source.name}" if source.alias and source.name else "table"
                yield Named(
                    source.called, source.called, ItemKind.TABLE, (source.called,), one_line(what, 80), tail="."
                )


# -- the star


def stars(scope: SqlScope) -> Iterator[Named]:
    """For a cursor behind a star of the select list: all that it stands for."""
    place = scope.place
    previous, select = place.previous, place.select
    if previous is None or previous.text != "*" or previous.span.end != place.offset or select is None:
        return
    item = next((i for i in select.items if i.kind == "star" and i.span.end == place.offset), None)
    if item is None:
        return
    sources = [s for s in select.sources if not item.qualifier or s.called.casefold() == item.qualifier.casefold()]
    yield from _all(scope, sources, item.qualifier)


def _all(scope: SqlScope, sources: Sequence[Source], qualifier: str) -> Iterator[Named]:
    """One suggestion that writes every column out."""
    dialect = scope.dialect
    names: list[str] = []
    joined = {name.casefold() for source in sources for name in source.using}
    for source in sources:
        known = scope.columns(source)
        if not known:
            return
        merged = {name.casefold() for name in source.using} if not qualifier else set()
        for column in known:
            name = dialect.identifier(column.name)
            if column.name.casefold() in merged:
                continue
            if qualifier:
                name = f"{dialect.identifier(qualifier)}.{name}" if names else name
            elif len(sources) > 1 and source.called and column.name.casefold() not in joined:
                name = f"{dialect.identifier(source.called)}.{name}"
            names.append(name)
    label = f"* as {len(names)} column{'' if len(names) == 1 else 's'}"
    text = _joined(scope, names)
    yield Named(label, "*", ItemKind.VALUE, ("*",), one_line(", ".join(names), 80), text=text)


def _joined(scope: SqlScope, names: Sequence[str]) -> str:
    line = ", ".join(names)
    if len(line) <= _LONGEST_LINE or scope.sql.style is not Style.LITERAL:
        return line
    start = scope.sql.place(scope.place.span).start
    text = scope.analysis.document.text
    column = start - 1 - max(text.rfind("\n", 0, start), text.rfind("\r", 0, start))
    return (",\n" + " " * column).join(names)


def names(scope: SqlScope) -> Iterator[Named]:
    """The columns that USING may name: those that both sides have."""
    place = scope.place
    if len(place.sources) < 2:
        return
    sources = [s for s in place.sources if s.span.end <= place.offset]
    if len(sources) < 2:
        return
    before = {column.name.casefold() for source in sources[:-1] for column in scope.columns(source)}
    used = {name.casefold() for name in sources[-1].using}
    for column in scope.columns(sources[-1]):
        if column.name.casefold() in before and column.name.casefold() not in used:
            yield _column(column, (column.name,), "", None)


# -- tables


def tables(scope: SqlScope) -> Iterator[Named]:
    """The tables that FROM may name."""
    place = scope.place
    if not place.qualifiers:
        for cte in place.ctes:
            found = scope.reader.of_cte(cte)
            count = f" · {_count(len(found))}" if found is not None else ""
            yield Named(cte.name, cte.name, ItemKind.TABLE, (cte.name,), f"WITH{count}")
    if scope.tables.over_steps:
        if not place.qualifiers:
            yield from _steps(scope)
        return
    yield from _of_database(scope)


def _steps(scope: SqlScope) -> Iterator[Named]:
    for name, index in scope.tables.steps.items():
        step = scope.analysis.pipeline.steps[index]
        known = step_columns(scope.analysis, scope.env, index)
        count = f" · {_count(len(known.columns))}" if known is not None else ""
        yield Named(name, name, ItemKind.TABLE, (name,), f"data of {step.id}{count}")


def _count(columns: int) -> str:
    return f"{columns} column{'' if columns == 1 else 's'}"


def _of_database(scope: SqlScope) -> Iterator[Named]:
    database, home = scope.tables.database, scope.tables.home()
    if database is None:
        return
    infos, prefix = scope.tables.infos(), scope.place.prefix
    reference = database.connection.reference
    wanted = scope.place.qualifiers[-1].casefold() if scope.place.qualifiers else None
    if wanted is not None:
        there = [info for info in infos if info.schema.casefold() == wanted]
        yield from (_table(i, (i.name,), reference) for i in best(there, prefix, MOST_TABLES, attrgetter("name")))
        return
    near, folded = _joined_by_keys(scope), home.casefold()
    homes = {"", home, *(info.schema for info in infos if info.schema.casefold() == folded)}
    by_keys = [info for info in infos if info.schema in homes and info.name.casefold() in near] if near else []
    here = [info for info in infos if info.schema in homes]
    elsewhere = [info for info in infos if info.schema not in homes] if len(here) < len(infos) else []
    # Those that keys lead to come again; of names that are alike the first one counts.
    for info in (*by_keys, *best([*here, *elsewhere], prefix, MOST_TABLES, attrgetter("name"))):
        alone = info.schema in homes or bool(scope.place.quote)
        yield _table(info, (info.name,) if alone else (info.schema, info.name), reference)


def _table(info: TableInfo, parts: tuple[str, ...], reference: str) -> Named:
    label = parts[0] if len(parts) == 1 else ".".join(parts)
    return Named(label, info.name, ItemKind.TABLE, parts, about=info, origin=Origin(reference, info))


def _joined_by_keys(scope: SqlScope) -> set[str]:
    """The folded names of the tables that foreign keys of the tables in scope lead to."""
    return {
        column.references.rpartition(".")[0].rpartition(".")[2].casefold()
        for source in scope.place.sources
        for column in scope.columns(source)
        if column.references
    }
