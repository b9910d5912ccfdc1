"""What the names in a document refer to: definitions and references with their places, for navigation and rename.

What a step says by itself is kept per step, and shared by the versions of a document that leave the step as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

from osiris.components.spec import ComponentSpec
from osiris.language.analysis import Analysis
from osiris.language.connections import parse_reference
from osiris.language.declared_names import declared_names
from osiris.language.model import InputRef, Step, StepShape
from osiris.language.naming import table_name
from osiris.language.placeholders import find_placeholders
from osiris.language.sql_names import SqlName, sql_names
from osiris.syntax.block import SourceMap
from osiris.syntax.lookup import step_at
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar, Style

SymbolKind = Literal["step", "param", "profile", "connection", "component"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One place where a name stands. ``span`` is the name alone (for a connection ``@family.alias``), in the document.

    ``name`` is what it refers to: the step's id also where SQL says ``df_...``. ``written`` is the text at the place,
    in the form it has there. A connection is defined in another file, a component in its spec.

    ``writes``: the place gives the thing its name or its value, which a second step with the same id does as well.
    ``spelling``: the place says the name itself, the step's ``table``, or names it in ``another`` way (``df``).
    ``style`` is that of the scalar which the name is the whole of, None for a name inside a longer text. A
    ``synthetic`` one comes from a YAML alias or merge, whose place ``span`` is: no edit can be made there.
    """

    kind: SymbolKind
    name: str
    span: Span
    definition: bool
    written: str
    writes: bool = False
    spelling: Literal["name", "table", "another"] = "name"
    style: Style | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class StepNames:
    """What one step names, wherever it stands; spans are relative to its part.

    ``sql``: the names in its queries. ``connection_param``: the parameter that its connection is taken from.
    """

    symbols: tuple[Symbol, ...]
    sql: tuple[SqlName, ...]
    connection_param: str | None


_KNOWN: WeakKeyDictionary[StepShape, tuple[ComponentSpec | None, StepNames]] = WeakKeyDictionary()


def step_names(analysis: Analysis, index: int) -> StepNames:
    """What the step at ``index`` names."""
    shape, spec = analysis.pipeline.steps[index].shape, analysis.specs[index]
    known = _KNOWN.get(shape)
    if known is None or known[0] is not spec:
        found = tuple(_symbols(shape)), tuple(_sql(shape, spec)), _connection_param(shape)
        known = _KNOWN[shape] = (spec, StepNames(*found))
    return known[1]


def symbols(analysis: Analysis) -> tuple[Symbol, ...]:
    """All symbols of a document, sorted by place."""
    found = [*_declared(analysis)]
    for step in analysis.pipeline.steps:
        found += _of_step(analysis, step)
    return tuple(sorted(found, key=lambda s: (s.span, s.kind)))


def symbol_at(analysis: Analysis, offset: int) -> Symbol | None:
    """The symbol that a cursor stands in or directly behind; the innermost, should two overlap."""
    steps = analysis.pipeline.steps
    index = step_at(analysis.document, offset)
    touched = [*_of_step(analysis, steps[index])] if index is not None else []
    touched += _declared(analysis)
    return min(
        (s for s in touched if s.span.touches(offset)), key=lambda s: (s.span.end - s.span.start, s.span), default=None
    )


def occurrences(analysis: Analysis, symbol: Symbol) -> tuple[Symbol, ...]:
    """Every place of the document that refers to the same thing, the definition included."""
    found = [s for s in _declared(analysis) if (s.kind, s.name) == (symbol.kind, symbol.name)]
    target = analysis.graph.by_id.get(symbol.name) if symbol.kind == "step" else None
    for step in analysis.pipeline.steps:
        found += (
            _placed(analysis, step, own)
            for own in step_names(analysis, step.index).symbols
            if own.kind == symbol.kind and own.name == symbol.name
        )
        if target is not None and target in analysis.graph.data[step.index]:
            found += (s for s in _tables(analysis, step) if s.name == symbol.name)
    return tuple(sorted(found, key=lambda s: (s.span, s.kind)))


def definition(analysis: Analysis, symbol: Symbol) -> Symbol | None:
    """Where the document defines it; None for a connection, a component and an unknown name."""
    if symbol.kind == "step":
        index = analysis.graph.by_id.get(symbol.name)
        found = _of_step(analysis, analysis.pipeline.steps[index]) if index is not None else iter(())
    else:
        found = _declared(analysis)
    wanted = (symbol.kind, symbol.name)
    return next((s for s in found if s.definition and (s.kind, s.name) == wanted), None)


