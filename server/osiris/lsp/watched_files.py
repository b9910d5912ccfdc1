"""The files outside the open documents on which diagnostics depend, and what follows when they change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from osiris.lsp.documents import PROJECT_FILES

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.lsp.session import Session

# Any YAML file may say ``oml_version`` and so become a pipeline; the first line of a text file names its columns.
PATTERNS = ("**/*.oml", "**/*.{yaml,yml}", "**/.env", "**/osiris.schema.json", "**/*.{csv,tsv}")
DELAY_SECONDS = 0.1  # another branch that is checked out comes as many messages, and is looked at once


async def watch_project_files(session: Session) -> None:
    """Ask the client to tell when one of them changes."""
    registration = {
        "id": "osiris.projectFiles",
        "method": types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        "registerOptions": {"watchers": [{"globPattern": pattern} for pattern in PATTERNS]},
    }
    await session.protocol.ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]})


class WatchedFiles:
    """What changed and is not looked at yet."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._paths: set[Path] = set()

    def changed(self, paths: Iterable[Path], *, boundaries: bool) -> None:
        """Files were changed, made or deleted. ``boundaries``: with them projects may have come or gone.

        From now on every question sees the disk as it is; the documents that depend on it are checked a moment later.
        """
        changed = set(paths)
        if boundaries:
            self._session.projects.refresh()
        else:
            for project in self._projects_of(changed):
                project.invalidate()
        if changed and not self._paths:
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self._check)
        self._paths |= changed

    def _check(self) -> None:
        paths, self._paths = self._paths, set()
        if any(path.name in PROJECT_FILES for path in paths):
            self._session.diagnostics.request_all()
            self._session.discovery.look()
            self._session.refresh.request()  # hints tell values from .env, lenses look where osiris.yaml says
        else:
            self._session.diagnostics.request_in(self._projects_of(paths))

    def _projects_of(self, paths: Iterable[Path]) -> list[Project]:
        folders = {path.parent for path in paths}
        found = [self._session.projects.project_in(folder) for folder in folders]
        return list({project.root: project for project in found}.values())
