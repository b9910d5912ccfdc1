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
    (
        # Conversations with the agent, by project. `draft` is what was proposed last, `draft_ok` whether it compiles.
        """CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            project TEXT NOT NULL,
            title TEXT NOT NULL,
            state TEXT NOT NULL,
            path TEXT,
            draft TEXT,
            draft_ok INTEGER NOT NULL,
            allow_rows INTEGER NOT NULL,
            tables_told TEXT NOT NULL,
            input_tokens INTEGER,
            output_tokens INTEGER,
            begun_at REAL NOT NULL,
            changed_at REAL NOT NULL
        )""",
        "CREATE INDEX conversations_of_project ON conversations (project, changed_at)",
        # `calls` is a list of the tools that an assistant wants called, as JSON; `answers` the id of such a call.
        """CREATE TABLE conversation_messages (
            conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            calls TEXT NOT NULL,
            answers TEXT,
            PRIMARY KEY (conversation, number)
        )""",
        # What was sent to models: never the words themselves. `conversation` is empty for requests without one.
        """CREATE TABLE model_requests (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation TEXT NOT NULL,
            project TEXT NOT NULL,
            at REAL NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            host TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            tables_told TEXT NOT NULL,
            rows_sent INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            input_tokens INTEGER,
            output_tokens INTEGER
        )""",
    ),
    (
        # What stood in the file when `draft` was proposed; null where there was no file.
        "ALTER TABLE conversations ADD COLUMN draft_before TEXT",
    ),
)
