"""``osiris run``: compile a pipeline and run it, here or in the background."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osiris.cli.arguments import (
    existing_file,
    format_option,
    param_option,
    params_stdin_option,
    profile_option,
    shown_path,
)
from osiris.cli.failures import DID_NOT_WORK, UsageProblem, say_error
from osiris.cli.run_view import RunView, noted_signals
from osiris.cli.streams import write_json

if TYPE_CHECKING:
    from osiris.cli.query_place import QueryPlaces
    from osiris.core.compiler_v0 import CompileResult
    from osiris.core.manifest import Manifest
    from osiris.core.project import Project
    from osiris.execution.local import RunResult, Worker
    from osiris.execution.resume import Resume


@dataclass(frozen=True)
class Options:
    """What the user said about a run."""

    profile: str | None
    to: str | None
    target: str | None
    params: dict[str, Any]
    logs_dir: str | None
    if_running: str
    detach: bool
    follow: bool
    resume: str | None
    redo: tuple[str, ...]
    done: tuple[str, ...]
    no_cache: bool
    as_json: bool
    events_as_json: bool


@click.command()
@click.argument("file", required=False)
@profile_option
@param_option
@params_stdin_option
@click.option("--to", metavar="STEP", help="Run this step and what it waits for, directly or not, and nothing else.")
@click.option("--target", metavar="NAME", help="Where to run: local or e2b (default: what osiris.yaml says).")
@click.option("--detach", is_flag=True, help="Leave the run in the background and print its id.")
@click.option("--follow", is_flag=True, help="With --detach: print what happens, too. Stopping that stops no run.")
@click.option(
    "--if-running",
    type=click.Choice(["wait", "skip", "fail"]),
    default="wait",
    show_default=True,
    help="What to do while the same pipeline runs already.",
)
@click.option("--resume", metavar="RUN", help="Go on where a run stopped, with its own manifest; goes without FILE.")
@click.option("--redo", metavar="STEP", multiple=True, help="With --resume: this step has not written, do it again.")
@click.option("--done", metavar="STEP", multiple=True, help="With --resume: this step has written, leave it be.")
@click.option(
    "--no-cache", is_flag=True, help="Make all rows anew, also where nothing that they depend on has changed."
)
@click.option("--logs-dir", metavar="DIR", help="Folder of the runs (default: logs/ in the project).")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json prints each event as a line of JSON as it happens.",
)
@format_option("text", "json")
def command(
    file: str | None,
    layout: str,
    log_format: str,
    params: dict[str, str],
    params_from_stdin: dict[str, Any],
    **said: Any,
) -> int:
    """Compile the OML FILE and run it; or run a manifest.json, which needs no OML.

    With --to STEP only that step runs and the steps that it waits for, also those that only come before it because
    nothing else is said (writers too); with `needs: []` at a step nothing comes before it. Errors in other steps do
    not matter then, and build/ stays as it is.

    With --resume RUN a new run goes on where that one stopped: what succeeded is not done again, and what its sources
    yielded is used again where it is still there. Where nobody can know whether a step has written, it stops and asks.

    With --target e2b it runs in a sandbox of E2B, and its events and files come back as if it had run here; `osiris
    doctor` says what that needs.

    Ctrl-C and SIGTERM cancel the run. With --detach it goes on when this terminal closes; `osiris runs` follows it.
    """
    given = {**params_from_stdin, **params}
    options = Options(params=given, as_json=layout == "json", events_as_json=log_format == "json", **said)
    if options.detach and options.events_as_json and not options.follow:
        raise UsageProblem("--detach prints no events; add --follow, or: osiris runs follow RUN --format json")
    if options.follow and (not options.detach or options.as_json):
        raise UsageProblem("--follow goes with --detach, and not with --format json.")
    if options.resume is not None:
        if file is not None or options.profile is not None or options.to is not None:
            raise UsageProblem("--resume goes without a file, --profile and --to: the run has its own manifest.")
        return _run_again(options.resume, options)
    if options.redo or options.done:
        raise UsageProblem("--redo and --done go with --resume.")
    if file is None:
        raise UsageProblem("Name the OML file or the manifest to run, or --resume RUN.")
    path = existing_file(file)
    return _run_manifest(path, options) if path.suffix == ".json" else _run_pipeline(path, options)


def _target(root: Path, options: Options) -> str:
    """Where to run. Raises ConfigurationError for a target that is not there, before anything is started."""
    from osiris.core.config import Config
    from osiris.execution.local import checked_target

    return checked_target(options.target or Config.load(root).runtime.target)


def _run_pipeline(path: Path, options: Options) -> int:
    worker = _early_worker(options)
    try:
        return _compile_and_run(path, options, worker)
    except BaseException:
        _dismiss(worker)
        raise


def _early_worker(options: Options) -> Worker | None:
    """A worker that loads the engine while this process finds out what to run; None where none will be needed."""
    if options.detach or options.target not in (None, "local"):
        return None
    from osiris.execution.process import Worker

    with contextlib.suppress(OSError):  # if there is no room for it, the run tries again, and says so
        return Worker()
    return None


def _compile_and_run(path: Path, options: Options, worker: Worker | None) -> int:
    from osiris.cli.query_place import QueryPlaces
    from osiris.core.project import Project

    project = Project.find(path)
    if _target(project.root, options) != "local":
        _dismiss(worker)
        worker = None
    result = _compiled(path, project, options)
    if result is None:
        _dismiss(worker)
        return DID_NOT_WORK
    manifest = _wanted(result.manifest, options)
    # What was fixed by compiling is in the manifest; only what it leaves open goes with the run.
    left_open = {name: value for name, value in options.params.items() if name in manifest["run_params"]}
    places = QueryPlaces(path, result)
    return _start(manifest, project.root, left_open, options, worker, places)


def _compiled(path: Path, project: Project, options: Options) -> CompileResult | None:
    """The compiled pipeline, None when it has errors, which have been printed. A read-only build/ stops no run."""
    from osiris.cli.compiling import compile_or_explain  # the worker starts before that is loaded
    from osiris.core.error_taxonomy import ExecutionError

    def compiled(write: bool) -> CompileResult | None:
        return compile_or_explain(
            path,
            project,
            profile=options.profile,
            params=options.params,
            as_json=options.as_json,
            write=write,
            step=options.to,
        )

    if options.to is not None:  # a part of the pipeline is not what build/ is for
        return compiled(write=False)
    try:
        return compiled(write=True)
    except ExecutionError as problem:
        result = compiled(write=False)
        if result is not None:
            click.echo(f"warning: {problem} The run has its manifest in its own folder.", err=True)
        return result


def _run_again(run: str, options: Options) -> int:
    """Go on where a run stopped."""
    from osiris.core.config import Config
    from osiris.core.project import Project
    from osiris.execution.resume import plan_resume
    from osiris.execution.runs import RunStore

    root = Project.find(Path.cwd()).root
    logs_dir = Path(options.logs_dir).absolute() if options.logs_dir else Config.load(root).logs_dir
    info = RunStore(logs_dir).show(run)
    manifest, resume = plan_resume(info, root, redo=options.redo, done=options.done)
    if options.target is None:  # where it ran before
        options = replace(options, target=info.status.get("target"))
    return _start(manifest, root, options.params, options, None, resume=resume)


def _wanted(manifest: Manifest, options: Options) -> Manifest:
    """The manifest, or the part of it that leads to the step that the user named. Raises ConfigurationError."""
    if options.to is None:
        return manifest
    from osiris.core.partial_manifest import manifest_up_to

    return manifest_up_to(manifest, options.to)


def _run_manifest(path: Path, options: Options) -> int:
    from osiris.core.manifest import read_manifest

    if options.profile is not None:
        raise UsageProblem("A manifest has its profile already: --profile goes with an OML file.")
    manifest = _wanted(read_manifest(path), options)
    return _start(manifest, _project_of_manifest(path).root, options.params, options, None)


def _project_of_manifest(path: Path) -> Project:
    """The project that a manifest lies in; that of the working folder for one that lies in none."""
    from osiris.core.project import Project

    project = Project.find(path)
    return project if project.is_marked else Project.find(Path.cwd())


def _dismiss(worker: Worker | None) -> None:
    if worker is not None:
        worker.dismiss()


def _start(
    manifest: Any,
    root: Path,
    params: dict[str, Any],
    options: Options,
    worker: Worker | None,
    places: QueryPlaces | None = None,
    resume: Resume | None = None,
) -> int:
    from osiris.execution.local import AlreadyRunning, start_run

    target = _target(root, options)
    view = RunView(
        str(manifest["pipeline"]["name"]),
        root=root,
        places=places,
        quiet=options.as_json,
        events_as_json=options.events_as_json,
    )
    try:
        with noted_signals() as signals, view:
            result = start_run(
                manifest,
                root=root,
                logs_dir=Path(options.logs_dir).absolute() if options.logs_dir else None,
                detach=options.detach,
                params=params,
                if_running=options.if_running,
                worker=worker,
                on_event=view.show,
                resume=resume,
                cache=not options.no_cache,
                target=target,
            )
    except AlreadyRunning as other:
        if options.if_running == "skip":
            return _skipped(other, options)
        raise
    if options.detach:
        return _followed(result, root, options) if options.follow else _detached(result, options)
    if view.problem is not None:
        raise view.problem
    return _finished(result, options, signals[0] if signals else None, view.failed)


def _skipped(other: Exception, options: Options) -> int:
    if options.as_json:
        write_json({"ok": True, "state": "skipped", "run_id": getattr(other, "run_id", None)})
    else:
        click.echo(f"Skipped: {other}")
    return 0


def _detached(result: RunResult, options: Options) -> int:
    if options.as_json:
        write_json({"ok": True, "run_id": result.run_id, "state": result.state, "folder": str(result.path)})
    else:
        click.echo(result.run_id)
        if sys.stdout.isatty():
            click.echo(f"Follow it:  osiris runs follow {result.run_id}")
    return 0


def _followed(result: RunResult, root: Path, options: Options) -> int:
    from osiris.cli.following import follow
    from osiris.execution.runs import RunStore

    if not options.events_as_json:
        click.echo(f"{result.run_id} goes on when this ends; cancel it with: osiris runs cancel {result.run_id}")
    return follow(RunStore(result.path.parent), result.run_id, root=root, as_json=options.events_as_json)


def _finished(result: RunResult, options: Options, signal_number: int | None, told: set[str]) -> int:
    succeeded = result.state == "succeeded"
    if options.as_json and not options.events_as_json:
        write_json({"ok": succeeded, "folder": str(result.path), **result.status})
    elif not options.events_as_json:
        _say_end(result, told)
    if succeeded:
        return 0
    if result.state == "cancelled" and signal_number is not None:
        return 128 + signal_number
    return DID_NOT_WORK


def _say_end(result: RunResult, told: set[str]) -> None:
    """How the run ended; why, unless that was told when the step failed."""
    from osiris.cli.run_lines import format_seconds

    duration = result.status.get("duration")
    took = f" in {format_seconds(duration)}" if isinstance(duration, int | float) else ""
    folder = shown_path(result.path)
    if result.state == "succeeded":
        click.echo(f"succeeded{took}, log in {folder}")
        return
    error = result.status.get("error") or {}
    if error and error.get("step") not in told:
        where = f"the step {error['step']} failed: " if error.get("step") else ""
        say_error(f"{where}{error.get('message', '')}", error.get("hint"))
    click.echo(f"{result.state}{took}, log in {folder}", err=True)
