"""Checks files for the commands: the one analysis of ``osiris.core.check``, with the names the user knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.cli.arguments import shown_path
from osiris.core.checked_files import CheckedFile, checked_settings
from osiris.syntax.diagnostic import Diagnostic
from osiris.syntax.text import LineIndex

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.analysis import Analysis
    from osiris.language.connections import Connection
    from osiris.language.environment import Environment


def readable_text(path: Path) -> str | Diagnostic:
    """The text of an OML file, or the finding that says why there is none."""
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.source import read_source, unreadable

    try:
        return read_source(path, shown=shown_path(path))
    except ConfigurationError as problem:
        return unreadable(path, f"{problem} {problem.hint or ''}".strip())


def check_file(path: Path, project: Project, profile: str | None, params: Mapping[str, Any]) -> CheckedFile:
    """Check one OML file. A file that cannot be read as text has one finding, which says so."""
    from osiris.core.check import check_text

    name = shown_path(path)
    text = readable_text(path)
    if isinstance(text, Diagnostic):
        return CheckedFile(name, "", LineIndex(""), (text,), project.root)
    analysis = check_text(text, project, path, profile=profile, params=params)
    found, document = tuple(analysis.diagnostics), analysis.document
    unread = frozenset() if project.offline else _unread(analysis, project)
    return CheckedFile(name, document.text, document.lines, found, project.root, unread=unread)


def _unread(analysis: Analysis, project: Project) -> frozenset[str]:
    """The connections whose tables the pipeline reads, and of which nothing is known."""
    environment = project.environment()
    uses = {named.connection.reference: named.connection for named in analysis.used_tables() if not named.written}
    return frozenset(reference for reference, connection in uses.items() if not _known(environment, connection))


def _known(environment: Environment, connection: Connection) -> bool:
    if connection.family == "supabase" and not connection.fields.get("pg_dsn"):
        return True  # there is no database that could be read
    knowledge = environment.schema_of(connection)
    return knowledge is not None and bool(knowledge.catalogs)


def check_project_files(project: Project) -> list[CheckedFile]:
    """The settings files of the project that something is wrong in."""
    return checked_settings(project, shown_path)