def _declared(analysis: Analysis) -> Iterator[Symbol]:
    names = list(declared_names(analysis.pipeline))
    used: set[str | None] = set()
    if any(name.kind == "connection" for name in names):
        used = {step_names(analysis, index).connection_param for index in range(len(analysis.pipeline.steps))}
    for name in names:
        if name.kind != "connection" or name.param in used:
            yield Symbol(
                name.kind,
                name.name,
                name.span,
                name.first,
                name.name,
                writes=name.kind != "connection",
                style=name.node.style,
                synthetic=name.node.synthetic,
            )


def _of_step(analysis: Analysis, step: Step) -> Iterator[Symbol]:
    for own in step_names(analysis, step.index).symbols:
        yield _placed(analysis, step, own)
    yield from _tables(analysis, step)


def _placed(analysis: Analysis, step: Step, own: Symbol) -> Symbol:
    first = own.definition and analysis.graph.by_id.get(own.name) == step.index
    span = step.place(own.span)
    return Symbol(
        own.kind, own.name, span, first, own.written, own.writes, own.spelling, own.style, own.synthetic
    )  # by hand: dataclasses.replace takes five times as long


def _symbols(shape: StepShape) -> Iterator[Symbol]:
    text = shape.part.text
    if shape.id is not None and shape.id_node is not None:
        yield _whole("step", shape.id_node, text, definition=True)
    if shape.component is not None and shape.component_node is not None:
        yield _whole("component", shape.component_node, text)
    for need in shape.needs or ():
        if need.node.value is not None:
            yield _whole("step", need.node, text)
    for given in shape.inputs or ():
        yield from _input(given, text)
    places: dict[Scalar, SourceMap] = {}
    for held in shape.placeholders:
        if held.found.kind != "param":
            continue
        name, scalar = held.found.name, held.scalar
        if scalar.synthetic:
            yield Symbol("param", name, scalar.span, False, name, synthetic=True)
            continue
        if scalar not in places:
            places[scalar] = SourceMap(scalar, text)
        yield Symbol("param", name, places[scalar].span(*held.found.name_span), False, name)
    if shape.connection is not None and parse_reference(shape.connection.text):
        yield _whole("connection", shape.connection, text)


def _whole(kind: SymbolKind, node: Scalar, text: str, *, definition: bool = False) -> Symbol:
    """A scalar that is a name and nothing else."""
    span = node.span if node.synthetic else node.content
    if node.style in (Style.LITERAL, Style.FOLDED) and not node.synthetic:
        span = SourceMap(node, text).span(0, len(node.text))
    return Symbol(
        kind, node.text, span, definition, node.text, writes=definition, style=node.style, synthetic=node.synthetic
    )


def _input(given: InputRef, text: str) -> Iterator[Symbol]:
    if given.id is None or not isinstance(given.value, Scalar):
        return
    value, name = given.value, given.id
    if value.synthetic:
        yield Symbol("step", name, value.span, False, name, synthetic=True)
        return
    if given.table.lower() == table_name(name).lower() and not given.key.synthetic:
        yield Symbol("step", name, given.key.content, False, given.table, spelling="table", style=given.key.style)
    found = next(find_placeholders(value.text))
    yield Symbol("step", name, SourceMap(value, text).span(*found.name_span), False, name)


def _sql(shape: StepShape, spec: ComponentSpec | None) -> Iterator[SqlName]:
    """Names in queries that see the data of other steps."""
    if spec is None or shape.config is None:
        return
    for key, dialect in spec.sql_keys.items():
        node = shape.config.get(key)
        if dialect != "duckdb" or not isinstance(node, Scalar) or node.synthetic or not isinstance(node.value, str):
            continue
        places = SourceMap(node, shape.part.text)
        for found in sql_names(node.text):
            yield SqlName(found.name, places.span(*found.span), found.role)


def _connection_param(shape: StepShape) -> str | None:
    """The parameter in ``connection: "${params.x}"``."""
    text = shape.connection.text if shape.connection is not None else ""
    found = next(find_placeholders(text), None)
    whole = found is not None and found.kind == "param" and found.span == (0, len(text))
    return found.name if found is not None and whole else None


def _tables(analysis: Analysis, step: Step) -> Iterator[Symbol]:
    """Tables in SQL that are the data of a step."""
    names = step_names(analysis, step.index).sql
    if not names:
        return
    steps = analysis.pipeline.steps
    tables = {name.lower(): index for name, index in analysis.graph.tables(step.index).items()}
    for found in names:
        index = tables.get(found.name.lower()) if found.role != "other" else None
        source = steps[index].id if index is not None else None
        if source is not None:
            own = found.name.lower() == table_name(source).lower()
            spelling: Literal["table", "another"] = "table" if own else "another"
            yield Symbol("step", source, step.place(found.span), False, found.name, spelling=spelling)
