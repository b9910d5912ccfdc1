"""What a rule may look at. A step rule sees one step and what of its surroundings is declared here, so that its
findings can be kept while all of that stays the same; a document rule sees everything, and runs every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec
from osiris.language.environment import Environment
from osiris.language.facts import ColumnsGiven, ConnectionUse, PathUse, SecretHit, TableNamed, UnknownTable
from osiris.language.graph import Graph
from osiris.language.model import Param, Pipeline, StepShape
from osiris.language.params import ParamValues
from osiris.language.substitution import ResolvedConfig, resolve_config
from osiris.language.templates import fill
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.document import Document
from osiris.syntax.sql import SqlToken, tokenize_sql
from osiris.syntax.text import Span
from osiris.syntax.tree import Node, Plain, Scalar


@dataclass(frozen=True, slots=True, eq=False)
class ParamScope:
    """Parameters as a step sees them. ``variants``: per profile what it changes, the chosen one left out."""

    params: Mapping[str, Param]
    values: Mapping[str, Plain]
    sensitive: frozenset[str]
    variants: tuple[tuple[str, Mapping[str, Plain]], ...]

    def key(self, names: tuple[str, ...]) -> object:
        """Equal keys promise equal findings in a step that refers to these parameters."""
        if not names:
            return None
        told = tuple(
            (
                name in self.params,
                name in self.sensitive,
                repr(self.values[name]) if name in self.values else None,
                tuple((label, repr(changed[name])) for label, changed in self.variants if name in changed),
            )
            for name in names
        )
        known = all(name in self.params for name in names)
        return (told, None if known else tuple(self.params))


@dataclass(eq=False)
class StepContext:
    """One step. All spans are relative to its part, and so are those of the findings.

    ``tables`` are the names of the tables that it sees, ``sources`` of how many steps; ``complete`` is False while
    that is not certain. ``unknown_tables`` collects the tables that its SQL names beyond those, ``meant_params`` the
    parameters that misspelt references most likely mean. ``tables_named`` collects the tables of its database,
    ``missing_tables`` those that are not there or lack a column of a query, with the findings that say so. ``gives``
    are the columns that the step hands on, where they are known.
    """

    shape: StepShape
    spec: ComponentSpec | None
    registry: ComponentRegistry
    surroundings: Environment
    scope: ParamScope
    tables: tuple[str, ...]
    sources: int
    complete: bool
    looked_around: bool = False
    unknown_tables: list[UnknownTable] = field(default_factory=list)
    meant_params: list[str] = field(default_factory=list)
    tables_named: list[TableNamed] = field(default_factory=list)
    missing_tables: list[tuple[TableNamed, Diagnostic]] = field(default_factory=list)
    gives: ColumnsGiven | None = None
    _maps: dict[Scalar, SourceMap] = field(default_factory=dict)
    _tokens: dict[tuple[Scalar, str], list[SqlToken]] = field(default_factory=dict)

    @property
    def env(self) -> Environment:
        """The surroundings. A step that asks for them is looked at again whenever they change, and no other one."""
        self.looked_around = True
        return self.surroundings

    @property
    def text(self) -> str:
        """The source of the step's part."""
        return self.shape.part.text

    @cached_property
    def resolved(self) -> ResolvedConfig:
        """The config with the parameters of the chosen profile."""
        return resolve_config(self.shape.config, self.spec, self.scope.values)

    @cached_property
    def variants(self) -> tuple[tuple[str, ResolvedConfig], ...]:
        """The other profiles that change a parameter of this step, each with the config that it leads to."""
        return tuple(
            (profile, resolve_config(self.shape.config, self.spec, values))
            for profile, values in self.every_scope()
            if profile
        )

    def filled(self, node: Node | None) -> Node | None:
        """A node outside of ``config`` with the parameters of the chosen profile; None while one has no value."""
        return fill(node, self.scope.values) if self.shape.param_names else node

    def every_scope(self) -> Iterator[tuple[str, Mapping[str, Plain]]]:
        """The values of the chosen profile (with an empty name), and of each other one that changes this step."""
        yield "", self.scope.values
        for profile, changed in self.scope.variants:
            if any(name in changed for name in self.shape.param_names):
                yield profile, {**self.scope.values, **changed}

    def source(self, scalar: Scalar, start: int, end: int) -> Span:
        """The source range of ``scalar.text[start:end]``."""
        if scalar.synthetic:
            return scalar.span
        places = self._maps.get(scalar)
        if places is None:
            places = self._maps[scalar] = SourceMap(scalar, self.text)
        return places.span(start, end)

    def sql(self, scalar: Scalar, dialect: str) -> list[SqlToken]:
        """The tokens of the SQL in a scalar, comments included."""
        tokens = self._tokens.get((scalar, dialect))
        if tokens is None:
            tokens = self._tokens[(scalar, dialect)] = tokenize_sql(scalar.text, dialect=dialect)
        return tokens


@dataclass(frozen=True, slots=True)
class StepReport:
    """What the step rules found in one step. ``rests_on_env``: something in its surroundings had a part in it.

    ``memo`` is where a document rule keeps what it found out by the step and by what that gets, while both stay.
    """

    diagnostics: tuple[Diagnostic, ...]
    secrets: tuple[SecretHit, ...] = ()
    paths: tuple[PathUse, ...] = ()
    connection: ConnectionUse | None = None
    unknown_tables: tuple[UnknownTable, ...] = ()
    meant_params: tuple[str, ...] = ()
    rests_on_env: bool = False
    tables: tuple[TableNamed, ...] = ()
    missing_tables: tuple[tuple[TableNamed, Diagnostic], ...] = ()
    gives: ColumnsGiven | None = None
    memo: list[object] = field(default_factory=list, compare=False)


@dataclass(eq=False)
class DocumentContext:
    """The whole document. Spans of findings are absolute."""

    document: Document
    pipeline: Pipeline
    graph: Graph
    registry: ComponentRegistry
    env: Environment
    specs: tuple[ComponentSpec | None, ...]
    reports: tuple[StepReport, ...]
    values: ParamValues
    declared: tuple[Diagnostic, ...] = field(default=())

    @property
    def text(self) -> str:
        """The document's text."""
        return self.document.text

    @cached_property
    def sources(self) -> list[int]:
        """The steps that certainly yield data and can be referred to, in the order of the file."""
        return [step.index for step in self.pipeline.steps if self.is_source(step.index)]

    @cached_property
    def made(self) -> frozenset[tuple[str, str]]:
        """The tables that steps of the pipeline write: the connection and the name, in one case."""
        return frozenset(
            (named.connection.reference, named.table.rpartition(".")[2].casefold())
            for report in self.reports
            for named in report.tables
            if named.written
        )

    def makes(self, named: TableNamed) -> bool:
        """Whether a step of this pipeline writes a table of that name, in whatever schema."""
        return (named.connection.reference, named.table.rpartition(".")[2].casefold()) in self.made

    def is_source(self, index: int) -> bool:
        """Whether the step certainly yields data and can be referred to."""
        step_id = self.pipeline.steps[index].shape.id
        known = step_id is not None and self.graph.by_id[step_id] == index and self.specs[index] is not None
        return known and bool(self.graph.roles[index].yields)


StepRule = Callable[[StepContext], Iterator[Diagnostic]]
DocumentRule = Callable[[DocumentContext], Iterator[Diagnostic]]
