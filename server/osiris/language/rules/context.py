"""What a rule may look at. A step rule sees one step and what of its surroundings is declared here, so that its
findings can be kept while all of that stays the same; a document rule sees everything, and runs every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec
from osiris.language.environment import Environment
from osiris.language.facts import ConnectionUse, PathUse, SecretHit, UnknownTable
from osiris.language.graph import Graph
from osiris.language.model import Param, Pipeline, StepShape
from osiris.language.params import ParamValues
from osiris.language.substitution import ResolvedConfig, resolve_config
from osiris.syntax.block import SourceMap
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.document import Document
from osiris.syntax.text import Span
from osiris.syntax.tree import Plain, Scalar


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
    that is not certain. ``unknown_tables`` collects the tables that its SQL names beyond those.
    """

    shape: StepShape
    spec: ComponentSpec | None
    registry: ComponentRegistry
    env: Environment
    scope: ParamScope
    tables: tuple[str, ...]
    sources: int
    complete: bool
    unknown_tables: list[UnknownTable] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The source of the step's part."""
        return self.shape.part.text

    @cached_property
    def resolved(self) -> ResolvedConfig:
        """The config with the parameters of the chosen profile."""
        return resolve_config(self.shape.config, self.spec, self.scope.values)

    def source(self, scalar: Scalar, start: int, end: int) -> Span:
        """The source range of ``scalar.text[start:end]``."""
        if scalar.synthetic:
            return scalar.span
        return SourceMap(scalar, self.text).span(start, end)


@dataclass(frozen=True, slots=True)
class StepReport:
    """What the step rules found in one step."""

    diagnostics: tuple[Diagnostic, ...]
    secrets: tuple[SecretHit, ...] = ()
    paths: tuple[PathUse, ...] = ()
    connection: ConnectionUse | None = None
    unknown_tables: tuple[UnknownTable, ...] = ()


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

    def is_source(self, index: int) -> bool:
        """Whether the step certainly yields data and can be referred to."""
        known = self.pipeline.steps[index].shape.id is not None and self.specs[index] is not None
        return known and bool(self.graph.roles[index].yields)


StepRule = Callable[[StepContext], Iterator[Diagnostic]]
DocumentRule = Callable[[DocumentContext], Iterator[Diagnostic]]
