"""``textDocument/inlayHint``: for the part of the document that the editor shows."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.inlay_hints import Hint, implicit_needs, param_values
from osiris.lsp.documents import Snapshot
from osiris.lsp.edits import text_edits
from osiris.lsp.session import Session
from osiris.syntax.text import Span


async def handle(session: Session, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """The hints that the user wants to see."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return None
    settings, analysis = session.settings_of(snapshot.path), snapshot.analysis
    start, end = snapshot.offset(params.range.start), snapshot.offset(params.range.end)
    within = Span(start, max(start, end))
    found = [*implicit_needs(analysis, within)] if settings.implicit_needs_hints else []
    found += param_values(analysis, within) if settings.param_value_hints else ()
    return [_hint(snapshot, hint) for hint in sorted(found, key=lambda hint: hint.offset)]


def _hint(snapshot: Snapshot, hint: Hint) -> types.InlayHint:
    name = types.InlayHintLabelPart(value=hint.name)
    if hint.target is not None:
        name.location = types.Location(uri=snapshot.uri, range=snapshot.range(hint.target))
    made = types.InlayHint(
        position=snapshot.position(hint.offset),
        label=[types.InlayHintLabelPart(value=hint.before), name],
        padding_left=True,
    )
    if hint.tooltip:
        made.tooltip = types.MarkupContent(kind=types.MarkupKind.Markdown, value=hint.tooltip)
    if hint.edit is not None:
        made.text_edits = text_edits(snapshot, [hint.edit])
    return made
