"""The names that ``params`` and ``profiles`` declare, with their places; and the connections that parameters hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from osiris.language.connections import parse_reference
from osiris.language.model import Pipeline
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Mapping, Node, Scalar, Sequence

DeclaredKind = Literal["param", "profile", "connection"]


@dataclass(frozen=True, slots=True)
class DeclaredName:
    """A name in the head of a document; ``span`` is its text without quotes, in the document.

    ``first``: this is the place that declares it. ``whole``: all of the entry, or the name where there is no entry.
    ``param``: of a connection, the parameter that has it as a value.
    """

    kind: DeclaredKind
    name: str
    span: Span
    whole: Span
    first: bool
    node: Scalar
    param: str = ""


def declared_names(pipeline: Pipeline) -> Iterator[DeclaredName]:
    """The parameters and profiles, the values that profiles give, and among all values the connections."""
    if (params := pipeline.entry("params")) is not None:
        declared: set[str] = set()
        for entry in _entries(params.entry.value):
            name = entry.key.text
            yield _name("param", entry, params.base, first=name not in declared)
            declared.add(name)
            yield from _connections(name, _values(entry.value), params.base)
    if (profiles := pipeline.entry("profiles")) is not None:
        known: set[str] = set()
        for entry in _entries(profiles.entry.value):
            yield _name("profile", entry, profiles.base, first=entry.key.text not in known)
            known.add(entry.key.text)
            given = entry.value.get("params") if isinstance(entry.value, Mapping) else None
            for value in _entries(given):
                yield _name("param", value, profiles.base, first=False)
                yield from _connections(value.key.text, [value.value], profiles.base)


def _entries(node: Node | None) -> Iterator[Entry]:
    for entry in node.entries if isinstance(node, Mapping) else ():
        if entry.has_colon and not entry.key.text.startswith("x-"):
            yield entry


def _name(kind: DeclaredKind, entry: Entry, base: int, *, first: bool) -> DeclaredName:
    key = entry.key
    span = (key.span if key.synthetic else key.content).shift(base)
    whole = entry.span.shift(base)
    around = Span(min(whole.start, span.start), max(whole.end, span.end))
    return DeclaredName(kind, key.text, span, around, first, key)


def _values(node: Node) -> list[Node]:
    """What a declaration says that the parameter may be."""
    if not isinstance(node, Mapping):
        return [node]
    choices = node.get("enum")
    found = [node.get("default"), *(choices.items if isinstance(choices, Sequence) else ())]
    return [value for value in found if value is not None]


def _connections(param: str, values: list[Node], base: int) -> Iterator[DeclaredName]:
    for scalar in values:
        if isinstance(scalar, Scalar) and parse_reference(scalar.text):
            span = (scalar.span if scalar.synthetic else scalar.content).shift(base)
            yield DeclaredName("connection", scalar.text, span, span, False, scalar, param)
