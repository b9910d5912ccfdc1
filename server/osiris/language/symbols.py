"""What the names in a document refer to: definitions and references with their places, for navigation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from osiris.components.spec import CONNECTION_KEY
from osiris.language.analysis import Analysis
from osiris.language.connections import parse_reference
from osiris.language.model import Step
from osiris.language.rules.sql_tables import table_uses
from osiris.syntax.block import SourceMap
from osiris.syntax.sql import tokenize_sql
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar

SymbolKind = Literal["step", "param", "profile", "connection", "component"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One place where a name stands. ``span`` is the name alone (for a connection ``@family.alias``), in the document.

    ``name`` is what it refers to: the step's id also where SQL says ``df_...``. ``written`` is the text at the place,
    in the form it has there. A connection is defined in another file, a component in its spec.
    """

    kind: SymbolKind
    name: str
    span: Span
    definition: bool
    written: str


def symbols(analysis: Analysis) -> tuple[Symbol, ...]:
    """All symbols of a document, sorted by place."""
    found = [*_declared(analysis)]
    for step in analysis.pipeline.steps:
        found += _of_step(analysis, step)
    return tuple(sorted(found, key=lambda s: (s.span, s.kind)))


def symbol_at(analysis: Analysis, offset: int) -> Symbol | None:
    """The symbol that a cursor stands in or directly behind; the innermost, should two overlap."""
    touched = [s for s in symbols(analysis) if s.span.touches(offset)]
    return min(touched, key=lambda s: s.span.end - s.span.start, default=None)


def occurrences(analysis: Analysis, symbol: Symbol) -> tuple[Symbol, ...]:
    """Every place of the document that refers to the same thing, the definition included."""
    return tuple(s for s in symbols(analysis) if (s.kind, s.name) == (symbol.kind, symbol.name))


def definition(analysis: Analysis, symbol: Symbol) -> Symbol | None:
    """Where the document defines it; None for a connection, a component and an unknown name."""
    return next((s for s in occurrences(analysis, symbol) if s.definition), None)


def _declared(analysis: Analysis) -> Iterator[Symbol]:
    pipeline = analysis.pipeline
    for param in pipeline.params.values():
        yield Symbol("param", param.name, param.key, True, param.name)
    for profile in pipeline.profiles.values():
        yield Symbol("profile", profile.name, profile.key, True, profile.name)
        for value in profile.values.values():
            yield Symbol("param", value.name, value.key, False, value.name)


def _of_step(analysis: Analysis, step: Step) -> Iterator[Symbol]:
    shape, text = step.shape, step.shape.part.text
    if shape.id is not None and shape.id_node is not None:
        first = analysis.graph.by_id.get(shape.id) == step.index
        yield Symbol("step", shape.id, step.place(_inner(shape.id_node)), first, shape.id)
    if shape.component is not None and shape.component_node is not None:
        yield Symbol("component", shape.component, step.place(_inner(shape.component_node)), False, shape.component)
    for need in shape.needs or ():
        yield Symbol("step", need.id, step.place(_inner(need.node)), False, need.id)
    for given in shape.inputs or ():
        if given.id is not None:
            yield Symbol("step", given.id, step.place(given.id_span), False, given.id)
    places: dict[Scalar, SourceMap] = {}
    for held in shape.placeholders:
        if held.found.kind == "param" and not held.scalar.synthetic:
            if held.scalar not in places:
                places[held.scalar] = SourceMap(held.scalar, text)
            span = places[held.scalar].span(*held.found.name_span)
            yield Symbol("param", held.found.name, step.place(span), False, held.found.name)
    connection = shape.config.get(CONNECTION_KEY) if shape.config else None
    if isinstance(connection, Scalar) and parse_reference(connection.text):
        yield Symbol("connection", connection.text, step.place(_inner(connection)), False, connection.text)
    yield from _tables(analysis, step)


def _inner(node: Scalar) -> Span:
    """The text of a scalar without its quotes."""
    return node.span if node.synthetic else node.content


def _tables(analysis: Analysis, step: Step) -> Iterator[Symbol]:
    """Tables in SQL that are the data of a step."""
    spec, config = analysis.specs[step.index], step.shape.config
    if spec is None or config is None:
        return
    tables = {name.lower(): index for name, index in analysis.graph.tables(step.index).items()}
    for key, dialect in spec.sql_keys.items():
        node = config.get(key)
        if dialect != "duckdb" or not isinstance(node, Scalar) or node.synthetic or not isinstance(node.value, str):
            continue
        tokens = [token for token in tokenize_sql(node.text) if token.kind != "comment"]
        places = SourceMap(node, step.shape.part.text)
        for use in table_uses(tokens):
            index = tables.get(use.name.lower())
            name = analysis.pipeline.steps[index].id if index is not None else None
            if name is not None:
                yield Symbol("step", name, step.place(places.span(*use.span)), False, use.name)
