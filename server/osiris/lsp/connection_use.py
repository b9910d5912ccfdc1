"""Which connections of which projects the open pipelines work with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osiris.lsp.documents import path_of

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.connections import Connection
    from osiris.lsp.documents import Snapshot
    from osiris.lsp.session import Session


@dataclass(frozen=True, slots=True)
class Target:
    """One connection of one project."""

    project: Project
    connection: Connection

    @property
    def key(self) -> tuple[str, str]:
        """What tells two targets apart."""
        return str(self.project.root), self.connection.reference

    @property
    def name(self) -> str:
        """How the user knows it: ``@family.alias``."""
        return self.connection.reference


def targets_of(session: Session, snapshot: Snapshot) -> list[Target]:
    """The connections that the steps of a pipeline work with and that can be discovered, in the order of the steps."""
    from osiris.core.catalog_source import catalog_families

    project = session.projects.project_of(snapshot.path)
    if project is None or snapshot.path is None:
        return []
    families = catalog_families()
    found = (one for one in _connections(snapshot) if one.family in families)
    return list({one.reference: Target(project, one) for one in found}.values())


def _connections(snapshot: Snapshot) -> Iterator[Connection]:
    from osiris.language.step_database import step_database

    for step in range(len(snapshot.analysis.pipeline.steps)):
        database = step_database(snapshot.analysis, step, snapshot.environment)
        if database is not None:
            yield database.connection


def targets_in(project: Project) -> list[Target]:
    """Every connection of a project that can be discovered, sorted by its reference."""
    from osiris.core.catalog_source import catalog_families

    connections = project.environment().connections
    if connections is None:
        return []
    families = catalog_families()
    every = (one for group in connections.families.values() for one in group.values() if one.family in families)
    return [Target(project, one) for one in sorted(every, key=lambda one: one.reference)]


async def open_targets(session: Session) -> list[Target]:
    """The connections that the open pipelines work with, each once. Between two pipelines whatever waits goes first."""
    found: dict[tuple[str, str], Target] = {}
    for document in session.documents:
        snapshot = session.snapshot(document.uri)
        for target in targets_of(session, snapshot) if snapshot is not None else ():
            found.setdefault(target.key, target)
        await asyncio.sleep(0)
    return list(found.values())


def targets_for(session: Session, uri: str | None, *, every: bool = False) -> list[Target]:
    """The connections that a document is about: those that a pipeline works with, all of its project for other files.

    ``every``: all of its project in any case. Without a document: all of every project that is open.
    """
    if uri is None:
        return [target for project in session.projects.all() for target in targets_in(project)]
    snapshot = session.snapshot(uri)
    if snapshot is not None and not every:
        return targets_of(session, snapshot)
    project = session.projects.project_of(path_of(uri))
    return targets_in(project) if project is not None else []
