"""Writing into PostgreSQL by COPY, in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.execution_adapter import ExecutionContext
from osiris.drivers.context import StepContext, single_input, step_context
from osiris.drivers.journal import Entry, WrittenBefore
from osiris.drivers.postgres.journal import PostgresJournal
from osiris.drivers.postgres.session import StepSession
from osiris.drivers.postgres.tables import Table, find_table, in_sql, place_of
from osiris.drivers.postgres.writer_rows import column_type, lines
from osiris.drivers.targets import require_key
from osiris.sql.columns import Column, quote_name, quote_names

_COLUMNS = """
SELECT a.attname, t.typcategory::text, a.attnotnull FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_UNIQUE = """
SELECT ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
FROM pg_catalog.pg_index i
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
  AND i.indexprs IS NULL"""
_STAGE, _PLACE = "osiris_rows", "osiris_row"


class PostgresWriter:
    """Appends to, replaces or updates the rows of a table; a reader sees all of it or nothing."""

    all_or_nothing = True

    def run(
        self, step_id: str, config: dict[str, Any], inputs: dict[str, Any] | None, ctx: ExecutionContext
    ) -> dict[str, Any]:
        """Write the one table that comes in. Raises OsirisError or duckdb.Error; then the database is as it was."""
        step = step_context(ctx)
        data = single_input(inputs, step_id)
        columns: Sequence[Column] = data.columns
        session = StepSession(config, step, writes=True)
        try:
            with session.stoppable():
                target = _Target(session, config)
                target.prepare(columns)
                rows = target.load(data, columns, int(config.get("batch_size") or 1000), step)
                step.checkpoint()
            target.journal.enter()
            # A server that is shutting down may say so instead of the good end.
            with target.journal.committing(ErrorCategory.BUSY), session.stoppable():
                session.connection.commit()
            target.journal.remove_old()
        except WrittenBefore:
            return {}
        finally:
            session.close()
        step.log_metric("rows_written", rows, unit="rows")
        return {}


