"""Options and arguments that several commands share, so that they read and behave alike everywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click

from osiris.cli.failures import UsageProblem

_MOST_NAMED = 3  # pipelines in one message
_LOOKED_AT = 5_000  # entries of a folder at most when a mistyped name is looked for

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def format_option(*choices: str) -> Callable[[Decorated], Decorated]:
    """``--format`` with these layouts; the first is the default."""
    return click.option(
        "--format",
        "layout",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="How to print the result.",
    )


def profile_option(function: Decorated) -> Decorated:
    """``--profile NAME``."""
    return click.option("--profile", metavar="NAME", help="Use the params of this profile of the pipeline.")(function)


def param_option(function: Decorated) -> Decorated:
    """``--param KEY=VALUE``, any number of times; the command receives a dict."""
    return click.option(
        "--param",
        "params",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_parse_params,
        help="Set a param of the pipeline. May be repeated.",
    )(function)


def _parse_params(_context: click.Context, option: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(f"'{value}' is not KEY=VALUE.", param=option)
        params[key.strip()] = text
    return params


def params_stdin_option(function: Decorated) -> Decorated:
    """``--params-stdin``: further params as JSON on standard input; the command receives a dict."""
    return click.option(
        "--params-stdin",
        "params_from_stdin",
        is_flag=True,
        callback=_read_params,
        help="Read params as a JSON object from standard input, where no other user of this machine sees them.",
    )(function)


def _read_params(_context: click.Context, option: click.Parameter, wanted: bool) -> dict[str, Any]:
    if not wanted:
        return {}
    import json

    try:
        values = json.loads(sys.stdin.buffer.read()) if sys.stdin is not None else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise click.BadParameter('standard input must hold a JSON object, such as {"day": "2026-01-31"}.', param=option)
    return values


def existing_path(name: str) -> Path:
    """The path ``name``, which must be there; else a usage problem in plain words."""
    path = Path(name)
    try:
        os.stat(path)
    except FileNotFoundError:
        raise UsageProblem(f"{name}: there is no such file.{_meant(path)}") from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "the name is not possible"
        raise UsageProblem(f"{name}: cannot be read: {reason}.") from None
    return path


def _meant(path: Path) -> str:
    """The file of the same folder, or the pipeline of the project, that a mistyped name most likely means, as the end
    of a message."""
    from osiris.cli.source_view import plain_line
    from osiris.core.project import is_oml_name
    from osiris.language.suggest import nearest

    there: list[str] = []
    with suppress(OSError, ValueError), os.scandir(path.parent) as entries:
        there = sorted(entry.name for entry in islice(entries, _LOOKED_AT) if not entry.name.startswith("."))
    alike = [name for name in there if _stem(name) == _stem(path.name)]  # another ending, or none
    certain = len(alike) == 1 and is_oml_name(alike[0])
    if not certain and (named := _pipelines_named(path.name)):
        return f" Did you mean {' or '.join(plain_line(name) for name in named)}?"
    near = alike[0] if len(alike) == 1 else nearest(path.name, there)
    return f" Did you mean {plain_line(str(path.parent / near))}?" if near else ""


def _pipelines_named(name: str) -> list[str]:
    """The pipelines of the project around the working folder whose name this is, or whose file without its ending."""
    from osiris.core.project import Project
    from osiris.core.project_scan import Scanner

    with suppress(OSError):
        project = Project.find(Path.cwd())
        if name and project.is_marked:  # else the working folder may be anything, such as a whole disk
            found = Scanner(project.root).scan()
            meant = [
                one
                for one in found
                if one.name in (name, name.partition(".")[0]) or _stem(Path(one.path).name) == _stem(name)
            ]
            return [shown_path(project.root / one.path) for one in meant[:_MOST_NAMED]]
    return []


def _stem(name: str) -> str:
    return name.partition(".")[0].casefold()


def existing_file(name: str) -> Path:
    """The path ``name``, which must be there and must not be a folder; else a usage problem in plain words."""
    path = existing_path(name)
    if path.is_dir():
        raise UsageProblem(f"{name}: is a folder. Name a file, such as {path / 'example.oml.yaml'}.")
    return path


def shown_path(path: Path) -> str:
    """``path`` as the user would write it: relative to the working folder where it lies below it."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return str(path)
