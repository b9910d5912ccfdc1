"""Writing into MySQL and MariaDB, in one transaction."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from typing import Any

from osiris.core.catalog_source import Timeouts
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.core.own_tables import UNNAMED
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.journal import Entry, WrittenBefore
from osiris.drivers.mysql.abandoned import remove_abandoned
from osiris.drivers.mysql.catalog import quote_name
from osiris.drivers.mysql.journal import MySQLJournal
from osiris.drivers.mysql.loading import Load
from osiris.drivers.mysql.login import open_connection
from osiris.drivers.mysql.session import StepSession
from osiris.drivers.mysql.writer_rows import column_type
from osiris.drivers.targets import require_key
from osiris.sql.columns import Column

_SETTINGS = (
    "SET SESSION TRANSACTION READ WRITE",
    # A value that does not fit is an error and not cut; backslash and quotes mean what the rows are written with.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
    # The steps before this one take their time.
    "SET SESSION net_read_timeout = 86400",
    "SET SESSION wait_timeout = 86400",
)
_TABLE = """
SELECT t.table_name, t.table_type, t.engine, e.transactions FROM information_schema.tables t
LEFT JOIN information_schema.engines e ON e.engine = t.engine WHERE t.table_schema = %s AND t.table_name = %s"""
_COLUMNS = """
SELECT column_name, extra LIKE '%%STORED GENERATED%%' OR extra LIKE '%%VIRTUAL GENERATED%%', is_nullable = 'YES'
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position"""
_UNIQUE = """
SELECT group_concat(column_name SEPARATOR '\\n'), max(sub_part) FROM information_schema.statistics
WHERE table_schema = %s AND table_name = %s AND non_unique = 0 GROUP BY index_name"""
_STAGE = "osiris_rows"
_DROP_SECONDS = 1


class MySQLWriter:
    """Appends to, replaces or updates the rows of a table; a reader sees all of it or nothing.

    MySQL ends a transaction with every CREATE TABLE, so a table that is missing is made under another name, and gets
    its own when all rows are in it.
    """

    all_or_nothing = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the database is as it was."""
        step = step_context(ctx)
        data = single_input(inputs, step_id)
        columns: Sequence[Column] = data.columns
        session = StepSession(config, step, _SETTINGS, writes=True)
        target = _Target(session, config)
        try:
            with session.stoppable():
                target.prepare(columns)
                rows = target.load(data, columns, int(config.get("batch_size") or 1000), step)
                step.checkpoint()
            target.make_final()
        except WrittenBefore:
            return {}
        except BaseException as error:
            if not getattr(error, "outcome_unknown", False):
                target.remove_made()
            raise
        finally:
            session.close()
        step.log_metric("rows_written", rows, unit="rows")
        return {}


