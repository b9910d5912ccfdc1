"""``textDocument/hover``."""

from __future__ import annotations

from lsprotocol import types

from osiris.ide.hover.hover import hover, with_last_run
from osiris.ide.project_files.files import hover_file
from osiris.lsp.markup import markup
from osiris.lsp.project_file_snapshot import ProjectFileSnapshot, project_file
from osiris.lsp.session import Session


async def handle(session: Session, params: types.HoverParams) -> types.Hover | None:
    """What stands at the position: component, key, connection, param or step."""
    uri = params.text_document.uri
    snapshot = session.snapshot(uri) or project_file(session, uri)
    if snapshot is None:
        return None
    offset = snapshot.offset(params.position)
    if isinstance(snapshot, ProjectFileSnapshot):
        found = hover_file(snapshot.file, offset)
    else:
        found = hover(snapshot.analysis, snapshot.environment, offset)
        if found is not None and found.step is not None:
            last = await session.last_runs.of(snapshot.path, snapshot.analysis.pipeline.name)
            found = with_last_run(found, last.result if last is not None else None)
    if found is None:
        return None
    contents = markup(found.markdown, session.client.hover_formats)
    return types.Hover(contents=contents, range=snapshot.range(found.span))
