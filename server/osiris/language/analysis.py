"""The one analysis that every face shows: text in, pipeline, graph and findings out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec
from osiris.language.declarations import Declarations, declared_sensitive
from osiris.language.environment import Environment, StaticEnvironment
from osiris.language.facts import PathUse, TableNamed
from osiris.language.graph import Graph, Role, build_graph
from osiris.language.model import Pipeline, Step, StepShape, TopEntry
from osiris.language.params import ParamValues, effective_params
from osiris.language.rules import DOCUMENT_RULES, STEP_RULES
from osiris.language.rules.connections import connection_use
from osiris.language.rules.context import DocumentContext, ParamScope, StepContext, StepReport
from osiris.language.rules.paths import path_uses
from osiris.language.rules.secrets import secrets_of_step
from osiris.language.step_reader import shape_step
from osiris.language.suppression import apply_suppressions, find_suppressions
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.document import Document, Part, parse
from osiris.syntax.sql import each_lexed_once
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping as MappingNode
from osiris.syntax.tree import Plain


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What an analysis has found out about each step alone, and what that rests on. Never changed once made."""

    shapes: Mapping[Part, StepShape]
    shaped_by: frozenset[str]
    reports: Mapping[Part, tuple[Hashable, StepReport]]
    environment: tuple[Environment, Hashable] | None


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything that is known of one version of a document.

    ``diagnostics`` are absolute, sorted by place, and what the project's severities and the document's suppressions
    leave of them. ``specs``: per step the spec of its component. ``values``: the parameters that count. ``paths``: per
    step the files that it reads and writes, ``tables``: the tables of its database that it names, both with spans
    relative to its part. ``known`` is what an ``Analyzer`` starts from that is to analyse nearly the same text.
    """

    document: Document
    pipeline: Pipeline
    graph: Graph
    values: ParamValues
    specs: tuple[ComponentSpec | None, ...]
    diagnostics: tuple[Diagnostic, ...]
    paths: tuple[tuple[PathUse, ...], ...] = ()
    known: _Known | None = field(default=None, repr=False)
    tables: tuple[tuple[TableNamed, ...], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the document compiles: it has no errors."""
        return all(d.severity is not Severity.ERROR for d in self.diagnostics)

    def used_tables(self) -> Iterator[TableNamed]:
        """All of ``tables`` in the order of the steps: what ``osiris.schema.json`` is to hold.

        A table that is named twice comes twice, and those of all profiles come; names that only a run knows do not.
        """
        return chain.from_iterable(self.tables)


