"""Checks files for the commands: the one analysis of ``osiris.core.check``, with the names the user knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.cli.arguments import shown_path
from osiris.cli.findings import CheckedFile
from osiris.syntax.diagnostic import Diagnostic, Severity
from osiris.syntax.text import LineIndex, Span

if TYPE_CHECKING:
    from osiris.core.project import Project


def check_file(path: Path, project: Project, profile: str | None, params: Mapping[str, str]) -> CheckedFile:
    """Check one OML file. A file that cannot be read as text is a finding as well."""
    from osiris.core.check import check_text
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.source import read_source

    name = shown_path(path)
    try:
        text = read_source(path, shown=name)
    except ConfigurationError as problem:
        return _unreadable(path, name, f"{problem} {problem.hint or ''}".strip(), project)
    analysis = check_text(text, project, path, profile=profile, params=params)
    return CheckedFile(name, analysis.document.text, analysis.document.lines, tuple(analysis.diagnostics), project.root)


def _unreadable(path: Path, name: str, message: str, project: Project) -> CheckedFile:
    """Said as a finding, so that one file that cannot be read hides nothing about the others."""
    from osiris.syntax.limits import MAX_BYTES

    code = "OML010" if path.stat().st_size > MAX_BYTES else "OML014"
    finding = Diagnostic(code, Span(0, 0), message, Severity.ERROR)
    return CheckedFile(name, "", LineIndex(""), (finding,), project.root)


def check_project_files(project: Project) -> list[CheckedFile]:
    """The settings files of the project that something is wrong in."""
    checked = []
    for file in project.settings_files():
        name = shown_path(file.path)
        if file.problem is not None:
            checked.append(_unreadable(file.path, name, file.problem, project))
        elif file.diagnostics:
            checked.append(CheckedFile(name, file.text, LineIndex(file.text), file.diagnostics, project.root))
    return checked
