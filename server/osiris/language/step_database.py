"""The database that a step works with, the table that it names there, and what is known of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.components.spec import CONNECTION_KEY, ComponentSpec
from osiris.language.catalog import Catalog, SchemaKnowledge, Table
from osiris.language.connections import Connection, connection_of_step
from osiris.language.substitution import ResolvedConfig, resolve_config
from osiris.syntax.tree import Plain

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment


@dataclass(frozen=True, slots=True, eq=False)
class StepDatabase:
    """The connection of a step, and where in it the step looks for tables.

    ``knowledge`` is None when nothing is known, or when the step itself says fields of the connection that lead
    elsewhere. ``schema`` is what the step or its connection says; None stands for the default one. ``table`` is the
    table that the step names, None when it names none, or when that is known only at run.
    """

    connection: Connection
    knowledge: SchemaKnowledge | None
    schema: str | None = None
    table: str | None = None

    def found(self) -> tuple[Table, Catalog] | None:
        """The table that the step names, and the reading that it is from; None when it is not known."""
        if self.knowledge is None or self.table is None:
            return None
        return self.knowledge.table(self.table, self.schema)


def database_of(spec: ComponentSpec, resolved: ResolvedConfig, env: Environment) -> StepDatabase | None:
    """The database of a step with this config; None when it uses no connection that is there."""
    config = resolved.config
    reference = config.get(CONNECTION_KEY)
    if not spec.takes_connection or (CONNECTION_KEY,) in resolved.open or not isinstance(reference, str | None):
        return None
    if CONNECTION_KEY in spec.properties:
        return None  # the component gives the key a meaning of its own
    connection = connection_of_step(spec, reference, config, env.connections)
    if not isinstance(connection, Connection) or connection.family != spec.family:
        return None
    schema, sure = _schema(spec, resolved, connection)
    knowledge = None if not sure or _leads_elsewhere(spec, config, connection) else env.schema_of(connection)
    return StepDatabase(connection, knowledge, schema, _text(resolved, spec.table_key))


def _text(resolved: ResolvedConfig, key: str | None) -> str | None:
    value = resolved.config.get(key) if key is not None and (key,) not in resolved.open else None
    return value if isinstance(value, str) and value else None


def _schema(spec: ComponentSpec, resolved: ResolvedConfig, connection: Connection) -> tuple[str | None, bool]:
    """The schema that is said, and whether that is all there is to know."""
    key = spec.schema_key
    if key is None:
        return None, True
    if key in resolved.config and resolved.config[key] is not None:
        return _text(resolved, key), (key,) not in resolved.open
    said = connection.fields.get(key)
    if isinstance(said, str) and said:
        return (None, False) if "${" in said else (said, True)
    return None, True


def _leads_elsewhere(spec: ComponentSpec, config: Mapping[str, Plain], connection: Connection) -> bool:
    """Whether the step replaces a field of the connection, so that it works with another database."""
    return any(
        field in config and field != spec.schema_key and config[field] != connection.fields.get(field)
        for field in spec.connection_fields
    )


def step_database(analysis: Analysis, index: int, env: Environment) -> StepDatabase | None:
    """The database of a step of an analysed document, with the parameters that count there."""
    spec = analysis.specs[index] if index < len(analysis.specs) else None
    if spec is None or not spec.takes_connection:
        return None
    config = analysis.pipeline.steps[index].shape.config
    return database_of(spec, resolve_config(config, spec, analysis.values.plain()), env)


def file_of_step(analysis: Analysis, index: int, env: Environment) -> Table | None:
    """The file that a step reads, with all its columns; None when that is not known."""
    spec = analysis.specs[index] if index < len(analysis.specs) else None
    path = next((use.path for use in analysis.paths[index] if use.is_input and use.known and use.whole), None)
    if spec is None or path is None:
        return None
    config = analysis.pipeline.steps[index].shape.config
    return env.file_table(path, resolve_config(config, spec, analysis.values.plain()).config)
