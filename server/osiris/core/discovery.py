"""Exploring a database: its tables, then their columns, then samples, each only when asked for, and kept.

    discovery = DiscoveryAgent(connection_config)
    schema = discovery.discover_schema()      # from the cache while the connection is the same and the reading is fresh
    tables = discovery.get_tables()
    columns = discovery.get_columns("users")

Whatever has to be read is read by a process of its own: a database that hangs or a driver that crashes is an error
here and nothing worse.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from osiris.core.cache_fingerprint import SchemaFingerprint as SchemaFingerprint
from osiris.core.catalog_source import Sample
from osiris.core.config import Config, ConnectionConfig, ResolvedConnection
from osiris.core.discovery_process import TIMEOUT_SECONDS, Depth, Outcome, discover
from osiris.core.error_taxonomy import ConfigurationError, ConnectionError, ValidationError  # noqa: A004 - our own
from osiris.core.schema_cache import KnownSchema
from osiris.core.schema_cache import SchemaCache as SchemaCache
from osiris.language.catalog import Catalog, Columns, TableInfo

MAX_AGE = timedelta(hours=24)

AnyConnection = ConnectionConfig | ResolvedConnection | Mapping[str, Any] | str


class DiscoveryAgent:
    """Explores the database behind one connection."""

    def __init__(
        self,
        connection_config: AnyConnection,
        *,
        root: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        cache: SchemaCache | None = None,
        max_age: timedelta = MAX_AGE,
        timeout: float = TIMEOUT_SECONDS,
        cancel: threading.Event | None = None,
    ) -> None:
        """Nothing is read yet.

        ``connection_config``: a connection of a project, a resolved one, a mapping of its fields with ``family`` (or
        ``type``), or ``"@family.alias"`` of the project in ``root`` (default: the working folder, from which relative
        paths start too). ``env``: where variables come from, by default the environment and the project's ``.env``.
        ``max_age``: how old a reading may be that is used again. ``timeout``: seconds for one look at the database.
        ``cancel``: set, a look that is under way ends at once, with a ConnectionError.
        Raises ConfigurationError for a connection that cannot be used, as with a variable that is not set.
        """
        self.root = Path(os.path.abspath(root if root is not None else Path.cwd()))
        self.connection = self._connection(connection_config)
        self.env = env if env is not None else self._variables()
        self.fingerprint = SchemaFingerprint.of(self.connection, root=self.root, env=self.env)
        self.cache = cache if cache is not None else SchemaCache()
        self.max_age = max_age
        self.timeout = timeout
        self.cancel = cancel

    def discover_schema(self, *, refresh: bool = False) -> Catalog:
        """All tables with their columns: as they were read last, unless that is too old or something has changed.

        ``refresh`` reads them anew in any case. Raises ConnectionError when the database cannot be reached or read.
        """
        known = None if refresh else self._usable()
        if known is None or not known.columns_read:
            self._read()
            known = self._known()
        return self._catalog(known)

    def get_tables(self) -> tuple[TableInfo, ...]:
        """The tables and views, by schema and name; their columns are not read for this. Raises as above."""
        known = self._usable()
        if known is None:
            # Where there is an old reading, its columns are renewed with the tables.
            self._read("tables" if self._known() is None else "columns")
            known = self._known()
        return self._catalog(known).tables

    def get_columns(self, table: str, schema: str | None = None) -> Columns:
        """The columns of a table (``name`` or ``schema.name``), which are read when they are not known yet.

        Raises ValidationError when there is no such table, ConnectionError when the database cannot be read or does
        not show the columns.
        """
        info = self._table(table, schema)
        columns = self._catalog(self._known()).columns(info)
        if columns is None or info.written:
            self._read(tables=(info,))
            columns = self._catalog(self._known()).columns(info)
        if columns is None:
            raise ConnectionError(
                f"{self.connection.reference} does not show the columns of {table}.",
                hint="Ask for the right to read the table.",
            )
        return columns

    def get_samples(self, table: str, rows: int = 5, schema: str | None = None) -> Sample:
        """The first ``rows`` rows of a table, read now; they are never kept. Raises as ``get_columns``."""
        outcome = self._read(tables=(self._table(table, schema),), samples=rows)
        sample = (outcome.samples or ())[0]
        if sample.problem is not None:
            raise ConnectionError(sample.problem)
        return Sample(sample.columns, sample.rows)

    def _table(self, name: str, schema: str | None) -> TableInfo:
        self.get_tables()
        catalog = self._catalog(self._known())
        found = catalog.find(name, schema)
        if found is None:
            from osiris.language.suggest import nearest

            close = nearest(name, [info.name for info in catalog.tables])
            raise ValidationError(
                f"There is no table {name} in {self.connection.reference}.",
                hint=f"Did you mean {close}?" if close else "Check the spelling, and the rights of the user.",
            )
        return found

    def _known(self) -> KnownSchema | None:
        return self.cache.load(self.fingerprint, self.connection.reference)

    def _usable(self) -> KnownSchema | None:
        """What is known when it is complete, young enough, and nothing of ours has written to it since."""
        known = self._known()
        if known is None or not known.catalog.complete or known.age() > self.max_age:
            return None
        return None if any(info.written for info in known.catalog.tables) else known

    def _catalog(self, known: KnownSchema | None) -> Catalog:
        if known is None:
            raise ConnectionError(f"What was read of {self.connection.reference} is gone from the cache.")
        return known.catalog

    def _read(self, depth: Depth = "columns", tables: tuple[TableInfo, ...] = (), samples: int = 0) -> Outcome:
        names = [f"{info.schema}.{info.name}" if info.schema else info.name for info in tables]
        self._require_going_on()
        (outcome,) = discover(
            [self.connection],
            root=self.root,
            env=self.env,
            tables=names,
            samples=samples,
            depth=depth,
            timeout=self.timeout,
            store=self.cache.state.path,
            cancel=self.cancel,
        )
        if outcome.problem is not None:
            self._require_going_on()
        if outcome.problem is not None:
            problem = outcome.problem
            error = ConfigurationError if problem.code == ConfigurationError.default_code else ConnectionError
            raise error(problem.message, code=problem.code, hint=problem.hint)
        return outcome

    def _require_going_on(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise ConnectionError(f"Reading {self.connection.reference} was stopped.")

    def _connection(self, given: AnyConnection) -> ConnectionConfig:
        if isinstance(given, ConnectionConfig):
            return given
        if isinstance(given, str):
            return Config.load(self.root).connection(given)
        if isinstance(given, ResolvedConnection):
            named = given.reference.removeprefix("@").partition(".")
            return ConnectionConfig(named[0], named[2], _literal(given.fields))
        family = given.get("family") or given.get("type")
        if not isinstance(family, str) or not family:
            raise ConfigurationError(
                "The connection does not say what it leads to.",
                hint='Give its family: {"family": "mysql", "host": ...}.',
            )
        alias = given.get("alias")
        fields = {name: value for name, value in given.items() if name not in ("family", "type", "alias")}
        return ConnectionConfig(family, alias if isinstance(alias, str) and alias else "default", fields)

    def _variables(self) -> Mapping[str, str]:
        from osiris.core.env_loader import load_env

        return load_env(self.root)


def _literal(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a resolved connection. What looks like a variable in one of them is no variable any more."""
    for name, value in fields.items():
        if isinstance(value, str) and "${" in value:
            raise ConfigurationError(
                f"The field {name} holds the characters ${{, so it cannot be told from a reference to a variable.",
                hint="Give the connection with its variables, not the resolved one.",
            )
    return fields
