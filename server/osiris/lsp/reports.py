"""The findings of whole files, open or not, each with an id that stays the same as long as the findings do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Hashable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.lsp.documents import Kind, OpenDocument
from osiris.lsp.project_findings import closed_project_files
from osiris.syntax.text import LineIndex

if TYPE_CHECKING:
    from osiris.lsp.session import Session
    from osiris.lsp.workspace import ClosedFile
    from osiris.syntax.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong in a file. ``items`` are diagnostics of LSP as plain JSON; ``version`` is None for closed files."""

    uri: str
    version: int | None
    result_id: str
    items: list[dict[str, Any]]


@dataclass(slots=True)
class _Known:
    key: Hashable
    report: Report


class Reports:
    """Makes reports, and keeps those of closed files while neither they nor their surroundings change."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[Path, _Known] = {}
        self._publishing: asyncio.Task[Any] | None = None

    def of_document(self, document: OpenDocument) -> Report:
        """The findings of an open document as it is now."""
        found = self._session.diagnostics.of(document)
        return self._report(document.uri, document.version, document.text, document.lines, found)

    def in_scope(self, *, patient: bool = False) -> AsyncIterator[Report]:
        """What the client is to show without being asked: all files or open ones, as the user set it."""
        return self.all(patient=patient, scope=True)

    async def all(self, *, patient: bool = False, scope: bool = False) -> AsyncIterator[Report]:
        """A report on every file of ours: first open documents, then the closed files of each project.

        With ``patient`` the user goes first: while they type, next to nothing is done. With ``scope`` only the folders
        count whose settings want findings of closed files.
        """
        async for report in self.opened(patient=patient):
            yield report
        async for report in self.closed(patient=patient, scope=scope):
            yield report

    async def opened(self, *, patient: bool = False) -> AsyncIterator[Report]:
        """A report on every open document of ours."""
        for document in self._session.documents:
            if document.kind is not Kind.OTHER:
                yield self.of_document(document)
                await self._pause(patient)

    async def closed(self, *, patient: bool = False, scope: bool = False) -> AsyncIterator[Report]:
        """A report on every pipeline and project file that is not open."""
        seen: set[Path] = set()
        for project in await self._session.workspace.projects():
            if scope and self._session.settings_of(project.root).diagnostics_scope == "open":
                continue
            for path, text, found in closed_project_files(self._session, project):
                yield self._report(path.as_uri(), None, text, LineIndex(text), found)
                await self._pause(patient)
            async for file in self._session.workspace.closed_files(project):
                seen.add(file.path)
                yield await self._of_pipeline(file)
                await self._pause(patient)
        self._known = {path: known for path, known in self._known.items() if path in seen}

    async def _pause(self, patient: bool) -> None:
        await (self._session.pause_while_typing() if patient else asyncio.sleep(0))

    async def _of_pipeline(self, file: ClosedFile) -> Report:
        from osiris.core.error_taxonomy import ConfigurationError
        from osiris.core.source import unreadable

        known = self._known.get(file.path)
        if known is None or known.key != file.key:
            try:
                snapshot = await self._session.workspace.read(file)
            except ConfigurationError as problem:
                found = (unreadable(file.path, str(problem)),)
                report = self._report(file.path.as_uri(), None, "", LineIndex(""), found)
            else:
                lines = snapshot.analysis.document.lines
                report = self._report(snapshot.uri, None, snapshot.text, lines, snapshot.analysis.diagnostics)
            known = self._known[file.path] = _Known(file.key, report)
        return known.report

    def publish_again(self) -> None:
        """Show the findings of closed files anew, in the background, to a client that cannot ask for them."""
        if self._publishing is not None:
            self._publishing.cancel()
        self._publishing = self._session.start(self._publish_closed(), "checking closed files")

    async def _publish_closed(self) -> None:
        self._session.diagnostics.publish_closed([report async for report in self.closed(patient=True)])

    def _report(
        self, uri: str, version: int | None, text: str, lines: LineIndex, found: Iterable[Diagnostic]
    ) -> Report:
        items = [self._session.diagnostics.to_json(item, uri, text, lines) for item in found]
        digest = blake2b(json.dumps(items).encode(), digest_size=12).hexdigest()
        return Report(uri, version, digest, items)
