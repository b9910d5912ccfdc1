"""``osiris doctor``: what is installed, what is missing, what is in the way."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from osiris import __version__
from osiris.cli.arguments import format_option
from osiris.cli.failures import DID_NOT_WORK
from osiris.cli.streams import colour_wanted, paint, write_json
from osiris.language.project_file_names import SETTINGS_FILE

_DISTRIBUTION = "osiris-oml"
_EXTRAS = {
    "run": ("duckdb", "pyarrow", "sqlalchemy", "sqlglot"),
    "mysql": ("pymysql",),
    "postgres": ("psycopg",),
    "ai": ("openai",),
    "mcp": ("mcp",),
    "e2b": ("e2b",),
}
_NEEDED_TO = {
    "run": "to run pipelines",
    "mysql": "for MySQL and MariaDB connections",
    "postgres": "for PostgreSQL and Supabase connections",
    "ai": "to talk to AI models (osiris chat)",
    "mcp": "for osiris mcp",
    "e2b": "to run in sandboxes of E2B",
}


@dataclass(frozen=True)
class Check:
    """One answer: ``ok``; ``note`` for what is missing but not needed; ``problem`` for what stands in the way."""

    name: str
    state: Literal["ok", "note", "problem"]
    detail: str
    hint: str | None = None


@click.command()
@format_option("text", "json")
def command(layout: str) -> int:
    """Say what is installed, what is missing and what is in the way."""
    checks = [*_installation(), *_owners_of_the_name(), *_extras(), *_state(), *_project(), *_targets()]
    if layout == "json":
        write_json({"ok": not _problems(checks), "checks": [asdict(check) for check in checks]})
    else:
        colour = colour_wanted(sys.stdout)
        marks = {"ok": ("ok", "good"), "note": ("note", "hint"), "problem": ("problem", "error")}
        for check in checks:
            word, style = marks[check.state]
            click.echo(f"{paint(f'{word:<8}', style, on=colour)}{check.name}: {check.detail}")
            if check.hint:
                click.echo(f"        {check.hint}")
    return DID_NOT_WORK if _problems(checks) else 0


def _problems(checks: list[Check]) -> bool:
    return any(check.state == "problem" for check in checks)


def _installation() -> Iterator[Check]:
    import osiris

    yield Check("osiris", "ok", f"{__version__} in {Path(osiris.__file__).parent}")
    where = f"{sys.executable} ({platform.platform(terse=True)})"
    yield Check("Python", "ok", f"{platform.python_version()} at {where}")


def _owners_of_the_name() -> Iterator[Check]:
    """Whether another installed distribution brings a package or a command called ``osiris`` too."""
    from importlib.metadata import distributions

    others: set[str] = set()
    for distribution in distributions():
        name = distribution.metadata["Name"] or "unknown"
        if name.lower().replace("_", "-") == _DISTRIBUTION:
            continue
        files = distribution.files or ()
        commands = {e.name for e in distribution.entry_points if e.group == "console_scripts"}
        if "osiris" in commands or any(file.parts[:2] == ("osiris", "__init__.py") for file in files):
            others.add(name)
    if others:
        listed = ", ".join(sorted(others))
        hint = f"Keep them apart: pip uninstall {' '.join(sorted(others))}, or use a virtual environment for each."
        yield Check("the name osiris", "problem", f"is also claimed by {listed}", hint)
    else:
        yield Check("the name osiris", "ok", f"belongs to {_DISTRIBUTION} alone")


def _extras() -> Iterator[Check]:
    from importlib.metadata import PackageNotFoundError, version

    from osiris.core.lookup import install_command

    for extra, packages in _EXTRAS.items():
        present: list[str] = []
        missing: list[str] = []
        for package in packages:
            try:
                present.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                missing.append(package)
        if missing:
            hint = f"Needed {_NEEDED_TO[extra]}: {install_command(missing[0])}"
            yield Check(f"extra {extra}", "note", f"lacks {', '.join(missing)}", hint)
        else:
            yield Check(f"extra {extra}", "ok", ", ".join(present))


def _state() -> Iterator[Check]:
    """Whether what is remembered of databases can be used."""
    from osiris.core.error_taxonomy import OsirisError
    from osiris.core.state_store import StateStore

    name = "state of the user"
    try:
        with StateStore(wait=1) as store:
            store.read(lambda db: db.execute("SELECT count(*) FROM readings").fetchone(), absent=None)
            for remark in store.remarks:
                yield Check(name, "note", remark)
            kept = "" if store.path.exists() else ", where nothing is kept yet"
            yield Check(name, "ok", f"{store.path}{kept}")
    except OsirisError as problem:
        yield Check(name, "problem", str(problem), problem.hint)


def _project() -> Iterator[Check]:
    from osiris.core.error_taxonomy import OsirisError
    from osiris.core.project import Project
    from osiris.syntax.diagnostic import Severity

    try:
        project = Project.find(Path.cwd())
        pipelines = project.pipelines()
        connections = project.environment().connections
    except OsirisError as problem:
        yield Check("project", "problem", str(problem), problem.hint)
        return
    if not (project.root / SETTINGS_FILE).exists() and connections is None:
        yield Check("project", "note", f"none found from {Path.cwd()}", "`osiris init` makes one.")
    else:
        number = f"{len(pipelines)} pipeline{'' if len(pipelines) == 1 else 's'}"
        yield Check("project", "ok", f"{project.root} with {number}")
    for file in project.settings_files():
        if file.problem is not None or any(finding.severity is Severity.ERROR for finding in file.diagnostics):
            yield Check(file.path.name, "problem", "cannot be used as it is", "`osiris validate` says why.")
    for folder in ("build", "logs"):
        yield _writable(project.root / folder)


def _targets() -> Iterator[Check]:
    """Whether pipelines could run elsewhere: nothing is asked over the network where nobody has set that up."""
    from osiris.core.error_taxonomy import OsirisError
    from osiris.core.targets import HERE, TARGETS
    from osiris.execution.remote.targets import machines_of

    for target in (name for name in TARGETS if name != HERE):
        name = f"target {target}"
        try:
            machines = machines_of(target)
            machines.check()
        except OsirisError as missing:
            yield Check(name, "note", str(missing), missing.hint)
            continue
        try:
            yield Check(name, "ok", machines.probe())
        except OsirisError as problem:
            yield Check(name, "problem", str(problem), problem.hint)


def _writable(folder: Path) -> Check:
    """Whether a folder, or the nearest one that would hold it, can be written to."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check(f"{folder.name}/", "ok", "can be written")
    return Check(f"{folder.name}/", "problem", f"{place} cannot be written", "Check its permissions and its owner.")