class _Target:
    """The table that is written to."""

    def __init__(self, session: StepSession, config: dict[str, Any]) -> None:
        self.session = session
        self.config = config
        self.schema, self.table = session.place_of(config)
        self.mode: str = config.get("mode") or "append"
        key = config.get("primary_key") or config.get("upsert_keys") or []
        self.key: list[str] = [key] if isinstance(key, str) else list(key)
        self.key_name = "primary_key" if config.get("primary_key") else "upsert_keys"
        self.shown = f"the table {self.table} in {session.peer.place}"
        self.source = self._named(self.table)
        self.made = ""
        self.names: list[str] = []
        entry = Entry.of(session.step, session.fields.get("schema"), config["table"])
        self.journal = MySQLJournal(session, self.schema, entry, self.shown, appends=self.mode == "append")

    def _named(self, table: str) -> str:
        return f"{quote_name(self.schema)}.{quote_name(table)}"

    def prepare(self, columns: Sequence[Column]) -> None:
        """Make the table when it is missing, begin, empty it when that is wanted. Raises OsirisError, MySQLError."""
        require_key(self.key, columns, self.key_name)
        self.journal.appends = self.mode == "append" or self._may_lack_key()
        try:
            self.journal.begin()
        except WrittenBefore:
            self._name_earlier()
            raise
        if self._found():
            self._match(columns)
            if self.mode == "upsert":
                self._needs_unique_key()
        else:
            self._make(columns)
        if self.mode == "upsert":
            self._stage()
        self.session.connection.query("START TRANSACTION")
        if (self.mode == "replace" or self.config.get("truncate_before")) and not self.made:
            # Not TRUNCATE, which ends the transaction.
            self.session.connection.query(f"DELETE FROM {self.source}")

    def _found(self) -> bool:
        """Whether the table is there. Raises ConfigurationError when it is none that can be written to safely."""
        rows = self.session.rows(_TABLE, [self.schema, self.table])
        exact = [row for row in rows if row[0] == self.table]
        if not exact and rows and self.session.rows("SELECT @@lower_case_table_names")[0][0]:
            exact = rows
        if not exact:
            return False
        _, kind, engine, transactions = exact[0]
        if kind == "VIEW":
            raise ConfigurationError(f"{self.table} is a view; rows are written to tables.", hint="Name a table.")
        if transactions != "YES":
            raise ConfigurationError(
                f"The table {self.table} in {self.session.peer.place} has the engine {engine}, which has no "
                "transactions: a step that fails could leave half of its rows behind.",
                hint=f"Give it one that has: ALTER TABLE {self.table} ENGINE=InnoDB.",
            )
        return True

    def _make(self, columns: Sequence[Column]) -> None:
        if not self.config.get("create_table"):
            raise ConfigurationError(
                f"There is no table {self.table} in the database {self.schema} of {self.session.peer.place}.",
                hint="Make it, or set create_table: true.",
            )
        keys = {name.lower() for name in self.key}
        self.names = [column.name for column in columns]
        self.key = [next(name for name in self.names if name.lower() == key.lower()) for key in self.key]
        parts = []
        for column in columns:
            in_key = column.name.lower() in keys
            kind = column_type(column.type, in_key=in_key)
            parts.append(f"{quote_name(column.name)} {kind} {'NOT NULL' if in_key else 'NULL'}")
        if self.key:
            parts.append(f"PRIMARY KEY ({_names(self.key)})")
        made = self._named(self._unnamed())
        remove_abandoned(self.session, self.schema, self._unnamed())
        options = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        self.session.connection.query(f"DROP TABLE IF EXISTS {made}")  # of a run that was killed, or an attempt
        self.session.connection.query(f"CREATE TABLE {made} ({', '.join(parts)}) {options}")
        self.made, self.final, self.source = made, self.source, made

    def _unnamed(self) -> str:
        """What the table is called until all rows are in it, in every run that goes on with the first."""
        step = self.session.step
        digest = hashlib.sha256(f"{step.origin} {step.step_id} {self._named(self.table)}".encode()).hexdigest()
        name = f"{UNNAMED}{digest[:16]}"
        self.session.shown_names[name] = self.table
        return name

    def _name_earlier(self) -> None:
        """Give the table its name that holds all rows, where what made it did not come to that."""
        if self.session.rows(_TABLE, [self.schema, self._unnamed()]):
            self.session.rows(f"RENAME TABLE {self._named(self._unnamed())} TO {self.source}")

    def make_final(self) -> None:
        """Commit, and give the table that was made its name. Raises OsirisError, StepStopped."""
        session, told = self.session, self.journal.kept or not self.made
        self.journal.enter()
        with self.journal.committing() if told else contextlib.nullcontext(), session.stoppable():
            session.connection.commit()
        if self.made:
            # Refused when meanwhile somebody else made a table of that name.
            with self.journal.committing(), session.stoppable():
                session.connection.query(f"RENAME TABLE {self.made} TO {self.final}")
            self.made = ""
        self.journal.remove_old()

    def remove_made(self) -> None:
        """Remove the table that was made, by a new connection: ours may be broken, or still at work."""
        if not self.made:
            return
        self.session.close()
        with contextlib.suppress(Exception):  # the step fails anyway, for a reason that counts more
            fields, root = self.session.fields, self.session.step.root
            other, _ = open_connection(fields, root, Timeouts(connect=_DROP_SECONDS, statement=_DROP_SECONDS))
            try:
                other.query("SET SESSION TRANSACTION READ WRITE")
                other.query(f"SET SESSION lock_wait_timeout = {_DROP_SECONDS}")
                self.journal.forget(other.cursor())
                other.query(f"DROP TABLE IF EXISTS {self.made}")
            finally:
                other.close()

    def _may_lack_key(self) -> bool:
        """Whether the rows of an upsert may have NULL in their key: such a row is equal to no other, and is added."""
        key = {name.lower() for name in self.key}
        columns = self.session.rows(_COLUMNS, [self.schema, self.table]) if self.mode == "upsert" else []
        return any(nullable and str(name).lower() in key for name, _, nullable in columns)

    def _match(self, columns: Sequence[Column]) -> None:
        rows = self.session.rows(_COLUMNS, [self.schema, self.table])
        existing = {str(row[0]).lower(): str(row[0]) for row in rows}
        foreign = [column.name for column in columns if column.name.lower() not in existing]
        if foreign:
            raise ConfigurationError(
                f"The table {self.table} in {self.session.peer.place} has no column {foreign[0]}, which the data has.",
                hint=f"Its columns: {', '.join(existing.values())}.",
            )
        self.names = [existing[column.name.lower()] for column in columns]
        self.key = [existing[name.lower()] for name in self.key]
        computed = [name for name, is_computed, _ in rows if is_computed and name in self.names]
        if computed:  # a server that loads a file says nothing and computes it
            raise ConfigurationError(
                f"The table {self.table} in {self.session.peer.place} computes its column {computed[0]} itself, and "
                "the data has values for it.",
                hint="Leave the column out of the data.",
            )

    def _needs_unique_key(self) -> None:
        wanted = {name.lower() for name in self.key}
        for joined, shortened in self.session.rows(_UNIQUE, [self.schema, self.table]):
            if shortened is None and {name.lower() for name in str(joined).split("\n")} == wanted:
                return
        raise ConfigurationError(
            f"The table {self.table} in {self.session.peer.place} has no primary key or unique index over "
            f"{', '.join(self.key) or 'any column'}, so rows cannot be matched.",
            hint=f"Name the table's own key in {self.key_name}, or add a unique index to the table.",
        )

    def _stage(self) -> None:
        """A table of our own for what is to be updated or added; of rows with the same key the last one stays.

        ON DUPLICATE KEY UPDATE would do without, but takes any unique key of the table for the one that was meant.
        """
        self.session.shown_names[_STAGE] = self.table
        self.session.connection.query(
            f"CREATE TEMPORARY TABLE {self._named(_STAGE)} (UNIQUE KEY ({_names(self.key)})) ENGINE=InnoDB "
            f"SELECT {_names(self.names)} FROM {self.source} WHERE FALSE"
        )

    def load(self, data: Any, columns: Sequence[Column], size: int, step: StepContext) -> int:
        """Bring in the rows; how many there were."""
        replacing = self.mode == "upsert"
        stage = self._named(_STAGE)
        into = stage if replacing else self.source
        load = Load(self.session, into, self.names, columns, replacing=replacing)
        count = load.run(data, size, (self.schema, self.table), step)
        if replacing:
            self._merge(stage)
        return count

    def _merge(self, stage: str) -> None:
        same = " AND ".join(f"t.{quote_name(name)} = s.{quote_name(name)}" for name in self.key)
        others = [quote_name(name) for name in self.names if name not in self.key]
        if others:
            changes = ", ".join(f"t.{name} = s.{name}" for name in others)
            self.session.connection.query(f"UPDATE {self.source} t JOIN {stage} s ON {same} SET {changes}")
        names = [quote_name(name) for name in self.names]
        self.session.connection.query(
            f"INSERT INTO {self.source} ({', '.join(names)}) SELECT {', '.join(f's.{name}' for name in names)} "
            f"FROM {stage} s LEFT JOIN {self.source} t ON {same} WHERE t.{quote_name(self.key[0])} IS NULL"
        )
        unknown = " OR ".join(f"{quote_name(name)} IS NULL" for name in self.key)
        if self.journal.appends and not self.session.rows(f"SELECT 1 FROM {stage} WHERE {unknown} LIMIT 1"):
            self.journal.nothing_appended()


def _names(names: Sequence[str]) -> str:
    return ", ".join(quote_name(name) for name in names)
