"""Writes osiris.schema.json, the schema that a project commits, from what is known or has to be read first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from osiris.language.project_file_names import LOCK_FILE
from osiris.lsp.cli import run_osiris
from osiris.lsp.connection_use import Target
from osiris.lsp.discovery import count, is_old, said_in
from osiris.lsp.errors import RequestError
from osiris.lsp.packages import require_discovery_packages

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.lsp.session import Session


async def lock_schema(session: Session, project: Project) -> Path:
    """Bring the file up to date for the tables that the project's pipelines use.

    Raises RequestError with what the command said when it cannot be written, or nothing is known to write.
    """
    used = await _used(session, project)
    if not used:
        raise RequestError("No pipeline of this project uses a database, so there is no schema to write.")
    old = [target for target in used if is_old(project.environment().schema_of(target.connection))]
    if old:
        require_discovery_packages(old)
        await session.discovery.discover(old)
    answer = await run_osiris(["discover", "--lock", "--cached", "--format", "json"], cwd=project.root)
    project.invalidate()
    session.diagnostics.request_all()
    if answer.code != 0:
        raise RequestError(said_in(answer) or f"osiris discover --lock ended with code {answer.code}.")
    session.log(f"{lock_file(project)} holds what is known now.")
    _tell(session, json.loads(answer.output))
    return lock_file(project)


def _tell(session: Session, written: dict[str, Any]) -> None:
    """What the user should know of the file; that it was written, where the client does not say so itself."""
    for one in written["missing"]:
        session.show(one["text"], types.MessageType.Warning)
    if not session.client.schema_view:
        tables = written["tables"]
        state = "now holds" if written["changed"] else "is up to date:"
        session.show(f"{LOCK_FILE} {state} {count(tables, 'table')}.", types.MessageType.Info)


async def _used(session: Session, project: Project) -> list[Target]:
    """The connections of which pipelines name tables: others have no place in the file."""
    from osiris.core.catalog_source import catalog_families

    families = catalog_families()
    found: dict[tuple[str, str], Target] = {}
    async for snapshot in session.workspace.snapshots(project):
        for use in snapshot.analysis.used_tables():
            if use.connection.family in families:
                target = Target(project, use.connection)
                found.setdefault(target.key, target)
    return [found[key] for key in sorted(found)]


def lock_file(project: Project) -> Path:
    """The file that is committed."""
    return project.root / LOCK_FILE
