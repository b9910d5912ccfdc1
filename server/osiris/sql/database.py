"""The one DuckDB of a run: opened when first needed, behind gate 2, shared by all steps.

Steps that run at the same time each have a connection to it, one per lane of the run; they share its memory limit, its
threads and the tables that keep what steps yield.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import TYPE_CHECKING, Any

from osiris.sql.columns import Column, quote_name
from osiris.sql.gate import Gate, Limits, open_run_connections

if TYPE_CHECKING:
    import duckdb

_KEPT = "kept_"


class RunDatabase:
    """Holds the connections, the gate for user SQL and the tables that keep what steps yield."""

    def __init__(self, limits: Limits, lanes: int = 1) -> None:
        """Remember the ``limits`` and how many threads use it at once; nothing is imported or opened yet.

        ``lanes`` may be changed until the database is first used.
        """
        self.limits = limits
        self.lanes = lanes
        self._connections: list[duckdb.DuckDBPyConnection] = []
        self._gate: Gate | None = None
        self._numbers = itertools.count(1)
        self._opening = threading.Lock()
        self._here = threading.local()
        # Arrow tables and frames are known to one connection only, until another one wants to read them, too.
        self._registered: dict[str, Any] = {}
        self._known: list[set[str]] = []
        self._unwanted: set[str] = set()  # kept tables that are to go

    def use_lane(self, lane: int) -> None:
        """From now on this thread uses the connection ``lane`` (from 0); threads that never say use the first."""
        self._here.lane = lane

    @property
    def lane(self) -> int:
        """The number of the connection that this thread uses."""
        lane: int = getattr(self._here, "lane", 0)
        return lane

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """This thread's connection; the first call opens the database.

        Raises ModuleNotFoundError when duckdb is not installed.
        """
        with self._opening:
            if not self._connections:
                self._connections = open_run_connections(self.limits, self.lanes)
                self._known = [set() for _ in self._connections]
        connection = self._connections[self.lane]
        if self._unwanted or self._known[self.lane] - self._registered.keys():
            self._tidy(connection, self._known[self.lane])
        return connection

    def _tidy(self, connection: duckdb.DuckDBPyConnection, known: set[str]) -> None:
        """Let go of what nobody wants any more; while somebody still reads over the connection, the next time."""
        import duckdb

        with contextlib.suppress(duckdb.ResourceInUseException):
            for name in known - self._registered.keys():
                connection.unregister(name)
                known.discard(name)
            with contextlib.suppress(KeyError):  # another thread took the last one
                while self._unwanted:
                    self._drop(connection, self._unwanted.pop())

    def _drop(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        try:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        except BaseException:
            self._unwanted.add(table)
            raise

    @property
    def gate(self) -> Gate:
        """Gate 1, opened at the first call. Raises ModuleNotFoundError when duckdb is not installed."""
        with self._opening:
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
        name = quote_name(f"{_KEPT}{next(self._numbers)}")
        row = self.connection.execute(f"CREATE TABLE {name} AS FROM {source}").fetchone()
        return name, int(row[0]) if row else 0

    def register(self, data: Any) -> str:
        """Make an Arrow object or pandas frame readable under a new name; the name, quoted."""
        name = f"arrow_{next(self._numbers)}"
        self._registered[name] = data
        source = quote_name(name)
        self.show(source)
        return source

    def show(self, source: str) -> None:
        """Make what was registered under this quoted name readable in this thread, too; other names are left alone."""
        name = source.strip('"')
        connection = self.connection
        if name in self._registered and name not in self._known[self.lane]:
            connection.register(name, self._registered[name])
            self._known[self.lane].add(name)

    def forget(self, source: str) -> None:
        """Give back what ``keep`` or ``register`` holds under this quoted name."""
        name = source.strip('"')
        self._registered.pop(name, None)
        if name.startswith(_KEPT):
            self._unwanted.add(source)
        _ = self.connection  # lets go of what is not wanted any more; other threads do so at their next step

    def interrupt(self, lane: int) -> None:
        """Stop the query that runs in a lane, not one that comes later; safe from any thread."""
        if connections := self._connections:
            import duckdb

            with contextlib.suppress(duckdb.ConnectionException):  # closed meanwhile
                connections[lane].interrupt()

    def progress(self, lane: int) -> int | None:
        """How far the query of a lane is, in percent; None when there is none or DuckDB cannot tell."""
        if not self._connections:
            return None
        percent = self._connections[lane].query_progress()
        return int(percent) if 0 <= percent <= 100 else None

    def close(self) -> None:
        """Close everything that was opened."""
        for opened in (self._gate, *reversed(self._connections)):
            if opened is not None:
                opened.close()
        self._gate = None
        self._connections = []
