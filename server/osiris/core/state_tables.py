"""The tables of the state file, as the steps that lead from each version of it to the next."""

from __future__ import annotations

from collections.abc import Sequence

Migration = Sequence[str]

MIGRATIONS: tuple[Migration, ...] = (
    (
        # What was read through a connection. Times are seconds since 1970 (UTC). `columns_read` is 0 when only the
        # tables were asked for. `generation` is another one after every change of the reading or its tables.
        """CREATE TABLE readings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            fingerprint TEXT NOT NULL UNIQUE,
            dialect TEXT NOT NULL,
            default_schema TEXT NOT NULL,
            product TEXT NOT NULL,
            version TEXT NOT NULL,
            remarks TEXT NOT NULL,
            complete INTEGER NOT NULL,
            columns_read INTEGER NOT NULL,
            read_at REAL NOT NULL,
            seconds REAL NOT NULL,
            generation INTEGER NOT NULL
        )""",
        # `read_at` is null for what was read with the whole catalog, `written` when a run of ours
        # last wrote to it since, in milliseconds, else 0.
        """CREATE TABLE tables (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            reading INTEGER NOT NULL REFERENCES readings (id) ON DELETE CASCADE,
            schema_name TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            comment TEXT NOT NULL,
            row_estimate INTEGER,
            read_at REAL,
            written INTEGER NOT NULL DEFAULT 0,
            UNIQUE (reading, schema_name, name)
        )""",
        # The columns of one table as JSON, apart from it: a list of 5,000 tables is read without them.
        """CREATE TABLE table_columns (
            table_id INTEGER PRIMARY KEY REFERENCES tables (id) ON DELETE CASCADE,
            columns TEXT NOT NULL
        )""",
        "CREATE TABLE consents (fingerprint TEXT PRIMARY KEY, granted_at REAL NOT NULL)",
        # The last generation that was given to a reading.
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
        "INSERT INTO counters VALUES ('generation', 0)",
    ),
)
