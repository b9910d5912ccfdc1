"""What the words of a pipeline are, for editors that colour by meaning.

What a grammar sees by itself gets no token: comments, punctuation, keys that neither the language nor the component
knows, and ordinary YAML text. What only the meaning tells does: known and deprecated keys, ids of steps, components,
modes, connections, parameters and placeholders. SQL gets tokens for all its words wherever a component reads it, since
the grammars of YAML show it as one text: Neovim's always, TextMate's outside block scalars and in keys of other names.
A misspelt key or mode stays without a token, and so without the colour that the right ones have.

Tokens never overlap and never cross the end of a line, which few editors could show. They are made per part of the
document and kept with it: an edit in one step leaves the tokens of all others as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from osiris.components.spec import CONNECTION_KEY
from osiris.ide.semantic_tokens.kinds import Modifier, TokenKind
from osiris.ide.semantic_tokens.sql import Coloured, colour_sql, placeholder
from osiris.ide.vocabulary import STEP, TOP
from osiris.language.connections import parse_reference
from osiris.language.model import LEGACY_MODES, MODES, Step
from osiris.language.placeholders import find_placeholders
from osiris.syntax.block import SourceMap
from osiris.syntax.document import Part
from osiris.syntax.text import Span
from osiris.syntax.tree import Entry, Node, Scalar, Sequence, Style
from osiris.syntax.tree import Mapping as MappingNode

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.language.analysis import Analysis

Schema = Mapping[str, Any]

_NO_TABLES: frozenset[str] = frozenset()
_SQL_BY_NAME = {"query": "duckdb", "sql": "duckdb"}  # in a step whose component is unknown, or not typed yet
_PARAM: Schema = TOP["properties"]["params"]["additionalProperties"]
_PROFILE: Schema = TOP["properties"]["profiles"]["additionalProperties"]["properties"]


class Token(NamedTuple):
    """One coloured stretch of one line, in code points."""

    start: int
    end: int
    kind: TokenKind
    modifiers: Modifier = Modifier.NONE


_STEPS_KEY = Token(0, 5, TokenKind.PROPERTY)


class Stretch(NamedTuple):
    """The tokens of one part in order; their offsets count from ``base``. ``tokens`` is the same object for the same
    part as long as nothing in it means something else."""

    base: int
    text: str
    tokens: tuple[Token, ...]


_KNOWN: WeakKeyDictionary[Part, tuple[object, tuple[Token, ...]]] = WeakKeyDictionary()


def stretches(analysis: Analysis, within: Span | None = None) -> Iterator[Stretch]:
    """The tokens part by part, in the order of the document; with ``within`` only of parts that touch it."""
    at = 0
    for base, part, index in _parts(analysis, within):
        if part is None:
            yield Stretch(base, "steps", (_STEPS_KEY,))
            continue
        step = analysis.pipeline.steps[index] if index >= 0 else None
        fits = (analysis.specs[index], analysis.graph.views[index][0]) if step is not None else None
        known = _KNOWN.get(part)
        if known is None or known[0] != fits:
            known = _KNOWN[part] = (fits, _tokens_of(analysis, step, part))
        tokens = known[1]
        if tokens and base + tokens[0].start < at:  # parts of broken documents may reach into each other
            tokens = tuple(token for token in tokens if base + token.start >= at)
        if tokens:
            at = base + tokens[-1].end
            yield Stretch(base, part.text, tokens)


def _parts(analysis: Analysis, within: Span | None) -> list[tuple[int, Part | None, int]]:
    """Base, part and index (of a step, else -1) of what the document consists of, in its order. No part: ``steps``."""
    document = analysis.document
    found: list[tuple[int, int, Part | None, int]]
    found = [(one.base + one.part.node.span.start, one.base, one.part, -1) for one in document.sections]
    if document.steps_entry is not None:
        base, entry = document.steps_entry
        start = base + entry.key.content.start
        found.append((start, start, None, -1))
    for index, placed in enumerate(document.steps):
        found.append((placed.base + placed.part.node.span.start, placed.base, placed.part, index))
    found.sort(key=itemgetter(0))
    if within is not None:
        starts = [start for start, *_ in found]
        found = found[max(bisect_right(starts, within.start) - 1, 0) : bisect_right(starts, within.end)]
    return [(base, part, index) for _, base, part, index in found]


def semantic_tokens(analysis: Analysis, within: Span | None = None) -> list[Token]:
    """All tokens in order, or those that touch ``within``; offsets are those of the document."""
    return [
        Token(start + base, end + base, kind, modifiers)
        for base, _, tokens in stretches(analysis, within)
        for start, end, kind, modifiers in tokens
        if within is None or (start + base < within.end and within.start < end + base)
    ]


def _tokens_of(analysis: Analysis, step: Step | None, part: Part) -> tuple[Token, ...]:
    if step is None:
        walk = _Walk(part.text)
        walk.section(part.node)
    else:
        spec = analysis.specs[step.index]
        walk = _Walk(part.text, spec, frozenset(name.lower() for name in analysis.graph.tables(step.index)))
        walk.step(step)
    return _settled(part.text, walk.found)


def _settled(text: str, found: list[Token]) -> tuple[Token, ...]:
    """In order, each on one line, none over another: of two that overlap the first one counts."""
    settled: list[Token] = []
    at = 0
    for token in sorted(found, key=lambda token: (token.start, token.end)):
        if token.start < at or token.end <= token.start:
            continue
        at = token.end
        settled += _lines(text, token) if _breaks(text, token) else (token,)
    return tuple(settled)


def _breaks(text: str, token: Token) -> bool:
    return text.find("\n", token.start, token.end) >= 0 or text.find("\r", token.start, token.end) >= 0


def _lines(text: str, token: Token) -> Iterator[Token]:
    start = at = token.start
    while at <= token.end:
        if at == token.end or text[at] in "\r\n":
            while start < at and text[start] in " \t":
                start += 1
            if start < at:
                yield Token(start, at, token.kind, token.modifiers)
            start = at + 1
        at += 1


class _Walk:
    """Goes through one part and collects tokens, relative to it."""

    def __init__(self, text: str, spec: ComponentSpec | None = None, tables: frozenset[str] = _NO_TABLES) -> None:
        self.found: list[Token] = []
        self._text = text
        self._spec = spec
        self._tables = tables

    # -- outside steps

    def section(self, node: Node) -> None:
        """A top-level entry (or several in a broken part)."""
        for entry in _written(node):
            known = TOP["properties"].get(entry.key.text)
            self._key(entry, known)
            match entry.key.text:
                case "params":
                    self._params(entry.value, declared=True)
                case "profiles":
                    for profile in _written(entry.value):
                        self._add(profile.key, TokenKind.NAMESPACE, Modifier.DECLARATION)
                        for item in _written(profile.value):
                            self._key(item, _PROFILE.get(item.key.text))
                            if item.key.text == "params":
                                self._params(item.value, declared=False)

    def _params(self, node: Node, *, declared: bool) -> None:
        for param in _written(node):
            self._add(param.key, TokenKind.PARAMETER, Modifier.DECLARATION if declared else Modifier.NONE)
            if declared:
                self._map(param.value, _PARAM)

    # -- steps

    def step(self, step: Step) -> None:
        """One step."""
        shape = step.shape
        for entry in _written(shape.part.node):
            schema = STEP["properties"].get(entry.key.text)
            self._key(entry, schema)
            match entry.key.text:
                case "id" | "component" | "mode":
                    self._name(entry.key.text, entry.value)
                case "needs":
                    items = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
                    for item in items:
                        self._add(item, TokenKind.FUNCTION)
                case "inputs":
                    for given in _written(entry.value):
                        self._add(given.key, TokenKind.VARIABLE, Modifier.READONLY)
                        self._placeholders(given.value)
                case "config":
                    self._config(entry.value)
                case _:
                    self._map(entry.value, schema)
                    self._placeholders(entry.value)

    def _name(self, key: str, value: Node) -> None:
        if key == "id":
            self._add(value, TokenKind.FUNCTION, Modifier.DECLARATION)
        elif key == "component":
            ours = self._spec is not None and self._spec.source == "osiris"
            self._add(value, TokenKind.CLASS, Modifier.DEFAULT_LIBRARY if ours else Modifier.NONE)
        elif isinstance(value, Scalar) and value.text in (*MODES, *LEGACY_MODES):
            self._add(value, TokenKind.ENUM_MEMBER)

    def _config(self, node: Node) -> None:
        spec = self._spec
        sql = spec.sql_keys if spec is not None else _SQL_BY_NAME
        for entry in _written(node):
            name, value = entry.key.text, entry.value
            schema = spec.property(name) if spec is not None else None
            self._key(entry, schema)
            if name in sql and isinstance(value, Scalar) and sql[name] != "graphql":
                self._sql(value, sql[name])
            elif name == CONNECTION_KEY and isinstance(value, Scalar) and parse_reference(value.text):
                self._add(value, TokenKind.INTERFACE)
            else:
                self._map(value, schema)
                self._value(value, schema)
                self._placeholders(value)

    def _sql(self, value: Scalar, dialect: str) -> None:
        if value.synthetic or not isinstance(value.value, str):
            return
        tables = self._tables if dialect == "duckdb" else _NO_TABLES
        self._place(value, colour_sql(value.text, dialect, tables))

    def _placeholders(self, node: Node) -> None:
        if isinstance(node, Sequence):
            for item in node.items:
                self._placeholders(item)
        elif isinstance(node, MappingNode):
            for entry in node.entries:
                self._placeholders(entry.value)
        elif "${" in node.text and not node.synthetic and isinstance(node.value, str):
            for found in find_placeholders(node.text):
                self._place(node, placeholder(node.text[slice(*found.span)], found.span.start))

    # -- anything

    def _map(self, node: Node, schema: Schema | None) -> None:
        """The keys of a map that its schema knows, at any depth."""
        if schema is None:
            return
        if isinstance(node, Sequence):
            for item in node.items:
                self._map(item, schema.get("items"))
        known = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
        for entry in _written(node) if known else ():
            self._key(entry, known.get(entry.key.text))
            self._map(entry.value, known.get(entry.key.text))
            self._value(entry.value, known.get(entry.key.text))

    def _value(self, node: Node, schema: Schema | None) -> None:
        """A value of a fixed set."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and schema and node.value in schema.get("enum", ()):
            self._add(node, TokenKind.ENUM_MEMBER)

    def _key(self, entry: Entry, schema: Schema | None) -> None:
        if schema is not None and entry.has_colon:
            old = Modifier.DEPRECATED if schema.get("deprecated") else Modifier.NONE
            self._add(entry.key, TokenKind.PROPERTY, old)

    def _add(self, node: Node, kind: TokenKind, modifiers: Modifier = Modifier.NONE) -> None:
        if isinstance(node, Scalar) and not node.synthetic and node.style not in (Style.LITERAL, Style.FOLDED):
            if "${" in node.text:
                self._placeholders(node)
            else:
                self.found.append(Token(*node.content, kind, modifiers))

    def _place(self, node: Scalar, stretches: Iterator[Coloured]) -> None:
        places = SourceMap(node, self._text)
        for start, end, kind, modifiers in stretches:
            self.found.append(Token(*places.span(start, end), kind, modifiers))


def _written(node: Node) -> Iterator[Entry]:
    """The entries of a map that stand there themselves, not by a merge."""
    if isinstance(node, MappingNode) and not node.synthetic:
        for entry in node.entries:
            if not entry.synthetic and not entry.key.synthetic:
                yield entry
