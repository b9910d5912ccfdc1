"""``osiris.validate``: ``{"uri"}`` -> ``{"errors", "warnings", "diagnostics"}``; without a URI, all files.

A client that is pushed its diagnostics is then shown those of files that are not open, too, and they stay true.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.documents import OpenDocument
from osiris.lsp.errors import RequestError
from osiris.lsp.reports import Report
from osiris.lsp.session import Session
from osiris.syntax.diagnostic import Severity


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The findings of a file of ours: as it stands in the editor when it is open there, else as it is on disk."""
    uri = arguments.text("uri", first=True)
    if uri is None:
        reports = await _everything(session, arguments)
    else:
        document = session.documents.get(uri)
        reports = [session.reports.of_document(document or _from_disk(session, arguments))]
        if document is None:
            session.analyses.forget(uri)
    severities = [item["severity"] for report in reports for item in report.items]
    return {
        "errors": severities.count(Severity.ERROR),
        "warnings": severities.count(Severity.WARNING),
        "diagnostics": [{"uri": report.uri, **item} for report in reports for item in report.items],
    }


async def _everything(session: Session, arguments: Arguments) -> list[Report]:
    async with session.progress("Checking all pipelines", arguments.token) as progress:
        reports = []
        async for report in session.reports.all():
            reports.append(report)
            progress.report(f"{len(reports)} files")
    if not session.client.pull_diagnostics:
        session.diagnostics.publish_closed(reports)
    return reports


def _from_disk(session: Session, arguments: Arguments) -> OpenDocument:
    from osiris.core.source import read_source

    path = arguments.file()
    if not path.exists():
        raise RequestError(f"{path} does not exist.")
    return OpenDocument(arguments.uri(), "oml", 0, read_source(path), session.documents.codec)
