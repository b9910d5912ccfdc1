"""All pipelines of the workspace: open ones as they stand in the editor, the rest from disk.

What this gives is bounded: at most ``MAX_FILES`` files of a project, and the analyses of closed files are kept only up
to ``MAX_CHARS_KEPT`` characters of text, those that were used last. Between two files the loop is free: a message that
waits goes first. Large files are analysed in a thread.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.lsp.documents import Kind, Snapshot

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.analysis import Analysis
    from osiris.language.environment import Environment
    from osiris.lsp.session import Session

MAX_FILES = 2_000
MAX_CHARS_KEPT = 2_000_000  # an analysis takes about 30 bytes per character
LARGE_BYTES = 50_000  # analysing more than this takes longer than a keystroke may wait


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """A pipeline that is not open. Equal ``key``s promise an equal analysis."""

    path: Path
    project: Project
    size: int
    key: Hashable


@dataclass(slots=True)
class _Kept:
    key: Hashable
    analysis: Analysis


class Workspace:
    """Walks over the pipelines of a project or of all projects."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()
        self._chars = 0
        self._told: set[tuple[Path, str]] = set()

    async def snapshots(self, of: Path | Project | None) -> AsyncIterator[Snapshot]:
        """Every pipeline of a project, or of the project that a file belongs to; open documents come first.

        ``None`` stands for a document that is no file; it belongs to the first folder. ``Snapshot.version`` is None
        for files that are not open. A file that cannot be read is left out.
        """
        projects = self._session.projects
        project = projects.project_of(of) if of is None or isinstance(of, Path) else of
        for snapshot in self._open(project):
            yield snapshot
            await asyncio.sleep(0)
        if project is not None:
            async for snapshot in self._readable(project):
                yield snapshot

    async def all_snapshots(self) -> AsyncIterator[Snapshot]:
        """Every pipeline of every project in every folder, and every open one wherever it is; open ones come first."""
        for document in self._session.documents:
            if (snapshot := self._session.snapshot(document.uri)) is not None:
                yield snapshot
                await asyncio.sleep(0)
        for project in await self.projects():
            async for snapshot in self._readable(project):
                yield snapshot

    async def _readable(self, project: Project) -> AsyncIterator[Snapshot]:
        from osiris.core.error_taxonomy import ConfigurationError

        async for file in self.closed_files(project):
            try:
                yield await self.read(file)
            except ConfigurationError as problem:
                self._tell(project, str(problem))
            await asyncio.sleep(0)

    async def projects(self) -> list[Project]:
        """The project of each folder, and the projects nested in them, each once."""
        from osiris.core.project_scan import find_roots

        found: dict[Path, Project] = {}
        for folder in list(self._session.projects.folders):
            roots = await asyncio.to_thread(find_roots, folder)
            for root in (folder, *roots):
                project = self._session.projects.project_in(root)
                found.setdefault(project.root, project)
        return list(found.values())

    async def closed_files(self, project: Project) -> AsyncIterator[ClosedFile]:
        """The pipelines of a project that are not open, bounded, with a word to the user where the bound was met."""
        paths = await asyncio.to_thread(project.listed)
        if project.truncated:
            self._tell(project, "it holds very many files, and only the first were looked at for pipelines.")
        if len(paths) > MAX_FILES:
            self._tell(project, f"only the first {MAX_FILES} of {len(paths)} pipelines are looked at unless open.")
        for path in paths[:MAX_FILES]:
            # Asked for each file anew: documents are opened and closed between two of them.
            if self._session.documents.of_file(path) is None and (file := self._closed(path, project)) is not None:
                yield file

    def closed_file(self, path: Path) -> ClosedFile | None:
        """The state of one file that is not open; None when it cannot be found."""
        project = self._session.projects.project_of(path)
        return None if project is None else self._closed(path, project)

    def _closed(self, path: Path, project: Project) -> ClosedFile | None:
        try:
            state = os.stat(path)
        except OSError:
            return None  # vanished since it was listed
        environment = project.environment(path)
        variables = self._session.projects.variables_of(path)
        written = (state.st_mtime_ns, state.st_size, state.st_ino)
        return ClosedFile(path, project, state.st_size, (written, project.root, environment.version, variables.version))

    async def read(self, file: ClosedFile) -> Snapshot:
        """The snapshot of a file that is not open. Raises ConfigurationError when it cannot be read."""
        environment = file.project.environment(file.path)
        kept = self._kept.get(file.path)
        if kept is None or kept.key != file.key:
            analyse = partial(self._analyse, file, environment, self._session.projects.variables_of(file.path).values)
            analysis = analyse() if file.size <= LARGE_BYTES else await asyncio.to_thread(analyse)
            kept = _Kept(file.key, analysis)
        self._keep(file.path, kept)
        codec = self._session.documents.codec
        return Snapshot(file.path.as_uri(), None, file.path, kept.analysis, environment, codec)

    def _open(self, project: Project | None) -> Iterator[Snapshot]:
        for document in self._session.documents:
            if document.kind is Kind.PIPELINE and self._session.projects.project_of(document.path) is project:
                snapshot = self._session.snapshot(document.uri)
                if snapshot is not None:
                    yield snapshot

    def _analyse(self, file: ClosedFile, environment: Environment, variables: Mapping[str, str]) -> Analysis:
        from osiris.core.check import Checker
        from osiris.core.source import read_source

        text = read_source(file.path, shown=file.project.relative(file.path))
        return Checker(environment).check(text, environ=variables)

    def _keep(self, path: Path, kept: _Kept) -> None:
        self._forget(path)
        self._kept[path] = kept
        self._chars += len(kept.analysis.document.text)
        while self._chars > MAX_CHARS_KEPT:
            self._forget(next(iter(self._kept)))

    def _forget(self, path: Path) -> None:
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._chars -= len(kept.analysis.document.text)

    def _tell(self, project: Project, what: str) -> None:
        """Log a limit or an unreadable file, once."""
        if (project.root, what) not in self._told:
            self._told.add((project.root, what))
            self._session.log(f"{project.root}: {what}", "warning")
