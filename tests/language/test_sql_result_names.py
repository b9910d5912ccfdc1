"""What is said of the columns of a query's result is what the database calls them, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import duckdb
import pytest

from osiris.language.sql_binding.bind import columns_of_query
from osiris.language.sql_binding.shape import shape_of
from servers import MariaDB, PostgreSQL

ORDERS = ("id", "customer_id", "amount", "status")
ITEMS = ("order_id", "sku", "quantity")
CREATE = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INT, amount DECIMAL(10,2), status VARCHAR(20))",
    "CREATE TABLE items (order_id INT, sku VARCHAR(20), quantity INT)",
)
LONG = "a" * 70
QUERIES = f"""
SELECT id, amount FROM orders
SELECT ID, o.Amount FROM orders o
SELECT (amount), ((status)) FROM orders
SELECT id AS number, amount total FROM orders
SELECT id AS "Nr", amount AS "the total" FROM orders
SELECT * FROM orders
SELECT o.*, sku FROM orders o JOIN items i ON i.order_id = o.id
SELECT * FROM orders JOIN (SELECT 1 AS id, 2 AS other) x USING (id)
SELECT * FROM orders NATURAL JOIN (SELECT 1 AS id, 2 AS other) x
SELECT * FROM orders a JOIN orders b ON a.id = b.id
SELECT id, id FROM orders
SELECT id, ID FROM orders
SELECT status, count(*) FROM orders GROUP BY status
SELECT sum(amount) FROM orders
SELECT amount + 1, -amount, +amount, NOT id FROM orders
SELECT 1, 'text', NULL, TRUE, 1.5, x'ff' FROM orders
SELECT cast(amount AS CHAR(10)) FROM orders
SELECT CAST(id AS DECIMAL) AS d FROM orders
SELECT amount::text FROM orders
SELECT CASE WHEN id > 1 THEN 1 END FROM orders
SELECT (SELECT max(sku) FROM items) FROM orders
SELECT EXISTS (SELECT 1 FROM items) FROM orders
SELECT * FROM (SELECT id, count(*) FROM orders GROUP BY id) x
SELECT current_date, id FROM orders
SELECT current_timestamp FROM orders
SELECT current_user FROM orders
SELECT user FROM orders
SELECT localtime FROM orders
SELECT utc_date FROM orders
SELECT rowid FROM orders
SELECT oid FROM orders
SELECT _rowid_ FROM orders
SELECT _rowid FROM orders
SELECT o.rowid, status FROM orders o
SELECT rowid FROM items
SELECT *, rowid FROM orders
SELECT x.rowid FROM (SELECT rowid, status FROM orders) x
SELECT * FROM (SELECT rowid FROM orders) x
WITH x AS (SELECT rowid FROM orders) SELECT * FROM x
SELECT ctid FROM orders
VALUES (1, 'a')
VALUES (1, 'a'), (2, 'b')
SELECT * FROM (VALUES (1, 'a')) x
SELECT * FROM (VALUES (1, 'a'))
SELECT * FROM (VALUES (1, 'a')) AS x(n, t)
WITH x AS (VALUES (1, 2)) SELECT * FROM x
WITH x (a, b) AS (VALUES (1, 2)) SELECT * FROM x
VALUES (1) UNION SELECT id FROM orders
SELECT id FROM orders UNION VALUES (1)
SELECT "nosuch" FROM orders
SELECT "id", "amount" FROM orders
SELECT "id" FROM (SELECT id FROM orders) x
SELECT * FROM (SELECT "nosuch" FROM orders) x
SELECT `id`, `amount` FROM orders
SELECT [id] FROM orders
SELECT 'id' FROM orders
SELECT o FROM orders o
SELECT (o).id FROM orders o
SELECT id AS {LONG} FROM orders
SELECT id AS "{LONG}" FROM orders
SELECT id AS " spaced " FROM orders
SELECT id AS ' spaced ' FROM orders
SELECT id AS 'text' FROM orders
SELECT id AS "" FROM orders
SELECT id AS "back\\slash" FROM orders
SELECT id AS `back\\slash` FROM orders
SELECT id AS "quo""ted" FROM orders
SELECT id AS "ä" FROM orders
SELECT semi.id, i.sku FROM orders semi JOIN items i ON i.order_id = semi.id
SELECT * FROM orders SEMI JOIN items ON id = order_id
SELECT * FROM orders ANTI JOIN items ON id = order_id
SELECT DISTINCT status FROM orders
SELECT ALL status FROM orders
SELECT SQL_NO_CACHE id, status FROM orders
SELECT DISTINCTROW id FROM orders
SELECT BINARY status FROM orders
SELECT id DIV 2 FROM orders
SELECT id MOD 2 FROM orders
SELECT status COLLATE nocase FROM orders
SELECT id ISNULL FROM orders
SELECT date '2020-01-01' FROM orders
SELECT status || 'x', id FROM orders
SELECT amount.* FROM orders amount
SELECT g FROM generate_series(1, 2) g
SELECT * FROM generate_series(1, 2) AS g
SELECT * FROM generate_series(1, 2)
SELECT * FROM generate_series(1, 2) AS g(n)
SELECT * FROM json_each('[1]')
SELECT id FROM orders UNION SELECT order_id AS other FROM items
SELECT id AS a FROM orders ORDER BY a LIMIT 1
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r
SELECT row_number() OVER (ORDER BY id) FROM orders
SELECT row_number() OVER (ORDER BY id) AS rn FROM orders
SELECT id AS "a", amount AS "A" FROM orders
SELECT id -> '$.a' FROM orders
SELECT status -> '$.a' AS j FROM orders
SELECT max(id) id FROM orders
"""
KNOWN = (("orders", shape_of(ORDERS)), ("items", shape_of(ITEMS)))
NOT_KNOWN = (("orders", None), ("items", None))


def compare(dialect: str, names_of: Callable[[str], Sequence[str] | None], least: int) -> None:
    """``names_of`` gives the names of the columns that the database tells, None when it refuses the query."""
    certain = 0
    wrong = []
    for query in QUERIES.strip().splitlines():
        real = names_of(query)
        for tables in (KNOWN, NOT_KNOWN, ()):
            said = columns_of_query(query, dialect, tables)
            if real is None or said is None:
                continue
            certain += 1
            ours, theirs = ([name.casefold() for name in names] for names in (said, real))
            is_function = dialect == "duckdb" and "generate_series" in query  # rather one too many there
            if ours != theirs and not (is_function and set(theirs) < set(ours)):
                wrong.append((query, said, real))
    assert not wrong
    assert certain >= least


def test_sqlite() -> None:
    database = sqlite3.connect(":memory:")
    for statement in CREATE:
        database.execute(statement)

    def names_of(query: str) -> Sequence[str] | None:
        database.execute("DROP VIEW IF EXISTS temp.query")
        try:  # as the reader does it
            database.execute(f"CREATE TEMP VIEW query AS {query}")
            return [row[1] for row in database.execute("PRAGMA temp.table_xinfo(query)")]
        except sqlite3.Error:
            return None

    compare("sqlite", names_of, 60)
    database.close()


def test_duckdb() -> None:
    with duckdb.connect() as database:
        for statement in CREATE:
            database.execute(statement)

        def names_of(query: str) -> Sequence[str] | None:
            try:
                return [column[0] for column in database.execute(query).description]
            except duckdb.Error:
                return None

        compare("duckdb", names_of, 60)


@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
def test_servers(dialect: str, request: pytest.FixtureRequest) -> None:
    server: MariaDB | PostgreSQL = request.getfixturevalue("mariadb" if dialect == "mysql" else "postgres")
    with server.database(*CREATE) as name:
        connection = server.connect(name, autocommit=True)
        with connection, connection.cursor() as cursor:

            def names_of(query: str) -> Sequence[str] | None:
                try:
                    cursor.execute(query)
                    return [column[0] for column in cursor.description]
                except Exception:  # noqa: BLE001 - each driver has its own
                    return None

            compare(dialect, names_of, 60)
