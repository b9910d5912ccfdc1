"""``osiris validate``: check pipelines and show what is wrong, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from osiris.cli.arguments import existing_path, format_option, param_option, profile_option
from osiris.cli.checking import check_file, check_project_files, readable_text
from osiris.cli.failures import DID_NOT_WORK, UsageProblem
from osiris.cli.findings import print_findings

if TYPE_CHECKING:
    from osiris.core.project import Project


@click.command()
@click.argument("files", nargs=-1, metavar="[FILES]...")
@format_option("text", "json", "sarif", "github")
@profile_option
@param_option
@click.option("--offline", is_flag=True, help="Use nothing that was learned from databases earlier.")
def command(files: tuple[str, ...], layout: str, profile: str | None, params: dict[str, str], offline: bool) -> int:
    """Check pipelines and show what is wrong, and where.

    FILES are OML files, or folders of them; without any, the whole project is checked. The exit code is 1 when there
    are errors.
    """
    # Databases are not discovered in this version: every check is offline, and scripts may say so already.
    del offline
    chosen = _chosen(files)
    checked = [check_file(path, project, profile, params) for path, project in chosen]
    # A pipeline rests on the settings of its project: what is wrong in them stops it as well.
    for project in {project.root: project for _, project in chosen}.values():
        checked += check_project_files(project)
    print_findings(checked, layout)
    return DID_NOT_WORK if any(file.has_errors for file in checked) else 0


def _chosen(names: Sequence[str]) -> list[tuple[Path, Project]]:
    """The files to check, each once and with its project, in the order they were named."""
    from osiris.core.project import Project

    if not names:
        project = Project.find(Path.cwd())
        found = list(project.pipelines())
        if not found:
            raise UsageProblem(f"There are no OML files in {project.root}. Name one, or make a project: osiris init")
        return [(path, project) for path in found]
    chosen: dict[Path, Project] = {}
    projects: dict[Path, Project] = {}
    for name in names:
        path = existing_path(name)
        nearest = Project.find(path)
        project = projects.setdefault(nearest.root, nearest)
        for file in _files_in(path, project) if path.is_dir() else (_oml_file(name, path),):
            chosen.setdefault(file, project)
    return list(chosen.items())


def _oml_file(name: str, path: Path) -> Path:
    """``path`` when it is OML by its name or by what it holds, or cannot be read; else a usage problem."""
    from osiris.core.config import CONFIG_FILE, CONNECTIONS_FILE
    from osiris.core.project import has_oml_version, is_oml_name

    if path.name in (CONFIG_FILE, CONNECTIONS_FILE):
        raise UsageProblem(f"{name}: is checked with the pipelines of its project. Say: osiris validate")
    if not is_oml_name(path.name):
        text = readable_text(path)
        if isinstance(text, str) and not has_oml_version(text):
            raise UsageProblem(f"{name}: is not an OML file (*.oml, *.oml.yaml, or YAML with oml_version at top).")
    return path


def _files_in(folder: Path, project: Project) -> list[Path]:
    inside = folder.resolve()
    found = [path for path in project.pipelines() if path.resolve().is_relative_to(inside)]
    if not found:
        raise UsageProblem(f"{folder}: is a folder without OML files.")
    return found
