"""The journal in a MySQL or MariaDB database."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pymysql

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import OsirisError, classify
from osiris.drivers.journal import KEPT_DAYS, TABLE, Entry, Journal, WrittenBefore
from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.session import StepSession

_FIND = """
SELECT e.transactions FROM information_schema.tables t
LEFT JOIN information_schema.engines e ON e.engine = t.engine
WHERE t.table_schema = %s AND t.table_name = %s AND t.table_type = 'BASE TABLE'"""
_DEFINITION = """
CREATE TABLE IF NOT EXISTS {table} (
  run_id VARCHAR(64) NOT NULL, step_id VARCHAR(255) NOT NULL, target CHAR(64) NOT NULL,
  written_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (run_id, step_id, target)
) ENGINE=InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin COMMENT='Which appends of Osiris this database holds'"""
_NOT_ALLOWED = (ErrorCategory.PERMISSION, ErrorCategory.QUERY, ErrorCategory.NOT_FOUND, ErrorCategory.AUTHENTICATION)
_SAME = "run_id = %s AND step_id = %s AND target = %s"
_CLEANING_SECONDS = 1


class MySQLJournal(Journal):
    """``begin`` comes before the transaction, which a CREATE TABLE would end."""

    def __init__(self, session: StepSession, schema: str, entry: Entry, shown: str, *, appends: bool) -> None:
        """``schema``: the database that the target is in."""
        super().__init__(session.step, entry, shown, appends=appends)
        self.session = session
        self.schema = schema
        self.name = f"{quote_name(schema)}.{quote_name(TABLE)}"

    def _make(self) -> bool:
        found = self.session.rows(_FIND, [self.schema, TABLE])
        if not found and not self._allowed(lambda: self.session.rows(_DEFINITION.format(table=self.name))):
            return False
        # Without transactions an entry would stay when its rows are undone.
        return bool(self.session.rows(_FIND, [self.schema, TABLE]) == [("YES",)])

    def _holds(self) -> bool:
        # By an attempt to write it, which waits for a server that is still at what the other run has sent it.
        self.session.rows("START TRANSACTION")
        try:
            self.kept = self._add()
        except WrittenBefore:
            return True
        finally:
            self.session.rows("ROLLBACK")
        return False

    def _add(self) -> bool:
        insert = f"INSERT INTO {self.name} (run_id, step_id, target) VALUES (%s, %s, %s)"
        try:
            return self._allowed(lambda: self.session.rows(insert, self.entry))
        except OsirisError as error:
            if classify(error) is ErrorCategory.CONSTRAINT:
                raise WrittenBefore from None
            raise

    def _allowed(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except OsirisError as error:
            if classify(error) not in _NOT_ALLOWED:
                raise
            return False
        return True

    def remove_old(self) -> None:
        """Remove entries that nobody needs any more, after the transaction; where that fails, the next run does it."""
        if not self.kept:
            return
        connection = self.session.connection
        with contextlib.suppress(Exception), connection.cursor() as cursor:  # what is written is written
            # Looked for first: a DELETE by age would wait for every append that is under way.
            query = f"SELECT run_id, step_id, target FROM {self.name} WHERE written_at < NOW() - INTERVAL %s DAY"
            cursor.execute(query, [KEPT_DAYS])
            old = cursor.fetchall()
            if old:
                cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {_CLEANING_SECONDS}")
                cursor.executemany(f"DELETE FROM {self.name} WHERE {_SAME}", old)
                connection.commit()

    def forget(self, cursor: pymysql.cursors.Cursor) -> None:
        """Remove the entry, by the cursor of another connection that commits by itself. Raises MySQLError."""
        if self.kept:
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {_CLEANING_SECONDS}")
            cursor.execute(f"DELETE FROM {self.name} WHERE {_SAME}", self.entry)
