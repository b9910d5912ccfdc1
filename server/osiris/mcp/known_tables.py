"""The tables behind a connection as they are known, for agents that the user has not let connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osiris.core.agent.tools import column_line, table_lines
from osiris.core.error_taxonomy import ValidationError
from osiris.core.project import Project
from osiris.language.connections import parse_reference

if TYPE_CHECKING:
    from osiris.core.discovery import DiscoveryAgent
    from osiris.language.catalog import SchemaKnowledge


def explorer(project: Project, reference: str) -> DiscoveryAgent:
    """What reads the database; it does not connect before it is asked something. Raises ConfigurationError."""
    from osiris.core.config import Config
    from osiris.core.discovery import DiscoveryAgent

    return DiscoveryAgent(Config.load(project.root).connection(reference), root=project.root)


def tables(project: Project, reference: str, contains: str) -> str | None:
    """The known tables whose names contain the text, one in a line; None when nothing is known."""
    knowledge = _knowledge(project, reference)
    if knowledge is None:
        return None
    found = {(info.schema, info.name): info for catalog in reversed(knowledge.catalogs) for info in catalog.tables}
    wanted = [info for key, info in sorted(found.items()) if contains.casefold() in info.name.casefold()]
    return "\n".join(table_lines(wanted, knowledge.catalogs[0].default_schema)) or "no tables"


def columns(project: Project, reference: str, table: str) -> str | None:
    """The known columns of a table, one in a line; None when they are not known. Raises ValidationError."""
    knowledge = _knowledge(project, reference)
    if knowledge is None:
        return None
    found = knowledge.table(table)
    if found is None:
        raise ValidationError(f"No table {table} of {reference} is known.", hint="list_tables lists those that are.")
    return None if found[0].columns is None else "\n".join(column_line(column) for column in found[0].columns)


def _knowledge(project: Project, reference: str) -> SchemaKnowledge | None:
    connections = project.environment().connections
    named = parse_reference(reference)
    connection = connections.get(*named) if connections is not None and named is not None else None
    knowledge = project.schema_of(connection) if connection is not None else None
    return knowledge if knowledge is not None and knowledge.catalogs else None
