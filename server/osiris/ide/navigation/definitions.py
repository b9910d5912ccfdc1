"""From a name to where it is defined, and to every place that it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from osiris.ide.navigation.connection_places import alias_span
from osiris.ide.navigation.sql_places import definition_in_sql
from osiris.language.connections import parse_reference
from osiris.language.symbols import Symbol, SymbolKind, definition, occurrences, symbol_at
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.connections import Connections
    from osiris.language.environment import Environment

_SPEC_NAME = re.compile(r"^name:[ \t]*(['\"]?)([^\s#'\"]+)\1", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a name is defined. ``origin`` is the name under the cursor.

    ``file``: the document itself, the project's connections file, or the spec of a component; ``span`` (the name there)
    and ``whole`` (all that it names, around ``span``) are offsets in that file. For a spec, whose text is not known
    here, they are None; see ``name_in_spec``.
    """

    origin: Span
    file: Literal["document", "connections", "spec"]
    name: str
    span: Span | None = None
    whole: Span | None = None


@dataclass(frozen=True, slots=True)
class Highlight:
    """A place of the thing under the cursor; ``writes``: it gets its name or a value there."""

    span: Span
    writes: bool


def definition_of(analysis: Analysis, env: Environment, offset: int) -> Definition | None:
    """Where the thing at ``offset`` (code points) is defined; None for text that names nothing, or nothing known."""
    symbol = symbol_at(analysis, offset)
    if symbol is None:
        named = definition_in_sql(analysis, env, offset)
        return Definition(named.origin, "document", named.name, named.span, named.span) if named is not None else None
    if symbol.kind == "component":
        known = env.registry.get(symbol.name) is not None
        return Definition(symbol.span, "spec", symbol.name) if known else None
    if symbol.kind == "connection":
        return _connection(symbol, env.connections)
    found = definition(analysis, symbol)
    if found is None:
        return None
    return Definition(symbol.span, "document", symbol.name, found.span, _whole(analysis, found))


def references(analysis: Analysis, symbol: Symbol, *, declaration: bool = True) -> tuple[Span, ...]:
    """The places of the document that name the same thing, in order; its ``declaration`` only when wanted."""
    spans = [s.span for s in occurrences(analysis, symbol) if declaration or not s.definition]
    return tuple(dict.fromkeys(spans))


def uses(analysis: Analysis, kind: SymbolKind, name: str) -> tuple[Span, ...]:
    """The places of a document that name something which is defined elsewhere: a connection, a component."""
    return references(analysis, Symbol(kind, name, Span(0, 0), False, name))


def highlights(analysis: Analysis, offset: int) -> tuple[Highlight, ...]:
    """The thing at ``offset`` and its other places in the document."""
    symbol = symbol_at(analysis, offset)
    if symbol is None:
        return ()
    found: dict[Span, bool] = {}
    for place in occurrences(analysis, symbol):
        found[place.span] = found.get(place.span, False) or place.writes
    return tuple(Highlight(span, writes) for span, writes in found.items())


def name_in_spec(text: str) -> Span:
    """The name in the YAML file of a component's spec; the start of the file when it says none."""
    found = _SPEC_NAME.search(text)
    return Span(*found.span(2)) if found else Span(0, 0)


def _connection(symbol: Symbol, connections: Connections | None) -> Definition | None:
    family, alias = parse_reference(symbol.name) or ("", "")
    found = connections.get(family, alias) if connections is not None else None
    if connections is None or found is None:
        return None
    return Definition(symbol.span, "connections", symbol.name, alias_span(connections, found), found.whole)


def _whole(analysis: Analysis, found: Symbol) -> Span:
    pipeline, whole = analysis.pipeline, found.span
    if found.kind == "step":
        whole = pipeline.steps[analysis.graph.by_id[found.name]].span
    elif found.kind == "param" and found.name in pipeline.params:
        whole = pipeline.params[found.name].span
    return Span(min(whole.start, found.span.start), max(whole.end, found.span.end))
