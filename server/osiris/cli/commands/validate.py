"""``osiris validate``: check pipelines and show what is wrong, and where."""

from __future__ import annotations

import click

from osiris.cli.arguments import format_option, param_option, profile_option
from osiris.cli.checking import check_file, check_project_files
from osiris.cli.chosen_files import chosen_pipelines
from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.findings import print_findings


@click.command()
@click.argument("files", nargs=-1, metavar="[FILES]...")
@format_option("text", "json", "sarif", "github", "gitlab")
@profile_option
@param_option
@click.option("--offline", is_flag=True, help="Use nothing learned from databases but osiris.schema.json.")
def command(files: tuple[str, ...], layout: str, profile: str | None, params: dict[str, str], offline: bool) -> int:
    """Check pipelines and show what is wrong, and where.

    FILES are OML files, or folders of them; without any, the whole project is checked, and so it is for its
    osiris.yaml and osiris_connections.yaml. The exit code is 1 when there are errors.
    """
    chosen, projects = chosen_pipelines(files)
    for project in projects:
        project.offline = offline
    checked = [check_file(path, project, profile, params) for path, project in chosen]
    # A pipeline rests on the settings of its project: what is wrong in them stops it as well.
    for project in projects:
        checked += check_project_files(project)
    print_findings(checked, layout)
    return DID_NOT_WORK if any(file.has_errors for file in checked) else 0
