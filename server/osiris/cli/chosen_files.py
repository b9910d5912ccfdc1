"""Which files a command works on: those that were named, those in the folders that were named, or all of a project."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.cli.arguments import existing_path
from osiris.cli.checking import readable_text
from osiris.cli.failures import UsageProblem

if TYPE_CHECKING:
    from osiris.core.project import Project


def chosen_pipelines(names: Sequence[str]) -> tuple[list[tuple[Path, Project]], list[Project]]:
    """The pipelines that ``names`` stand for, each once and with its project, in the order they were named; and their
    projects.

    Without names: all of the project around the working folder. The settings files of a project stand for all of its
    pipelines. Raises UsageProblem.
    """
    return _chosen(names, settings=False)


def chosen_sources(names: Sequence[str]) -> list[Path]:
    """The files that ``names`` stand for: pipelines and the settings files of projects. Raises UsageProblem."""
    return [path for path, _ in _chosen(names, settings=True)[0]]


def _chosen(names: Sequence[str], *, settings: bool) -> tuple[list[tuple[Path, Project]], list[Project]]:
    from osiris.core.config import CONFIG_FILE, CONNECTIONS_FILE
    from osiris.core.project import Project

    if not names:
        project = Project.find(Path.cwd())
        found = _files_of(project, settings=settings)
        if not found:
            raise UsageProblem(f"There are no OML files in {project.root}. Name one, or make a project: osiris init")
        return [(path, project) for path in found], [project]
    chosen: dict[Path, Project] = {}
    projects: dict[Path, Project] = {}
    for name in names:
        path = existing_path(name)
        nearest = Project.find(path)
        project = projects.setdefault(nearest.root, nearest)
        if path.is_dir():
            files = _files_in(path, project, settings=settings)
        elif path.name in (CONFIG_FILE, CONNECTIONS_FILE):
            files = [path] if settings else list(project.pipelines())
        else:
            files = [_oml_file(name, path)]
        for file in files:
            chosen.setdefault(Path(os.path.abspath(file)), project)
    return list(chosen.items()), list(projects.values())


def _files_of(project: Project, *, settings: bool) -> list[Path]:
    """The pipelines, and with ``settings`` the settings files too; nothing behind a link that leads elsewhere."""
    from osiris.core.files import is_inside

    found = list(project.pipelines())
    if settings:
        written = (file.path for file in project.settings_files() if file.path.suffix != ".json")  # that is generated
        found += (path for path in written if is_inside(path, project.root))
    return found


def _files_in(folder: Path, project: Project, *, settings: bool) -> list[Path]:
    inside = folder.resolve()
    found = [path for path in _files_of(project, settings=settings) if path.resolve().is_relative_to(inside)]
    if not found:
        raise UsageProblem(f"{folder}: is a folder without OML files.")
    return found


def _oml_file(name: str, path: Path) -> Path:
    """``path`` when it is OML by its name or by what it holds, or cannot be read; else a usage problem."""
    from osiris.core.project import has_oml_version, is_oml_name

    if not is_oml_name(path.name):
        text = readable_text(path)
        if isinstance(text, str) and not has_oml_version(text):
            raise UsageProblem(f"{name}: is not an OML file (*.oml, *.oml.yaml, or YAML with oml_version at top).")
    return path
