"""The two gates that SQL written by a user passes before it touches data.

Gate 1 binds the SQL in a locked DuckDB that holds nothing but the empty, typed tables of its step: whatever it names
beyond them (files, other databases, extensions) does not exist there. Gate 2 is the run's own connection, which can
open only the paths that the manifest names and whose configuration is locked before any SQL of a user arrives.
"""

from __future__ import annotations

import difflib
import json
import re
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from osiris.sql.columns import Column, quote_name, quote_text, table_definition

if TYPE_CHECKING:
    import duckdb

_DESCRIBE = "DESCRIBE "
_NO_SCHEMA = " does not exist because schema "
_ARROW = "Deprecated lambda arrow"
_MOST_TABLES = 256
_STATEMENT_NAMES = {"MULTI": "PIVOT with values taken from the data", "CALL": "CALL"}
_FILE_OF_MESSAGE = re.compile(r'Cannot access (?:file|directory) "(?P<path>.*)" - file system operations')

_FILE_NAME = re.compile(
    r"[/\\]|\.(csv|tsv|txt|json|jsonl|ndjson|parquet|db|sqlite|duckdb|xlsx)(\.\w+)?$", re.IGNORECASE
)

# Functions that open files only when they run, that change or show the engine itself, or that run a text as SQL.
_FORBIDDEN = re.compile(
    r"(sniff_csv|query|which_secret|write_log|current_setting|getvariable|nextval|test_vector_types|test_all_types"
    r"|truncate_duckdb_logs|(force_)?checkpoint|\w+_external_resource|duckdb_\w+|pragma_\w+)",
    re.IGNORECASE,
)
_OF_EACH_CONNECTION = (
    "errors_as_json=true",
    "enable_progress_bar=true",  # else nobody can ask how far a query is
    "enable_progress_bar_print=false",
    "progress_bar_time=0",
    "python_enable_replacements=false",
)
IN_UTC = "SET GLOBAL TimeZone = 'UTC'"
"""Without it DuckDB takes the zone of the machine, and the same rows have another date elsewhere."""

