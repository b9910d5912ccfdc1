"""``osiris.lockSchema``: ``{"uri"}`` -> ``{"path"}``: writes what is known of the tables in use to osiris.schema.json.

Where nothing fresh is known of a connection that the project's pipelines use, it is read first, with consent.
"""

from __future__ import annotations

from typing import Any

from osiris.lsp.commands.arguments import Arguments, require_trust
from osiris.lsp.errors import RequestError
from osiris.lsp.locking import lock_schema
from osiris.lsp.session import Session


async def handle(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Write or update the committed schema of the project that a document belongs to."""
    require_trust(session, "Writing osiris.schema.json")
    project = session.projects.project_of(arguments.file())
    if project is None:
        raise RequestError("The document belongs to no project.")
    async with session.progress("Updating osiris.schema.json", arguments.token):
        return {"path": str(await lock_schema(session, project))}
