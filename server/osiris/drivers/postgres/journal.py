"""The journal in a PostgreSQL database."""

from __future__ import annotations

import contextlib

import psycopg

from osiris.core.catalog_source import Timeouts
from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import OsirisError
from osiris.drivers.journal import KEPT_DAYS, TABLE, Entry, Journal, WrittenBefore
from osiris.drivers.postgres.login import open_connection
from osiris.drivers.postgres.session import StepSession
from osiris.sql.columns import quote_name

_FIND = """
SELECT has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'"""
_MAY_MAKE = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s AND has_schema_privilege(oid, 'CREATE')"
_COLUMNS = """
  run_id text NOT NULL, step_id text NOT NULL, target text NOT NULL, written_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, step_id, target)"""
_REMARK = "Which appends of Osiris this schema holds"
_MAKING_SECONDS = 10.0
WAITING_SECONDS = 50
"""How long another one that is at the same entry is waited for: as long as MySQL and MariaDB do."""
_CLEANING = "SET LOCAL lock_timeout = '1s'"


class PostgresJournal(Journal):
    """The journal in the schema of the target."""

    def __init__(self, session: StepSession, schema: str | None, entry: Entry, shown: str, *, appends: bool) -> None:
        """``schema``: where the target is; None: the first one of the search path."""
        super().__init__(session.step, entry, shown, appends=appends)
        self.session = session
        self.schema = schema
        self.name = ""

    def _make(self) -> bool:
        if self.schema is None:
            self.schema = self.session.rows("SELECT current_schema()")[0][0]
        if self.schema is None:
            return False
        self.name = f"{quote_name(self.schema)}.{quote_name(TABLE)}"
        found = self.session.rows(_FIND, [self.schema, TABLE])
        if not found and self.session.rows(_MAY_MAKE, [self.schema]):
            self._create()
            found = self.session.rows(_FIND, [self.schema, TABLE])
        return found == [(True,)]

    def _create(self) -> None:
        """Make the table, for others to see at once: in our own transaction they would have to wait for its end."""
        fields, root = self.session.fields, self.session.step.root
        with contextlib.suppress(psycopg.Error, OsirisError):  # somebody else makes it right now, or a rule forbids it
            connection, _ = open_connection(fields, root, Timeouts(connect=_MAKING_SECONDS))
            with contextlib.closing(connection):
                connection.read_only = False
                connection.execute(f"CREATE TABLE IF NOT EXISTS {self.name} ({_COLUMNS})")
                connection.execute(f"COMMENT ON TABLE {self.name} IS '{_REMARK}'")
                connection.commit()

    def _holds(self) -> bool:
        # By an attempt to write it, which waits for a server that is still at what the other run has sent it.
        try:
            with self.session.stoppable(), self.session.connection.transaction(force_rollback=True):
                # Its client may be gone for hours before a server finds that out.
                self.session.connection.execute(f"SET LOCAL lock_timeout = '{WAITING_SECONDS}s'")
                self.kept = self._add()
        except WrittenBefore:
            return True
        return False

    def _add(self) -> bool:
        insert = f"INSERT INTO {self.name} (run_id, step_id, target) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        with self.session.stoppable():
            try:
                with self.session.connection.transaction():  # a savepoint: an error here does not undo the rows
                    count = self.session.connection.execute(insert, self.entry).rowcount
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedColumn):  # somebody else's table
                return False
            except psycopg.errors.LockNotAvailable:
                raise self._held() from None
        if count == 0:
            raise WrittenBefore
        return True

    def _held(self) -> OsirisError:
        return self.session.peer.says(
            f"Another connection has kept the journal {self.name} locked for {WAITING_SECONDS} s, perhaps that of a "
            f"run that was killed while it wrote to {self.shown}; nothing was written.",
            "Try again when the server has noticed that its client is gone, or end that connection: "
            "SELECT pg_terminate_backend(pid).",
            ErrorCategory.BUSY,
        )

    def remove_old(self) -> None:
        """Remove entries that nobody needs any more, after the transaction; where that fails, the next run does it."""
        if not self.kept:
            return
        connection = self.session.connection
        with contextlib.suppress(Exception):  # what is written is written
            connection.execute(_CLEANING)
            connection.execute(f"DELETE FROM {self.name} WHERE written_at < now() - make_interval(days => {KEPT_DAYS})")
            connection.commit()
