"""The connection of a running step to MySQL or MariaDB: set up for one long statement, and stopped at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pymysql

from osiris.core.catalog_source import Timeouts
from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import OsirisError
from osiris.drivers.connection_fields import connection_fields
from osiris.drivers.context import StepContext
from osiris.drivers.mysql.login import explained, open_connection
from osiris.drivers.wires import shut

_FIELDS = ("host", "port", "database", "user", "password", "schema", "ssl_mode", "ssl_ca", "ssl_cert", "ssl_key")
# A step has its own `timeout`; the server's limits must not end what the user lets run.
_LONGEST_SECONDS = 7 * 86_400
_KILL_SECONDS = 1.5
_NO_DATABASE, _READ_ONLY = 1049, 1792
_EXISTS = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
_NO_RIGHTS = frozenset({1044, 1142, 1143, 1227})


class StepSession:
    """One connection that reads (or, with ``settings``, does what those allow) until ``close``."""

    def __init__(
        self, config: Mapping[str, Any], step: StepContext, settings: Sequence[str], *, writes: bool = False
    ) -> None:
        """Connect and run ``settings`` (statements). Raises OsirisError."""
        self.step = step
        self.writes = writes
        self.fields = connection_fields(config, _FIELDS)
        timeouts = Timeouts(statement=_LONGEST_SECONDS)
        self.connection, self.peer = open_connection(self.fields, step.root, timeouts, sends_rows=writes)
        self.connection._write_timeout = _LONGEST_SECONDS
        self.shown_names: dict[str, str] = {}
        """Tables of our own, and what messages call them: nobody knows those."""
        self._killer: threading.Thread | None = None
        self._registered = contextlib.ExitStack()
        try:
            # All the time, and not only while we wait: the server computes on while others take what it has sent.
            self._registered.enter_context(step.stopper.through(self._stop))
            with self.stoppable():
                for statement in settings:
                    self.connection.query(statement)
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """Within this, stopping the step ends what the server does, and errors are explained. Raises OsirisError."""
        own: OsirisError | None = None
        try:
            with explained(self.peer, _LONGEST_SECONDS):
                try:
                    yield
                except pymysql.MySQLError as error:
                    error.args = tuple(self._shown(part) if isinstance(part, str) else part for part in error.args)
                    own = self._found(error)
                    if own is None:
                        raise
            if own is not None:
                raise own
        except (OsirisError, AttributeError, ValueError):  # the latter: PyMySQL's own, when its socket is gone
            self.step.checkpoint()
            raise

    def _shown(self, said: str) -> str:
        for own, shown in self.shown_names.items():
            said = said.replace(own, shown)
        return said

    def _found(self, error: pymysql.MySQLError) -> OsirisError | None:
        """The error in words, where they differ from those of a reader that just connects."""
        number, said = error.args[0] if error.args else 0, str(error.args[-1] if error.args else "")
        if number == _READ_ONLY and not self.writes:
            message = f"{self.peer.failed(said).message} Only queries that read are allowed."
            return self.peer.says(message, "What changes rows belongs into a writer.", ErrorCategory.PERMISSION)
        if number == _NO_DATABASE:  # one that the step names, beside that of the connection
            return self.peer.failed(said, ErrorCategory.NOT_FOUND)
        if self.writes and number in _NO_RIGHTS:
            hint = "Ask who runs the server for the right to write to it."
            message = f"The user {self.peer.user} may not write this: {said}."
            return self.peer.says(message, hint, ErrorCategory.PERMISSION)
        return None

    def rows(self, query: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a short query."""
        with self.stoppable(), self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def place_of(self, config: Mapping[str, Any]) -> tuple[str, str]:
        """The schema and the name of the table that a step names.

        When it gives no ``schema``, ``sales.visits`` is a table of another one, unless there is a table of that name.
        """
        table, home = str(config["table"]), str(self.fields.get("schema") or self.peer.database)
        if config.get("schema") or "." not in table or self.rows(_EXISTS, [home, table]):
            return home, table
        before, _, after = table.partition(".")
        return before, after

    def close(self) -> None:
        """Let go of the connection, whatever state it is in; what was not committed is undone by the server."""
        self._registered.close()
        # Not `close`: that waits for the rest of the rows.
        with contextlib.suppress(OSError, ValueError):
            self.connection._force_close()

    def _stop(self) -> None:
        if self._killer is not None:
            return
        self._killer = threading.Thread(target=self._kill, daemon=True)
        self._killer.start()
        # First the server, then we: once we are awake, the whole process may end before the server has heard of it.
        self._killer.join(_KILL_SECONDS)
        self.cut()

    def cut(self) -> None:
        """End what goes over the connection, from any thread: whoever waits for the server is told that it is gone."""
        if self.connection._sock is not None:
            shut(self.connection._sock)

    def _kill(self) -> None:
        """A server that computes does not notice that nobody waits any more: it is told over another connection."""
        with contextlib.suppress(Exception):  # the step has ended anyway
            other, _ = open_connection(self.fields, self.step.root, Timeouts(connect=_KILL_SECONDS, statement=1))
            try:
                other.kill(self.connection.thread_id())
            finally:
                other.close()
