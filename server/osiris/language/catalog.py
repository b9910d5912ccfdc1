"""What is known of a database: its tables and their columns. Plain data, wherever it was read from.

A ``Catalog`` is the reading of one connection. What the language may say with certainty, and what it may only hint at,
is decided by ``SchemaKnowledge``, which holds the committed reading and the discovered one side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

TableKind = Literal["table", "view", "materialized view", "partitioned table", "foreign table", "file"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    ``type`` is the type in the source's own words (``decimal(12,4) unsigned``), ``arrow`` the Arrow type that its
    values get (``decimal128(12, 4)``), empty when there is none. ``nullable`` is None when nobody can say.
    ``primary_key`` is the place in the primary key, from 1, else 0. ``references`` is ``table.column`` or
    ``schema.table.column`` of a foreign key. ``values`` are the labels of an enum.
    """

    name: str
    type: str
    arrow: str = ""
    nullable: bool | None = None
    primary_key: int = 0
    unique: bool = False
    references: str = ""
    generated: bool = False
    comment: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table without its columns. ``schema`` is empty where the source has none; ``rows`` is the source's estimate.

    ``read_at`` (UTC) is when its columns were read; None when that was with the catalog. ``written``: one of our own
    runs has written to the table since, so that its columns may have changed.
    """

    schema: str
    name: str
    kind: TableKind = "table"
    comment: str = ""
    rows: int | None = None
    read_at: datetime | None = None
    written: bool = False


Columns = tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns; None when they are not known, as without the right to read it."""

    info: TableInfo
    columns: Columns | None

    def column(self, name: str, *, any_case: bool = True) -> Column | None:
        """The column of that name; with ``any_case`` one that differs in case will do when none is the same."""
        found = [c for c in self.columns or () if c.name == name]
        if not found and any_case:
            found = [c for c in self.columns or () if c.name.casefold() == name.casefold()]
        return found[0] if found else None


class Catalog:
    """The tables of one connection. Columns are fetched table by table when asked for, and kept."""

    def __init__(
        self,
        reference: str,
        dialect: str,
        tables: Iterable[TableInfo],
        columns: Callable[[TableInfo], Columns | None] | Mapping[tuple[str, str], Columns],
        *,
        default_schema: str = "",
        complete: bool = True,
        read_at: datetime | None = None,
    ) -> None:
        """The reading of the connection ``reference`` (``@mysql.shop``).

        ``dialect`` is that of ``x-osiris-sql``. ``columns`` gives the columns of a table, as a function or by
        ``(schema, name)``. ``default_schema`` is where a table without a schema is looked for. ``complete``: every
        table that the connection can see is among ``tables``. ``read_at``: when (UTC), None when that is not known.
        """
        self.reference = reference
        self.dialect = dialect
        self.default_schema = default_schema
        self.complete = complete
        self.read_at = read_at
        self.tables = tuple(tables)
        self._fetch = columns
        self._columns: dict[tuple[str, str], Columns | None] = {}

    @cached_property
    def schemas(self) -> tuple[str, ...]:
        """The schemas that hold tables, the default one first, then by name."""
        names = {info.schema for info in self.tables}
        return tuple(sorted(names, key=lambda name: (name != self.default_schema, name)))

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[TableInfo]]:
        found: dict[str, list[TableInfo]] = {}
        for info in self.tables:
            found.setdefault(info.name.casefold(), []).append(info)
        return found

    def find(self, name: str, schema: str | None = None) -> TableInfo | None:
        """The table of that name; without ``schema`` in the default one, or in the only one that has it.

        The exact spelling wins; else a table that differs in case alone will do. ``name`` may be ``schema.table`` when
        no table is called so.
        """
        found = self._in_schema(name, schema)
        at = name.find(".") if schema is None else -1
        while found is None and at >= 0:  # names may hold dots themselves
            found = self._in_schema(name[at + 1 :], name[:at])
            at = name.find(".", at + 1)
        return found

    def _in_schema(self, name: str, schema: str | None) -> TableInfo | None:
        same = self._by_name.get(name.casefold(), ())
        if schema is not None:
            same = [t for t in same if t.schema == schema] or [t for t in same if _same(t.schema, schema)]
        else:
            home = [t for t in same if t.schema == self.default_schema]
            same = home or (same if len({t.schema for t in same}) == 1 else [])
        return next((t for t in same if t.name == name), same[0] if same else None)

    def named(self, name: str) -> Sequence[TableInfo]:
        """The tables of that name in every schema, whatever the case of their letters."""
        return self._by_name.get(name.casefold(), ())

    def columns(self, info: TableInfo) -> Columns | None:
        """The columns of one of ``tables``; None when they are not known."""
        key = (info.schema, info.name)
        if key not in self._columns:
            fetch = self._fetch
            self._columns[key] = fetch.get(key) if isinstance(fetch, Mapping) else fetch(info)
        return self._columns[key]

    def table(self, name: str, schema: str | None = None) -> Table | None:
        """As ``find``, with the columns."""
        info = self.find(name, schema)
        return None if info is None else Table(info, self.columns(info))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


