"""``osiris mcp``: the project for agents of others, over the Model Context Protocol."""

from __future__ import annotations

from pathlib import Path

import click

from osiris.cli.failures import UsageProblem


@click.command()
@click.option("--project", "folder", metavar="DIR", help="The project (default: the client's folder, or this one).")
@click.option("--allow-connect", is_flag=True, help="Connect also to databases that you have not agreed to elsewhere.")
@click.option("--allow-data", is_flag=True, help="Hand out rows, where ai.allow_rows of osiris.yaml says so, too.")
@click.option("--allow-write", is_flag=True, help="Let agents write pipelines, as far as these are right.")
@click.option("--allow-run", is_flag=True, help="Let agents run pipelines and cancel runs.")
@click.option("--stdio", is_flag=True, hidden=True, help="Accepted because some hosts add it; it is the only way.")
def command(
    folder: str | None, allow_connect: bool, allow_data: bool, allow_write: bool, allow_run: bool, stdio: bool
) -> int:
    """Serve the project to agents: a Model Context Protocol server on standard input and output.

    Agent hosts start this themselves. Without options agents look up, check and compile; they see no rows, change
    nothing, run nothing and connect to no database that you have not agreed to in the editor or the chat.
    """
    from osiris.core.lookup import require_packages

    require_packages(("mcp",), "osiris mcp")
    place = None
    if folder is not None:
        place = Path(folder).absolute()
        if not place.is_dir():
            raise UsageProblem(f"{folder}: there is no such folder.")
    from osiris.mcp.allowed import Allowed
    from osiris.mcp.server import main

    return main(place, Allowed(connect=allow_connect, data=allow_data, write=allow_write, run=allow_run))
