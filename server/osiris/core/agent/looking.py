"""What a model may look up about a project: the same for our own agent and for those of others. Nothing is changed."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from typing import Protocol

from osiris.core.agent import known_tables
from osiris.core.agent.fence import fenced
from osiris.core.agent.proposals import checked_path
from osiris.core.agent.reaching import connection_named, references
from osiris.core.agent.told import column_line, component_data, component_line, counted, finding_lines, table_lines
from osiris.core.check import check_text
from osiris.core.config import Config
from osiris.core.discovery import DiscoveryAgent
from osiris.core.error_taxonomy import ConnectionError, OsirisError, ValidationError  # noqa: A004 - our own
from osiris.core.project import Project
from osiris.language.connections import Connection
from osiris.language.suggest import nearest


@dataclass(frozen=True, slots=True)
class Told:
    """``text`` goes to the model, ``summary`` to the user. ``tables``: what was told of which database, as
    ``@mysql.shop: orders``, when one was looked at."""

    text: str
    summary: str
    ok: bool = True
    tables: str | None = None


class Reach(Protocol):
    """Whether databases may be connected to: the user's to say."""

    def agrees(self, connection: Connection, fingerprint: str, what: str) -> bool:
        """Whether to connect, to read ``what``; else only what is known is told. Raises ``refusal`` where nothing is to
        be told without."""

    def refusal(self, connection: Connection) -> ValidationError:
        """What the model is told where nothing can be told without connecting."""


class Looking:
    """What there is to look at in one project."""

    def __init__(self, project: Project, reach: Reach, cancel: threading.Event) -> None:
        """``cancel``: set, whatever database is being looked at is left at once."""
        self.project = project
        self.reach = reach
        self.cancel = cancel

    def list_connections(self) -> Told:
        """The connections, and how much is known of each."""
        found = references(self.project.environment().connections)
        lines = []
        for reference in found:
            connection = self.connection(reference)
            knowledge = self.project.schema_of(connection)
            count = len(knowledge.catalogs[0].tables) if knowledge is not None and knowledge.catalogs else None
            known = "tables not read yet" if count is None else f"{count} tables known"
            lines.append(f"{reference} ({known}{', default' if connection.is_default else ''})")
        return Told("\n".join(lines) or "The project has no connections.", f"{len(found)} connections")

    def list_components(self) -> Told:
        """The components, one in a line."""
        lines = [component_line(spec) for spec in self.project.environment().registry.specs()]
        return Told("\n".join(lines), f"{len(lines)} components")

    def describe_component(self, component: str) -> Told:
        """The keys of a component's config. Raises ValidationError when there is none of that name."""
        registry = self.project.environment().registry
        spec = registry.get(component)
        if spec is None:
            close = nearest(component, list(registry.names()))
            raise ValidationError(
                f"There is no component {component}.", hint=f"Did you mean {close}?" if close else None
            )
        return Told(json.dumps(component_data(spec), ensure_ascii=False, default=str), spec.name)

    def list_tables(self, connection: str, contains: str = "") -> Told:
        """The tables behind a connection. Raises ValidationError when there is no such connection."""
        meant = self.connection(connection)
        try:
            agent = self.explorer(meant, "its tables and columns")
            if agent is None:
                return self._as_known(meant, known_tables.tables(self.project, meant, contains))
            tables = [info for info in agent.get_tables() if contains.casefold() in info.name.casefold()]
            with contextlib.suppress(ConnectionError):  # so that proposals are checked to the last column
                agent.discover_schema()
        except OsirisError as error:
            return _not_read(meant, error)
        lines = table_lines(tables, self._default_schema(meant))
        told = f"{meant.reference}: {counted(len(tables), 'name')}" if tables else ""
        summary = f"{len(tables)} tables of {meant.reference}"
        return Told(fenced("\n".join(lines) or "no tables"), summary, tables=told)

    def describe_table(self, connection: str, table: str) -> Told:
        """The columns of a table. Raises ValidationError when there is no such connection."""
        meant = self.connection(connection)
        try:
            agent = self.explorer(meant, "its tables and columns")
            if agent is None:
                return self._as_known(meant, known_tables.columns(self.project, meant, table))
            columns = agent.get_columns(table)
        except OsirisError as error:
            return _not_read(meant, error)
        text = "\n".join(column_line(column) for column in columns)
        summary = f"{len(columns)} columns of {meant.reference} {table}"
        return Told(fenced(text), summary, tables=f"{meant.reference}: {table}")

    def list_pipelines(self) -> Told:
        """The pipelines that can be read and changed."""
        paths = []
        for path in map(self.project.relative, self.project.pipelines()):
            with contextlib.suppress(ValidationError):  # of a name that nobody could give back
                paths.append(checked_path(self.project, path))
        return Told(fenced("\n".join(paths) or "no pipelines"), counted(len(paths), "pipeline"))

    def read_pipeline(self, path: str, text: str) -> Told:
        """The text of the pipeline ``path`` as it is now, with what is wrong in it."""
        self.project.invalidate()
        analysis = check_text(text, self.project, self.project.root / path)
        report = "\n".join(finding_lines(analysis)) or "nothing is wrong in it"
        return Told(fenced(f"# {path}\n{text}\n# findings\n{report}"), f"read {path}")

    def connection(self, reference: str) -> Connection:
        """The connection with that name, with or without its `@`. Raises ValidationError when there is none."""
        return connection_named(self.project.environment().connections, reference)

    def explorer(self, connection: Connection, what: str) -> DiscoveryAgent | None:
        """What reads ``what`` of the database, once the user has agreed to connect; None: only what is known is told.
        Raises ConfigurationError, and ValidationError as ``Reach`` does."""
        settings = Config.load(self.project.root).connection(connection.reference)
        agent = DiscoveryAgent(settings, root=self.project.root, cancel=self.cancel)
        return agent if self.reach.agrees(connection, str(agent.fingerprint), what) else None

    def _as_known(self, connection: Connection, found: str | None) -> Told:
        """What is known without connecting, which the user has not agreed to."""
        if found is None:
            raise self.reach.refusal(connection)
        text = f"As it was read before; {connection.reference} was not connected to.\n{fenced(found)}"
        return Told(text, f"what is known of {connection.reference}")

    def _default_schema(self, connection: Connection) -> str:
        knowledge = self.project.schema_of(connection)
        return knowledge.catalogs[0].default_schema if knowledge is not None and knowledge.catalogs else ""


def _not_read(connection: Connection, error: OsirisError) -> Told:
    """Hosts, users and what servers say are for the user alone; what we say ourselves may hold names of tables."""
    if isinstance(error, ValidationError):
        said = " ".join(part for part in (error.message, error.hint) if part)
        return Told(f"That did not work:\n{fenced(said)}", error.message, ok=False)
    text = f"It could not be read; osiris discover {connection.reference} tells the user why. Go on with what you know."
    return Told(text, error.message, ok=False)
