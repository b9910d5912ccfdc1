"""What a database accepts has no OML410 and no OML411: queries are held against real databases and against ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import duckdb
import pytest
from tests.language.sql_shapes import SHAPES, TABLES
from tests.language.sql_shapes import queries as queries_in

from osiris.language.analysis import analyse
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment
from osiris.sql.columns import Column as Typed
from osiris.sql.gate import Gate, SqlRefused
from servers import MariaDB, PostgreSQL

SCHEMA = {
    "orders": ("id", "customer_id", "amount", "status", "placed_on"),
    "customers": ("id", "name", "city", "vip"),
    "items": ("order_id", "sku", "quantity"),
}
CREATE = (
    "CREATE TABLE orders (id INT, customer_id INT, amount DECIMAL(10,2), status VARCHAR(20), placed_on DATE)",
    "CREATE TABLE customers (id INT, name VARCHAR(50), city VARCHAR(50), vip INT)",
    "CREATE TABLE items (order_id INT, sku VARCHAR(20), quantity INT)",
)
EVERYWHERE = """
SELECT * FROM orders
SELECT id, amount FROM orders
SELECT ID, AMOUNT FROM orders
SELECT o.id FROM orders o
SELECT o.id FROM orders AS o
SELECT orders.id FROM orders
SELECT o.* FROM orders o
SELECT id AS number, amount AS total FROM orders ORDER BY total
SELECT id number, amount total FROM orders ORDER BY number
SELECT status, count(*) AS n FROM orders GROUP BY status ORDER BY n
SELECT status, sum(amount) FROM orders GROUP BY status HAVING sum(amount) > 10
SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id
SELECT o.id, c.name FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.vip = 1
SELECT o.id, name FROM orders o, customers c WHERE c.id = customer_id
SELECT id FROM orders WHERE amount BETWEEN 1 AND 2 AND status IN ('a', 'b')
SELECT id FROM orders WHERE status IS NULL OR NOT (amount > 3)
SELECT CASE WHEN amount > 10 THEN 'big' ELSE status END AS size FROM orders
SELECT CASE status WHEN 'a' THEN 1 ELSE 0 END FROM orders
SELECT coalesce(status, 'none') AS s FROM orders
SELECT cast(amount AS CHAR(10)) FROM orders
SELECT upper(lower(status)) FROM orders
SELECT count(DISTINCT status) FROM orders
SELECT DISTINCT status FROM orders ORDER BY status DESC
SELECT id FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE vip = 1)
SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id AND quantity > 1)
SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM items WHERE order_id = orders.id AND amount > 1)
SELECT id, (SELECT max(quantity) FROM items WHERE order_id = id) AS most FROM orders
SELECT s.total FROM (SELECT sum(amount) AS total FROM orders) s
SELECT s.total FROM (SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id) AS s WHERE s.total > 1
WITH big AS (SELECT id, amount FROM orders WHERE amount > 10) SELECT big.id FROM big
WITH big AS (SELECT id AS nr FROM orders) SELECT nr FROM big
WITH big (nr) AS (SELECT id FROM orders) SELECT big.nr FROM big
WITH orders AS (SELECT 1 AS other) SELECT other, orders.other FROM orders
WITH a AS (SELECT id FROM orders), b AS (SELECT a.id AS x FROM a) SELECT b.x, x FROM b
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r
SELECT id FROM orders UNION SELECT id FROM customers
SELECT id AS k FROM orders UNION ALL SELECT order_id FROM items ORDER BY k
SELECT id FROM orders UNION ALL SELECT order_id FROM items ORDER BY id
SELECT row_number() OVER (PARTITION BY status ORDER BY amount DESC) AS rn, id FROM orders
SELECT sum(amount) OVER w FROM orders WINDOW w AS (PARTITION BY status ORDER BY id)
SELECT a.id FROM orders a JOIN orders b ON a.id = b.customer_id
SELECT id FROM orders JOIN items ON id = order_id
SELECT orders.id FROM orders JOIN items ON orders.id = items.order_id WHERE sku LIKE 'x%'
SELECT amount * 2 + 1 AS doubled FROM orders WHERE -amount < 0
SELECT id FROM orders ORDER BY amount LIMIT 10
SELECT current_date, current_timestamp, id FROM orders
SELECT id -- a comment, FROM nowhere
SELECT 'text' AS t, id FROM orders WHERE status = 'FROM nowhere n'
SELECT max(o.amount) AS m FROM orders o GROUP BY o.status HAVING max(o.amount) > 1 ORDER BY m
SELECT x.id FROM (SELECT o.id FROM orders o) x JOIN (SELECT c.id FROM customers c) y ON x.id = y.id
SELECT (amount), ((status)) FROM orders
SELECT NULL AS nothing, id FROM orders
SELECT c.name, o.amount FROM customers c CROSS JOIN orders o
SELECT id FROM orders o JOIN items i ON i.order_id = o.id JOIN (SELECT 'a' AS code) k ON k.code = i.sku
SELECT substr(status, 1, 2) FROM orders
SELECT CASE WHEN EXISTS (SELECT 1 FROM items) THEN id END FROM orders
SELECT id FROM orders WHERE amount > (SELECT avg(amount) FROM orders)
SELECT o.status FROM orders o GROUP BY o.status ORDER BY count(*) DESC
SELECT customers.id FROM customers NATURAL JOIN (SELECT 1 AS id) n
SELECT id FROM orders JOIN (SELECT 1 AS order_id) k USING (order_id)
SELECT c.id FROM orders JOIN customers c USING (id)
"""
OWN = {
    "sqlite": """
