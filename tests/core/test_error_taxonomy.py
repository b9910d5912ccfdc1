"""What kind of failure an exception is, and how it is said to a user."""

from __future__ import annotations

import builtins
import errno
import os
import pickle
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from osiris.core.error_categories import ErrorCategory
from osiris.core.error_taxonomy import (
    CompilationError,
    ConfigurationError,
    ConnectionError,
    ExecutionError,
    OsirisError,
    ValidationError,
    classify,
    describe,
)
from osiris.core.secrets_masking import Masker
from osiris.syntax.codes import CODES

ALL = [OsirisError, ConfigurationError, CompilationError, ExecutionError, ConnectionError, ValidationError]


def raised(work: object, *arguments: object) -> Exception:
    """The exception that a call raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any will do
        work(*arguments)  # type: ignore[operator]
    return caught.value


def caused(outer: Exception, cause: BaseException) -> Exception:
    """``outer`` as it is after ``raise outer from cause``."""
    outer.__cause__ = cause
    return outer


def named(
    name: str, *arguments: object, module: str = "driver", base: str = "DatabaseError", **attributes: object
) -> Exception:
    """An exception of a database driver that is not installed here."""
    parent = type(base, (Exception,), {"__module__": module})
    error = type(name, (parent,), {"__module__": module, **attributes})(*arguments)
    assert isinstance(error, Exception)
    return error


@pytest.mark.parametrize("kind", ALL)
def test_every_error_carries_a_documented_code_and_a_hint(kind: type[OsirisError]) -> None:
    error = kind("It failed.", hint="Try this.")
    assert (str(error), error.message, error.hint) == ("It failed.", "It failed.", "Try this.")
    assert error.code in CODES
    assert kind("It failed.", code="OML616").code == "OML616"


@pytest.mark.parametrize("kind", ALL)
def test_every_error_survives_the_way_to_another_process(kind: type[OsirisError]) -> None:
    error = pickle.loads(pickle.dumps(kind("It failed.", code="OML616", hint="Try this.")))
    assert (type(error), str(error), error.code, error.hint) == (kind, "It failed.", "OML616", "Try this.")


def test_a_connection_error_is_also_the_builtin_one() -> None:
    assert issubclass(ConnectionError, builtins.ConnectionError)
    assert issubclass(ConnectionError, OsirisError)


def test_the_taxonomy_imports_no_engine() -> None:
    script = (
        "import sys, osiris.core.error_taxonomy;"
        "print([m for m in ('duckdb', 'pyarrow', 'sqlite3', 'sqlalchemy') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (OSError(errno.ENOSPC, "x"), "disk_full"),
        (FileNotFoundError(errno.ENOENT, "x"), "not_found"),
        (PermissionError(errno.EACCES, "x"), "permission"),
        (OSError(errno.EROFS, "x"), "permission"),
        (FileExistsError(errno.EEXIST, "x"), "already_exists"),
        (OSError(errno.EMFILE, "x"), "resources"),
        (OSError(errno.EIO, "x"), "input_output"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "unreachable"),
        (builtins.ConnectionError("x"), "unreachable"),
        (TimeoutError("x"), "timeout"),
        (socket.gaierror(-2, "x"), "unreachable"),
        (MemoryError(), "out_of_memory"),
        (ModuleNotFoundError("x", name="pymysql"), "missing_package"),
        (KeyboardInterrupt(), "cancelled"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "data"),
        (ValueError("disk full, password wrong, timeout, memory"), "unknown"),
        (ConfigurationError("x"), "configuration"),
        (CompilationError("x"), "compilation"),
        (ValidationError("x"), "validation"),
        (ExecutionError("x"), "execution"),
        (ConnectionError("x"), "unreachable"),
        (pa.ArrowInvalid("x"), "data"),
        (pa.ArrowNotImplementedError("x"), "unsupported"),
        (named("OperationalError", 1045, "Access denied"), "authentication"),
        (named("OperationalError", 2003, "Can't connect"), "unreachable"),
        (named("OperationalError", 1213, "Deadlock"), "busy"),
        (named("ProgrammingError", 1146, "No such table"), "not_found"),
        (named("ProgrammingError", "any"), "query"),
        (named("IntegrityError", "any"), "constraint"),
        (named("OperationalError", "any", sqlstate="28P01"), "authentication"),
        (named("OperationalError", "any", sqlstate="08006"), "unreachable"),
        (named("UndefinedTable", "any", pgcode="42P01"), "not_found"),
        (named("QueryCanceled", "any", sqlstate="57014"), "cancelled"),
        (named("ApiError", "x", base="HTTPError", status_code=401), "authentication"),
        (named("ApiError", "x", base="HTTPError", status_code=429), "busy"),
        (named("ApiError", "x", base="HTTPError", status_code=503), "unreachable"),
        (named("ApiError", "x", base="HTTPError", status_code=404), "not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_kind_of_failure_is_known_by_class_and_attributes(error: BaseException, category: str) -> None:
    assert classify(error) == category


@pytest.mark.parametrize(
    ("sql", "category"),
    [
        ("SELEC 1", "query"),
        ("SELECT nope", "query"),
        ("SELECT * FROM nope", "query"),
        ("SELECT CAST('x' AS INT)", "data"),
        ("SELECT * FROM read_csv('/nowhere/x.csv')", "not_found"),
        ("COPY (SELECT 1) TO '/nowhere/x.csv'", "not_found"),
    ],
)
def test_errors_of_duckdb_are_told_apart(sql: str, category: str) -> None:
    assert classify(raised(duckdb.connect().execute, sql)) == category


def test_a_query_that_needs_too_much_memory_is_told_apart() -> None:
    connection = duckdb.connect(config={"memory_limit": "20MB", "temp_directory": "", "threads": 1})
    error = raised(connection.execute, "SELECT list(i ORDER BY hash(i)) FROM range(10000000) t(i)")
    assert classify(error) is ErrorCategory.OUT_OF_MEMORY


def test_errors_of_sqlite_are_told_apart(tmp_path: Path) -> None:
    database = tmp_path / "x.db"
    first = sqlite3.connect(database)
    first.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    first.execute("INSERT INTO t VALUES (1)")
    second = sqlite3.connect(database, timeout=0)
    assert classify(raised(second.execute, "INSERT INTO t VALUES (2)")) is ErrorCategory.BUSY
    assert classify(raised(first.execute, "INSERT INTO t VALUES (1)")) is ErrorCategory.CONSTRAINT
    assert classify(raised(first.execute, "SELECT nope FROM t")) is ErrorCategory.QUERY
    assert classify(raised(sqlite3.connect, tmp_path / "no" / "x.db")) is ErrorCategory.NOT_FOUND
    (tmp_path / "text.db").write_text("not a database at all" * 100)
    assert classify(raised(sqlite3.connect(tmp_path / "text.db").execute, "SELECT 1 FROM t")) is ErrorCategory.DATA
    first.close()
    second.close()


def test_only_what_may_pass_by_itself_is_transient() -> None:
    assert {category.value for category in ErrorCategory if category.transient} == {
        "unreachable",
        "timeout",
        "busy",
        "resources",
    }


def test_a_failed_step_is_what_its_cause_is() -> None:
    error = caused(ExecutionError("The step failed."), OSError(errno.ENOSPC, "x"))
    assert classify(error) is ErrorCategory.DISK_FULL


def test_a_wrong_password_makes_a_failed_connection_permanent() -> None:
    refused = named("OperationalError", 1045, "Access denied")
    assert classify(caused(ConnectionError("No connection."), refused)) is ErrorCategory.AUTHENTICATION
    assert not classify(caused(ConnectionError("No connection."), refused)).transient
    assert classify(caused(ConnectionError("No connection."), ValueError("x"))).transient


def test_of_a_group_of_errors_the_first_counts() -> None:
    assert classify(ExceptionGroup("several", [TimeoutError(), ValueError()])) is ErrorCategory.TIMEOUT


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ExecutionError("The step failed."), "The step failed."),
        (FileNotFoundError(errno.ENOENT, "x", "data/a.csv"), "data/a.csv: no such file or folder."),
        (OSError(errno.ENOSPC, "No space left on device", "out.csv"), "out.csv: the disk is full."),
        (OSError(errno.EIO, os.strerror(errno.EIO)), f"{os.strerror(errno.EIO)}."),
        (ModuleNotFoundError("x", name="pymysql.cursors"), "The Python package pymysql is not installed."),
        (KeyError("df"), "KeyError: 'df'."),
        (ValueError(""), "ValueError."),
        (MemoryError(), "There is not enough memory."),
        (ValueError("two\n  lines"), "two lines."),
        (ValueError("Really?"), "Really?"),
        (RuntimeError('Traceback (most recent call last):\n  File "x", line 1\nValueError: bad'), "ValueError: bad."),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_is_one_clear_sentence(error: BaseException, sentence: str) -> None:
    assert describe(error) == sentence


def test_what_caused_an_error_is_kept() -> None:
    inner = caused(ExecutionError("Cannot read the table."), OSError(errno.EACCES, "x", "shop.db"))
    outer = caused(ExecutionError("The step orders failed."), inner)
    assert describe(outer) == "The step orders failed. Cause: Cannot read the table. Cause: shop.db: permission denied."


def test_a_cause_that_was_said_already_is_not_said_twice() -> None:
    error = caused(ExecutionError("Cannot read x: the disk is full."), OSError(errno.ENOSPC, "x"))
    assert describe(error) == "Cannot read x: the disk is full."


def test_a_place_in_memory_tells_a_user_nothing() -> None:
    assert describe(ValueError(f"cannot use {object()!r} here")) == "cannot use <object object> here."


def test_an_error_of_duckdb_comes_without_its_drawing_of_the_query() -> None:
    text = describe(raised(duckdb.connect().sql, "SELECT amout FROM (SELECT 1 AS amount)"))
    assert "amout" in text
    assert not re.search(r"LINE|\^|\n", text)


def test_secrets_in_an_error_are_masked() -> None:
    inner = OSError("cannot log in to postgres://me:pw@db/x with hunter22")
    text = describe(caused(ConnectionError("password=abc is wrong."), inner), Masker(["hunter22"]))
    assert text == "password=*** is wrong. Cause: cannot log in to postgres://me:***@db/x with ***."


def test_a_long_error_is_cut() -> None:
    assert len(describe(ValueError("word " * 10_000))) == 2000


def test_an_error_that_cannot_say_anything_is_named() -> None:
    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert describe(Mute()) == "Mute."


def test_errors_that_cause_each_other_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert describe(first) == "a. Cause: b."
    assert classify(first) is ErrorCategory.UNKNOWN
