"""``workspace/didChangeWatchedFiles``: connections, settings or pipelines changed outside the editor."""

from __future__ import annotations

from lsprotocol import types

from osiris.core.project_scan import MARKERS
from osiris.lsp.documents import path_of
from osiris.lsp.session import Session


def handle(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """See what the disk holds now. A file that marks a project has brought or taken one when it came or went."""
    changes = [(path, change.type) for change in params.changes if (path := path_of(change.uri)) is not None]
    moved = any(path.name in MARKERS and kind != types.FileChangeType.Changed for path, kind in changes)
    session.watched_files.changed((path for path, _ in changes), boundaries=moved)
