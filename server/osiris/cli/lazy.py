"""A click group that imports a subcommand when it is used, so that ``osiris --help`` stays quick."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose subcommands live in ``osiris.cli.commands.<name>`` as an object named ``command``."""

    def __init__(self, *args: Any, subcommands: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        """``subcommands`` maps each name to the one line that ``--help`` shows for it."""
        super().__init__(*args, **kwargs)
        self._subcommands = dict(subcommands or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands in the order in which a newcomer meets them."""
        return list(self._subcommands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the subcommand, None when there is none of this name."""
        if cmd_name not in self._subcommands:
            return None
        module = import_module(f"osiris.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; an unknown name is a usage error that names the nearest one."""
        name = args[0]
        if name not in self._subcommands and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, self._subcommands, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"There is no command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands with their one line each, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._subcommands.items()))
