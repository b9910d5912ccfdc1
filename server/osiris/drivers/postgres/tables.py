"""The table that a step names, as PostgreSQL knows it."""

from __future__ import annotations

from typing import Any, NamedTuple

from osiris.core.error_taxonomy import ConfigurationError
from osiris.drivers.postgres.session import StepSession
from osiris.sql.columns import quote_name

_FIND = """
SELECT c.oid::bigint, n.nspname, c.relkind::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""
_NAMES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = coalesce(%s, current_schema()) ORDER BY 1 LIMIT 51"""
_COLUMNS = """
SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


class Table(NamedTuple):
    """A table or view: its number, its schema and name, and what it is called in SQL."""

    id: int
    schema: str
    name: str
    kind: str

    @property
    def source(self) -> str:
        """What stands behind FROM."""
        return in_sql(self.schema, self.name)


def place_of(session: StepSession, config: dict[str, Any]) -> tuple[str | None, str]:
    """The schema (None: by the search path) and the name of the table that ``config`` names.

    When it gives no ``schema``, ``sales.visits`` is a table of another one, unless there is a table of that very name.
    """
    name, schema = str(config["table"]), session.fields.get("schema")
    home = str(schema) if schema else None
    if config.get("schema") or "." not in name or session.rows(_FIND, [in_sql(home, name)]):
        return home, name
    before, _, after = name.partition(".")
    return before, after


def in_sql(schema: str | None, name: str) -> str:
    """A table as it is written in SQL."""
    return quote_name(name) if schema is None else f"{quote_name(schema)}.{quote_name(name)}"


def find_table(session: StepSession, config: dict[str, Any]) -> Table | None:
    """The table that ``config`` names, in its schema or by the search path; None when there is none."""
    schema, name = place_of(session, config)
    rows = session.rows(_FIND, [in_sql(schema, name)])
    return Table(int(rows[0][0]), str(rows[0][1]), name, str(rows[0][2])) if rows else None


def table_of(session: StepSession, config: dict[str, Any]) -> Table:
    """The same, of one that must be there. Raises ConfigurationError."""
    table = find_table(session, config)
    if table is not None:
        return table
    schema, name = place_of(session, config)
    names = [str(row[0]) for row in session.rows(_NAMES, [schema])]
    listed = ", ".join(names[:50]) + (", ..." if len(names) > 50 else "")
    where = f"The schema {schema}" if schema else f"The database {session.peer.database}"
    raise ConfigurationError(
        f"{where} of {session.peer.place} has no table or view {name}; case matters.",
        hint=f"Tables and views in {'it' if schema else 'its first schema'}: {listed or 'none'}.",
    )


def columns_of(session: StepSession, table: Table) -> list[str]:
    """The names of its columns, in order."""
    return [str(row[0]) for row in session.rows(_COLUMNS, [table.id])]