SELECT rowid, oid, _rowid_ FROM orders
SELECT o.rowid FROM orders o
SELECT "id", [amount], `status` FROM "orders"
SELECT "nothing like it" FROM orders
SELECT id FROM main.orders
SELECT name FROM sqlite_master WHERE type = 'table'
SELECT name FROM sqlite_schema
SELECT value FROM json_each('[1]')
SELECT o.id, j.value FROM orders o, json_each('[1]') j
SELECT name FROM pragma_table_info('orders')
SELECT id FROM orders NOT INDEXED WHERE id = 1
SELECT date('now'), julianday(placed_on) FROM orders
SELECT id FROM orders WHERE status GLOB 'a*'
SELECT id FROM orders WHERE status COLLATE nocase = 'A'
SELECT id || '-' || status FROM orders
SELECT ID FROM ORDERS
SELECT group_concat(status, ',') FROM orders
SELECT iif(amount > 1, 'a', 'b') FROM orders
SELECT total(amount) FILTER (WHERE status = 'a') FROM orders
SELECT true, false, id FROM orders
VALUES (1), (2)
""",
    "duckdb": """
FROM orders
FROM orders SELECT id
SELECT * EXCLUDE (amount) FROM orders
SELECT * REPLACE (amount * 2 AS amount) FROM orders
SELECT * EXCLUDE amount FROM orders
SELECT * RENAME (amount AS total) FROM orders ORDER BY total
SELECT COLUMNS('a.*') FROM orders
SELECT amount AS a, a * 2 AS b, b + 1 AS c FROM orders
SELECT id FROM orders GROUP BY ALL ORDER BY ALL
SELECT rowid FROM orders
SELECT o.rowid FROM orders o
SELECT list_transform([1, 2], x -> x + amount) FROM orders
SELECT list_transform([1, 2], lambda x: x + 1) FROM orders
SELECT [y * 2 FOR y IN [1, 2]] FROM orders
SELECT {'a': id}.a FROM orders
SELECT s.a FROM (SELECT {'a': 1} AS s) t
SELECT total: amount, id FROM orders
SELECT id FROM main.orders
SELECT id FROM memory.main.orders
SELECT x FROM range(3) t(x)
SELECT u.v FROM orders, unnest([1, 2]) u(v)
SELECT o.id, l.m FROM orders o, LATERAL (SELECT o.amount * 2 AS m) l
SELECT o.id, l.m FROM orders o, (SELECT amount * 2 AS m) l
SELECT o.id, l.m FROM orders o, (SELECT o.amount * 2 AS m, customer_id AS y) l
SELECT id FROM orders QUALIFY row_number() OVER (PARTITION BY status ORDER BY id) = 1
SELECT date_part('year', placed_on), extract(year FROM placed_on) FROM orders
SELECT id::VARCHAR, amount::INTEGER FROM orders
SELECT table_name FROM information_schema.tables
SELECT table_name FROM duckdb_tables()
SELECT ID FROM ORDERS
SELECT "ID" FROM "Orders"
SELECT count(*) FILTER (WHERE status = 'a') FROM orders
SELECT user, current_schema FROM orders
PIVOT orders ON status USING sum(amount)
DESCRIBE orders
SELECT column_name FROM (DESCRIBE orders)
SELECT orders FROM orders
SELECT o FROM orders o
SELECT strptime('2020', '%Y'), DATE '2020-01-01', INTERVAL 3 days FROM orders
SELECT o.id FROM orders o POSITIONAL JOIN items i
SELECT id FROM orders USING SAMPLE 10
SELECT o.* EXCLUDE (id) FROM orders o
SELECT max_by(status, amount), arg_max(id, amount) FROM orders
SELECT c FROM (VALUES (1)) AS v(c)
SELECT id FROM orders o SEMI JOIN items i ON i.order_id = o.id
SELECT id FROM orders ANTI JOIN items ON order_id = id
SELECT o: {'amuont': 1}, id FROM orders
SELECT struct_pack(amuont := 1) FROM orders
SELECT amount.abs() FROM orders
SELECT o.amount.abs() FROM orders o
""",
    "mysql": """
