"""What the language asks of the world outside the text."""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from osiris.components.registry import ComponentRegistry
from osiris.language.catalog import SchemaKnowledge, Table
from osiris.language.connections import Connection, Connections
from osiris.syntax.diagnostic import Severity
from osiris.syntax.tree import Plain

Origin = Literal["environment", ".env"]
"""Where a variable is set: in the process environment, which wins, or in the project's ``.env``."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A file or folder of the project, by its own name."""

    name: str
    is_folder: bool


class Environment(Protocol):
    """The project around a document. ``core.project`` gives the real one."""

    @property
    def registry(self) -> ComponentRegistry:
        """The components that are installed."""
        ...

    @property
    def connections(self) -> Connections | None:
        """The project's connections, None when it has no ``osiris_connections.yaml``."""
        ...

    @property
    def severities(self) -> Mapping[str, Severity | None]:
        """Severities the project chose, by code; None switches a code off."""
        ...

    def file_exists(self, path: str) -> bool | None:
        """Whether a path relative to the project root is a file or folder; None when nobody can say."""
        ...

    def files_exist(self, pattern: str) -> bool | None:
        """Whether any file of the project fits a path with ``*``, ``?`` or ``[``; None when nobody can say."""
        ...

    def is_allowed(self, path: str) -> bool:
        """Whether osiris.yaml allows steps a path that is absolute or leads out of the project, by its text alone."""
        ...

    def links_outside(self, path: str) -> bool:
        """Whether a link takes a path in the project to where steps may not go; False when nobody can say."""
        ...

    def list_folder(self, path: str) -> Sequence[FolderEntry] | None:
        """What stands in the folder ``path`` (relative to the project root, ``""`` is the root), by name.

        Hidden entries and folders that hold no data are left out. None when nobody can say, or it is no folder inside.
        """
        ...

    def variable_origin(self, name: str) -> Origin | None:
        """Where an environment variable is set; None when it is set nowhere. Its value is nobody's business here."""
        ...

    def pipelines_named(self, name: str) -> Sequence[str]:
        """The *other* OML files of the project whose pipeline has this name, relative to the root."""
        ...

    def pipelines_writing(self, connection: Connection, schema: str | None, table: str) -> Sequence[str]:
        """The *other* OML files of the project with a step that writes the table, relative to the root.

        ``schema`` None is the default one.
        """
        ...

    def pipelines_writing_file(self, path: str) -> Sequence[str]:
        """The *other* OML files of the project with a step that writes a file at ``path``, which may be a pattern.

        All paths are relative to the root.
        """
        ...

    def schema_of(self, connection: Connection) -> SchemaKnowledge | None:
        """What is known of the database behind ``connection``; None when nothing is. Never connects."""
        ...

    def file_table(self, path: str, options: Mapping[str, Plain]) -> Table | None:
        """The columns of a data file at ``path`` (relative to the project root), None when they are not known.

        ``options`` are those of the step that reads it (``delimiter``, ``header``, ``encoding`` ...).
        """
        ...

    @property
    def version(self) -> Hashable:
        """Equal values promise equal answers to all that a check asks: folders, variables and the columns of files are
        no part of that.
        """
        ...


@dataclass
class StaticEnvironment:
    """Fixed answers: for tests, and for documents outside any project (then nothing is known about files)."""

    registry: ComponentRegistry = field(default_factory=ComponentRegistry.builtin)
    connections: Connections | None = None
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    files: frozenset[str] | None = None
    allowed: tuple[str, ...] = ()
    pipelines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, Origin] = field(default_factory=dict)
    schemas: Mapping[str, SchemaKnowledge] = field(default_factory=dict)
    file_tables: Mapping[str, Table] = field(default_factory=dict)
    writers: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    file_writers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def file_exists(self, path: str) -> bool | None:
        """Whether ``path`` is among ``files``; None when no files were given."""
        return None if self.files is None else path in self.files

    def files_exist(self, pattern: str) -> bool | None:
        """Whether one of ``files`` fits; ``*`` crosses folders here."""
        return None if self.files is None else any(fnmatchcase(path, pattern) for path in self.files)

    def is_allowed(self, path: str) -> bool:
        """Whether ``path`` stands below one of ``allowed``."""
        normal = posixpath.normpath(path)
        return any(f"{normal}/".startswith(f"{posixpath.normpath(folder)}/") for folder in self.allowed)

    def links_outside(self, path: str) -> bool:
        """Never: there are no links."""
        return False

    def list_folder(self, path: str) -> Sequence[FolderEntry] | None:
        """The entries that ``files`` have below ``path``."""
        if self.files is None:
            return None
        start = f"{path.rstrip('/')}/" if path else ""
        below = {name.removeprefix(start) for name in self.files if name.startswith(start)}
        found = {FolderEntry(rest.partition("/")[0], "/" in rest) for rest in below}
        return sorted(found, key=lambda entry: entry.name) or None

    def variable_origin(self, name: str) -> Origin | None:
        """What ``variables`` says."""
        return self.variables.get(name)

    def pipelines_named(self, name: str) -> Sequence[str]:
        """The files given for ``name``."""
        return self.pipelines.get(name, ())

    def pipelines_writing(self, connection: Connection, schema: str | None, table: str) -> Sequence[str]:
        """What ``writers`` says, by ``@family.alias`` and the name of the table in lower case, whatever the schema."""
        return self.writers.get((connection.reference, table.casefold()), ())

    def pipelines_writing_file(self, path: str) -> Sequence[str]:
        """What ``file_writers`` says."""
        return self.file_writers.get(path, ())

    def schema_of(self, connection: Connection) -> SchemaKnowledge | None:
        """What ``schemas`` says, by ``@family.alias``."""
        return self.schemas.get(connection.reference)

    def file_table(self, path: str, options: Mapping[str, Plain]) -> Table | None:
        """What ``file_tables`` says."""
        return self.file_tables.get(path)

    @property
    def version(self) -> Hashable:
        """Changes when a field is replaced; the fields themselves are not meant to be changed in place."""
        return (
            id(self.connections),
            id(self.severities),
            self.files,
            self.allowed,
            id(self.pipelines),
            id(self.schemas),
            id(self.file_tables),
            id(self.writers),
            id(self.file_writers),
        )