class Analyzer:
    """Analyses the versions of one document, keeping what an edit leaves as it was. Keep one per open document."""

    def __init__(self, registry: ComponentRegistry, last: Analysis | None = None) -> None:
        """An analyzer that knows nothing yet, or what ``last`` knows: then a text with the same parts takes little."""
        self._registry = registry
        self._shapes: Mapping[Part, StepShape] = {}
        self._reports: Mapping[Part, tuple[Hashable, StepReport]] = {}
        self._declarations: tuple[Hashable, Declarations] | None = None
        self._environment: tuple[Environment, Hashable] | None = None
        self._last_steps: tuple[Step, ...] = ()
        self._graph: tuple[list[tuple[object, ...]], Graph] | None = None
        self._roles: dict[tuple[str | None, str | None], Role] = {}
        self._values: Mapping[str, Plain] = {}
        self._shaped_by: frozenset[str] = frozenset()
        self._others: dict[str, Analyzer] = {}
        if last is not None and last.known is not None:
            self._shapes, self._shaped_by = last.known.shapes, last.known.shaped_by
            self._reports, self._environment = last.known.reports, last.known.environment
            self._last_steps, self._values = last.pipeline.steps, last.values.plain()

    def analyse(
        self,
        document: Document,
        env: Environment,
        *,
        profile: str | None = None,
        params: Mapping[str, Plain] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Analysis:
        """Analyse one version. Never raises for what a document holds.

        ``profile``, ``params`` (values by name; texts are read in the parameter's type) and ``environ``
        (``OSIRIS_PARAM_X``) choose the parameters; findings under the document's other profiles come as well.
        """
        with each_lexed_once():
            return self._settled(document, env, profile, params, environ)

    def _settled(
        self,
        document: Document,
        env: Environment,
        profile: str | None,
        params: Mapping[str, Plain] | None,
        environ: Mapping[str, str] | None,
    ) -> Analysis:
        """All findings, those under profiles that are read apart among them, as far as the project wants them."""
        analysis, apart = self._read(document, env, profile, params, environ)
        diagnostics = list(analysis.diagnostics)
        if apart:
            told = {(found.code, found.span) for found in diagnostics}
            for name in apart:
                other = self._others.setdefault(name, Analyzer(self._registry))
                under, _ = other._read(document, env, name, params, environ, alone=True)
                for found in under.diagnostics:
                    if (found.code, found.span) not in told:
                        told.add((found.code, found.span))
                        message = f"{found.message} (With the profile `{name}`.)"
                        # A fix that is right for this profile may well be wrong for the others.
                        diagnostics.append(replace(found, message=message, fixes=()))
        return replace(analysis, diagnostics=_settled(document, diagnostics, env))

    def _read(
        self,
        document: Document,
        env: Environment,
        profile: str | None,
        params: Mapping[str, Plain] | None,
        environ: Mapping[str, str] | None,
        alone: bool = False,
    ) -> tuple[Analysis, tuple[str, ...]]:
        """The analysis before severities and suppressions are applied, with findings under the other profiles as well
        (not when ``alone``); and the profiles under which the steps are others, so that they must be read apart."""
        declared, top = self._declared(document)
        values = effective_params(
            declared.params,
            declared.profiles,
            profile=profile,
            given=params,
            environ=environ,
        )
        scope = _scope(declared, values)
        pipeline = Pipeline(top, self._steps(document, scope.values), declared.params, declared.profiles)
        specs = tuple(self._registry.get(s.shape.component) if s.shape.component else None for s in pipeline.steps)
        graph = self._graph_of(pipeline.steps)
        apart: tuple[str, ...] = ()
        if alone:
            scope = replace(scope, variants=())
        elif scope.variants and self._shaped_by:
            apart = tuple(name for name, changed in scope.variants if not self._shaped_by.isdisjoint(changed))
            scope = replace(scope, variants=tuple(one for one in scope.variants if one[0] not in apart))
        reports = self._report(pipeline, specs, graph, env, scope)
        context = DocumentContext(
            document, pipeline, graph, self._registry, env, specs, reports, values, tuple(declared.diagnostics)
        )
        diagnostics = list(document.diagnostics)
        diagnostics += declared.diagnostics
        for step, report in zip(pipeline.steps, reports, strict=True):
            if report.diagnostics:
                diagnostics += (d.shift(step.base) for d in report.diagnostics)
        for rule in DOCUMENT_RULES:
            diagnostics += rule(context)
        paths = tuple(report.paths for report in reports)
        tables = tuple(report.tables for report in reports)
        known = _Known(self._shapes, self._shaped_by, self._reports, self._environment)
        return Analysis(document, pipeline, graph, values, specs, tuple(diagnostics), paths, known, tables), apart

    def _declared(self, document: Document) -> tuple[Declarations, tuple[TopEntry, ...]]:
        top: list[TopEntry] = []
        for placed in document.sections:
            if isinstance(placed.part.node, MappingNode):
                top += (TopEntry(placed.base, entry, placed.part) for entry in placed.part.node.entries)
        if document.steps_entry is not None:
            base, entry = document.steps_entry
            part = Part("", MappingNode(entry.span, (entry,)), (), True)
            top.append(TopEntry(base, entry, part))
            top.sort(key=lambda item: item.base + item.entry.key.span.start)
        found = {item.entry.key.text: item for item in reversed(top)}
        params, profiles = found.get("params"), found.get("profiles")
        key = tuple((item.base, item.part, item.entry) if item else None for item in (params, profiles))
        if self._declarations is None or self._declarations[0] != key:
            self._declarations = (key, Declarations(params, profiles))
        return self._declarations[1], tuple(top)

    def _graph_of(self, steps: tuple[Step, ...]) -> Graph:
        flow = [step.shape.flow for step in steps]
        if self._graph is None or self._graph[0] != flow:
            self._graph = (flow, build_graph(steps, self._role))
        return self._graph[1]

    def _steps(self, document: Document, values: Mapping[str, Plain]) -> tuple[Step, ...]:
        if self._shaped_by and any(repr(values.get(n)) != repr(self._values.get(n)) for n in self._shaped_by):
            self._shapes, self._last_steps = {}, ()
        self._values = values
        old = self._shapes
        new: dict[Part, StepShape] = {}
        last, known = self._last_steps, len(self._last_steps)
        steps: list[Step] = []
        for index, placed in enumerate(document.steps):
            part = placed.part
            if index < known and last[index].base == placed.base and last[index].shape.part is part:
                steps.append(last[index])
                new[part] = last[index].shape
                continue
            shape = old.get(part) or new.get(part)
            if shape is None:
                shape = shape_step(part, values)
            new[part] = shape
            steps.append(Step(index, placed.base, shape))
        self._shapes = new
        self._last_steps = tuple(steps)
        self._shaped_by = frozenset(name for shape in new.values() for name in shape.shaped_by)
        return self._last_steps

    def _role(self, step: Step) -> Role:
        key = (step.shape.component, step.shape.mode)
        role = self._roles.get(key)
        if role is None:
            role = self._roles[key] = _role_of(self._registry.get(key[0]) if key[0] else None, step.mode)
        return role

    def _report(
        self,
        pipeline: Pipeline,
        specs: tuple[ComponentSpec | None, ...],
        graph: Graph,
        env: Environment,
        scope: ParamScope,
    ) -> tuple[StepReport, ...]:
        version = env.version
        if self._environment is None or self._environment[0].registry is not env.registry:
            self._reports = {}
        elif self._environment != (env, version):
            self._reports = {part: kept for part, kept in self._reports.items() if not kept[1].rests_on_env}
        self._environment = (env, version)
        old = self._reports
        new: dict[Part, tuple[Hashable, StepReport]] = {}
        reports: list[StepReport] = []
        for step, spec in zip(pipeline.steps, specs, strict=True):
            shape, view = step.shape, graph.views[step.index]
            key = (view, scope.key(shape.param_names)) if shape.param_names else (view, None)
            kept = new.get(shape.part) or old.get(shape.part)
            if kept is not None and kept[0] == key:
                new[shape.part] = kept
                reports.append(kept[1])
                continue
            context = StepContext(shape, spec, self._registry, env, scope, *view)
            report = StepReport(
                tuple(d for rule in STEP_RULES for d in rule(context)),
                tuple(secrets_of_step(context)),
                tuple(path_uses(context)),
                connection_use(context),
                tuple(context.unknown_tables),
                tuple(context.meant_params),
                context.looked_around,
                tuple(dict.fromkeys(context.tables_named)),
                tuple(context.missing_tables),
                context.gives,
            )
            new[shape.part] = (key, report)
            reports.append(report)
        self._reports = new
        return tuple(reports)


def _role_of(spec: ComponentSpec | None, mode: str | None) -> Role:
    if spec is not None:
        modes = (mode,) if mode in spec.modes else spec.modes
        yields, consumes = {m != "write" for m in modes}, {m != "read" for m in modes}
        return Role(*(found.pop() if len(found) == 1 else None for found in (yields, consumes)))
    if mode in ("read", "transform", "write"):
        return Role(mode != "write", mode != "read")
    return Role(None, None)


def _scope(declared: Declarations, values: ParamValues) -> ParamScope:
    plain = values.plain()
    sensitive = declared_sensitive(declared.params)
    # What the command line or the environment says holds in every profile.
    fixed = {name for name, value in values.values.items() if value.source in ("given", "environment")}
    variants: list[tuple[str, dict[str, Plain]]] = []
    for profile in declared.profiles.values():
        if profile.name == values.profile:
            continue
        changed = {
            name: given.value
            for name, given in profile.values.items()
            if given.sound and name not in sensitive and name not in fixed
        }
        if changed:
            variants.append((profile.name, changed))
    return ParamScope(declared.params, plain, sensitive, tuple(variants))


def _settled(document: Document, diagnostics: Iterable[Diagnostic], env: Environment) -> tuple[Diagnostic, ...]:
    """Suppressions and severities applied, sorted by place; nothing twice."""
    suppressions = find_suppressions(document)
    if suppressions:
        diagnostics = apply_suppressions(document, diagnostics, suppressions)
    severities = env.severities
    settled: dict[tuple[Span, str, str], Diagnostic] = {}
    for diagnostic in diagnostics:
        code = CODES.get(diagnostic.code)
        if severities and code is not None and code.configurable and diagnostic.code in severities:
            severity = severities[diagnostic.code]
            if severity is None:
                continue
            diagnostic = replace(diagnostic, severity=severity)
        settled.setdefault((diagnostic.span, diagnostic.code, diagnostic.message), diagnostic)
    return tuple(settled[key] for key in sorted(settled))


def analyse(
    text: str,
    env: Environment | None = None,
    *,
    profile: str | None = None,
    params: Mapping[str, Plain] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Analysis:
    """Parse and analyse ``text`` once; without ``env`` as a document outside any project."""
    environment = env or StaticEnvironment()
    analyzer = Analyzer(environment.registry)
    return analyzer.analyse(parse(text), environment, profile=profile, params=params, environ=environ)
