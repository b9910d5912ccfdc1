"""``textDocument/codeAction``: quick fixes, and ``source.fixAll.osiris``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from osiris.ide.code_actions import QuickFix, fix_all, quick_fixes
from osiris.lsp.documents import Snapshot
from osiris.lsp.edits import edit_of_fix, workspace_edit
from osiris.lsp.session import Session
from osiris.syntax.text import Span

FIX_ALL = "source.fixAll.osiris"


async def handle(session: Session, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    """The actions for a range, those of the kinds that the client asks for."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None or not session.client.code_action_literals:
        return None
    only = params.context.only
    actions: list[types.CodeAction] = []
    if _wanted("quickfix", only):
        span = Span(snapshot.offset(params.range.start), snapshot.offset(params.range.end))
        for found in quick_fixes(snapshot.analysis, span):
            actions += _quick_fix(session, snapshot, found)
    if only and _wanted(FIX_ALL, only):
        actions += _fix_all(session, snapshot)
    return actions


def _wanted(kind: str, only: Any) -> bool:
    """Whether one of the kinds asked for is this kind or a wider one."""
    return not only or any(kind == asked or kind.startswith(f"{_name(asked)}.") for asked in map(_name, only))


def _name(kind: Any) -> str:
    return str(getattr(kind, "value", kind))


def _quick_fix(session: Session, snapshot: Snapshot, found: QuickFix) -> Iterator[types.CodeAction]:
    fix = found.fix
    edit = edit_of_fix(session, snapshot, fix)
    if edit is None:
        return  # It would mend a file that cannot be read.
    lines = snapshot.analysis.document.lines
    diagnostic = session.diagnostics.to_json(found.diagnostic, snapshot.uri, snapshot.text, lines)
    yield types.CodeAction(
        title=fix.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[session.protocol.structure(diagnostic, types.Diagnostic)],
        is_preferred=True if fix.preferred and session.client.is_preferred else None,
        edit=edit,
    )


def _fix_all(session: Session, snapshot: Snapshot) -> Iterator[types.CodeAction]:
    found = fix_all(snapshot.analysis)
    if found is not None:
        edit = workspace_edit(session, {snapshot: found.edits})
        yield types.CodeAction(title=f"Apply all certain fixes ({found.count})", kind=FIX_ALL, edit=edit)
