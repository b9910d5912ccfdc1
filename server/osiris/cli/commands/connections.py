"""``osiris connections``: what the project connects to, and whether it can be reached. Never shows a secret."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import format_option
from osiris.cli.failures import DID_NOT_WORK, UsageProblem, say_warning
from osiris.cli.streams import colour_wanted, paint, write_json
from osiris.core.env_loader import EnvSource, load_env

if TYPE_CHECKING:
    from osiris.core.project import Project
    from osiris.language.connections import Connection, Connections

_HIDDEN = "***"


@click.group()
def command() -> None:
    """List and check the connections of the project."""


@command.command("list")
@format_option("text", "json")
def list_connections(layout: str) -> None:
    """List the connections of osiris_connections.yaml, and which variables they need.

    Values of secrets are never shown, nor are those of fields that no component knows.
    """
    project, connections = _connections()
    env = load_env(project.root)
    shown = [_as_data(connection, env) for connection in _every(connections)]
    if layout == "json":
        write_json(shown)
        return
    if not shown:
        click.echo("osiris_connections.yaml names no connections yet.")
    for connection in shown:
        default = " (default)" if connection["default"] else ""
        click.echo(f"@{connection['family']}.{connection['alias']}{default}")
        for name, value in connection["fields"].items():
            click.echo(f"    {name}: {value}")
        for variable in connection["variables"]:
            state = f"set in {variable['origin']}" if variable["set"] else "not set"
            if not variable["set"] and variable["hasDefault"]:
                state = "not set, its default counts"
            click.echo(f"    ${{{variable['name']}}} is {state}")


@dataclass(frozen=True)
class Verdict:
    """Whether one connection can be used; ``ok`` is None when nobody can tell yet."""

    connection: str
    ok: bool | None
    detail: str


@command.command("doctor")
@click.argument("references", nargs=-1, metavar="[@FAMILY.ALIAS]...")
@format_option("text", "json")
def check_connections(references: tuple[str, ...], layout: str) -> int:
    """Check whether connections can be reached; all of them, or those named."""
    project, connections = _connections()
    env = load_env(project.root)
    verdicts = [_verdict(project, connection, env) for connection in _chosen(connections, references)]
    if layout == "json":
        write_json([asdict(verdict) for verdict in verdicts])
    else:
        colour = colour_wanted(sys.stdout)
        words = {True: ("ok", "good"), False: ("problem", "error"), None: ("unknown", "hint")}
        for verdict in verdicts:
            word, style = words[verdict.ok]
            click.echo(f"{paint(f'{word:<8}', style, on=colour)}{verdict.connection}: {verdict.detail}")
    return DID_NOT_WORK if any(verdict.ok is False for verdict in verdicts) else 0


def _connections() -> tuple[Project, Connections]:
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


def _every(connections: Connections) -> Iterator[Connection]:
    for aliases in connections.families.values():
        yield from aliases.values()


def _chosen(connections: Connections, references: tuple[str, ...]) -> list[Connection]:
    known = {connection.reference: connection for connection in _every(connections)}
    chosen = []
    for reference in references or known:
        name = reference if reference.startswith("@") else f"@{reference}"
        if name not in known:
            raise UsageProblem(f"There is no connection {name}. There are: {', '.join(known) or 'none'}.")
        chosen.append(known[name])
    return chosen


def _as_data(connection: Connection, env: EnvSource) -> dict[str, Any]:
    return {
        "family": connection.family,
        "alias": connection.alias,
        "default": connection.is_default,
        "fields": {name: _shown(connection, name, value) for name, value in connection.fields.items()},
        "variables": list(_variables(connection, env)),
    }


def _shown(connection: Connection, name: str, value: Any) -> Any:
    """A field's value when the components know the field, and as no secret; references to variables as written."""
    from osiris.components.registry import ComponentRegistry
    from osiris.core.secrets_masking import Masker
    from osiris.language.secrets import is_secret_key

    schema = ComponentRegistry.builtin().connection_fields(connection.family).get(name)
    if schema is None or schema.get("x-secret") or is_secret_key(name):
        return value if isinstance(value, str) and is_variable_alone(value) else _HIDDEN
    return Masker().data(value)


def is_variable_alone(text: str) -> bool:
    """Whether the text is one ``${VAR}``, without a default that could be the secret itself."""
    from osiris.language.connections import is_variable

    return is_variable(text) and ":-" not in text


def _variables(connection: Connection, env: EnvSource) -> Iterator[dict[str, Any]]:
    text = json.dumps(dict(connection.fields), ensure_ascii=False)
    for name in connection.variables:
        origin = env.origin(name) if env.get(name) else None
        yield {"name": name, "set": origin is not None, "origin": origin, "hasDefault": f"${{{name}:-" in text}


# -- reachability ----------------------------------------------------------------------------------------------------


def _verdict(project: Project, connection: Connection, env: EnvSource) -> Verdict:
    from osiris.core.config import ConnectionConfig
    from osiris.core.error_taxonomy import OsirisError, describe
    from osiris.core.secrets_masking import Masker

    name = connection.reference
    check = {"filesystem": _check_folder, "sqlite": _check_sqlite}.get(connection.family)
    try:
        resolved = ConnectionConfig.of(connection).resolve(env)
    except OsirisError as problem:
        return Verdict(name, False, describe(problem))
    if check is None:
        return Verdict(name, None, f"this version of Osiris has no driver for {connection.family} yet")
    ok, detail = check(project.root, resolved.fields)
    return Verdict(name, ok, Masker(resolved.secrets).text(detail))  # a path may be made of a secret


_NOT_YET = "does not exist yet: a step that writes makes it, one that reads fails"


def _check_folder(root: Path, fields: Mapping[str, Any]) -> tuple[bool | None, str]:
    folder = root / str(fields.get("base_dir") or ".")
    if not folder.exists():
        return None, f"{folder} {_NOT_YET}"
    if not folder.is_dir():
        return False, f"{folder} is a file, not a folder"
    if not os.access(folder, os.R_OK | os.X_OK):
        return False, f"the folder {folder} cannot be read"
    return True, f"{folder}" + ("" if os.access(folder, os.W_OK) else " (can be read, not written)")


def _check_sqlite(root: Path, fields: Mapping[str, Any]) -> tuple[bool | None, str]:
    import sqlite3
    from contextlib import closing

    path = root / str(fields.get("path") or "")
    if path.is_dir():
        return False, f"{path} is a folder, not a database file"
    if not path.exists():
        return None, f"{path} {_NOT_YET}"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            (tables,) = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
    except sqlite3.Error as problem:
        return False, f"{path}: {problem}"
    return True, f"{path} with {tables} table{'' if tables == 1 else 's'}"
