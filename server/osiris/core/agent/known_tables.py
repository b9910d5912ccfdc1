"""The tables behind a connection as they are known, for a model whose user has not let it connect."""

from __future__ import annotations

from osiris.core.agent.told import column_line, table_lines
from osiris.core.error_taxonomy import ValidationError
from osiris.core.project import Project
from osiris.language.catalog import SchemaKnowledge
from osiris.language.connections import Connection


def tables(project: Project, connection: Connection, contains: str) -> str | None:
    """The known tables whose names contain the text, one in a line; None when nothing is known."""
    knowledge = _knowledge(project, connection)
    if knowledge is None:
        return None
    found = {(info.schema, info.name): info for catalog in reversed(knowledge.catalogs) for info in catalog.tables}
    wanted = [info for key, info in sorted(found.items()) if contains.casefold() in info.name.casefold()]
    return "\n".join(table_lines(wanted, knowledge.catalogs[0].default_schema)) or "no tables"


def columns(project: Project, connection: Connection, table: str) -> str | None:
    """The known columns of a table, one in a line; None when they are not known. Raises ValidationError."""
    knowledge = _knowledge(project, connection)
    if knowledge is None:
        return None
    found = knowledge.table(table)
    if found is None:
        raise ValidationError(
            f"No table {table} of {connection.reference} is known.", hint="list_tables lists those that are."
        )
    return None if found[0].columns is None else "\n".join(column_line(column) for column in found[0].columns)


def _knowledge(project: Project, connection: Connection) -> SchemaKnowledge | None:
    knowledge = project.schema_of(connection)
    return knowledge if knowledge is not None and knowledge.catalogs else None
