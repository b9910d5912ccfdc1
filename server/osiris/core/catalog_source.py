"""Where catalogs come from: one source for each family of connections, found by name and imported when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from osiris.core.error_taxonomy import ConfigurationError
from osiris.language.catalog import Columns, TableInfo

_SOURCES = {
    "duckdb": "osiris.drivers.duckdb.catalog:DuckDBCatalog",
    "filesystem": "osiris.drivers.filesystem.catalog:FilesystemCatalog",
    "mysql": "osiris.drivers.mysql.catalog:MySQLCatalog",
    "postgres": "osiris.drivers.postgres.catalog:PostgresCatalog",
    "sqlite": "osiris.drivers.sqlite.catalog:SQLiteCatalog",
    "supabase": "osiris.drivers.supabase.catalog:SupabaseCatalog",
}

# What the sources import beside the base installation.
_PACKAGES = {"duckdb": ("duckdb",), "mysql": ("pymysql",), "postgres": ("psycopg",), "supabase": ("psycopg",)}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for the connection, and for each statement."""

    connect: float = 10
    statement: float = 30


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a connection leads to. ``remarks``: what a user should know, such as missing rights; never a secret."""

    product: str
    version: str
    default_schema: str = ""
    user: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a table: names of the columns, and rows of plain values (None, bool, int, float or text)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class CatalogSession(Protocol):
    """An open, read-only connection. Its methods raise ``core.error_taxonomy.ConnectionError`` that names the cause."""

    def server(self) -> ServerInfo:
        """What answers, in one round trip or none."""
        ...

    def tables(self) -> Sequence[TableInfo]:
        """All tables and views that this connection can see, system schemas left out, sorted by schema and name."""
        ...

    def columns(self, tables: Sequence[TableInfo] | None = None) -> Mapping[tuple[str, str], Columns]:
        """The columns by ``(schema, table)``: of every table, in a few queries for all together, or of ``tables``.

        A table whose columns may not be read is missing from the answer.
        """
        ...

    def sample(self, table: TableInfo, rows: int) -> Sample:
        """The first ``rows`` rows in the order the source gives them."""
        ...


class CatalogSource(Protocol):
    """Opens connections of one family to read their catalog."""

    dialect: str
    """Of the SQL that this family speaks, as in ``x-osiris-sql``; empty when it speaks none."""

    def connect(
        self, fields: Mapping[str, Any], *, root: Path, timeouts: Timeouts
    ) -> AbstractContextManager[CatalogSession]:
        """Connect with the resolved ``fields`` of a connection; relative paths in them start at ``root``.

        Nothing can be written through the session. Raises ConfigurationError for fields that cannot be used, and
        ``core.error_taxonomy.ConnectionError`` when the server cannot be reached or refuses.
        """
        ...


def catalog_families() -> tuple[str, ...]:
    """The families whose connections can be discovered, sorted."""
    return tuple(sorted(_SOURCES))


def require_source_packages(family: str) -> None:
    """Raise MissingPackageError when discovery of a family needs a package that is not installed. Imports nothing."""
    from osiris.core.lookup import require_packages

    require_packages(_PACKAGES.get(family, ()), f"Discovery of {family}")


def catalog_source(family: str) -> CatalogSource:
    """The source for a family. Raises ConfigurationError when there is none, or a package is not installed."""
    from osiris.core.lookup import find_object

    name = _SOURCES.get(family)
    if name is None:
        raise ConfigurationError(
            f"Connections of the family {family} cannot be discovered.",
            hint=f"Families that can: {', '.join(catalog_families())}.",
        )
    found: CatalogSource = find_object(name, f"Discovery of {family}")()
    return found