SELECT `id`, `amount` FROM `orders`
SELECT "nothing" FROM orders
SELECT @x := 1, id FROM orders
SELECT @@version, id FROM orders
SELECT id FROM orders FORCE INDEX () WHERE id = 1
SELECT DATE_ADD(placed_on, INTERVAL 1 DAY) FROM orders
SELECT TIMESTAMPDIFF(MONTH, placed_on, NOW()) FROM orders
SELECT GROUP_CONCAT(status ORDER BY id SEPARATOR ';') FROM orders
SELECT CONVERT(status USING utf8mb4) FROM orders
SELECT CONVERT(amount, CHAR) FROM orders
SELECT CAST(amount AS SIGNED) FROM orders
SELECT UTC_DATE, UTC_TIMESTAMP, CURRENT_USER FROM orders
SELECT 1 FROM dual
SELECT SQL_NO_CACHE id FROM orders
SELECT STRAIGHT_JOIN o.id FROM orders o JOIN items i ON i.order_id = o.id
SELECT o.id FROM orders o STRAIGHT_JOIN items i ON i.order_id = o.id
SELECT table_name FROM information_schema.tables
SELECT user FROM mysql.user
SELECT id FROM orders WHERE status REGEXP '^a'
SELECT id FROM orders # the end
SELECT id DIV 2, id MOD 2 FROM orders
SELECT BINARY status FROM orders
SELECT _utf8mb4'abc', id FROM orders
SELECT status, SUM(amount) FROM orders GROUP BY status WITH ROLLUP
SELECT id FROM orders LIMIT 1 OFFSET 2
SELECT EXTRACT(YEAR FROM placed_on) FROM orders
SELECT id AS total FROM orders HAVING total > 1
SELECT IF(amount > 1, 'a', 'b') FROM orders
SELECT j.v FROM JSON_TABLE('[1]', '$[*]' COLUMNS (v INT PATH '$')) j
SELECT 1 = TRUE, id FROM orders
SELECT id /*!50000 , amount */ FROM orders
SELECT TRIM(BOTH 'x' FROM status) FROM orders
""",
    "postgres": """
