"""Code actions that move a secret into the ``.env`` file of the project, which git must not take."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.ide.fixes.quick_fixes import QuickFix
from osiris.ide.fixes.secret_moves import dotenv_edit, ignore_edit, is_set_otherwise, secret_of
from osiris.language.project_file_names import DOTENV_FILE
from osiris.lsp.choice import QUICK_FIX, Choice, Edits
from osiris.lsp.documents import OpenDocument
from osiris.lsp.edits import Target, source_in
from osiris.lsp.session import Session
from osiris.syntax.diagnostic import TextEdit
from osiris.syntax.document import Document

_GITIGNORE = ".gitignore"


def secret_moves(session: Session, document: OpenDocument, parsed: Document, found: QuickFix) -> Iterator[Choice]:
    """The fix, and a line in ``.env`` that keeps the value. Nothing where the variable has another value already, in
    an untrusted workspace, and for a document outside any project.

    The value is in the edits alone, which are made when the action was chosen.
    """
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.git_ignore import is_ignored

    variable, project = found.fix.variable, session.projects.project_of(document.path)
    value = secret_of(parsed, found.diagnostic, found.fix)
    if project is None or document.path is None or variable is None or value is None or not session.settings.trusted:
        return
    try:
        variables = project.variables()
    except ConfigurationError:
        return
    env = source_in(session, project, DOTENV_FILE)
    if env is None or is_set_otherwise(variables, variable, value) or not (env.exists or session.client.create_files):
        return
    if dotenv_edit(env.text, variable, value) is None:
        return
    ignore = source_in(session, project, _GITIGNORE)
    taken = is_ignored(project.root, DOTENV_FILE) is False
    helped = taken and ignore is not None and (ignore.exists or session.client.create_files)
    title = f"Move it to {'' if env.exists else 'a new '}`.env` as {variable}"
    if taken:
        title += ", and let git ignore `.env`" if helped else " (git does not ignore `.env`!)"

    def edits() -> Edits | None:
        line = dotenv_edit(env.text, variable, value)
        if line is None:
            return None
        made: dict[Target, tuple[TextEdit, ...]] = {document.uri: found.fix.edits, env.uri: line}
        if helped and ignore is not None:
            made[ignore.uri] = (ignore_edit(ignore.text, DOTENV_FILE),)
        return made

    yield Choice(QUICK_FIX, title, edits, found.diagnostic, secret=True)
