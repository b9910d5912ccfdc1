"""Edits that format an open document, for ``textDocument/formatting`` and ``textDocument/rangeFormatting``."""

from __future__ import annotations

import asyncio

from lsprotocol import types

from osiris.ide.formatting.documents import Formatting, format_document, format_range
from osiris.lsp.documents import Kind, OpenDocument
from osiris.lsp.session import Session
from osiris.syntax.document import Document, parse
from osiris.syntax.text import Span

_FORMATTED = frozenset((Kind.PIPELINE, Kind.CONNECTIONS, Kind.SETTINGS))
_LARGE = 50_000  # code points from which formatting takes longer than a keystroke may wait


async def formatting_edits(
    session: Session, uri: str, chosen: types.Range | None = None
) -> list[types.TextEdit] | None:
    """The edits for a pipeline, ``osiris_connections.yaml`` or ``osiris.yaml``; None for other documents.

    ``chosen`` is the range to format, None for all. The client's options (the width of a tab, blanks and empty lines at
    the end) play no part: the layout of OML is the same in every editor and for ``osiris fmt``.
    """
    document = session.documents.get(uri)
    if document is None or document.kind not in _FORMATTED:
        return None
    parsed = _parsed(session, document)
    span = Span(document.offset(chosen.start), document.offset(chosen.end)) if chosen is not None else None
    large = len(document.text) > _LARGE
    found = await asyncio.to_thread(_formatted, parsed, span) if large else _formatted(parsed, span)
    return [
        types.TextEdit(
            range=types.Range(start=document.position(edit.span.start), end=document.position(edit.span.end)),
            new_text=edit.new_text,
        )
        for edit in found.edits
    ]


def _formatted(parsed: Document, chosen: Span | None) -> Formatting:
    return format_document(parsed) if chosen is None else format_range(parsed, chosen)


def _parsed(session: Session, document: OpenDocument) -> Document:
    snapshot = session.snapshot(document.uri)
    return parse(document.text) if snapshot is None else snapshot.analysis.document
