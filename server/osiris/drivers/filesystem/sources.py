"""What the readers of files have in common: is the file there, and which of its columns are wanted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import cause, read_error
from osiris.drivers.context import StepContext
from osiris.drivers.paths import Place
from osiris.sql.columns import Column, quote_name, quote_names

_LOOKED_AT = 5_000  # entries of a folder
_GLOB = frozenset("*?[")


def readable(place: Place) -> Place:
    """``place`` when it is a file that can be read. Raises ConfigurationError when it is not."""
    try:
        if place.path.is_dir():
            raise ConfigurationError(f"Cannot read {place.shown}: it is a folder, not a file.", hint="Name a file.")
        if not place.path.is_file() and place.path.exists():
            raise ConfigurationError(
                f"Cannot read {place.shown}: it is a pipe or a device, not a file.", hint="Save its content to a file."
            )
        with place.path.open("rb"):
            return place
    except FileNotFoundError as error:
        problem = read_error(place.shown, error)
        problem.hint = meant(place) or problem.hint
        raise problem from cause(error)
    except OSError as error:
        raise read_error(place.shown, error) from cause(error)


def meant(place: Place) -> str | None:
    """The file of the same folder that a name which is not there most likely means, as a hint."""
    from osiris.language.suggest import nearest

    names: list[str] = []
    with suppress(OSError), os.scandir(place.path.parent) as entries:
        names = sorted(entry.name for entry in islice(entries, _LOOKED_AT) if not entry.name.startswith("."))
    near = nearest(place.path.name, names)
    if near is None:
        return None
    folder, slash, _ = place.shown.rpartition("/")
    return f"Did you mean {folder}{slash}{near}?"


def literal_path(place: Place, ctx: StepContext) -> Path:
    """A path that DuckDB takes for this one file: names with ``*``, ``?`` or ``[`` are reached through a link."""
    if not _GLOB.intersection(str(place.path)):
        return place.path
    link = ctx.spill / f"{ctx.step_id}-source"
    link.unlink(missing_ok=True)
    link.symlink_to(place.path)
    return link


def projection(columns: Sequence[Column], config: Mapping[str, Any], shown: str) -> tuple[str, tuple[Column, ...]]:
    """The select list for the wanted columns in the wanted order, and those columns.

    A name counts as written; where that finds nothing, also without regard to case. Raises ConfigurationError for a
    name that is not there.
    """
    wanted: Sequence[str] | None = config.get("columns")
    if not wanted:
        return "*", tuple(columns)
    chosen = [find_column(columns, name, shown) for name in wanted]
    return quote_names(column.name for column in chosen), tuple(chosen)


def find_column(columns: Sequence[Column], name: str, shown: str) -> Column:
    """The column called ``name``. Raises ConfigurationError that lists the names when there is none."""
    for column in columns:
        if column.name == name:
            return column
    for column in columns:
        if column.name.lower() == name.lower():
            return column
    known = ", ".join(column.name for column in columns)
    raise ConfigurationError(f"{shown} has no column {name}.", hint=f"Its columns: {known}.")


def limited(config: Mapping[str, Any]) -> str:
    """The LIMIT clause that ``config`` asks for, with a space before it; empty for none."""
    limit = config.get("limit")
    return f" LIMIT {int(limit)}" if limit is not None else ""


def renamed(columns: Sequence[Column], names: Sequence[str]) -> str:
    """The select list that gives ``columns`` new ``names``."""
    pairs = zip(columns, names, strict=True)
    return ", ".join(f"{quote_name(column.name)} AS {quote_name(name)}" for column, name in pairs)
