"""What an editor says about the files of a project that are no pipelines, beyond what everybody says about them.

Whether a variable is set is a fact of this machine, and a `.env` file stays on it: both matter to the one who types,
and to nobody who checks the project elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from osiris.core.dotenv_checks import dotenv_findings
from osiris.language.connection_checks import variable_findings
from osiris.language.connections import parse_connections
from osiris.language.project_file_names import DOTENV_FILE
from osiris.syntax.diagnostic import Diagnostic

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.environment import Environment


def connections_findings(text: str, env: Environment) -> tuple[Diagnostic, ...]:
    """The findings in the text of osiris_connections.yaml, with variables that are set nowhere on this machine."""
    read = parse_connections(text, env.registry)
    unset = variable_findings(read.document, lambda name: env.variable_origin(name) is not None)
    return tuple(sorted([*read.diagnostics, *unset], key=lambda d: (d.span, d.code)))


def env_file_findings(text: str, project: Project | None) -> tuple[Diagnostic, ...]:
    """The findings in the text of the project's `.env`."""
    return dotenv_findings(text, project.parameters() if project is not None else None)


def is_env_file_of(path: Path | None, project: Project | None) -> bool:
    """Whether ``path`` is the `.env` file that the project reads; other programs have such files as well."""
    if path is None or project is None or path.name != DOTENV_FILE or path.parent != project.root:
        return False
    return project.is_marked or bool(project.listed())