_FUNCTION = re.compile(r'"function_name":"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class SqlProblem:
    """Why SQL is refused. ``offset`` and ``length`` count code points in the SQL as it was handed in.

    ``kind`` is ``empty``, ``several``, ``not_rows``, ``external``, or DuckDB's own subtype in small letters
    (``column_not_found``, ``missing_entry``, ``syntax_error``, ...); ``candidates`` are names that were perhaps meant.
    """

    message: str
    kind: str
    offset: int | None = None
    length: int = 0
    candidates: tuple[str, ...] = ()
    name: str | None = None


class SqlRefused(ValueError):  # noqa: N818 - what it says is that the gate stayed shut
    """SQL did not pass gate 1; ``problem`` says why and where."""

    def __init__(self, problem: SqlProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Passed:
    """SQL that passed gate 1: its one statement without a closing semicolon, and the columns it returns."""

    sql: str
    columns: tuple[Column, ...]


class Gate:
    """Gate 1. One object serves many steps; it may be shared between threads, and knows no data."""

    def __init__(self) -> None:
        """Open the locked, empty DuckDB. Raises ModuleNotFoundError when the package duckdb is not installed."""
        import duckdb

        self._lock = threading.Lock()
        self._stand_ins: dict[tuple[Column, ...], str] = {}
        self._prefix = f"__{secrets.token_hex(8)}"  # no SQL of a user can know it
        self._connection = duckdb.connect(":memory:")
        self._connection.execute(IN_UTC)
        for setting in (
            "threads=1",
            "enable_external_access=false",
            "python_enable_replacements=false",
            "autoinstall_known_extensions=false",
            "autoload_known_extensions=false",
            "errors_as_json=true",
            "lock_configuration=true",
        ):
            self._connection.execute(f"SET {setting}")

    def check(self, sql: str, tables: Mapping[str, Sequence[Column]]) -> Passed:
        """Bind ``sql`` against the empty ``tables`` and say what it returns. Raises SqlRefused when it must not run."""
        import duckdb

        with self._lock:
            statement = self._single_statement(sql)
            head, tail = fusion({name: self._stand_in(tuple(columns)) for name, columns in tables.items()})
            try:
                described = self._connection.execute(_DESCRIBE + head + statement + tail).fetchall()
            except duckdb.Error as error:
                prefix = len((_DESCRIBE + head).encode())
                raise SqlRefused(_problem(error, sql, statement, tables, prefix)) from None
        return Passed(statement, tuple(Column(row[0], row[1]) for row in described))

    def _stand_in(self, columns: tuple[Column, ...]) -> str:
        """An empty table with these columns, quoted; the same one for the same columns."""
        name = self._stand_ins.get(columns)
        if name is None:
            if len(self._stand_ins) >= _MOST_TABLES:
                for old in self._stand_ins.values():
                    self._connection.execute(f"DROP TABLE {quote_name(old)}")
                self._stand_ins.clear()
            name = f"{self._prefix}_{len(self._stand_ins)}"
            self._connection.execute(table_definition(name, columns))
            self._stand_ins[columns] = name
        return quote_name(name)

    def _single_statement(self, sql: str) -> str:
        import duckdb

        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise SqlRefused(_problem(error, sql, sql, {}, 0)) from None
        if not statements:
            raise SqlRefused(SqlProblem("There is no SQL here; a query that returns rows is needed.", "empty"))
        if len(statements) > 1:
            start = sql.find(statements[1].query.strip())
            raise SqlRefused(
                SqlProblem(
                    f"There are {len(statements)} statements here; a step has exactly one query. "
                    "Use WITH for intermediate results, or one step for each.",
                    "several",
                    max(start, 0),
                    len(statements[1].query.strip()),
                )
            )
        statement = statements[0]
        if statement.type != duckdb.StatementType.SELECT:
            raise SqlRefused(_not_rows(statement.type.name, sql))
        query = without_semicolon(statement.query)
        if _FORBIDDEN.search(query):
            self._refuse_forbidden(query, sql)
        return query

    def _refuse_forbidden(self, query: str, sql: str) -> None:
        """Look at the functions that the query really calls; the words may as well be names of columns."""
        row = self._connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
        for name in _FUNCTION.findall(str(row[0]) if row else ""):
            if _FORBIDDEN.fullmatch(name):
                place = re.search(re.escape(name), sql, re.IGNORECASE)
                message = f"SQL in a pipeline reads only the outputs of earlier steps; it may not call {name}()."
                raise SqlRefused(SqlProblem(message, "external", place.start() if place else None, len(name), (), name))

    def close(self) -> None:
        """Give the memory back; the gate cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Gate:
        """The gate itself; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def fusion(sources: Mapping[str, str]) -> tuple[str, str]:
    """What stands before and behind a user's query so that it sees ``sources`` and nothing else.

    ``sources`` maps names to what may stand behind FROM: a quoted table, or a query in parentheses.

    Both gates use the same frame: what binds in gate 1 binds in the run.
    """
    # A stored table is read in place. A query stands here once, however many names it has and however often they are
    # used: it is computed once then, and nesting does not multiply it.
    queries = dict.fromkeys(source for source in sources.values() if source.startswith("("))
    shared = {query: quote_name(f"__input_{index}") for index, query in enumerate(queries)}
    parts = [f"{name} AS {query}" for query, name in shared.items()]
    parts += [
        f"{quote_name(name)} AS NOT MATERIALIZED (FROM {shared.get(source, source)})"
        for name, source in sources.items()
    ]
    names = ", ".join(parts)
    return (f"WITH {names} " if names else "") + "SELECT * FROM (\n", "\n)"


def without_semicolon(statement: str) -> str:
    """``statement`` cut at the semicolon that ends it; semicolons in texts, names and comments stay."""
    if ";" not in statement:
        return statement
    from osiris.syntax.sql import tokenize_sql

    for token in tokenize_sql(statement):
        if token.kind == "semicolon":
            return statement[: token.span.start]
    return statement


def _not_rows(kind: str, sql: str) -> SqlProblem:
    if kind == "MULTI":
        message = (
            "A PIVOT whose columns come from the data cannot be checked before it runs. "
            "List the values: PIVOT ... ON column IN ('a', 'b')."
        )
    else:
        shown = _STATEMENT_NAMES.get(kind, kind)
        message = (
            f"{shown} is not allowed here: SQL in a pipeline is one query that returns rows (SELECT, WITH, FROM, "
            "VALUES, TABLE). What is to be stored is stored by a step with a writer component."
        )
    stripped = sql.lstrip()
    return SqlProblem(message, "not_rows", len(sql) - len(stripped), len(stripped.rstrip()))


def _problem(error: Exception, sql: str, statement: str, tables: Mapping[str, object], prefix: int) -> SqlProblem:
    """The problem behind a DuckDB error, its byte position turned into code points of ``sql``."""
    text = str(error)
    _, brace, rest = text.partition("{")
    try:
        details: dict[str, Any] = json.loads(brace + rest)
    except json.JSONDecodeError:
        return SqlProblem(text, "other")
    message = str(details.get("exception_message", text))
    kind = str(details.get("error_subtype") or details.get("exception_type") or "other").lower()
    candidates = tuple(c.strip() for c in str(details.get("candidates", "")).split(",") if c.strip())
    name = details.get("name")
    offset, length = _place(details, sql, statement, prefix)
    external = _FILE_OF_MESSAGE.search(message)
    path = external["path"] if external else name if kind == "missing_entry" and _FILE_NAME.search(str(name)) else None
    if path:
        kind = "external"
        message = (
            f"SQL in a pipeline reads only the outputs of earlier steps; it may not open {path}. "
            "Read it with a step of its own (filesystem.csv_extractor, filesystem.parquet_extractor)."
        )
    elif (kind == "missing_entry" and details.get("type") == "Table") or _NO_SCHEMA in message:
        written = sql[offset : offset + length] if offset is not None else ""
        table = str(name or written.rpartition(".")[2])
        known = ", ".join(sorted(tables)) or "none: no earlier step hands data to this one"
        if "." in written[: -len(table)]:
            message = f"There is no table {written}: the tables of a step have no schema. They are {known}."
            candidates = tuple(one for one in tables if one.lower() == table.lower())
        else:
            message = f"There is no table {table}. Tables of this step: {known}."
            candidates = tuple(difflib.get_close_matches(table, list(tables), n=3))
    elif _ARROW in message:
        message = "A lambda is written `lambda x: ...` here, not `x -> ...`."
    elif kind == "no_matching_function":
        candidates = ()
    return SqlProblem(message, kind, offset, length, candidates, str(name) if name is not None else None)


def _place(details: Mapping[str, Any], sql: str, statement: str, prefix: int) -> tuple[int | None, int]:
    start = sql.find(statement)
    if details.get("position") is None or start < 0:
        return None, 0
    data = statement.encode()
    at = max(int(details["position"]) - prefix, 0)
    location = re.findall(r"\d+", str(details.get("location", "")))
    size = int(location[1]) if len(location) > 1 else 0
    offset = len(data[:at].decode(errors="ignore"))
    length = len(data[at : at + size].decode(errors="ignore"))
    return start + min(offset, len(statement)), length


@dataclass(frozen=True)
class Limits:
    """What the run's connection may touch and use. Paths are absolute; ``memory`` is in bytes."""

    paths: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    spill: str | None = None
    memory: int | None = None
    threads: int | None = None


def open_run_connection(limits: Limits) -> duckdb.DuckDBPyConnection:
    """Gate 2: an in-memory DuckDB that opens only what ``limits`` names, locked against any later change.

    Raises ModuleNotFoundError when the package duckdb is not installed.
    """
    return open_run_connections(limits, 1)[0]


def open_run_connections(limits: Limits, count: int) -> list[duckdb.DuckDBPyConnection]:
    """``count`` connections to one database behind gate 2, for as many threads; memory and threads are shared.

    All are made at once: some settings belong to a connection, and nothing can be set after the lock. Raises
    ModuleNotFoundError when the package duckdb is not installed.
    """
    import duckdb

    first = duckdb.connect(":memory:")
    settings: list[str] = []
    if limits.memory is not None:
        settings.append(f"memory_limit='{limits.memory // 1024}KiB'")
    if limits.threads is not None:
        settings.append(f"threads={limits.threads}")
    settings.append(f"temp_directory={quote_text(limits.spill or '')}")
    settings += [
        "async_threads=0",  # DuckDB 2.0.0: a COPY that fails waits for ever for its own asynchronous writes
        "preserve_insertion_order=true",
        f"allowed_paths={_text_list(limits.paths)}",
        f"allowed_directories={_text_list(limits.directories)}",
        "enable_external_access=false",
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
    ]
    for setting in settings:
        first.execute(f"SET {setting}")
    first.execute(IN_UTC)
    connections = [first, *(first.cursor() for _ in range(count - 1))]
    for connection in connections:
        for setting in _OF_EACH_CONNECTION:
            connection.execute(f"SET {setting}")
    first.execute("SET lock_configuration=true")
    return connections


def _text_list(values: Iterable[str | Path]) -> str:
    return "[" + ", ".join(quote_text(str(value)) for value in values) + "]"


def engine_message(error: BaseException) -> str:
    """What a DuckDB error says, without its JSON form and its picture of the SQL."""
    text = str(error)
    head, brace, rest = text.partition("{")
    if brace:
        try:
            message = json.loads(brace + rest).get("exception_message")
        except json.JSONDecodeError:
            message = None
        if message:
            return f"{head.strip()} {message}".strip()
    return text.partition("\n\nLINE ")[0]
