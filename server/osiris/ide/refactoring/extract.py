"""Extracting a value of a config, or a literal of its SQL, to a parameter; the compiled steps stay as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.ide.refactoring.catalogue import EXTRACT, Asked, Refactoring
from osiris.ide.tree_place import Path, TreePlace, is_marked, tree_place
from osiris.language.analysis import Analysis
from osiris.language.declaring import declare_param, free_param_name
from osiris.language.edits import scalar_text
from osiris.language.model import Step
from osiris.language.rules.sql_tables import word_set
from osiris.language.secrets import is_secret_key
from osiris.language.substitution import boolean_word, substitute_text
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.scalars import resolve_plain
from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Scalar, Sequence, Style


def extract(asked: Asked) -> Iterator[Refactoring]:
    """The value under the cursor, here and in every step that says it in the same place of its config."""
    analysis = asked.analysis
    place = tree_place(analysis, asked.span.start)
    if place is None or place.step is None or place.scalar is None or place.path[:1] != ("config",):
        return
    if len(place.path) < 2:
        return
    spec, inside = analysis.specs[place.step.index], place.scalar.span.shift(place.base)
    if spec is None or asked.span.end > inside.end or not _may_move(analysis, spec, place, inside):
        return
    dialect = spec.sql_keys.get(str(place.path[1]))
    if dialect is None:
        yield from _value(analysis, spec, place, place.scalar)
    elif dialect != "graphql" and len(place.path) == 2 and not (place.flow and place.scalar.style is Style.PLAIN):
        yield from _literal(analysis, place, place.scalar, dialect, asked.span)


def _may_move(analysis: Analysis, spec: ComponentSpec, place: TreePlace, inside: Span) -> bool:
    """Whether the value may stand in `params`: it is no connection, and certainly no secret."""
    key = next(part for part in reversed(place.path) if isinstance(part, str))
    if place.path[1] == CONNECTION_KEY or spec.is_secret(place.path[1:]) or is_secret_key(key):
        return False
    return not any(
        found.code.startswith("OML5") and found.span.start < inside.end and inside.start < found.span.end
        for found in analysis.diagnostics
    )


# -- a whole value -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A value of a config: what it is worth as a parameter, and its place in the document."""

    key: str
    path: Path
    literal: str
    value: object
    span: Span


def _value(analysis: Analysis, spec: ComponentSpec, place: TreePlace, scalar: Scalar) -> Iterator[Refactoring]:
    assert place.step is not None
    held = _held(place.step, spec, place.path[1:], scalar)
    if held is None:
        return
    words = (held.key, f"{place.step.id or 'step'}_{held.key}")
    same = list(_equal(analysis, held))
    yield from _extractions(analysis, words, held.literal, [held.span], [one.span for one in same], '"')


def _held(step: Step, spec: ComponentSpec, path: Path, scalar: Scalar) -> _Held | None:
    """The value as it may stand in `params`; None where it cannot be moved without changing what it means."""
    text, value = step.shape.part.text, scalar.value
    source = text[scalar.span.start : scalar.span.end]
    key = next((part for part in reversed(path) if isinstance(part, str)), None)
    if key is None or scalar.synthetic or value is None or "${" in scalar.text or "\n" in source or "\r" in source:
        return None
    if scalar.style in (Style.LITERAL, Style.FOLDED) or is_marked(text, scalar):
        return None
    if isinstance(value, str):
        literal = scalar_text(value) if scalar.style is Style.PLAIN else source
        if scalar.style is Style.PLAIN and len(path) == 1 and _wants_boolean(spec, key):
            meant = boolean_word(value)
            literal = literal if meant is None else str(meant).lower()
    elif scalar.style is Style.PLAIN and not (isinstance(value, float) and not math.isfinite(value)):
        literal = source
    else:
        return None
    return _Held(key, path, literal, value, step.place(scalar.span))


def _wants_boolean(spec: ComponentSpec, key: str) -> bool:
    kind = (spec.property(key) or {}).get("type", ())
    return "boolean" in ((kind,) if isinstance(kind, str) else kind)


def _equal(analysis: Analysis, wanted: _Held) -> Iterator[_Held]:
    """All values of the document that are equal, in the same place of a config."""
    for step, spec in zip(analysis.pipeline.steps, analysis.specs, strict=True):
        if spec is None or not step.shape.part.intact or spec.is_secret(wanted.path):
            continue
        scalar = _at(step.shape.config, wanted.path)
        if scalar is None or scalar.value != wanted.value or type(scalar.value) is not type(wanted.value):
            continue
        held = _held(step, spec, wanted.path, scalar)
        if held is not None and _is_read_alike(held.literal, wanted.literal):
            yield held


def _at(node: Node | None, path: Path) -> Scalar | None:
    """The single value at the end of a way; None where there is none, and behind aliases."""
    for part in path:
        if node is None or isinstance(node, Scalar) or node.synthetic:
            return None
        if isinstance(node, Sequence):
            node = node.items[part] if isinstance(part, int) and part < len(node.items) else None
        else:
            entry = node.entry(str(part))
            node = entry.value if entry is not None and not entry.synthetic else None
    return node if isinstance(node, Scalar) else None


