"""``osiris.validate``: ``{"uri"}`` -> ``{"errors", "warnings", "diagnostics"}``; without a URI, all open pipelines."""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.documents import Kind, OpenDocument
from osiris.lsp.errors import RequestError
from osiris.lsp.session import Session
from osiris.syntax.diagnostic import Severity


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The findings of a file of ours: as it stands in the editor when it is open there, else as it is on disk."""
    uri = arguments.text("uri", first=True)
    if uri is None:
        documents = [document for document in session.documents if document.kind is Kind.PIPELINE]
    else:
        documents = [session.documents.get(uri) or _from_disk(session, arguments)]
    found = [(document, list(session.diagnostics.of(document))) for document in documents]
    severities = [item.severity for _, items in found for item in items]
    for document in documents:
        if session.documents.get(document.uri) is None:
            session.analyses.forget(document.uri)
    return {
        "errors": severities.count(Severity.ERROR),
        "warnings": severities.count(Severity.WARNING),
        "diagnostics": [
            {"uri": document.uri, **session.diagnostics.to_json(item, document.uri, document.text, document.lines)}
            for document, items in found
            for item in items
        ],
    }


def _from_disk(session: Session, arguments: Arguments) -> OpenDocument:
    from osiris.core.source import read_source

    path = arguments.file()
    if not path.exists():
        raise RequestError(f"{path} does not exist.")
    return OpenDocument(arguments.uri(), "oml", 0, read_source(path), session.documents.codec)
