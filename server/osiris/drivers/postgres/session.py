"""The connection of a running step to PostgreSQL: set up for long statements, and stopped at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql

from osiris.core.catalog_source import Timeouts
from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import OsirisError
from osiris.drivers.connection_fields import connection_fields
from osiris.drivers.context import StepContext
from osiris.drivers.postgres.login import SAME_VALUES, explained, open_connection
from osiris.drivers.wires import shut

_FIELDS = ("host", "port", "database", "user", "password", "schema", "sslmode", "sslrootcert", "sslcert", "sslkey")
_CONNECT_SECONDS = 10.0
_CANCEL_SECONDS = 1.0

# LOCAL, since behind a pooler the server process is another's afterwards.
_SETTINGS = (
    *SAME_VALUES,
    # A step has its own `timeout`; the server's limits must not end what the user lets run.
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
_SEARCH_FIRST = """
SELECT set_config('search_path', concat(quote_ident(%s), ', ', current_setting('search_path')), true)"""


class StepSession:
    """One connection with one transaction, which ``writes`` or sees one state of the database, until ``close``."""

    def __init__(self, config: Mapping[str, Any], step: StepContext, *, writes: bool = False) -> None:
        """Connect and begin. Raises OsirisError."""
        self.step = step
        self.writes = writes
        self.fields = connection_fields(config, _FIELDS)
        self.connection, self.peer = open_connection(self.fields, step.root, Timeouts(connect=_CONNECT_SECONDS))
        self._canceller: threading.Thread | None = None
        self._registered = contextlib.ExitStack()
        if writes:
            self.connection.read_only = False
            self.connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        try:
            # All the time, and not only while we wait: the server computes on while others take what it has sent.
            self._registered.enter_context(step.stopper.through(self._stop))
            with self.stoppable():
                for statement in _SETTINGS:
                    self.connection.execute(statement)
                if self.fields.get("schema"):
                    self.connection.execute(_SEARCH_FIRST, [str(self.fields["schema"])])
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """Within this, stopping the step ends what the server does, and errors are explained. Raises OsirisError."""
        try:
            with explained(self.peer, _CONNECT_SECONDS, querying=True):
                try:
                    yield
                except psycopg.errors.QueryCanceled as error:  # by a limit of the server, or by who runs it
                    raise self.peer.failed(error.diag.message_primary or "", ErrorCategory.TIMEOUT) from None
                except psycopg.errors.ReadOnlySqlTransaction as error:
                    if self.writes:
                        raise
                    message = self.peer.failed(error.diag.message_primary or "").message
                    message += " Only queries that read are allowed."
                    hint = "What changes rows belongs into a writer."
                    raise self.peer.says(message, hint, ErrorCategory.PERMISSION) from None
                except psycopg.errors.InsufficientPrivilege as error:
                    if not self.writes:
                        raise
                    message = f"The user {self.peer.user} may not write this: {error.diag.message_primary}."
                    hint = "Ask who runs the server for the right to write to it."
                    raise self.peer.says(message, hint, ErrorCategory.PERMISSION) from None
        except OsirisError:
            self.step.checkpoint()
            raise

    def rows(self, query: str | sql.Composable, values: Any = None) -> list[tuple[Any, ...]]:
        """All rows of a short query."""
        with self.stoppable():
            return self.connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def close(self) -> None:
        """Let go of the connection; what was not committed is undone by the server."""
        self._registered.close()
        self.connection.close()

    def _stop(self) -> None:
        if self._canceller is not None:
            return
        self._canceller = threading.Thread(target=self._cancel, daemon=True)
        self._canceller.start()
        # First the server, then we: once we are awake, the whole process may end before the server has heard of it.
        self._canceller.join(_CANCEL_SECONDS)
        with contextlib.suppress(psycopg.Error):
            shut(self.connection)

    def _cancel(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=_CANCEL_SECONDS)
