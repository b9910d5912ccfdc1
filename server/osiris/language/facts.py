"""What is noted of a step beside its findings, for rules that look at the whole document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from osiris.syntax.text import Span

if TYPE_CHECKING:
    from osiris.language.connections import Connection


@dataclass(frozen=True, slots=True)
class SecretHit:
    """A secret in plain text; its fix reaches beyond the step.

    ``span`` is what to point at and ``value`` the whole scalar, both relative to the step's part. ``key`` is the key
    that holds it (for OML508 the parameter); ``text`` completes the message; ``movable`` says whether the scalar is the
    secret and nothing else, so that a parameter can take its place.
    """

    code: str
    span: Span
    value: Span
    key: str
    text: str
    movable: bool


@dataclass(frozen=True, slots=True)
class PathUse:
    """A file that a step reads or writes: its normalised path in the project, and the value that says so.

    ``known``: whether that is certainly a place in the project; else the path, which starts from the folder of a
    connection, is only good to be compared with others. ``whole``: whether all of the file is read or replaced, and
    not a part of it as in a database. ``own``: whether the step alone says where it is, and not its connection.
    ``pattern``: it stands for all files that fit.
    """

    path: str
    span: Span
    is_input: bool
    known: bool = True
    whole: bool = True
    own: bool = True
    pattern: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionUse:
    """That a step needs a connection of a family, and the place that says so."""

    family: str
    span: Span


@dataclass(frozen=True, slots=True)
class TableNamed:
    """A table of a connection's database that a step names, in its ``table`` or in a query.

    ``schema`` is None for the default one. ``span`` is relative to the step's part. ``written``: the step writes it.
    """

    connection: Connection
    schema: str | None
    table: str
    origin: Literal["table", "query"]
    span: Span
    written: bool = False


@dataclass(frozen=True, slots=True)
class ColumnsGiven:
    """The names of all columns that a step which reads a database hands on.

    ``tables`` are the tables that say so; a query may say it all by itself. ``whole``: the step reads a table as it is.
    ``doubt`` says why that is not certain, as a sentence without its point; empty when it is. ``read_at`` is when the
    tables were read (UTC), None where nothing was or it is committed.
    """

    columns: tuple[str, ...]
    tables: tuple[TableNamed, ...] = ()
    whole: bool = False
    doubt: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnknownTable:
    """A table that SQL names and the step does not see; the span is relative to the step's part."""

    name: str
    span: Span
    editable: bool
