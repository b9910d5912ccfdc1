"""``textDocument/codeAction``: fixes, suppressions, refactorings, and ``source.fixAll.osiris``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lsprotocol import types

from osiris.lsp.choice import Choice
from osiris.lsp.choices import FIX_ALL, Choices
from osiris.lsp.documents import Kind, OpenDocument
from osiris.lsp.edits import workspace_edit
from osiris.lsp.session import Session
from osiris.syntax.text import Span


async def handle(session: Session, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    """The actions for a range, those of the kinds that the client asks for.

    What takes work, or holds a secret, comes without its edit where the client can ask for that with ``resolve``.
    """
    document = session.documents.get(params.text_document.uri)
    if document is None or document.kind is Kind.OTHER or not session.client.code_action_literals:
        return None
    span = Span(*(document.offset(position) for position in (params.range.start, params.range.end)))
    wanted = _wanted(params.context.only)
    choices = Choices(session, document)
    found = list(choices.at(span, wanted))
    if params.context.only and wanted(FIX_ALL):
        found += choices.everywhere()
    asked = bool(params.context.only) or params.context.trigger_kind is types.CodeActionTriggerKind.Invoked
    return list(_actions(session, document, span, [one for one in found if asked or not one.refused]))


def _wanted(only: Any) -> Callable[[str], bool]:
    """Whether one of the kinds asked for is a kind or a wider one."""
    asked = [str(getattr(kind, "value", kind)) for kind in only or ()]
    return lambda kind: not asked or any(not one or kind == one or kind.startswith(f"{one}.") for one in asked)


def _actions(session: Session, document: OpenDocument, span: Span, found: list[Choice]) -> Iterator[types.CodeAction]:
    client = session.client
    count: dict[tuple[str, str], int] = {}
    certain: set[int] = set()
    for choice in found:
        key = (choice.kind, choice.title)
        count[key] = count.get(key, -1) + 1
        later = client.resolves_action_edit and not choice.at_once
        if choice.refused:
            if client.disabled_actions:
                disabled = types.CodeActionDisabled(reason=choice.refused)
                yield types.CodeAction(title=choice.title, kind=choice.kind, disabled=disabled)
            continue
        if choice.command is not None:
            yield types.CodeAction(
                title=choice.title,
                kind=choice.kind,
                diagnostics=_diagnostics(session, document, choice),
                command=types.Command(
                    choice.title, choice.command, arguments=[{"uri": document.uri, **choice.arguments}]
                ),
            )
            continue
        if choice.secret and not later:
            continue
        edit = None if later else _edit(session, choice)
        if edit is None and not later:
            continue  # It would mend a file that cannot be read.
        preferred = choice.preferred and id(choice.diagnostic) not in certain
        if preferred:
            certain.add(id(choice.diagnostic))
        yield types.CodeAction(
            title=choice.title,
            kind=choice.kind,
            diagnostics=_diagnostics(session, document, choice),
            is_preferred=True if preferred and client.is_preferred else None,
            edit=edit,
            data=_data(document, span, choice, count[key]) if later else None,
        )


def _edit(session: Session, choice: Choice) -> types.WorkspaceEdit | None:
    edits = choice.edits()
    return workspace_edit(session, edits) if edits else None


def _data(document: OpenDocument, span: Span, choice: Choice, number: int) -> dict[str, Any]:
    """What finds the action again; ``number`` tells those of one title apart."""
    return {
        "uri": document.uri,
        "version": document.version,
        "start": span.start,
        "end": span.end,
        "kind": choice.kind,
        "title": choice.title,
        "number": number,
    }


def _diagnostics(session: Session, document: OpenDocument, choice: Choice) -> list[types.Diagnostic] | None:
    if choice.diagnostic is None:
        return None
    plain = session.diagnostics.to_json(choice.diagnostic, document.uri, document.text, document.lines)
    return [session.protocol.structure(plain, types.Diagnostic)]
