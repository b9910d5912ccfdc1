"""The connections of the project around the working folder, for the commands that work with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from osiris.cli.failures import UsageProblem, say_warning

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.connections import Connection, Connections


def project_connections() -> tuple[Project, Connections]:
    """The project and what its osiris_connections.yaml says.

    A wrong setting in osiris.yaml is a warning. Raises ConfigurationError when there is no connections file, or it is
    broken.
    """
    from osiris.core.config_file import read_connections_file
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.project import Project
    from osiris.core.settings import CONFIG_FILE, CONNECTIONS_FILE

    project = Project.find(Path.cwd())
    _look_at_settings(project.root / CONFIG_FILE)
    connections = read_connections_file(project.root / CONNECTIONS_FILE)
    if connections is None:
        raise ConfigurationError(
            f"There is no osiris_connections.yaml in {project.root}.", hint="`osiris init` makes one to start from."
        )
    return project, connections


def _look_at_settings(path: Path) -> None:
    """Say what is wrong in osiris.yaml. None of its settings has a part in connections, so that ends nothing."""
    from osiris.core.config_file import read_config_file
    from osiris.core.error_taxonomy import ConfigurationError

    try:
        read_config_file(path).raise_errors()
    except ConfigurationError as problem:
        say_warning(str(problem))


def every_connection(connections: Connections) -> Iterator[Connection]:
    """All connections, in the order of the file."""
    for aliases in connections.families.values():
        yield from aliases.values()


def chosen_connections(connections: Connections, references: Sequence[str]) -> list[Connection]:
    """The connections that were named, with or without ``@``; all of them without names. Raises UsageProblem."""
    from osiris.language.suggest import nearest

    known = {connection.reference: connection for connection in every_connection(connections)}
    chosen = []
    for reference in dict.fromkeys(references or known):
        name = reference if reference.startswith("@") else f"@{reference}"
        if name not in known:
            meant = nearest(name, list(known)) or _of_near_family(name, list(known))
            hint = f" Did you mean {meant}?" if meant else ""
            raise UsageProblem(f"There is no connection {name}.{hint} There are: {', '.join(known) or 'none'}.")
        chosen.append(known[name])
    return chosen


def _of_near_family(name: str, known: Sequence[str]) -> str | None:
    """A connection of the family that is called almost like that of ``name``."""
    from osiris.language.suggest import nearest

    family, _, alias = name.partition(".")
    near = nearest(family, sorted({one.partition(".")[0] for one in known}))
    aliases = [one.partition(".")[2] for one in known if one.partition(".")[0] == near]
    return f"{near}.{nearest(alias, aliases) or aliases[0]}" if near is not None else None
