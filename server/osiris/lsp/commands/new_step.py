"""``osiris.newStep``: ``{"uri", "connection", "schema"?, "table", "position"?}`` -> ``{"applied", "stepId"}``.

Puts a step into an open pipeline that reads the table, behind the step at the position, else behind the last one.
Nothing is connected to: the columns are listed when they are known.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from osiris.lsp.commands.arguments import Arguments
from osiris.lsp.connection_use import targets_for
from osiris.lsp.edits import workspace_edit
from osiris.lsp.errors import INVALID_PARAMS, RequestError
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Have the client apply the edit; ``applied`` is what it says of that."""
    from osiris.ide.refactoring.new_step import new_step

    snapshot = session.snapshot(arguments.uri())
    name, table = arguments.text("connection"), arguments.text("table")
    if snapshot is None:
        raise RequestError("Open the pipeline first that the new step is for.")
    if not name or not table:
        raise RequestError('The command needs a "connection" and a "table".', INVALID_PARAMS)
    target = next((one for one in targets_for(session, snapshot.uri, every=True) if one.name == name), None)
    if target is None:
        raise RequestError(f"The project of this pipeline has no connection {name} with tables.")
    position = arguments.position("position")
    offset = snapshot.offset(position) if position is not None else None
    schema = arguments.text("schema") or None
    made = new_step(snapshot.analysis, snapshot.environment, target.connection, table, schema, offset)
    edit = workspace_edit(session, {snapshot: made.edits}) if made.edits else None
    if edit is None:
        raise RequestError(made.refused or "No step can be put in here.")
    answer = await session.protocol.ask(types.WORKSPACE_APPLY_EDIT, {"label": f"New step from {table}", "edit": edit})
    return {"applied": bool(getattr(answer, "applied", False)), "stepId": made.step_id}