@dataclass(frozen=True, slots=True)
class SchemaKnowledge:
    """What a project knows of the database behind a connection.

    ``locked`` comes from the committed ``osiris.schema.json``: it holds only tables that pipelines use, and judges
    these for everybody alike. ``discovered`` is this machine's last reading, None when there is none for the
    connection as it is now. ``max_age``: how long that reading counts as fresh. ``changed_at``: when the database was
    last changed, where that can be told without asking it, as of a file (UTC).
    """

    locked: Catalog | None
    discovered: Catalog | None
    max_age: timedelta = timedelta(hours=24)
    changed_at: datetime | None = None

    @property
    def catalogs(self) -> tuple[Catalog, ...]:
        """What is there, the one that judges first."""
        return tuple(catalog for catalog in (self.locked, self.discovered) if catalog is not None)

    def table(self, name: str, schema: str | None = None) -> tuple[Table, Catalog] | None:
        """The table and the reading that it is from: the committed one where it knows the table."""
        for catalog in self.catalogs:
            found = catalog.table(name, schema)
            if found is not None:
                return found, catalog
        return None

    def age(self, now: datetime | None = None) -> timedelta | None:
        """How old the discovered reading is; None when there is none."""
        read_at = self.discovered.read_at if self.discovered is not None else None
        return None if read_at is None else age_of(read_at, now)

    @property
    def has_changed(self) -> bool:
        """Whether the database was certainly changed since it was discovered."""
        read_at = self.discovered.read_at if self.discovered is not None else None
        return self.changed_at is not None and read_at is not None and self.changed_at > read_at

    @property
    def is_fresh(self) -> bool:
        """Whether the discovered reading is complete and young enough to say that something is *not* there."""
        age = self.age()
        if self.discovered is None or not self.discovered.complete or self.has_changed:
            return False
        return age is not None and age <= self.max_age

    def is_certain(self, table: Table, catalog: Catalog) -> bool:
        """Whether what ``catalog`` says of the columns of ``table`` may be held against a pipeline as an error."""
        if table.columns is None:
            return False
        return catalog is self.locked or (self.is_fresh and not table.info.written)


def age_of(read_at: datetime, now: datetime | None = None) -> timedelta:
    """How long ago ``read_at`` (UTC) was. A reading of the future, once the clock was set back, is as old as it is
    ahead: nothing that lay far ahead may count as fresh until then.
    """
    return abs((now or datetime.now(UTC)) - read_at)


def age_text(age: timedelta | None) -> str:
    """An age as people say it: ``just now``, ``5 minutes ago``, ``3 days ago``; ``at an unknown time`` for None."""
    if age is None:
        return "at an unknown time"
    seconds = int(age.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