SELECT "id", "amount" FROM "orders"
SELECT Id, AMOUNT FROM Orders
SELECT ctid, xmin, tableoid FROM orders
SELECT o.ctid FROM orders o
SELECT o FROM orders o
SELECT orders FROM orders
SELECT (o).id FROM orders o
SELECT o.double_amount FROM orders o
SELECT id::text FROM orders
SELECT id FROM public.orders
SELECT relname FROM pg_class
SELECT c.relname FROM pg_catalog.pg_class c
SELECT table_name FROM information_schema.tables
SELECT n FROM generate_series(1, 3) n
SELECT n FROM generate_series(1, 3) AS g(n)
SELECT o.id, l.m FROM orders o, LATERAL (SELECT o.amount * 2 AS m) l
SELECT o.id, l.m FROM orders o CROSS JOIN LATERAL (SELECT amount * 2 AS m) l
SELECT DISTINCT ON (status) status, id FROM orders ORDER BY status, id
SELECT count(*) FILTER (WHERE status = 'a') FROM orders
SELECT extract(year FROM placed_on), date_trunc('month', placed_on) FROM orders
SELECT placed_on + INTERVAL '1 day', DATE '2020-01-01' FROM orders
SELECT now() AT TIME ZONE 'UTC', id FROM orders
SELECT current_user, session_user, user, current_catalog, localtime FROM orders
SELECT array_agg(id ORDER BY amount) FROM orders
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM orders
SELECT substring(status FROM 1 FOR 2), overlay(status PLACING 'x' FROM 1) FROM orders
SELECT id FROM ONLY orders
SELECT id FROM orders TABLESAMPLE SYSTEM (10)
SELECT id IS DISTINCT FROM customer_id FROM orders
SELECT id FROM orders WHERE id = ANY (ARRAY[1, 2])
SELECT id FROM orders FOR UPDATE
SELECT o.id FROM orders o FOR UPDATE OF o
SELECT status COLLATE "C" FROM orders
SELECT a FROM (VALUES (1)) AS v(a)
SELECT * FROM ROWS FROM (generate_series(1, 2)) AS r(n)
SELECT x.a FROM (SELECT 1) AS x(a)
SELECT $$ FROM nowhere $$, id FROM orders
TABLE orders
SELECT o.a FROM orders AS o (a, b)
SELECT id FROM orders o(id, b)
SELECT ROW(id, amount) FROM orders
""",
}
HEAD = "oml_version: 0.1.0\nname: o\nsteps:\n  - id: a\n    mode: read\n    component: {}.extractor\n    config:\n"


class Ours:
    """The findings of a query in a pipeline whose database is known."""

    def __init__(self, dialect: str, schema: Mapping[str, Iterable[str]] = SCHEMA) -> None:
        home = {"duckdb": "main", "postgres": "public", "mysql": "shop"}.get(dialect, "")
        infos = [TableInfo(home, name) for name in schema]
        columns = {(home, name): tuple(Column(c, "") for c in names) for name, names in schema.items()}
        known = Catalog("@x.y", dialect, infos, columns, default_schema=home, read_at=datetime.now(UTC))
        fields = {"sqlite": "{path: a.db}", "duckdb": "{path: a.duckdb}"}.get(
            dialect, "{host: h, database: shop, user: u, password: '${P}'}"
        )
        connections = parse_connections(f"connections:\n  {dialect}:\n    default: {fields}\n")
        self.environment = StaticEnvironment(
            connections=connections, schemas={f"@{dialect}.default": SchemaKnowledge(None, known)}
        )
        self.head = HEAD.format(dialect)

    def __call__(self, query: str) -> list[str]:
        text = f"{self.head}      query: |\n        {query}\n"
        found = analyse(text, self.environment).diagnostics
        return [f"{d.code} {text[d.span.start : d.span.end]}" for d in found if d.code in ("OML410", "OML411")]


def queries(dialect: str) -> list[str]:
    return [line for line in (EVERYWHERE + OWN[dialect]).splitlines() if line]


def misspelt(query: str, schema: Mapping[str, Iterable[str]] = SCHEMA) -> list[str]:
    """The query with each of its names changed, one at a time."""
    names = {name for columns in schema.values() for name in columns} | set(schema)
    found = []
    at = 0
    for word in query.replace(".", " . ").replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split():
        at = query.index(word, at)
        if word in names:
            found.append(f"{query[:at]}{word}zz{query[at + len(word) :]}")
        at += len(word)
    return found


def compare(dialect: str, refusal: Callable[[str], str | None], least: float) -> None:
    """``refusal`` says why the database refuses a query, None when it does not."""
    ours = Ours(dialect)
    accepted = [query for query in queries(dialect) if refusal(query) is None]
    assert len(accepted) > 60
    wrong = {query: found for query in accepted if (found := ours(query))}
    assert not wrong
    refused, seen = 0, []
    for query in dict.fromkeys(variant for right in accepted for variant in misspelt(right)):
        why, found = refusal(query), ours(query)
        if why is None:
            assert not found, query
        elif "zz" in why:
            refused += 1
            seen += [query] if found else []
    assert refused > 100
    assert len(seen) / refused >= least, f"{len(seen)} of {refused}"


def test_sqlite() -> None:
    database = sqlite3.connect(":memory:")
    for statement in CREATE:
        database.execute(statement)

    def refusal(query: str) -> str | None:
        try:
            database.execute(query).fetchall()
        except sqlite3.Error as error:
            return str(error)
        return None

    compare("sqlite", refusal, 0.82)


def test_a_reader_of_duckdb_has_the_rules_of_steps_in_duckdb() -> None:
    ours = Ours("duckdb", TABLES)
    with Gate() as gate:
        typed = {name: [Typed(*column) for column in columns.items()] for name, columns in TABLES.items()}
        found: list[bool] = []
        for query in queries_in(SHAPES):
            assert not ours(query), query
            for variant in misspelt(query, {"": [column for columns in TABLES.values() for column in columns]}):
                try:
                    gate.check(variant, typed)
                except SqlRefused:
                    found.append(bool(ours(variant)))
                else:
                    assert not ours(variant), variant
    assert len(found) > 300
    assert sum(found) > 0.8 * len(found), f"{sum(found)} of {len(found)}"


def test_duckdb() -> None:
    database = duckdb.connect()
    for statement in CREATE:
        database.execute(statement)

    def refusal(query: str) -> str | None:
        try:
            database.execute(query).fetchall()
        except duckdb.Error as error:
            return str(error)
        return None

    compare("duckdb", refusal, 0.85)


@pytest.mark.parametrize("dialect", ["mysql", "postgres"])
def test_servers(dialect: str, request: pytest.FixtureRequest) -> None:
    server: MariaDB | PostgreSQL = request.getfixturevalue("mariadb" if dialect == "mysql" else "postgres")
    computed = "CREATE FUNCTION double_amount(orders) RETURNS numeric LANGUAGE sql AS 'SELECT $1.amount * 2'"
    with server.database(*CREATE, *([computed] if dialect == "postgres" else [])) as name:
        connection = server.connect(name, autocommit=True)
        with connection, connection.cursor() as cursor:

            def refusal(query: str) -> str | None:
                try:
                    cursor.execute(query)
                    cursor.fetchall()
                except Exception as error:  # noqa: BLE001 - each driver has its own
                    return str(error)
                return None

            compare(dialect, refusal, 0.65)
