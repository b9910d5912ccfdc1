"""What the language asks of the world outside the text."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from osiris.components.registry import ComponentRegistry
from osiris.language.connections import Connections
from osiris.syntax.diagnostic import Severity


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

    def pipelines_named(self, name: str) -> Sequence[str]:
        """The *other* OML files of the project whose pipeline has this name, relative to the root."""
        ...

    @property
    def version(self) -> Hashable:
        """Equal values promise equal answers to all of the above."""
        ...


@dataclass
class StaticEnvironment:
    """Fixed answers: for tests, and for documents outside any project (then nothing is known about files)."""

    registry: ComponentRegistry = field(default_factory=ComponentRegistry.builtin)
    connections: Connections | None = None
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    files: frozenset[str] | None = None
    pipelines: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def file_exists(self, path: str) -> bool | None:
        """Whether ``path`` is among ``files``; None when no files were given."""
        return None if self.files is None else path in self.files

    def pipelines_named(self, name: str) -> Sequence[str]:
        """The files given for ``name``."""
        return self.pipelines.get(name, ())

    @property
    def version(self) -> Hashable:
        """Changes when a field is replaced; the fields themselves are not meant to be changed in place."""
        return (id(self.connections), id(self.severities), self.files, id(self.pipelines))
