"""The one DuckDB of a run: opened when first needed, behind gate 2, shared by all steps."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

from osiris.sql.columns import Column, quote_name
from osiris.sql.gate import Gate, Limits, open_run_connection

if TYPE_CHECKING:
    import duckdb


class RunDatabase:
    """Holds the connection, the gate for user SQL and the tables that keep what steps yield."""

    def __init__(self, limits: Limits) -> None:
        """Remember the ``limits``; nothing is imported or opened yet."""
        self.limits = limits
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._gate: Gate | None = None
        self._numbers = itertools.count(1)
        self._opening = threading.Lock()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, opened at the first call. Raises ModuleNotFoundError when duckdb is not installed."""
        with self._opening:
            if self._connection is None:
                self._connection = open_run_connection(self.limits)
            return self._connection

    @property
    def gate(self) -> Gate:
        """Gate 1, opened at the first call. Raises ModuleNotFoundError when duckdb is not installed."""
        if self._gate is None:
            self._gate = Gate()
        return self._gate

    def describe(self, source: str) -> tuple[Column, ...]:
        """The columns of ``source`` (what may stand behind FROM). Raises duckdb.Error."""
        rows = self.connection.execute(f"DESCRIBE FROM {source}").fetchall()
        return tuple(Column(row[0], row[1]) for row in rows)

    def keep(self, source: str) -> tuple[str, int]:
        """Store the rows of ``source`` in a new table; its quoted name and how many rows it has. Raises duckdb.Error.

        The table lives in DuckDB's buffers and moves to the spill folder when memory runs short.
        """
        name = quote_name(f"kept_{next(self._numbers)}")
        row = self.connection.execute(f"CREATE TABLE {name} AS FROM {source}").fetchone()
        return name, int(row[0]) if row else 0

    def register(self, data: Any) -> str:
        """Make an Arrow object or pandas frame readable under a new name; the name, quoted."""
        name = f"arrow_{next(self._numbers)}"
        self.connection.register(name, data)
        return quote_name(name)

    def forget(self, source: str) -> None:
        """Give back what ``keep`` or ``register`` holds under this quoted name."""
        name = source.strip('"')
        if name.startswith("kept_"):
            self.connection.execute(f"DROP TABLE IF EXISTS {source}")
        else:
            self.connection.unregister(name)

    def interrupt(self) -> None:
        """Stop the query that is running; safe from any thread."""
        if self._connection is not None:
            self._connection.interrupt()

    def progress(self) -> int | None:
        """How far the running query is, in percent; None when there is none or DuckDB cannot tell."""
        if self._connection is None:
            return None
        percent = self._connection.query_progress()
        return int(percent) if 0 <= percent <= 100 else None

    def close(self) -> None:
        """Close everything that was opened."""
        for opened in (self._gate, self._connection):
            if opened is not None:
                opened.close()
        self._gate = self._connection = None
