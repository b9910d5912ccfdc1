"""Where a name inside SQL is defined: in the query itself, or in a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.ide.cursor import cursor_at
from osiris.ide.sql.meaning import Meaning, meaning_at, written_query
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


@dataclass(frozen=True, slots=True)
class SqlDefinition:
    """Where the name at ``origin`` gets its meaning, both in the document."""

    origin: Span
    name: str
    span: Span


def definition_in_sql(analysis: Analysis, env: Environment, offset: int) -> SqlDefinition | None:
    """The place in the query where an alias, a named query or a column of one is defined."""
    found = meaning_at(analysis, env, cursor_at(analysis.document, offset))
    span = _defined(found) if found is not None else None
    return SqlDefinition(found.place, found.name, found.sql.place(span)) if found is not None and span else None


def _defined(found: Meaning) -> Span | None:
    if found.column is not None:
        return _item(found)
    source = found.source
    if found.is_alias and source is not None and source.alias_span is not None:
        return source.alias_span
    if found.cte is not None:
        return found.cte.span
    return source.span if source is not None and source.query is not None else None


def _item(found: Meaning) -> Span | None:
    """The item of a select list that a column comes from."""
    query = written_query(found)
    if query is None or not query.selects or found.column is None:
        return None
    wanted = found.column.name.casefold()
    for item in query.selects[0].items:
        if item.name.casefold() == wanted:
            return item.name_span or item.span
    return next((item.span for item in query.selects[0].items if item.kind == "star"), None)
