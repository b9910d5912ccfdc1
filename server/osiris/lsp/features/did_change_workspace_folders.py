"""``workspace/didChangeWorkspaceFolders``."""

from __future__ import annotations

from lsprotocol import types

from osiris.lsp.configuration import pull_settings
from osiris.lsp.session import Session


def handle(session: Session, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Take the folders, check the open documents, whose project may be another now, and follow runs in new folders."""
    event = params.event
    session.projects.change_folders([f.uri for f in event.added], [f.uri for f in event.removed])
    session.diagnostics.request_all()
    if event.added and session.settings.trusted:
        session.start(session.runs.attach(), "looking for runs that go on")
    if session.client.configuration:
        session.start(pull_settings(session), "reading the settings")
