"""``osiris connections``: what the project connects to, and whether it can be reached. Never shows a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import format_option
from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.streams import write_json
from osiris.core.env_loader import EnvSource, load_env

if TYPE_CHECKING:
    from osiris.language.connections import Connection

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
    from osiris.cli.project_connections import every_connection, project_connections
    from osiris.cli.source_view import plain_line

    project, connections = project_connections()
    env = load_env(project.root)
    shown = [_as_data(connection, env) for connection in every_connection(connections)]
    if layout == "json":
        write_json(shown)
        return
    if not shown:
        click.echo("osiris_connections.yaml names no connections yet.")
    for connection in shown:
        default = " (default)" if connection["default"] else ""
        click.echo(f"@{connection['family']}.{connection['alias']}{default}")
        if connection["problem"]:
            click.echo(f"    cannot be used: {plain_line(connection['problem'])}")
        for name, value in connection["fields"].items():
            click.echo(f"    {name}: {value}")
        for variable in connection["variables"]:
            state = f"set in {variable['origin']}" if variable["set"] else "not set"
            if not variable["set"] and variable["hasDefault"]:
                state = "not set, its default counts"
            click.echo(f"    ${{{variable['name']}}} is {state}")


@command.command("doctor")
@click.argument("references", nargs=-1, metavar="[@FAMILY.ALIAS]...")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for one connection.",
)
@format_option("text", "json")
def check_connections(references: tuple[str, ...], timeout: float, layout: str) -> int:
    """Check whether connections can be reached, what answers, and how quickly; all of them, or those named.

    Each is tried in a process of its own, so that one that hangs holds up nothing else.
    """
    from osiris.cli.connection_health import examine, show_verdict
    from osiris.cli.project_connections import chosen_connections, project_connections

    project, connections = project_connections()
    verdicts = examine(project, chosen_connections(connections, references), timeout)
    if layout == "json":
        write_json([verdict.plain() for verdict in verdicts])
    else:
        for verdict in verdicts:
            show_verdict(verdict)
    return DID_NOT_WORK if any(verdict.ok is False for verdict in verdicts) else 0


def _as_data(connection: Connection, env: EnvSource) -> dict[str, Any]:
    return {
        "family": connection.family,
        "alias": connection.alias,
        "default": connection.is_default,
        "problem": connection.fault.text if connection.fault is not None else None,
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
