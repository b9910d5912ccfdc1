"""How two tables are joined: by foreign keys, else by columns that are called alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from osiris.ide.sql.scope import SqlScope
from osiris.language.catalog import Column, TableInfo
from osiris.language.sql_scope.tree import Source


@dataclass(frozen=True, slots=True)
class Condition:
    """``left.left_column = right.right_column``; ``declared``: a foreign key says so."""

    left: Source
    left_column: str
    right: Source
    right_column: str
    declared: bool


def conditions(scope: SqlScope) -> list[Condition]:
    """How the table that was joined last meets those before it, what foreign keys say first."""
    sources = [s for s in scope.place.sources if s.span.end <= scope.place.offset or s.query is not None]
    if len(sources) < 2:
        return []
    joined = sources[-1]
    found: list[Condition] = []
    for other in reversed(sources[:-1]):
        found += _between(scope, other, joined)
    unique: dict[tuple[int, str, int, str], Condition] = {}
    for condition in sorted(found, key=lambda c: not c.declared):
        unique.setdefault(
            (id(condition.left), condition.left_column, id(condition.right), condition.right_column), condition
        )
    return list(unique.values())


def _between(scope: SqlScope, other: Source, joined: Source) -> Iterator[Condition]:
    for one, two in ((other, joined), (joined, other)):
        target = scope.origin(two)
        for column in scope.columns(one):
            if column.references and target is not None:
                named = _referenced(column, target.info)
                if named is not None and _has(scope, two, named):
                    yield _ordered(other, joined, one, column.name, two, named, declared=True)
    yield from _alike(scope, other, joined)


def _ordered(
    other: Source, joined: Source, one: Source, name: str, two: Source, named: str, *, declared: bool
) -> Condition:
    if one is other:
        return Condition(other, name, joined, named, declared)
    return Condition(other, named, joined, name, declared)


def _referenced(column: Column, target: TableInfo) -> str | None:
    """The column of ``target`` that a foreign key leads to."""
    table, _, name = column.references.rpartition(".")
    if table.casefold() in (target.name.casefold(), f"{target.schema}.{target.name}".casefold()):
        return name
    return None


def _has(scope: SqlScope, source: Source, name: str) -> bool:
    return any(column.name.casefold() == name.casefold() for column in scope.columns(source))


def _alike(scope: SqlScope, other: Source, joined: Source) -> Iterator[Condition]:
    """``customer_id`` on both sides, or ``customer_id`` on one and the ``id`` of ``customers`` on the other."""
    for one, two in ((other, joined), (joined, other)):
        names = {column.name.casefold(): column.name for column in scope.columns(two)}
        origin = scope.origin(two)
        called = {
            name.casefold() for name in (two.name, two.name.removeprefix("df_"), origin.info.name if origin else "")
        }
        for column in scope.columns(one):
            folded = column.name.casefold()
            if not folded.endswith("_id"):
                continue
            if one is other and folded in names:
                yield Condition(other, column.name, joined, names[folded], False)
            stem = folded.removesuffix("_id")
            if "id" in names and any(name in (stem, stem + "s", stem + "es") for name in called):
                yield _ordered(other, joined, one, column.name, two, names["id"], declared=False)
