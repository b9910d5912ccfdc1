"""The words of the dialects, held against the engines themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from osiris.ide.sql.dialects import Dialect, dialect_of

if TYPE_CHECKING:
    from servers import MariaDB, PostgreSQL

# Syntax of their own, which no engine lists among its functions.
SYNTAX = {
    "cast",
    "try_cast",
    "coalesce",
    "columns",
    "extract",
    "ifnull",
    "nullif",
    "greatest",
    "least",
    "position",
    "trim",
}
Run = Callable[[str], Any]


def keywords() -> list[str]:
    """Every word that means something to one of the engines."""
    import duckdb

    words = [row[0] for row in duckdb.sql("SELECT keyword_name FROM duckdb_keywords()").fetchall()]
    return sorted({*words, *(word for d in ("mysql", "postgres", "sqlite") for word in dialect_of(d).reserved)})


def refused(dialect: Dialect, run: Run) -> Iterator[str]:
    """The words that cannot stand as names the way ``identifier`` writes them."""
    for word in keywords():
        name = dialect.identifier(word)
        try:
            run(f"SELECT {name}, t.{name} FROM (SELECT 1 AS {name}) t WHERE {name} = 1 GROUP BY {name} ORDER BY {name}")
            run(f"WITH {name} AS (SELECT 1 AS a) SELECT {name}.a FROM {name}")
        except Exception:  # noqa: BLE001 - each engine has its own
            yield word


@pytest.mark.parametrize(
    ("name", "mysql", "postgres", "duckdb"),
    [
        ("total", "total", "total", "total"),
        ("customerId", "customerId", '"customerId"', "customerId"),
        ("Order Date", "`Order Date`", '"Order Date"', '"Order Date"'),
        ("group", "`group`", '"group"', '"group"'),
        ("größe", "größe", "größe", "größe"),
        ("2nd", "`2nd`", '"2nd"', '"2nd"'),
        ('a"b`c', '`a"b``c`', '"a""b`c"', '"a""b`c"'),
    ],
)
def test_names_are_in_quotes_where_they_need_them(name: str, mysql: str, postgres: str, duckdb: str) -> None:
    found = [dialect_of(dialect).identifier(name) for dialect in ("mysql", "postgres", "duckdb", "sqlite")]

    assert found == [mysql, postgres, duckdb, duckdb]


def test_sqlite() -> None:
    dialect = dialect_of("sqlite")
    with closing(sqlite3.connect(":memory:")) as db:
        known = {row[0] for row in db.execute("SELECT name FROM pragma_function_list")}

        # SQLite gives no column of a query in parentheses one of these names, however it is quoted.
        assert list(refused(dialect, lambda sql: db.execute(sql).fetchall())) == ["false", "true"]
        assert {f.name for f in dialect.functions} - known - SYNTAX == {"json_each"}  # it stands in FROM


def test_duckdb() -> None:
    import duckdb

    dialect = dialect_of("duckdb")
    with duckdb.connect() as db:
        known = {row[0] for row in db.execute("SELECT function_name FROM duckdb_functions()").fetchall()}

        assert list(refused(dialect, lambda sql: db.execute(sql).fetchall())) == []
        assert {f.name for f in dialect.functions} - known - SYNTAX == set()


def test_postgres(postgres: PostgreSQL) -> None:
    dialect = dialect_of("postgres")
    with closing(postgres.connect()) as db:
        known = {row[0] for row in db.execute("SELECT proname FROM pg_proc").fetchall()}

        assert list(refused(dialect, lambda sql: db.execute(sql).fetchall())) == []
        assert {f.name for f in dialect.functions} - known - SYNTAX == set()


def test_mysql(mariadb: MariaDB) -> None:
    import pymysql

    dialect = dialect_of("mysql")
    with closing(mariadb.connect()) as db, db.cursor() as cursor:

        def run(sql: str) -> None:
            cursor.execute(sql)
            cursor.fetchall()

        def is_missing(name: str) -> bool:
            try:
                run(f"SELECT {name}(1, 2, 3, 4, 5, 6, 7)")
            except pymysql.Error as error:
                return error.args[0] == 1305  # no such function, unlike a wrong number of arguments
            return False

        assert list(refused(dialect, run)) == []
        assert [f.name for f in dialect.functions if is_missing(f.name)] == []
