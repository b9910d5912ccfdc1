"""``osiris runs``: list, show, follow, attach, cancel and clean runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import format_option
from osiris.cli.failures import DID_NOT_WORK, UsageProblem, say_error
from osiris.cli.run_lines import format_seconds
from osiris.cli.streams import write_json
from osiris.cli.table import print_table

if TYPE_CHECKING:
    from osiris.execution.runs import RunInfo, RunStore

_logs_dir = click.option("--logs-dir", metavar="DIR", help="Folder of the runs (default: logs/ in the project).")
_run = click.argument("run", metavar="RUN")


@click.group()
def command() -> None:
    """List, show, follow, attach, cancel and clean runs.

    RUN is the id of a run, the beginning of one, or `latest`.
    """


@command.command("list")
@click.option("--active", is_flag=True, help="Only runs that wait or run.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many, newest first."
)
@_logs_dir
@format_option("text", "json")
def list_runs(active: bool, limit: int, logs_dir: str | None, layout: str) -> None:
    """List the runs of the project, the newest first."""
    runs = [run for run in _store(logs_dir).list() if run.active or not active][:limit]
    if layout == "json":
        write_json([run.plain() for run in runs])
    elif not runs:
        click.echo("No runs." if active else "No runs yet.")
    else:
        print_table(["RUN", "PIPELINE", "STATE", "STARTED", "TOOK"], [_row(run) for run in runs])


@command.command("show")
@_run
@_logs_dir
@format_option("text", "json")
def show_run(run: str, logs_dir: str | None, layout: str) -> None:
    """Show one run: its state, its steps, what went wrong."""
    store = _store(logs_dir)
    info = store.show(run)
    if layout == "json":
        write_json(info.plain())
        return
    from osiris.cli.run_page import show

    show(info, _steps(store, info), store.events(info.id))


@command.command("follow")
@_run
@_logs_dir
@format_option("text", "json")
def follow_run(run: str, logs_dir: str | None, layout: str) -> int:
    """Print what happens in a run until it ends; stopping this does not stop the run."""
    from osiris.cli.following import follow
    from osiris.core.project import Project

    root = Project.find(Path.cwd()).root if logs_dir is None else None  # None: nobody knows whose runs these are
    return follow(_store(logs_dir), run, root=root, as_json=layout == "json")


@command.command("attach")
@_run
@click.option("--detach", is_flag=True, help="Do not print what happens.")
@_logs_dir
def attach_run(run: str, detach: bool, logs_dir: str | None) -> int:
    """Take up a run again that goes on elsewhere, after this machine was restarted or its process was killed.

    What happened meanwhile comes into the log, the files come back, and the other machine is ended with the run.
    Stopping this does not stop the run.
    """
    from osiris.cli.following import follow
    from osiris.execution.remote.attach import attach

    store = _store(logs_dir)
    info = store.show(run)
    attach(info)
    if detach:
        click.echo(info.id)
        return 0
    return follow(store, info.id, root=None, as_json=False)


@command.command("cancel")
@_run
@_logs_dir
@format_option("text", "json")
def cancel_run(run: str, logs_dir: str | None, layout: str) -> int:
    """Stop a run: at first politely, by force after two seconds."""
    store = _store(logs_dir)
    elsewhere = store.show(run).elsewhere
    info = store.cancel(run)
    told = info.active or elsewhere
    if layout == "json":
        write_json({"ok": told, "run_id": info.id, "state": info.state})
    elif told:
        click.echo(f"{info.id} is told to stop")
    else:
        say_error(f"{info.id} is over already: {info.state}.")
    return 0 if told else DID_NOT_WORK


@command.command("clean")
@click.option("--keep-days", type=click.FloatRange(min=0), help="Remove runs older than this (default: osiris.yaml).")
@click.option(
    "--keep-gb", type=click.FloatRange(min=0), help="Remove the oldest above this size (default: osiris.yaml)."
)
@_logs_dir
@format_option("text", "json")
def clean_runs(keep_days: float | None, keep_gb: float | None, logs_dir: str | None, layout: str) -> None:
    """Remove the folders of old runs. Runs that wait or run are never touched."""
    from osiris.core.config import Config
    from osiris.core.project import Project

    root = Project.find(Path.cwd()).root
    runtime = Config.load(root).runtime
    days = runtime.keep_days if keep_days is None else keep_days
    size = (runtime.keep_gb if keep_gb is None else keep_gb) * 1e9
    removed = _store(logs_dir).clean(keep_days=days, keep_bytes=size, root=root)
    if layout == "json":
        write_json([run.id for run in removed])
    else:
        click.echo(f"Removed {len(removed)} run{'' if len(removed) == 1 else 's'}.")


def _store(logs_dir: str | None) -> RunStore:
    from osiris.core.config import Config
    from osiris.core.error_taxonomy import ConfigurationError
    from osiris.core.project import Project
    from osiris.execution.runs import RunStore

    if logs_dir is not None:
        folder = Path(logs_dir)
        if not folder.is_dir():
            raise UsageProblem(f"{logs_dir}: there is no such folder.")
        return RunStore(folder)
    project = Project.find(Path.cwd())
    store = RunStore(Config.load(project.root).logs_dir)
    if not project.is_marked and not store.newest_names(1):
        raise ConfigurationError(
            "There is no project here: neither this folder nor one above it has osiris.yaml or "
            "osiris_connections.yaml, and there are no runs.",
            hint="Go to the folder of the project, or name the folder of the runs: --logs-dir DIR.",
        )
    return store


def _steps(store: RunStore, info: RunInfo) -> list[dict[str, Any]]:
    """What became of each step; while the run goes on its status does not say so, but its events do."""
    from osiris.execution.folder import steps_by_events

    steps = info.status.get("steps") or []
    return steps_by_events(steps, store.events(info.id) if info.active else ())[0]


def _row(run: RunInfo) -> list[str]:
    status: dict[str, Any] = run.status
    started = str(status.get("started") or status.get("queued") or "")[:19].replace("T", " ")
    duration = status.get("duration")
    took = format_seconds(duration) if isinstance(duration, int | float) else ""
    return [run.id, str(run.pipeline or ""), run.state, started, took]
