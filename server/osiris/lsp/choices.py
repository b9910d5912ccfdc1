"""What can be done at a place of a document of any kind, and the edits of what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from lsprotocol import types

from osiris.core.config import CONFIG_FILE
from osiris.ide.chat_tasks import Task, chat_tasks
from osiris.ide.fixes.more_fixes import more_fixes
from osiris.ide.fixes.quick_fixes import Checked, FixAll, fix_all, preferred_fix, quick_fixes, repeated, touched
from osiris.ide.fixes.suppress import ignore
from osiris.ide.fixes.turn_off import turn_off_edit
from osiris.ide.fixes.update_lock import update_lock
from osiris.ide.refactoring.catalogue import refactorings
from osiris.lsp.capabilities import CODE_ACTION_KINDS
from osiris.lsp.choice import QUICK_FIX, Choice, Edits, ready
from osiris.lsp.documents import OpenDocument, Snapshot
from osiris.lsp.edits import Target, source_in
from osiris.lsp.secret_moves import secret_moves
from osiris.lsp.session import Session
from osiris.syntax.codes import CODES
from osiris.syntax.diagnostic import Diagnostic, Fix, TextEdit
from osiris.syntax.document import Document, parse
from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.analysis import Analysis

FIX_ALL = "source.fixAll.osiris"
# In a long selection nobody picks one finding of hundreds.
_MOST_SINGLE = 20
_REFACTORINGS = tuple(kind for kind in CODE_ACTION_KINDS if kind.startswith("refactor."))

_CHAT_KINDS = {
    Task.FIX: QUICK_FIX,
    Task.EXPLAIN: "osiris",
    Task.WRITE_STEP: "refactor.rewrite",
    Task.GENERATE: "refactor.rewrite",
}


@dataclass(frozen=True, slots=True)
class _Findings:
    diagnostics: tuple[Diagnostic, ...]


class Choices:
    """The actions of one version of an open document."""

    def __init__(self, session: Session, document: OpenDocument) -> None:
        self._session = session
        self._document = document
        self._snapshot: Snapshot | None = session.snapshot(document.uri)
        self._checked: Checked = (
            self._snapshot.analysis if self._snapshot else _Findings(tuple(session.diagnostics.of(document)))
        )

    def at(self, span: Span, wanted: Callable[[str], bool]) -> Iterator[Choice]:
        """The actions of the ``wanted`` kinds at a place (code points)."""
        if wanted(QUICK_FIX):
            yield from self._fixes(span)
            yield from self._of_one_code(span)
            yield from self._commands(span)
            if self._snapshot is not None:
                yield from self._more(self._snapshot.analysis, span)
                yield from self._ignores(self._snapshot.analysis, span)
                yield from self._turn_off(self._snapshot.analysis, span)
        if self._snapshot is not None and any(wanted(kind) for kind in _REFACTORINGS):
            yield from self._refactorings(self._snapshot, span, wanted)
        if self._snapshot is not None and any(wanted(kind) for kind in _CHAT_KINDS.values()):
            yield from self._tasks(self._snapshot, span, wanted)

    def everywhere(self) -> Iterator[Choice]:
        """All certain fixes of the document at once."""
        count = sum(1 for diagnostic in self._checked.diagnostics if preferred_fix(diagnostic))
        if count:
            yield Choice(FIX_ALL, "Apply all certain fixes", lambda: self._all(None))

    def _here(self, edits: tuple[TextEdit, ...]) -> Edits:
        return {self._snapshot or self._document.uri: edits}

    def _fixes(self, span: Span) -> Iterator[Choice]:
        offered: set[tuple[Diagnostic, Fix]] = set()
        for found in quick_fixes(self._checked, span):
            target = self._target(found.fix)
            if target is None or (found.diagnostic, found.fix) in offered:
                continue
            offered.add((found.diagnostic, found.fix))
            if found.fix.variable:
                yield from secret_moves(self._session, self._document, self._parsed(), found)
            yield ready(found.fix.title, {target: found.fix.edits}, found.diagnostic, found.fix.preferred)

    def _parsed(self) -> Document:
        return self._snapshot.analysis.document if self._snapshot is not None else parse(self._document.text)

    def _target(self, fix: Fix) -> Target | None:
        if fix.path is None:
            return self._snapshot or self._document.uri
        project = self._session.projects.project_of(self._document.path)
        source = source_in(self._session, project, fix.path) if project is not None else None
        return source.uri if source is not None else None

    def _commands(self, span: Span) -> Iterator[Choice]:
        found = update_lock(self._checked, span) if self._session.settings.trusted else None
        if found is not None and self._document.path is not None:
            yield Choice(QUICK_FIX, found.title, lambda: None, found.diagnostic, command=found.command)

    def _of_one_code(self, span: Span) -> Iterator[Choice]:
        for found in repeated(self._checked, span):
            code = found.diagnostic.code
            title = f"Fix all {code} in this file ({found.count})"
            yield Choice(QUICK_FIX, title, partial(self._all, code), found.diagnostic)

    def _more(self, analysis: Analysis, span: Span) -> Iterator[Choice]:
        for diagnostic in islice(touched(analysis, span), _MOST_SINGLE):
            for fix in more_fixes(analysis, diagnostic):
                yield ready(fix.title, self._here(fix.edits), diagnostic)

    def _ignores(self, analysis: Analysis, span: Span) -> Iterator[Choice]:
        for diagnostic in islice(touched(analysis, span), _MOST_SINGLE):
            found = ignore(analysis, diagnostic)
            if found is not None:
                yield ready(found.title, self._here((found.edit,)), diagnostic)

    def _turn_off(self, analysis: Analysis, span: Span) -> Iterator[Choice]:
        """Each code at the place, off for the whole project; its settings may not be there yet."""
        project = self._session.projects.project_of(self._document.path)
        here = {d.code: d for d in islice(touched(analysis, span), _MOST_SINGLE) if CODES[d.code].configurable}
        if project is None or self._document.path is None or not here:
            return
        source = source_in(self._session, project, CONFIG_FILE)
        if source is None or not (source.exists or self._session.client.create_files):
            return
        for code, diagnostic in here.items():
            edit = turn_off_edit(source.text, code)
            if edit is not None:
                yield ready(f"Turn {code} off in {CONFIG_FILE}", {source.uri: (edit,)}, diagnostic)

    def _refactorings(self, snapshot: Snapshot, span: Span, wanted: Callable[[str], bool]) -> Iterator[Choice]:
        for found in refactorings(snapshot.analysis, snapshot.environment, span, wanted):

            def edits(make: Callable[[], tuple[TextEdit, ...]] = found.edits) -> Edits | None:
                made = make()
                return self._here(made) if made else None

            yield Choice(found.kind, found.title, edits, refused=found.refused)

    def _tasks(self, snapshot: Snapshot, span: Span, wanted: Callable[[str], bool]) -> Iterator[Choice]:
        """What the agent can do here, where one may be asked; choosing it begins a conversation, and changes nothing.

        A document that is no file can only be begun; a project must know the pipeline by a name to change it.
        """
        chats = self._session.chats
        project = self._session.projects.project_of(self._document.path)
        if project is None or not self._session.settings.trusted or not chats.usable(project, self._document.path):
            return
        start, end = (snapshot.position(at) for at in span)
        place = {"start": _plain(start), "end": _plain(end)}
        for found in chat_tasks(snapshot.analysis, span):
            kind = _CHAT_KINDS[found.task]
            if wanted(kind) and (self._document.path is not None or found.task is Task.GENERATE):
                arguments = {"task": found.task.value, **place}
                yield Choice(
                    kind, found.title, lambda: None, found.diagnostic, command="osiris.chat.start", arguments=arguments
                )

    def _all(self, code: str | None) -> Edits | None:
        found: FixAll | None = fix_all(self._checked, self._document.text, self._recheck(), code=code)
        return self._here(found.edits) if found is not None else None

    def _recheck(self) -> Callable[[str], Checked]:
        """What checks another text of the same document."""
        document = self._document
        if self._snapshot is not None:
            from osiris.core.check import Checker

            checker = Checker(self._snapshot.environment)
            variables = self._session.projects.variables_of(document.path).values
            return lambda text: checker.check(text, environ=variables)
        diagnostics, codec = self._session.diagnostics, self._session.documents.codec

        def recheck(text: str) -> Checked:
            changed = OpenDocument(document.uri, document.language_id, document.version, text, codec)
            return _Findings(tuple(diagnostics.of(changed)))

        return recheck


def _plain(position: types.Position) -> dict[str, int]:
    return {"line": position.line, "character": position.character}
