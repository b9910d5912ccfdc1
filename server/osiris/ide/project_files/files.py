"""Editor features of the files of a project that are no pipelines: connections, settings, ``.env``.

The two YAML files share one machinery over a description of what they may hold (``schema``); ``.env`` has
its own, for it is no YAML. No value of a variable is known here: only names and where they are set.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from osiris.ide.completion.suggestion import Completions, Topic
from osiris.ide.hover.hover import Hover
from osiris.ide.navigation.document_symbols import Symbol
from osiris.language.environment import Environment


class FileKind(enum.Enum):
    """Which of the files it is."""

    CONNECTIONS = "connections"
    SETTINGS = "settings"
    DOTENV = "dotenv"


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One version of such a file, with what its project knows.

    ``dotenv_names`` are the variables that ``.env`` sets, ``params`` the parameters of the project's pipelines (None
    when nobody can say).
    """

    kind: FileKind
    text: str = field(repr=False)
    env: Environment
    dotenv_names: tuple[str, ...] = ()
    params: frozenset[str] | None = None


def complete_file(file: ProjectFile, offset: int) -> Completions | None:
    """The suggestions for a cursor at ``offset`` (code points); None where there is nothing to suggest."""
    from osiris.ide.project_files import dotenv, settings_yaml

    if file.kind is FileKind.DOTENV:
        return dotenv.complete(file, offset)
    return settings_yaml.complete(file, offset)


def hover_file(file: ProjectFile, offset: int) -> Hover | None:
    """What to say about the place at ``offset`` (code points); None where there is nothing to say."""
    from osiris.ide.project_files import dotenv, hover

    if file.kind is FileKind.DOTENV:
        return dotenv.hover(file, offset)
    return hover.hover(file, offset)


def symbols_of_file(file: ProjectFile) -> tuple[Symbol, ...]:
    """The outline: families with their connections, sections with their settings, variables."""
    from osiris.ide.project_files import dotenv, symbols

    if file.kind is FileKind.DOTENV:
        return dotenv.symbols(file)
    return symbols.symbols(file)


def documentation_of_file(file: ProjectFile, topic: Topic) -> str | None:
    """The Markdown text for the topic of a suggestion in this file."""
    from osiris.ide import documentation
    from osiris.ide.project_files.hover import about_key

    return documentation.of_code(topic.code) if topic.code else about_key(file, topic.path)