class _Target:
    """The table that is written to."""

    def __init__(self, session: StepSession, config: dict[str, Any]) -> None:
        self.session = session
        self.config = config
        self.mode: str = config.get("mode") or "append"
        key = config.get("primary_key") or config.get("upsert_keys") or []
        self.key: list[str] = [key] if isinstance(key, str) else list(key)
        self.key_name = "primary_key" if config.get("primary_key") else "upsert_keys"
        self.shown = f"the table {config['table']} in {session.peer.place}"
        self.source = ""
        self.names: list[str] = []
        self.arrays: list[bool] = []

    def execute(self, statement: str) -> int:
        """Run a statement; how many rows it touched."""
        return self.session.connection.execute(statement).rowcount

    def prepare(self, columns: Sequence[Column]) -> None:
        """Make the table when it is missing, empty it when that is wanted. Raises OsirisError, psycopg.Error."""
        require_key(self.key, columns, self.key_name)
        table = find_table(self.session, self.config)
        self.journal = self._journal(table)
        self.journal.begin()
        if table is None:
            self._create(columns)
            return
        if table.kind in ("v", "m"):
            raise ConfigurationError(f"{table.name} is a view; rows are written to tables.", hint="Name a table.")
        self.source = table.source
        self._match(table, columns)
        if self.mode == "upsert":
            self._needs_unique_key(table)
        if self.mode == "replace" or self.config.get("truncate_before"):
            self.execute(f"DELETE FROM {self.source}")  # not TRUNCATE: others read the old rows until the end

    def _journal(self, table: Table | None) -> PostgresJournal:
        schema = table.schema if table is not None else place_of(self.session, self.config)[0]
        entry = Entry.of(self.session.step, self.session.fields.get("schema"), self.config["table"])
        appends = self.mode == "append" or (table is not None and self._may_lack_key(table))
        return PostgresJournal(self.session, schema, entry, self.shown, appends=appends)

    def _may_lack_key(self, table: Table) -> bool:
        """Whether the rows of an upsert may have NULL in their key: such a row is equal to no other, and is added."""
        key = {name.lower() for name in self.key}
        columns = self.session.rows(_COLUMNS, [table.id]) if self.mode == "upsert" else []
        return any(not filled and str(name).lower() in key for name, _, filled in columns)

    def _create(self, columns: Sequence[Column]) -> None:
        if not self.config.get("create_table"):
            raise ConfigurationError(
                f"There is no table {self.config['table']} in {self.session.peer.place}; case matters.",
                hint="Make it, or set create_table: true.",
            )
        self.source = in_sql(*place_of(self.session, self.config))
        self.names = [column.name for column in columns]
        self.key = [next(name for name in self.names if name.lower() == key.lower()) for key in self.key]
        types = [column_type(column.type) for column in columns]
        self.arrays = [kind.endswith("[]") for kind in types]
        parts = [f"{quote_name(name)} {kind}" for name, kind in zip(self.names, types, strict=True)]
        if self.key:
            parts.append(f"PRIMARY KEY ({quote_names(self.key)})")
        self.execute(f"CREATE TABLE {self.source} ({', '.join(parts)})")

    def _match(self, table: Table, columns: Sequence[Column]) -> None:
        """Find each column of the data in the table: by its exact name, else by the only one without case."""
        existing = {str(name): str(kind) for name, kind, _ in self.session.rows(_COLUMNS, [table.id])}

        def found(name: str) -> str:
            same = [known for known in existing if known.lower() == name.lower()]
            if name in existing or len(same) == 1:
                return name if name in existing else same[0]
            raise ConfigurationError(
                f"The table {table.name} in {self.session.peer.place} has no column {name}, which the data has.",
                hint=f"Its columns: {', '.join(existing)}.",
            )

        self.names = [found(column.name) for column in columns]
        self.arrays = [existing[name] == "A" for name in self.names]
        self.key = [found(name) for name in self.key]

    def _needs_unique_key(self, table: Table) -> None:
        if any(set(row[0]) == set(self.key) for row in self.session.rows(_UNIQUE, [table.id])):
            return
        raise ConfigurationError(
            f"The table {table.name} in {self.session.peer.place} has no primary key or unique index over "
            f"{', '.join(self.key) or 'any column'}, so rows cannot be matched.",
            hint=f"Name the table's own key in {self.key_name}, or add a unique index to the table.",
        )

    def load(self, data: Any, columns: Sequence[Column], size: int, step: StepContext) -> int:
        """Bring in the rows; how many there were."""
        names = quote_names(self.names)
        into = self.source
        if self.mode == "upsert":
            into = f"pg_temp.{quote_name(_STAGE)}"
            self.execute(f"CREATE TEMP TABLE {_STAGE} ON COMMIT DROP AS SELECT {names} FROM {self.source} WITH NO DATA")
            self.execute(f"ALTER TABLE {into} ADD COLUMN {_PLACE} bigserial")
        count = 0
        with (
            contextlib.closing(lines(data, columns, self.arrays, size, step)) as batches,
            self.session.connection.cursor() as cursor,
            cursor.copy(f"COPY {into} ({names}) FROM STDIN (FORMAT csv)") as copy,
        ):
            for rows, text in batches:
                copy.write(text)
                count += rows
                step.advance(rows, len(text))
                step.checkpoint()
        if self.mode == "upsert":
            self._merge(into)
        return count

    def _merge(self, stage: str) -> None:
        """Put the staged rows into the table; of rows with the same key the last one counts."""
        names, key = quote_names(self.names), quote_names(self.key)
        # Keys with NULL are different from each other, for the table's unique index as well.
        unknown = " OR ".join(f"{quote_name(name)} IS NULL" for name in self.key)
        distinct = f"DISTINCT ON ({key}, CASE WHEN {unknown} THEN {_PLACE} END)"
        order = f"{key}, CASE WHEN {unknown} THEN {_PLACE} END, {_PLACE} DESC"
        updates = [f"{quote_name(n)} = excluded.{quote_name(n)}" for n in self.names if n not in self.key]
        action = f"UPDATE SET {', '.join(updates)}" if updates else "NOTHING"
        self.execute(
            f"INSERT INTO {self.source} ({names}) SELECT {distinct} {names} FROM {stage} ORDER BY {order} "
            f"ON CONFLICT ({key}) DO {action}"
        )
        if self.journal.appends and not self.session.rows(f"SELECT 1 FROM {stage} WHERE {unknown} LIMIT 1"):
            self.journal.nothing_appended()
