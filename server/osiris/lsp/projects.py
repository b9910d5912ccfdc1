"""Which project a document belongs to, over any number of workspace folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.lsp.documents import path_of

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.environment import Environment


class Projects:
    """The workspace folders and the projects found in and around them."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self._by_directory: dict[Path, Project] = {}

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
        """Look for project files anew: one was made, removed or moved."""
        self._by_directory.clear()

    def project_of(self, path: Path | None) -> Project | None:
        """The project of a file; None for a document that is no file when no folder is open."""
        from osiris.core.project import Project

        directory = path.parent if path is not None else next(iter(self.folders), None)
        if directory is None:
            return None
        project = self._by_directory.get(directory)
        if project is None:
            project = self._by_directory[directory] = Project.find(path or directory, self._folder_of(directory))
        return project

    def _folder_of(self, directory: Path) -> Path | None:
        inside = [folder for folder in self.folders if directory.is_relative_to(folder)]
        return max(inside, key=lambda folder: len(folder.parts), default=None)

    def environment_of(self, path: Path | None) -> Environment:
        """What the language may know of the surroundings of a file; nothing for documents outside any project."""
        project = self.project_of(path)
        if project is not None:
            return project.environment()
        from osiris.language.environment import StaticEnvironment

        if self._nowhere is None:
            self._nowhere = StaticEnvironment()
        return self._nowhere

    _nowhere: Environment | None = None
