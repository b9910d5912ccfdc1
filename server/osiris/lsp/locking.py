"""Writes osiris.schema.json, the schema that a project commits, from what is known or has to be read first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from osiris.lsp.cli import run_osiris
from osiris.lsp.connection_use import Target, targets_of
from osiris.lsp.discovery import is_old, said_in
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
    return lock_file(project)


async def _used(session: Session, project: Project) -> list[Target]:
    found: dict[tuple[str, str], Target] = {}
    async for snapshot in session.workspace.snapshots(project):
        for target in targets_of(session, snapshot):
            found.setdefault(target.key, target)
    return [found[key] for key in sorted(found)]


def lock_file(project: Project) -> Path:
    """The file that is committed."""
    return project.root / "osiris.schema.json"
