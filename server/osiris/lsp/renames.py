"""Rename over the documents of a client: which thing is meant, and the edit of all files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lsprotocol import types

from osiris.ide.rename.check import RenameRefused
from osiris.ide.rename.connection import AliasRename, alias_place, connection_under, edits_of, rename_alias
from osiris.ide.rename.document import renamable, rename
from osiris.lsp.documents import Snapshot
from osiris.lsp.edits import Target, source_of, workspace_edit
from osiris.lsp.errors import CONTENT_MODIFIED, INVALID_PARAMS, REQUEST_FAILED, RequestError
from osiris.lsp.navigation import ConnectionsFile, connections_file, opened_connections

if TYPE_CHECKING:
    from osiris.language.connections import Connection
    from osiris.lsp.session import Session
    from osiris.syntax.diagnostic import TextEdit

LARGE = 50_000  # code points from which the proof takes longer than a keystroke may wait
_NOTHING = "There is nothing to rename here. Put the cursor on the name of a step, parameter, profile or connection."
_MEANWHILE = "A file was changed while the new names were looked for. Rename again."


@contextmanager
def refusals() -> Iterator[None]:
    """Tell a refusal to the client as the error that LSP has for it."""
    try:
        yield
    except RenameRefused as refused:
        code = INVALID_PARAMS if refused.bad_name else REQUEST_FAILED
        raise RequestError(str(refused), code) from None


def prepared(session: Session, uri: str, position: types.Position) -> types.PrepareRenamePlaceholder | None:
    """The place and the present name of what a rename would rename. Raises RenameRefused, see ``ide.rename``."""
    snapshot = session.snapshot(uri)
    if snapshot is None:
        file = opened_connections(session, uri)
        alias = file.at(position) if file is not None else None
        if file is None or alias is None:
            return None
        place = alias_place(file.connections, alias)
        return types.PrepareRenamePlaceholder(range=file.source.range(place.span), placeholder=place.name)
    offset = snapshot.offset(position)
    under = connection_under(snapshot.analysis, snapshot.environment, offset)
    found = under[0] if under is not None else renamable(snapshot.analysis, offset)
    if found is None:
        return None
    return types.PrepareRenamePlaceholder(range=snapshot.range(found.span), placeholder=found.name)


async def renamed(session: Session, params: types.RenameParams) -> types.WorkspaceEdit:
    """The edit of all files. Raises RenameRefused, and RequestError when a file cannot be edited."""
    uri, position, new_name = params.text_document.uri, params.position, params.new_name
    snapshot = session.snapshot(uri)
    if snapshot is None:
        file = opened_connections(session, uri)
        alias = file.at(position) if file is not None else None
        if file is None or alias is None:
            raise RenameRefused(_NOTHING)
        return await _connection(session, file, alias, params)
    offset = snapshot.offset(position)
    under = connection_under(snapshot.analysis, snapshot.environment, offset)
    if under is None:
        edits = await _aside(snapshot, lambda: rename(snapshot.analysis, snapshot.environment, offset, new_name))
        if _is_old(session, snapshot):
            raise RequestError(_MEANWHILE, CONTENT_MODIFIED)
        return _edit(session, {snapshot: edits})
    connections = connections_file(session, snapshot.path)
    if connections is None:
        raise RenameRefused(_NOTHING)
    known = connections.connections.get(under[1].family, under[1].alias)
    if known is None:
        raise RequestError(_MEANWHILE, CONTENT_MODIFIED)
    return await _connection(session, connections, known, params)


async def _aside(snapshot: Snapshot, work: Callable[[], tuple[TextEdit, ...]]) -> tuple[TextEdit, ...]:
    """Do the work, in a thread where it takes long."""
    return await asyncio.to_thread(work) if len(snapshot.text) > LARGE else work()


async def _connection(
    session: Session, file: ConnectionsFile, connection: Connection, params: types.RenameParams
) -> types.WorkspaceEdit:
    environment = session.projects.environment_of(file.path)
    found = rename_alias(file.connections, connection, params.new_name, environment.registry)
    if found.new_alias == connection.alias:
        return _edit(session, {})
    edits: dict[Target, tuple[TextEdit, ...]] = {file.path: (found.edit,)}
    async with session.progress(f"Renaming {connection.reference}", params.work_done_token) as progress:
        count = 0
        async for snapshot in session.workspace.snapshots(file.path):
            if of_file := await _of_pipeline(found, snapshot):
                edits[snapshot] = of_file
            count += 1
            progress.report(f"{count} files")
    source = source_of(session, file.path)
    if source is None or source.text != file.source.text or any(_is_old(session, target) for target in edits):
        raise RequestError(_MEANWHILE, CONTENT_MODIFIED)
    return _edit(session, edits)


async def _of_pipeline(found: AliasRename, snapshot: Snapshot) -> tuple[TextEdit, ...]:
    try:
        return await _aside(snapshot, lambda: edits_of(found, snapshot.analysis, snapshot.environment))
    except RenameRefused as refused:
        name = snapshot.path.name if snapshot.path is not None else snapshot.uri
        raise RenameRefused(f"{name}: {refused}", bad_name=refused.bad_name) from None


def _is_old(session: Session, target: Target) -> bool:
    """Whether the document of a snapshot has been changed, opened or closed since."""
    if not isinstance(target, Snapshot):
        return False
    document = session.documents.get(target.uri)
    if document is None:
        return target.version is not None
    return document.version != target.version


def _edit(session: Session, edits: dict[Target, tuple[TextEdit, ...]]) -> types.WorkspaceEdit:
    edit = workspace_edit(session, edits)
    if edit is None:
        raise RequestError("A file that has to be changed cannot be read.", REQUEST_FAILED)
    return edit
