"""Publishes findings. Always with the version they are for, and at once: nothing waits for a pause in typing.

A check is put at the end of the loop's queue, so that a burst of changes that has already arrived is checked once.

A client that says it can pull diagnostics (``textDocument/diagnostic``) asks by itself whenever a document changes. It
is pushed nothing, or everything would show twice; it is asked to ask again when something outside the documents
changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from osiris.lsp import errors
from osiris.lsp.documents import Kind, OpenDocument, key_of, plain_range
from osiris.lsp.project_findings import findings_of_project_file
from osiris.lsp.refresh import DIAGNOSTICS

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.lsp.reports import Report
    from osiris.lsp.session import Session
    from osiris.syntax.diagnostic import Diagnostic
    from osiris.syntax.text import LineIndex

SOURCE = "osiris"
PATIENCE_SECONDS = 0.1  # for messages that have arrived: they may hold changes that make a check useless
_UNNECESSARY, _DEPRECATED = 1, 2


class Diagnostics:
    """Which documents wait for a check, and which have findings at the client."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: set[str] = set()
        self._shown: set[str] = set()
        self._published: dict[str, Report] | None = None  # closed files with findings; None: never asked for
        self._surroundings = asyncio.Event()

    def request(self, uri: str) -> None:
        """Check a document once all changes that have already arrived are applied."""
        if self._session.client.pull_diagnostics:
            return
        if not self._waiting:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._check_waiting, loop.time() + PATIENCE_SECONDS)
        self._waiting.add(uri)

    def surroundings_changed(self) -> None:
        """Wake whoever waits for a change of something outside the open documents."""
        self._surroundings.set()
        self._surroundings = asyncio.Event()

    def request_all(self) -> None:
        """Check everything that the client shows: something outside the open documents has changed."""
        self.surroundings_changed()
        if self._session.client.pull_diagnostics:
            self._session.refresh.request(DIAGNOSTICS)
            return
        for document in self._session.documents:
            self.request(document.uri)
        self._closed_changed()

    def request_in(self, projects: Iterable[Project]) -> None:
        """Check what the client shows of these projects: files of theirs have changed."""
        self.surroundings_changed()
        if self._session.client.pull_diagnostics:
            self._session.refresh.request(DIAGNOSTICS)
            return
        roots = {project.root for project in projects}
        for document in self._session.documents:
            project = self._session.projects.project_of(document.path)
            if project is not None and project.root in roots:
                self.request(document.uri)
        self._closed_changed()

    def _closed_changed(self) -> None:
        if self._published is not None:
            self._session.reports.publish_again()

    async def surroundings_change(self) -> None:
        """Wait until something outside the open documents changes."""
        await self._surroundings.wait()

    def clear(self, uri: str) -> None:
        """Take the findings of a closed document away; those of a file that was published as closed come back."""
        self._waiting.discard(uri)
        if uri in self._shown:
            self._shown.discard(uri)
            self._send({"uri": uri, "diagnostics": []})
        self._closed_changed()

    def publish_closed(self, found: Iterable[Report]) -> None:
        """Show the findings of files that are not open, and take those away that were shown so before.

        Looking at many files takes a while: what has been opened since has findings of its own.
        """
        before, self._published = self._published or {}, {}
        for report in found:
            key = key_of(report.uri)
            if self._session.documents.get(report.uri) is not None:
                before.pop(key, None)
                continue
            shown = before.pop(key, None)
            if report.items:
                self._published[key] = report
            if shown is None and not report.items:
                continue
            if shown is None or shown.result_id != report.result_id:
                self._send({"uri": report.uri, "diagnostics": report.items})
        for report in before.values():
            self._send({"uri": report.uri, "diagnostics": []})

    def _check_waiting(self, at_latest: float) -> None:
        loop = asyncio.get_running_loop()
        if self._session.backlog() and loop.time() < at_latest:
            loop.call_soon(self._check_waiting, at_latest)
            return
        waiting, self._waiting = self._waiting, set()
        for uri in waiting:
            document = self._session.documents.get(uri)
            if document is None:
                continue
            try:
                self._check(document)
            except Exception as error:  # noqa: BLE001 (one document must not keep the others from being checked)
                errors.report("checking a document", error)

    def _check(self, document: OpenDocument) -> None:
        if document.kind is not Kind.OTHER or document.uri in self._shown:
            self._publish(document, self.of(document))

    def of(self, document: OpenDocument) -> Iterable[Diagnostic]:
        """The findings of a document, according to its kind; none for one that is nothing of ours."""
        match document.kind:
            case Kind.PIPELINE:
                return self._session.analyses.of(document).diagnostics
            case Kind.OTHER:
                return ()
            case _:
                return findings_of_project_file(self._session, document.kind, document.text, document.path)

    def _publish(self, document: OpenDocument, found: Iterable[Diagnostic]) -> None:
        self._shown.add(document.uri)
        if self._published is not None:
            self._published.pop(key_of(document.uri), None)
        items = [self.to_json(item, document.uri, document.text, document.lines) for item in found]
        self._send({"uri": document.uri, "version": document.version, "diagnostics": items})

    def _send(self, params: dict[str, Any]) -> None:
        self._session.protocol.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def to_json(self, item: Diagnostic, uri: str, text: str, lines: LineIndex) -> dict[str, Any]:
        """A finding in LSP's shape, as plain JSON, with no more than the client can show."""
        client, codec = self._session.client, self._session.documents.codec
        result: dict[str, Any] = {
            "range": plain_range(text, lines, codec, item.span),
            "severity": int(item.severity),
            "code": item.code,
            "source": SOURCE,
            "message": _masked(item.message),
        }
        if client.code_description and (href := documentation_of(item.code)):
            result["codeDescription"] = {"href": href}
        if client.related_information and item.related:
            result["relatedInformation"] = [
                {
                    "location": {"uri": uri, "range": plain_range(text, lines, codec, place.span)},
                    "message": _masked(place.message),
                }
                for place in item.related
            ]
        tags = [_UNNECESSARY] if client.unnecessary_tag and item.unnecessary else []
        tags += [_DEPRECATED] if client.deprecated_tag and item.deprecated else []
        if tags:
            result["tags"] = tags
        return result


@lru_cache(maxsize=2048)
def _masked(message: str) -> str:
    from osiris.core.secrets_masking import mask_secrets

    return mask_secrets(message)


def documentation_of(code: str) -> str | None:
    """The place of the page that explains a code, where the documentation is installed."""
    return _documentation().get(code)


@lru_cache(maxsize=1)
def _documentation() -> dict[str, str]:
    """Every code's heading in the page of all codes: in the package, or in ``docs/`` of a checkout."""
    import re
    from pathlib import Path

    import osiris

    package = Path(osiris.__file__).parent
    for page in (package / "docs" / "diagnostics.md", package.parents[1] / "docs" / "diagnostics.md"):
        if page.is_file():
            lines = page.read_text(encoding="utf-8").splitlines()
            headings = ((number, re.match(r"#+\s+`?(OML\d{3})\b", line)) for number, line in enumerate(lines, 1))
            return {match.group(1): f"{page.as_uri()}#L{number}" for number, match in headings if match}
    return {}
