"""``osiris schema``: the JSON Schemas, for editors and programs without the language server."""

from __future__ import annotations

import click

from osiris.cli.failures import UsageProblem
from osiris.cli.streams import write_json


@click.command()
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema NAME; without a name, list what there is."""
    from osiris.core.schemas import schema, schema_names

    if name is None:
        for known in schema_names():
            click.echo(known)
        return
    if name not in schema_names():
        raise UsageProblem(f"There is no schema '{name}'. There are: {', '.join(schema_names())}.")
    write_json(schema(name))
