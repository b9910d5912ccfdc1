"""Prints a run as it goes on, from its first event: ``runs follow``, and ``run --detach --follow``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.run_lines import Pacing, line_of, with_shown_path
from osiris.cli.streams import colour_wanted, write_json_line

if TYPE_CHECKING:
    from osiris.execution.runs import RunStore


def follow(store: RunStore, run: str, *, root: Path | None, as_json: bool) -> int:
    """Print the events of a run until it ends; the exit code. ``root``: its project, None when nobody knows it."""
    colour, pacing = colour_wanted(sys.stdout), Pacing()
    for event in store.follow(run):
        if as_json:
            write_json_line(event)
        elif not pacing.passes(event):
            continue
        elif line := line_of(event if root is None else with_shown_path(event, root), colour=colour):
            click.echo(line)
            sys.stdout.flush()
    state = store.show(run).state
    if not as_json:
        click.echo(state)
    return 0 if state == "succeeded" else DID_NOT_WORK
