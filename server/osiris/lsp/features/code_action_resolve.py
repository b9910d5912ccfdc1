"""``codeAction/resolve``: the edit of an action that was chosen."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.choices import FIX_ALL, Choices
from osiris.lsp.edits import workspace_edit
from osiris.lsp.errors import CONTENT_MODIFIED, RequestError
from osiris.lsp.session import Session
from osiris.syntax.text import Span

_GONE = "The document has changed since this was offered. Ask again."


async def handle(session: Session, params: types.CodeAction) -> types.CodeAction:
    """The same action with its edit; one without data, or with foreign data, as it came.

    Raises RequestError when the document is another by now, or the action cannot be done after all.
    """
    data = params.data
    if not isinstance(data, dict) or not isinstance(start := data.get("start"), int):
        return params
    document = session.documents.get(str(data.get("uri")))
    end, kind, title, number = (data.get(key) for key in ("end", "kind", "title", "number"))
    if document is None or document.version != data.get("version") or not isinstance(end, int):
        raise RequestError(_GONE, CONTENT_MODIFIED)
    choices = Choices(session, document)
    found = list(choices.everywhere() if kind == FIX_ALL else choices.at(Span(start, end), lambda one: one == kind))
    same = [choice for choice in found if choice.title == title and choice.kind == kind]
    if not isinstance(number, int) or not 0 <= number < len(same):
        raise RequestError(_GONE, CONTENT_MODIFIED)
    edits = same[number].edits()
    edit = workspace_edit(session, edits) if edits else None
    if edit is None:
        raise RequestError(f"“{title}” cannot be done here: it would touch what cannot be read or written.")
    params.edit = edit
    return params