def _is_read_alike(one: str, other: str) -> bool:
    """Whether two literals of equal value are also read alike: ``true`` for ``yes`` is not the text ``yes``."""
    return one[:1] in "\"'" or other[:1] in "\"'" or type(resolve_plain(one)) is type(resolve_plain(other))


# -- a literal in SQL --------------------------------------------------------------------------------------------------

_NO_NAMES = word_set(
    """
    AND OR NOT IN LIKE ILIKE BETWEEN THEN ELSE WHEN CASE SELECT WHERE IS CAST INTERVAL DATE TIMESTAMP VALUES ON HAVING
    BY AS FROM DISTINCT ANY ALL USING OVER
    """
)


def _literal(analysis: Analysis, place: TreePlace, scalar: Scalar, dialect: str, span: Span) -> Iterator[Refactoring]:
    """The literal under the cursor or around the selection; other occurrences are sought in the same query."""
    if scalar.synthetic or not isinstance(scalar.value, str):
        return
    places = SourceMap(scalar, place.part.text)
    start, end = (_index(places, at - place.base) for at in span)
    tokens = tokenize_sql(scalar.text, dialect=dialect)
    position = next(
        (n for n, token in enumerate(tokens) if token.kind in ("string", "number") and _around(token, start, end)), None
    )
    if position is None:
        return
    token = tokens[position]
    moved = _moved(analysis, scalar, token, dialect)
    if moved is None:
        return
    declared, inner = moved
    same = [one for one in tokens if (one.kind, one.text) == (token.kind, token.text)]
    inners = [found[1] for one in same if (found := _moved(analysis, scalar, one, dialect))]
    spans = [places.span(*one).shift(place.base) for one in inners]
    words = (_word_before(tokens, position), "value")
    yield from _extractions(
        analysis, words, declared, [places.span(*inner).shift(place.base)], spans, "", where=" of this query"
    )


def _index(places: SourceMap, offset: int) -> int:
    """The first index of the text that stands at an offset; at the end of a block the last two do."""
    index = places.to_text(offset)
    while index and places.to_source(index - 1) == places.to_source(index):
        index -= 1
    return index


def _around(token: SqlToken, start: int, end: int) -> bool:
    return token.span.start <= start and end <= token.span.end


def _moved(analysis: Analysis, scalar: Scalar, token: SqlToken, dialect: str) -> tuple[str, Span] | None:
    """The literal as it may stand in `params`, and the part of the text that a parameter takes the place of.

    None where the query would come out in another way.
    """
    text = scalar.text
    value: str | int | float
    if token.kind == "number":
        number = resolve_plain(token.text)
        around = text[max(token.span.start - 1, 0) : token.span.start] + text[token.span.end : token.span.end + 1]
        if isinstance(number, str | bool | None) or any(char.isalnum() or char in "_.$}" for char in around):
            return None
        value, declared, inner = number, token.text, token.span
    else:
        quote = token.text[:1]
        if quote not in ("'", '"') or token.placeholders or "\\" in token.text or "${" in token.text:
            return None
        value = token.text[1:-1].replace(quote * 2, quote)
        declared, inner = scalar_text(value), Span(token.span.start + 1, token.span.end - 1)
    values = analysis.values.plain()
    before = substitute_text(text, values, dialect)
    name = "new_" + "_" * max((len(known) for known in analysis.pipeline.params), default=0)
    changed = f"{text[: inner.start]}${{params.{name}}}{text[inner.end :]}"
    after = substitute_text(changed, {**values, name: value}, dialect)
    same = after.value == before.value and not (before.open or after.open or after.problems)
    return (declared, inner) if same and "\n" not in declared else None


def _word_before(tokens: list[SqlToken], position: int) -> str:
    """The column that a literal is compared with, or the word that it belongs to such as ``LIMIT``."""
    for token in reversed(tokens[max(0, position - 4) : position]):
        if token.kind == "word" and token.text.upper() not in _NO_NAMES:
            return token.text
        if token.kind == "quoted_identifier":
            return token.text.strip('"`[]')
        if token.kind in ("semicolon", "string", "number"):
            break
    return "value"


# -- both --------------------------------------------------------------------------------------------------------------


def _extractions(
    analysis: Analysis,
    words: tuple[str, ...],
    literal: str,
    here: list[Span],
    everywhere: list[Span],
    quote: str,
    where: str = "",
) -> Iterator[Refactoring]:
    """The extraction here, and that of all equal values when there are more."""
    name = free_param_name(analysis.pipeline, words)
    declaration = declare_param(analysis.document.text, analysis.pipeline, name, literal)
    if declaration is None:
        return
    use = f"{quote}${{params.{name}}}{quote}"
    for spans, more in ((here, ""), (everywhere, f", all {len(everywhere)}{where}")):
        if spans is here or len(everywhere) > 1:
            edits = (declaration, *(TextEdit(span, use) for span in spans))
            yield Refactoring(EXTRACT, f"Extract to the parameter `{name}`{more}", partial(tuple, edits))
