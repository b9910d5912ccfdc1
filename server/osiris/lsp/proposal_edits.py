"""A proposal of the agent as an edit of the editor's, which the user confirms."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris.core.agent.proposals import checked, with_ends_of, with_plain_ends
from osiris.lsp.agent_questions import ask_user
from osiris.lsp.edits import Source, source_in
from osiris.lsp.errors import CONTENT_MODIFIED, RequestError
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.core.agent.proposals import Proposal
    from osiris.core.project import Project
    from osiris.lsp.session import Session

APPLY = "Apply"
NOT_NOW = "Not now"
_ANNOTATION = "osiris"


async def apply_proposal(session: Session, project: Project, proposal: Proposal) -> bool:
    """Have the client apply the proposal once the user has confirmed it; whether it was applied.

    Raises RequestError for a draft with errors, and when the file is not the one that it was made for any more.
    """
    judged = await asyncio.to_thread(checked, project, proposal)
    if not judged.ok:
        first = judged.errors()
        why = f": {first[0].message}" if first else "."
        raise RequestError(f"A draft with errors is not applied to a pipeline{why}")
    source = _present(session, project, proposal)
    if source.text == with_ends_of(source.text, proposal.text) and source.exists:
        return True
    if not session.client.change_annotations:
        session.log(f"Proposed change:\n{proposal.diff()}")
        question = f"Apply the change to {proposal.path} ({_size(proposal)})? The log of Osiris shows it."
        if await ask_user(session, question, (APPLY, NOT_NOW)) != APPLY:
            return False
        source = _present(session, project, proposal)  # the answer may have taken its time
    if not session.settings.trusted:
        return False
    edit = _edit(session, source, proposal)
    label = f"Osiris: {proposal.path}"
    try:
        answer = await session.protocol.ask(types.WORKSPACE_APPLY_EDIT, {"label": label, "edit": edit})
    except JsonRpcException:
        return False
    return bool(getattr(answer, "applied", False))


def _present(session: Session, project: Project, proposal: Proposal) -> Source:
    """The file as it is now. Raises RequestError unless it is as it was when the proposal was made."""
    source = source_in(session, project, proposal.path)
    if source is None:
        raise RequestError(f"{proposal.path} cannot be read.")
    if not source.exists and not session.client.create_files:
        raise RequestError(f"The editor cannot make the file {proposal.path}. Make it, empty, and ask again.")
    now = with_plain_ends(source.text) if source.exists else None
    if now not in (proposal.before, proposal.text):
        raise RequestError(
            f"{proposal.path} has changed since this was proposed. Ask again, so that nothing is lost.",
            CONTENT_MODIFIED,
        )
    return source


def _edit(session: Session, source: Source, proposal: Proposal) -> types.WorkspaceEdit:
    found = list(line_edits(source.text, with_ends_of(source.text, proposal.text)))
    if not session.client.document_changes:
        plain = [types.TextEdit(source.range(edit.span), edit.new_text) for edit in found]
        return types.WorkspaceEdit(changes={source.uri: plain})
    confirms = session.client.change_annotations
    annotation = _ANNOTATION if confirms else None
    edits: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit] = [
        types.AnnotatedTextEdit(_ANNOTATION, source.range(edit.span), edit.new_text)
        if confirms
        else types.TextEdit(source.range(edit.span), edit.new_text)
        for edit in found
    ]
    changes: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    if not source.exists:
        changes.append(types.CreateFile(uri=source.uri, annotation_id=annotation))
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=source.uri, version=source.version)
    changes.append(types.TextDocumentEdit(text_document=identifier, edits=edits))
    label = " ".join(proposal.summary.split())[:200] or "Proposed by the AI model"
    described = types.ChangeAnnotation(f"Osiris: {label}", needs_confirmation=True, description=_size(proposal))
    annotations = {_ANNOTATION: described} if confirms else None
    return types.WorkspaceEdit(document_changes=changes, change_annotations=annotations)


def line_edits(before: str, after: str) -> Iterator[TextEdit]:
    """The edits, of whole lines, that make ``after`` of ``before``."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, old))]
    for kind, first, end, new_first, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield TextEdit(Span(starts[first], starts[end]), "".join(new[new_first:new_end]))


def _size(proposal: Proposal) -> str:
    lines = proposal.diff().split("\n")[2:]
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return f"{added} lines more, {removed} lines less"
