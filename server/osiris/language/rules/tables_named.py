"""Which tables of its database a step names: for rules that look at the whole document, and for the lock."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.components.spec import ComponentSpec
from osiris.language.facts import TableNamed
from osiris.language.rules.config import locate
from osiris.language.rules.config_names import config_names
from osiris.language.rules.context import StepContext
from osiris.language.rules.sql_tables import tables_in
from osiris.language.step_database import StepDatabase
from osiris.language.substitution import ResolvedConfig
from osiris.syntax.tree import Scalar


def tables_named(
    ctx: StepContext, spec: ComponentSpec, resolved: ResolvedConfig, database: StepDatabase
) -> Iterator[TableNamed]:
    """The table of the config, unless a query takes its place; and those in FROM and JOIN of a query."""
    connection, written = database.connection, spec.consumes_data
    if written or not has_query(spec, resolved):
        for name in config_names(ctx.shape.config, resolved, spec.table_key):
            yield TableNamed(connection, database.schema, name.text, "table", name.span, written)
    for key, dialect in spec.sql_keys.items():
        _, node = locate(ctx.shape.config, (key,))
        if dialect == "graphql" or not isinstance(node, Scalar) or not node.text:
            continue
        for use in tables_in(node.text, dialect):
            if not use.is_file:
                folds = dialect == "postgres"
                table = use.name.lower() if folds and use.folds else use.name
                schema = use.schema.lower() if folds and use.schema_folds and use.schema else use.schema
                span = ctx.source(node, use.span.start, use.span.end)
                yield TableNamed(connection, schema or database.schema, table, "query", span)


def has_query(spec: ComponentSpec, resolved: ResolvedConfig) -> bool:
    """Whether the step has SQL of its own, which counts before the table that it names."""
    return any(resolved.config.get(key) for key in spec.sql_keys)
