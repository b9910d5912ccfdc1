"""What could be typed at a place: keys, values, and names of other things.

``complete`` finds the cursor and asks the one provider that knows about the place. Edits are whole: they carry the
indentation of nested lines, a blank behind a colon, quotes where YAML needs them. Documentation comes later, by
``documentation_of`` with the topic of an item, so that long lists stay light.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from osiris.ide import documentation
from osiris.ide.completion import codes, keys, references, sql, values
from osiris.ide.completion.suggestion import Completions, Item, ItemKind, Place, Topic
from osiris.ide.cursor import Cursor, Role, cursor_at
from osiris.ide.sql.texts import of_function
from osiris.syntax.diagnostic import TextEdit

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment

MOST_ITEMS = 300


def complete(analysis: Analysis, env: Environment, offset: int) -> Completions | None:
    """The suggestions for a cursor at ``offset`` (code points); None where there is nothing to suggest."""
    cursor = cursor_at(analysis.document, offset)
    place = Place(cursor, analysis, env, _spec(analysis, cursor))
    inside = codes.codes(analysis, cursor) or references.placeholder(place)
    if inside is not None:
        return inside
    query = sql.in_sql(place)
    if query is not None:
        return sql.sql(place, query)
    items: Iterable[Item]
    match cursor.role:
        case Role.KEY:
            items = keys.keys(place)
        case Role.VALUE:
            items = values.values(place)
        case Role.ITEM:
            items = keys.keys(place) if keys.holds_maps(place) else values.values(place)
        case Role.DASH:
            items = keys.items(place)
        case _:
            return None
    # Long lists come in the order of their worth: without a typed word their end is never looked at.
    found = list(items if cursor.prefix else islice(items, MOST_ITEMS + 1))
    if not found:
        return None
    return _listed(cursor, found)


def _listed(cursor: Cursor, found: list[Item]) -> Completions:
    if len(found) > MOST_ITEMS and cursor.prefix:
        typed = cursor.prefix.lower()
        found = [item for item in found if typed in (item.filter or item.label).lower()] or found
    edits = (TextEdit(cursor.indent, " " * cursor.column),) if cursor.indent is not None else ()
    items = found[:MOST_ITEMS]
    if cursor.gap:
        items = [_behind_blank(item) for item in items]
    # What a component brings depends on how much of its name is typed: editors must ask again at each letter.
    changes = any(item.kind is ItemKind.COMPONENT and item.snippet is not None for item in items)
    return Completions(cursor.token, tuple(items), edits, incomplete=changes or len(found) > MOST_ITEMS)


def _behind_blank(item: Item) -> Item:
    return replace(item, text=" " + item.text, snippet=None if item.snippet is None else " " + item.snippet)


def _spec(analysis: Analysis, cursor: Cursor) -> ComponentSpec | None:
    step = cursor.step
    return analysis.specs[step] if step is not None and step < len(analysis.specs) else None


def documentation_of(topic: Topic, env: Environment) -> str | None:
    """The Markdown text for an item's topic."""
    spec = env.registry.get(topic.component) if topic.component else None
    if topic.code:
        return documentation.of_code(topic.code)
    if topic.function is not None:
        return of_function(*topic.function)
    if topic.connection is not None and topic.table is not None:
        return documentation.of_table(topic.connection, topic.table, topic.column, env)
    if topic.path:
        return documentation.of_key(topic.path, spec)
    return documentation.of_component(spec) if spec is not None else None
