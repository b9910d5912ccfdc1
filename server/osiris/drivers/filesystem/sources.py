"""What the readers of files have in common: is the file there, and which of its columns are wanted."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError, ExecutionError, OsirisError
from osiris.core.file_patterns import MOST_FILES, Match, is_pattern, matches
from osiris.core.files import cause, read_error
from osiris.drivers.context import StepContext
from osiris.drivers.paths import Place
from osiris.sql.columns import Column, quote_name, quote_names
from osiris.sql.messages import explain_engine_error

_LOOKED_AT = 5_000  # entries of a folder
_GLOB = frozenset("*?[")
_NUMBERED = "~"  # which no step can have in its id: no other step makes files of the same name
_NAMED = 5  # columns in a message


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


@dataclass(frozen=True)
class Source:
    """A file that a step reads. ``tag``: what its copies and links in the spill folder are called after.

    ``partitions``: the folders ``key=value`` that a pattern found it in.
    """

    place: Place
    tag: str
    partitions: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of its partitions."""
        return tuple(key for key, _ in self.partitions)


@contextmanager
def naming(source: Source) -> Iterator[None]:
    """What goes wrong inside the block says which of the files it is about."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        message, hint = explain_engine_error(error)
        raise ExecutionError(f"{source.place.shown}: {message}", hint=hint) from error
    except OsirisError as error:
        if source.place.shown not in error.message:
            error.message = f"{source.place.shown}: {error.message}"
            error.args = (error.message,)
        raise


def sources(place: Place, ctx: StepContext) -> list[Source]:
    """The files to read, in their order: one, or all that a pattern stands for. Raises ConfigurationError."""
    if not is_pattern(str(place.path)) or os.path.lexists(place.path):
        return [Source(readable(place), ctx.step_id)]
    try:
        found = matches(place.path)
    except OSError as error:
        raise read_error(place.shown, error) from cause(error)
    files = [(match, one) for match in found.files if str((one := _matched(place, match)).path) in ctx.known_files]
    if not files:
        if not is_pattern(place.shown):  # of the folder that the project stands in
            return [Source(readable(place), ctx.step_id)]
        raise ConfigurationError(
            f"No file fits the pattern {place.shown}.",
            hint="Check the folder and the pattern; * does not cross folders.",
        )
    if found.cut:
        raise ConfigurationError(
            f"More than {MOST_FILES:,} files fit the pattern {place.shown}.", hint="Make the pattern narrower."
        )
    read: list[Source] = []
    for number, (match, one) in enumerate(files):
        read.append(Source(readable(one), f"{ctx.step_id}{_NUMBERED}{number:06}", match.partitions))
        if read[-1].keys != read[0].keys:
            raise ConfigurationError(
                f"The folders key=value of {one.shown} are not those of {read[0].place.shown}.",
                hint="Files that are read as one table have the same partitions; make the pattern narrower.",
            )
    return read


def _matched(place: Place, match: Match) -> Place:
    """One file of a pattern, checked by itself: it may be a link."""
    fixed = []
    for name in place.shown.split("/"):
        if is_pattern(name):
            break
        fixed.append(name)
    shown = "/".join([*fixed, *match.below])
    path = match.path.resolve()
    if not any(path.is_relative_to(home) for home in place.homes):
        raise ConfigurationError(
            f"{shown} is a link that leads outside the project folder.",
            hint="Allow the folder behind it in osiris.yaml, or make the pattern narrower.",
        )
    return Place(path, shown)


def links(found: Sequence[tuple[Source, Path]], ctx: StepContext, partitions: Collection[str]) -> list[Path]:
    """Paths that DuckDB takes for these files: links in the spill folder, in folders for the wanted ``partitions``.

    So the database of the run opens what was checked, whatever the files are called, and nothing else.
    """
    made = []
    for source, path in found:
        folder = ctx.spill / f"{ctx.step_id}-files" / source.tag[-6:]
        for key, value in source.partitions:
            if key in partitions:
                folder /= f"{key}={value}"
        if _GLOB.intersection(str(folder)):
            raise ConfigurationError(
                f"The folders of {source.place.shown} have characters that patterns are made of.", hint="Rename them."
            )
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / "".join("_" if character in _GLOB else character for character in source.place.path.name)
        _link(link, path)
        made.append(link)
    return made


def names_of(columns: Iterable[Column]) -> list[str]:
    """The names of columns."""
    return [column.name for column in columns]


def open_partitions(found: Sequence[Source], columns: Iterable[str]) -> tuple[str, ...]:
    """The keys of the partitions that become columns: those that the files have no column for."""
    names = {name.lower() for name in columns}
    return tuple(key for key in found[0].keys if key.lower() not in names)


def in_order(scan: str, columns: Sequence[str], partitions: Sequence[str]) -> str:
    """``scan`` with the partitions behind the columns of the files, as they follow each other in the path."""
    if len(partitions) < 2:
        return scan
    return f"(SELECT {quote_names([*columns, *partitions])} FROM {scan})"


def same_names(first: Source, names: Sequence[str], other: Source, others: Sequence[str]) -> None:
    """Raise ConfigurationError when two files of one pattern differ in the names or the order of their columns."""
    if list(names) == list(others):
        return
    lost = [name for name in names if name not in others]
    more = [name for name in others if name not in names]
    parts = [f"lacks {', '.join(lost[:_NAMED])}"] if lost else []
    parts += [f"has {', '.join(more[:_NAMED])} besides"] if more else []
    what = " and ".join(parts) or "has them in another order"
    raise ConfigurationError(
        f"The columns of {other.place.shown} are not those of {first.place.shown}: it {what}.",
        hint="Files that are read as one table have the same columns in the same order; make the pattern narrower.",
    )


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


def literal_path(place: Place, ctx: StepContext, tag: str) -> Path:
    """A path that DuckDB takes for this one file: names with ``*``, ``?`` or ``[`` are reached through a link."""
    if not _GLOB.intersection(str(place.path)):
        return place.path
    link = ctx.spill / f"{tag}-source"
    _link(link, place.path)
    return link


def _link(link: Path, path: Path) -> None:
    """Have ``link`` lead to a file. Raises OSError."""
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(path)
    except OSError:
        os.link(path, link)  # Windows allows links of the other kind to administrators and developers only


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
