"""Suggestions inside SQL: columns of the tables in scope, then tables, functions and keywords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from osiris.ide.column_texts import one_line
from osiris.ide.completion.insertion import escape
from osiris.ide.completion.ranking import best
from osiris.ide.completion.sql_names import Named, columns, names, stars, tables
from osiris.ide.completion.suggestion import Completions, Item, ItemKind, Place, Topic
from osiris.ide.sql.keywords import keywords
from osiris.ide.sql.scope import SqlScope
from osiris.ide.sql.text import SqlText, sql_text
from osiris.language.sql_scope.place import Expects, place_at
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.ide.sql.dialects import Function

MOST_ITEMS = 300
_MOST_NAMES = 230  # what is left of the list is for functions and keywords
_LOWER = ("select", "from", "with")


def in_sql(place: Place) -> SqlText | None:
    """The query around the cursor."""
    return sql_text(place.analysis, place.cursor)


def sql(place: Place, found: SqlText) -> Completions | None:
    """What could be typed at the cursor of a query; None where there is nothing to suggest."""
    spot = place_at(found.text, found.index, found.dialect)
    scope = SqlScope(place.analysis, place.env, found, spot)
    expanded = list(stars(scope))
    if expanded:
        span = found.span(Span(found.index - 1, found.index))
        items = [item for named in expanded if (item := _name(scope, named)) is not None]
        return Completions(span, tuple(items), within_sql=True, quiet=True) if span is not None and items else None
    if spot.expects is Expects.NOTHING:
        return None
    span = found.span(spot.span)
    if span is None:
        return None
    identifiers = _best(_identifiers(scope), spot.prefix)
    items = [item for named in identifiers[:_MOST_NAMES] if (item := _name(scope, named)) is not None]
    quiet = not items and not spot.prefix
    words = [item for item in (*_functions(scope), *_keywords(scope)) if _fits(item, spot.prefix)]
    left = MOST_ITEMS - len(items)
    items += words[:left]
    if not items:
        return None
    return Completions(
        span,
        tuple(items),
        found.edits,
        incomplete=len(identifiers) > _MOST_NAMES or len(words) > left,
        within_sql=True,
        quiet=quiet,
    )


def _identifiers(scope: SqlScope) -> Iterable[Named]:
    match scope.place.expects:
        case Expects.OPERAND if _is_told(scope):
            return ()
        case Expects.OPERAND:
            return columns(scope)
        case Expects.TABLE:
            return tables(scope)
        case Expects.NAMES:
            return names(scope)
    return ()


def _is_told(scope: SqlScope) -> bool:
    """Whether IS stands in front, behind which only SQLite takes any value."""
    previous = scope.place.previous
    return previous is not None and previous.text.upper() == "IS" and scope.dialect.name != "sqlite"


def _best(found: Iterable[Named], typed: str) -> list[Named]:
    """Of names that are shown alike the first one, and one more at most than are shown."""
    unique: dict[str, Named] = {}
    for named in found:
        unique.setdefault(named.label, named)
        if len(unique) > _MOST_NAMES and not typed:
            break
    return best(unique.values(), typed, _MOST_NAMES + 1, attrgetter("word"))


def _name(scope: SqlScope, named: Named) -> Item | None:
    spot, dialect = scope.place, scope.dialect
    if spot.quote:
        if len(named.parts) != 1 or named.conditions:
            return None
        if spot.quote == "[" and "]" in named.parts[0]:
            return None
        quote = "]" if spot.quote == "[" else spot.quote
        text = named.parts[0].replace(quote, quote * 2) + quote
    else:
        text = named.text or ".".join(dialect.identifier(part) for part in named.parts)
    written = scope.sql.written(text + named.tail, spot.span.start, lines=named.word == "*")
    if written is None:
        return None
    label = one_line(named.label, 200)
    word = None if label == named.word else named.word
    return Item(label, named.kind, written, None, named.detail, word, again=bool(named.tail), topic=named.topic)


def _functions(scope: SqlScope) -> Iterator[Item]:
    spot = scope.place
    if spot.qualifiers or spot.quote:
        return
    if spot.expects is Expects.TYPE:
        for name in scope.dialect.types:
            yield from _word(scope, name, ItemKind.VALUE, "type", None)
        return
    if spot.expects is not Expects.OPERAND or _is_told(scope):
        return
    has_parentheses = scope.sql.text.startswith("(", spot.span.end)
    seen: set[str] = set()
    for function in scope.dialect.functions:
        if function.name not in seen:
            seen.add(function.name)
            yield from _function(scope, function, has_parentheses)


def _function(scope: SqlScope, function: Function, has_parentheses: bool) -> Iterator[Item]:
    name, tail = function.name, ""
    if function.is_call and not has_parentheses:
        tail = "()" if function.takes_nothing else "("
        if "() OVER" in function.signature:
            tail = "() OVER ("
    text = scope.sql.written(name + tail, scope.place.span.start)
    if text is None:
        return
    snippet = f"{escape(text)}$0)" if tail.endswith("(") else None
    topic = Topic(function=(scope.sql.dialect, name))
    yield Item(name, ItemKind.FUNCTION, text, snippet, function.signature, again=tail == "(", topic=topic)


def _keywords(scope: SqlScope) -> Iterator[Item]:
    lower = _writes_small(scope.sql.text)
    for word in dict.fromkeys(keywords(scope.place, scope.dialect.name)):
        yield from _word(scope, word.lower() if lower else word, ItemKind.KEYWORD, "", None)


def _word(scope: SqlScope, word: str, kind: ItemKind, detail: str, topic: Topic | None) -> Iterator[Item]:
    text = scope.sql.written(word, scope.place.span.start)
    if text is not None:
        yield Item(word, kind, text, None, detail, topic=topic)


def _writes_small(text: str) -> bool:
    """Whether the author writes keywords in small letters."""
    words = text.split()
    return any(word in _LOWER for word in words) and not any(
        word.lower() in _LOWER and word.isupper() for word in words
    )


def _fits(item: Item, typed: str) -> bool:
    """Whether the letters that are typed occur in the item in this order: what editors go by, too."""
    letters = iter(item.label.casefold())
    return all(letter in letters for letter in typed.casefold())
