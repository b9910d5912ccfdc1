"""``osiris init``: a small project that validates, compiles and runs at once."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path

import click

from osiris.cli.arguments import shown_path
from osiris.cli.failures import UsageProblem

# Target in the new project -> file under ``osiris/cli/starter``. Names with a dot in front would be lost in packages.
_FILES = {
    "osiris.yaml": "osiris.yaml",
    "osiris_connections.yaml": "osiris_connections.yaml",
    "pipelines/first-pipeline.oml.yaml": "pipelines/first-pipeline.oml.yaml",
    "data/orders.csv": "data/orders.csv",
    ".env.example": "env.example",
}
_GITIGNORE = "gitignore"


@click.command()
@click.argument("directory", default=".", metavar="[DIR]")
def command(directory: str) -> None:
    """Make a small project in DIR (default: here).

    It has a pipeline, its data and its settings, and runs at once. What is there already is never overwritten.
    """
    from osiris.core.files import cause, write_error

    root = Path(directory)
    if root.exists() and not root.is_dir():
        raise UsageProblem(f"{directory}: is a file. Name a folder, which may be new.")
    made: list[str] = []
    try:
        root.mkdir(parents=True, exist_ok=True)
        for target, source in _FILES.items():
            if _make(root / target, _starter(source)):
                made.append(target)
            else:
                click.echo(f"kept   {shown_path(root / target)}")
        if _add_ignored(root / ".gitignore"):
            made.append(".gitignore")
        else:
            click.echo(f"kept   {shown_path(root / '.gitignore')}")
    except OSError as problem:
        raise write_error(problem.filename or root, problem) from cause(problem)
    for target in made:
        click.echo(f"made   {shown_path(root / target)}")
    _say_next(root)


def _starter(name: str) -> str:
    return (files("osiris.cli") / "starter" / name).read_text(encoding="utf-8")


def _make(path: Path, text: str) -> bool:
    """Write a new file; False, and nothing written, when something of that name is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _add_ignored(path: Path) -> bool:
    """Add what git should ignore, leaving the lines that are there as they are; False when all were there."""
    wanted = _starter(_GITIGNORE)
    if _make(path, wanted):
        return True
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    present = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in wanted.splitlines() if line.startswith("#") is False and line.strip("/") not in present]
    if not missing:
        return False
    start = "" if text.endswith("\n") or not text else "\n"
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(start + "\n".join(["# made by osiris", *missing]) + "\n")
    return True


def _say_next(root: Path) -> None:
    pipeline = shown_path(root / "pipelines" / "first-pipeline.oml.yaml")
    click.echo(f"\nNext:  osiris run {shlex.quote(pipeline)}")
