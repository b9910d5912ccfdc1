"""Which project a document belongs to, over any number of workspace folders."""

from __future__ import annotations

import os
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.language.project_file_names import DOTENV_FILE
from osiris.lsp.documents import path_of

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.environment import Environment


LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Variables:
    """The environment variables that parameters may come from; ``version`` changes when they may have."""

    values: Mapping[str, str]
    version: Hashable


class Projects:
    """The workspace folders and the projects found in and around them."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self._by_directory: dict[Path, Project] = {}
        self._by_root: dict[Path, Project] = {}
        self._variables: dict[Path | None, Variables] = {}
        self._look_again = 0.0
        self._nowhere: Environment | None = None

    def set_folders(self, params: dict[str, Any]) -> None:
        """Take the folders of the raw ``initialize`` parameters, in any of the three ways a client may say them."""
        folders = params.get("workspaceFolders") or []
        uris = [folder.get("uri") for folder in folders if isinstance(folder, dict)]
        if not uris and isinstance(params.get("rootUri"), str):
            uris = [params["rootUri"]]
        self.folders = [path for uri in uris if uri and (path := path_of(uri)) is not None]
        if not self.folders and isinstance(params.get("rootPath"), str):
            self.folders = [Path(params["rootPath"])]

    def change_folders(self, added: list[str], removed: list[str]) -> None:
        """Add and remove folders by URI."""
        gone = {path_of(uri) for uri in removed}
        self.folders = [folder for folder in self.folders if folder not in gone]
        self.folders += [path for uri in added if (path := path_of(uri)) is not None and path not in self.folders]
        self.refresh()

    def refresh(self) -> None:
        """Look at the file system anew: files came, went or changed, and with them perhaps the projects."""
        self._by_directory.clear()
        for project in self._by_root.values():
            project.invalidate()

    def overlay(self, path: Path, text: str | None) -> None:
        """Say that a settings file of a project is open with this text; None: that it was closed."""
        project = self.project_of(path)
        if project is not None:
            project.overlay(path, text)

    def project_of(self, path: Path | None) -> Project | None:
        """The project of a file; None for a document that is no file when no folder is open."""
        directory = path.parent if path is not None else next(iter(self.folders), None)
        return None if directory is None else self.project_in(directory)

    def project_in(self, directory: Path) -> Project:
        """The project that the files of a folder belong to."""
        from osiris.core.project import Project

        now = time.monotonic()
        if now >= self._look_again:  # not every client tells that a project came or went
            self._by_directory.clear()
            self._look_again = now + LOOK_SECONDS
        project = self._by_directory.get(directory)
        if project is None:
            found = Project.find(directory, self.folder_of(directory))
            project = self._by_directory[directory] = self._by_root.setdefault(found.root, found)
        return project

    def known(self, root: Path) -> Project | None:
        """The project in the folder ``root``, if a document or a workspace folder belongs to it."""
        return next((project for project in self.all() if project.root == root), None)

    def all(self) -> list[Project]:
        """The project of each folder, and every other one that a document has belonged to."""
        found = {project.root: project for project in map(self.project_in, self.folders)}
        return list((found | self._by_root).values())

    def folder_of(self, directory: Path) -> Path | None:
        """The innermost workspace folder that holds a file or folder."""
        inside = [folder for folder in self.folders if directory.is_relative_to(folder)]
        return max(inside, key=lambda folder: len(folder.parts), default=None)

    def environment_of(self, path: Path | None) -> Environment:
        """What the language may know of the surroundings of a file; nothing for documents outside any project."""
        project = self.project_of(path)
        if project is not None:
            return project.environment(path)
        if self._nowhere is None:
            from osiris.language.environment import StaticEnvironment

            self._nowhere = StaticEnvironment()
        return self._nowhere

    def variables_of(self, path: Path | None) -> Variables:
        """The environment variables of a file's project, read again when its ``.env`` changed."""
        project = self.project_of(path)
        root = project.root if project is not None else None
        version = _signature(root / DOTENV_FILE) if root is not None else None
        known = self._variables.get(root)
        if known is None or known.version != version:
            known = self._variables[root] = Variables(_read_variables(project), version)
        return known


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read_variables(project: Project | None) -> Mapping[str, str]:
    from osiris.core.check import param_variables
    from osiris.core.error_taxonomy import ConfigurationError

    try:
        return param_variables(project)
    except ConfigurationError:
        return os.environ  # A .env that cannot be read is told by validate, compile and run.
