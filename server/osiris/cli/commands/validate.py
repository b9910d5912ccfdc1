"""``osiris validate``: check pipelines and show what is wrong, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from osiris.cli.arguments import existing_path, format_option, param_option, profile_option, shown_path
from osiris.cli.failures import DID_NOT_WORK, UsageProblem
from osiris.cli.findings import CheckedFile, print_findings

if TYPE_CHECKING:
    from osiris.core.project import Project


@click.command()
@click.argument("files", nargs=-1, metavar="[FILES]...")
@format_option("text", "json", "sarif", "github")
@profile_option
@param_option
@click.option("--offline", is_flag=True, help="Use no knowledge from earlier discoveries.")
def command(files: tuple[str, ...], layout: str, profile: str | None, params: dict[str, str], offline: bool) -> int:
    """Check pipelines and show what is wrong, and where.

    FILES are OML files or folders of them; without any, the whole project is checked. Exit code 1 when there are
    errors.
    """
    # Nothing is discovered in this version, so every check is offline; the option is there for scripts to rely on.
    del offline
    checked = [_check(path, project, profile, params) for path, project in _chosen(files)]
    print_findings(checked, layout)
    return DID_NOT_WORK if any(file.has_errors for file in checked) else 0


def _chosen(names: Sequence[str]) -> list[tuple[Path, Project]]:
    """The files to check, each with its project, in the order they were named and without repetition."""
    from osiris.core.project import Project
