"""Tables and columns that a step names, against what is known of the database behind its connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from osiris.components.spec import ComponentSpec
from osiris.language.environment import Environment
from osiris.language.facts import ColumnsGiven, TableNamed
from osiris.language.rules.config import locate
from osiris.language.rules.config_schema import ConfigJudge
from osiris.language.rules.context import DocumentContext, StepContext
from osiris.language.rules.database_findings import DatabaseFindings
from osiris.language.rules.nodes import cut
from osiris.language.rules.sql_schema import SqlJudge
from osiris.language.rules.tables_named import has_query, tables_named
from osiris.language.step_database import StepDatabase, database_of
from osiris.language.substitution import ResolvedConfig
from osiris.language.suggest import listing
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.text import Span
from osiris.syntax.tree import Scalar


def tables_and_columns(ctx: StepContext) -> Iterator[Diagnostic]:
    """The table and the columns that a step names are there, under every profile."""
    spec = ctx.spec
    if spec is None or not spec.takes_connection or not (spec.table_key or spec.sql_keys):
        return
    cases = [("", ctx.resolved)]
    cases += ((f" (With the profile `{profile}`.)", resolved) for profile, resolved in ctx.variants)
    if not ctx.variants:
        ctx.gives = _of_query(spec, ctx.resolved, ctx)
    told: set[tuple[str, Span, str]] = set()
    for suffix, resolved in cases:
        database = database_of(spec, resolved, ctx.env)
        if database is None:
            continue
        ctx.tables_named += tables_named(ctx, spec, resolved, database)
        for found in _findings(ctx, spec, resolved, database, suffix):
            key = (found.code, found.span, found.message.removesuffix(suffix))
            if key not in told:
                told.add(key)
                yield found


def _findings(
    ctx: StepContext, spec: ComponentSpec, resolved: ResolvedConfig, database: StepDatabase, suffix: str
) -> Iterator[Diagnostic]:
    """What is wrong with the names in a query, which counts before the table that the config names, or in the config.

    Missing tables are noted, and so is what the step hands on where it is certain under all profiles.
    """
    if database.knowledge is None:
        return
    findings = DatabaseFindings(ctx, database, database.knowledge, suffix)
    if has_query(spec, resolved) and not spec.consumes_data:
        for key, dialect in spec.sql_keys.items():
            _, node = locate(ctx.shape.config, (key,))
            if dialect != "graphql" and isinstance(node, Scalar) and node.text:
                query = SqlJudge(findings, node, dialect)
                yield from query.findings()
                if not ctx.variants and ctx.gives is None:
                    ctx.gives = query.given()
        return
    judge = ConfigJudge(findings, spec, resolved)
    if not ctx.variants and ctx.gives is None:
        ctx.gives = judge.given()
    yield from judge.findings()


def _of_query(spec: ComponentSpec, resolved: ResolvedConfig, ctx: StepContext) -> ColumnsGiven | None:
    """The columns of a step with a query, where the step itself says them all."""
    if spec.consumes_data or not has_query(spec, resolved):
        return None
    for key in spec.column_keys:
        wanted = resolved.config.get(key)
        if isinstance(wanted, list) and wanted and not any(path[:1] == (key,) for path in resolved.open):
            return ColumnsGiven(tuple(name for name in wanted if isinstance(name, str)))
        if wanted or any(path[:1] == (key,) for path in resolved.open):
            return None
    for key, dialect in spec.sql_keys.items():
        _, node = locate(ctx.shape.config, (key,))
        if dialect != "graphql" and isinstance(node, Scalar) and node.text:
            from osiris.language.sql_binding.bind import columns_of_query

            names = columns_of_query(node.text, dialect)
            return ColumnsGiven(names) if names is not None else None
    return None


def unknown_tables(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Tables that are not there, unless a step of the pipeline makes them; a hint when another pipeline does."""
    if not any(report.missing_tables for report in ctx.reports):
        return
    made = {_identity(named) for report in ctx.reports for named in report.tables if named.written}
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for named, found in report.missing_tables:
            if named.origin == "query":
                if not ctx.makes(named):
                    yield _unless_written(named, found, ctx.env).shift(step.base)
            elif _identity(named) not in made:
                yield _unless_written(named, found, ctx.env).shift(step.base)


def _unless_written(named: TableNamed, missing: Diagnostic, env: Environment) -> Diagnostic:
    """The finding, or a hint in its place when another pipeline of the project writes the table."""
    writers = env.pipelines_writing(named.connection, named.schema, named.table)
    if not writers:
        return missing
    if missing.code == "OML411":
        verb = "writes" if len(writers) == 1 else "write"
        message = f"{missing.message} {listing(writers, 3)} {verb} the table, and may bring the column."
        return replace(missing, message=message, severity=Severity.HINT)
    table = f"{named.schema}.{named.table}" if named.schema else named.table
    message = (
        f"`{named.connection.reference}` has no table `{cut(table)}` yet. {listing(writers, 3)} "
        f"{'writes' if len(writers) == 1 else 'write'} it: that has to run first."
    )
    return replace(missing, message=message, severity=Severity.HINT, fixes=())


def _identity(named: TableNamed) -> tuple[str, str, str]:
    return named.connection.reference, (named.schema or "").casefold(), named.table.casefold()
