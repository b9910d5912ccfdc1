"""What the language may know of the surroundings of one file of a project."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.folders import list_folder
from osiris.language.catalog import SchemaKnowledge, Table
from osiris.language.connections import Connection, Connections
from osiris.language.environment import FolderEntry, Origin
from osiris.syntax.diagnostic import Severity
from osiris.syntax.tree import Plain

if TYPE_CHECKING:
    from osiris.components.registry import ComponentRegistry
    from osiris.core.project import Project


class ProjectEnvironment:
    """The surroundings of one file of a project; implements ``osiris.language.environment.Environment``.

    ``path`` is that file, relative to the root; None for a text without a file.
    """

    def __init__(self, project: Project, path: str | None) -> None:
        self._project = project
        self.path = path

    @property
    def registry(self) -> ComponentRegistry:
        """The components that count."""
        return self._project._components()

    @property
    def connections(self) -> Connections | None:
        """The project's connections, None when it has no ``osiris_connections.yaml`` that can be read."""
        return self._project._connections

    @property
    def severities(self) -> Mapping[str, Severity | None]:
        """Severities the project chose, by code; None switches a code off."""
        return self._project._config.severities

    def file_exists(self, path: str) -> bool | None:
        """Whether a path relative to the project root is a file or folder; None for one that leads out of it."""
        return self._project._file_exists(path)

    def files_exist(self, pattern: str) -> bool | None:
        """Whether any file of the project fits a pattern; None for one that leads out of it, or takes long to say."""
        found = self._project.file_tables.fitting(pattern)
        return None if found is None else bool(found)

    def is_allowed(self, path: str) -> bool:
        """Whether osiris.yaml allows steps a path outside of the project, see ``osiris.core.allowed_folders``."""
        return self._project._is_allowed(path)

    def links_outside(self, path: str) -> bool:
        """Whether a link takes a path in the project to where steps may not go."""
        return self._project._links_outside(path)

    def list_folder(self, path: str) -> Sequence[FolderEntry] | None:
        """The files and folders in a folder of the project, see ``osiris.core.folders``."""
        return list_folder(self._project.root, path)

    def variable_origin(self, name: str) -> Origin | None:
        """Where a variable is set; a ``.env`` that cannot be read sets none."""
        try:
            return self._project.variables().origin(name)
        except ConfigurationError:
            return "environment" if name in os.environ else None

    def schema_of(self, connection: Connection) -> SchemaKnowledge | None:
        """What osiris.schema.json and this machine's discoveries say of a connection's database."""
        return self._project._schema_of(connection)

    def file_table(self, path: str, options: Mapping[str, Plain]) -> Table | None:
        """The columns of a data file of the project, see ``osiris.core.file_table``."""
        return self._project.file_tables.table(path, options, self)

    def pipelines_named(self, name: str) -> Sequence[str]:
        """The other OML files of the project whose pipeline has this name, relative to the root, sorted."""
        return [p.path for p in self._project._listing() if p.name == name and p.path != self.path]

    def pipelines_writing(self, connection: Connection, schema: str | None, table: str) -> Sequence[str]:
        """The other OML files of the project with a step that writes the table, see ``core.written_tables``."""
        return self._project._pipelines_writing(connection, schema, table, self.path)

    def pipelines_writing_file(self, path: str) -> Sequence[str]:
        """The other OML files of the project with a step that writes a file, see ``core.written_tables``."""
        return self._project._pipelines_writing_file(path, self.path)

    @property
    def version(self) -> Hashable:
        """Equal values promise equal answers to all that a check asks: folders and variables are no part of that."""
        return self._project._version()
