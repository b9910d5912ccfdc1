"""The findings in the files of a project that are no pipelines, open or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.language.project_file_names import SETTINGS_FILE
from osiris.lsp.documents import PROJECT_FILES, Kind, kind_of

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.lsp.session import Session
    from osiris.syntax.diagnostic import Diagnostic


def findings_of_project_file(session: Session, kind: Kind, text: str, path: Path | None) -> tuple[Diagnostic, ...]:
    """What is wrong in this text of such a file."""
    from osiris.core.config_file import parse_config
    from osiris.core.project_file_checks import connections_findings, env_file_findings, is_env_file_of
    from osiris.core.schema_lock import parse_lock

    if kind is Kind.CONNECTIONS:
        return connections_findings(text, session.projects.environment_of(path))
    if kind is Kind.SETTINGS:
        return tuple(parse_config(text, str(path or SETTINGS_FILE)).diagnostics)
    if kind is Kind.LOCK:
        return parse_lock(text).diagnostics
    project = session.projects.project_of(path)
    return env_file_findings(text, project) if is_env_file_of(path, project) else ()


def closed_project_files(session: Session, project: Project) -> Iterator[tuple[Path, str, tuple[Diagnostic, ...]]]:
    """Path, text and findings of each such file of a project that is there and not open."""
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.files import is_inside
    from osiris.core.source import read_source, unreadable

    for path in (project.root / name for name in PROJECT_FILES):
        if session.documents.of_file(path) is not None or not path.is_file():
            continue
        if not is_inside(path, project.root):
            yield (
                path,
                "",
                (unreadable(path, f"{path.name} is a link that leads out of the project, and is not read."),),
            )
            continue
        try:
            text = read_source(path, shown=path.name)
        except ConfigurationError as problem:
            yield path, "", (unreadable(path, str(problem)),)
        else:
            yield path, text, findings_of_project_file(session, kind_of(path.as_uri(), "", text), text, path)
