"""postgres.writer on a real PostgreSQL server: every option of its spec, and what goes wrong in words."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

TABLE = "CREATE TABLE people (id int PRIMARY KEY, name text, height double precision DEFAULT 9)"
ANN = "INSERT INTO people VALUES (1, 'Ann', 1.7), (2, 'Bob', NULL)"
TWO = "SELECT * FROM (VALUES (2, 'Bea'), (3, NULL)) AS x (id, name)"
KEYED = "SELECT * FROM (VALUES (3, 'Cyd')) AS x (id, name)"

WRITES = {
    "append": (KEYED, {}, [(1, "Ann", 1.7), (2, "Bob", None), (3, "Cyd", 9)]),
    "replace": (TWO, {"mode": "replace"}, [(2, "Bea", 9), (3, None, 9)]),
    "truncate_before": (TWO, {"truncate_before": True}, [(2, "Bea", 9), (3, None, 9)]),
    "upsert": (TWO, {"mode": "upsert", "upsert_keys": ["id"]}, [(1, "Ann", 1.7), (2, "Bea", None), (3, None, 9)]),
    "upsert by primary_key": (
        TWO,
        {"mode": "upsert", "primary_key": "ID"},
        [(1, "Ann", 1.7), (2, "Bea", None), (3, None, 9)],
    ),
    "upsert, the last one counts": (
        "SELECT 1 AS id, 'v' || i AS name FROM range(5000) AS t (i) ORDER BY i",
        {"mode": "upsert", "upsert_keys": ["id"]},
        [(1, "v4999", 1.7), (2, "Bob", None)],
    ),
    "upsert of keys alone": (
        "SELECT 2 AS id",
        {"mode": "upsert", "upsert_keys": ["id"]},
        [(1, "Ann", 1.7), (2, "Bob", None)],
    ),
    "small batches": (KEYED, {"batch_size": 1}, [(1, "Ann", 1.7), (2, "Bob", None), (3, "Cyd", 9)]),
    "names in other case": ("SELECT 3 AS ID, 'Cyd' AS Name", {}, [(1, "Ann", 1.7), (2, "Bob", None), (3, "Cyd", 9)]),
    "no rows": (f"{KEYED} WHERE id > 9", {"mode": "replace"}, []),
}


@pytest.mark.parametrize("case", WRITES)
def test_writing(postgres_shop, case):
    rows, config, expected = WRITES[case]
    postgres_shop.execute(TABLE, ANN)

    run = postgres_shop.put(rows, table="people", **config)

    assert run.state == "succeeded", run.error()
    assert postgres_shop.query("SELECT * FROM people ORDER BY id") == expected


def test_the_rows_are_counted(postgres_shop):
    run = postgres_shop.put("SELECT i FROM range(12345) AS t (i)", table="t", create_table=True)

    assert run.status["rows"]["w"] == 12345
    assert postgres_shop.query("SELECT count(*), sum(i) FROM t") == [(12345, 12344 * 12345 // 2)]


# A value in DuckDB's SQL: the type of the column that is made, and PostgreSQL's text of the value.
MADE = {
    "true": ("boolean", "true"),
    "-1::TINYINT": ("smallint", "-1"),
    "65535::USMALLINT": ("integer", "65535"),
    "18446744073709551615::UBIGINT": ("numeric(20,0)", "18446744073709551615"),
    "'-17014118346046923173168730371588410572'::HUGEINT": ("numeric(39,0)", "-17014118346046923173168730371588410572"),
    "0.1::FLOAT": ("real", "0.1"),
    "'nan'::DOUBLE": ("double precision", "NaN"),
    "'-inf'::DOUBLE": ("double precision", "-Infinity"),
    "0.1234567890123456::DOUBLE": ("double precision", "0.1234567890123456"),
    "-1.50::DECIMAL(12,2)": ("numeric(12,2)", "-1.50"),
    "'a,\"b\"' || chr(10) || '\\.\\n🦆'": ("text", 'a,"b"\n\\.\\n🦆'),
    "''": ("text", ""),
    "'\\x00\\xFF'::BLOB": ("bytea", "\\x00ff"),
    "DATE '2024-02-29'": ("date", "2024-02-29"),
    "DATE '0044-03-15 (BC)'": ("date", "0044-03-15 BC"),
    "DATE '-infinity'": ("date", "-infinity"),
    "TIME '23:59:59.000001'": ("time without time zone", "23:59:59.000001"),
    "TIMESTAMP '2024-01-31 23:59:59.000001'": ("timestamp without time zone", "2024-01-31 23:59:59.000001"),
    "TIMESTAMPTZ '2024-01-31 10:00:00+02'": ("timestamp with time zone", "2024-01-31 08:00:00+00"),
    "INTERVAL '14 months 3 days -4 hours'": ("interval", "1 year 2 mons 3 days -04:00:00"),
    "'123e4567-e89b-12d3-a456-426655440000'::UUID": ("uuid", "123e4567-e89b-12d3-a456-426655440000"),
    "'{\"a\": 1}'::JSON": ("json", '{"a": 1}'),
    "{'a': [1, NULL]}": ("json", '{"a":[1,null]}'),
    "[1, NULL]": ("integer[]", "{1,NULL}"),
    "['a\"\\', NULL, 'NULL', '']": ("text[]", '{"a\\"\\\\",NULL,"NULL",""}'),
    "[[1, 2], [3, 4]]": ("integer[]", "{{1,2},{3,4}}"),
    "NULL": ("text", None),
}


def test_a_table_is_made_for_every_type(postgres_shop):
    values = ", ".join(f"{value} AS x{place}" for place, value in enumerate(MADE))

    run = postgres_shop.put(f"SELECT 1 AS k, {values}", table="t", create_table=True, primary_key="k")

    assert run.state == "succeeded", run.error()
    types = postgres_shop.query(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 't'::regclass AND attnum > 1 ORDER BY attnum"
    )
    assert [kind for (kind,) in types] == [kind for kind, _ in MADE.values()]
    connection = postgres_shop.server.connect(postgres_shop.database_name)
    connection.execute("SET timezone = 'UTC'")
    texts = connection.execute(f"SELECT {', '.join(f'x{place}::text' for place in range(len(MADE)))} FROM t").fetchall()
    connection.close()
    assert texts == [tuple(text for _, text in MADE.values())]


HARD_TEXTS = [
    *("", "NULL", "null", '"', '""', "'", "a,b", ",", " x ", "é", "🦆", "x" * 70_000),
    *("line\nline", "\r\n", "\r", "\n", "\n\n", "\t", "\\", "\\N", "\\.", "\n\\.\n", "\x1a", "\\\n", None),
]


def test_texts_that_look_like_what_stands_between_them(postgres_shop):
    frame = pa.table({"n": range(len(HARD_TEXTS)), "x": HARD_TEXTS, "y": HARD_TEXTS[::-1]})
    parquet.write_table(frame, postgres_shop.root / "texts.parquet")
    read = postgres_shop.step("t", "filesystem.parquet_extractor", path="texts.parquet")

    run = postgres_shop.run_here(read, postgres_shop.load("t", table="t", create_table=True))

    assert run.state == "succeeded", run.error()
    expected = list(zip(range(len(HARD_TEXTS)), HARD_TEXTS, HARD_TEXTS[::-1], strict=True))
    assert postgres_shop.query("SELECT n, x, y FROM t ORDER BY n") == expected


# What is there, the rows, the options; the message.
REFUSED = {
    "no table": ("SELECT 1", TWO, {"table": "peeple"}, "There is no table peeple in {server}; case matters."),
    "a column that the table does not have": (
        TABLE,
        "SELECT 1 AS id, 2 AS age",
        {},
        "The table people in {server} has no column age, which the data has.",
    ),
    "a key that the data does not have": (
        TABLE,
        TWO,
        {"mode": "upsert", "upsert_keys": ["nr"]},
        "upsert_keys names the column nr, which the data does not have.",
    ),
    "a key that is not unique": (
        TABLE,
        TWO,
        {"mode": "upsert", "primary_key": ["name"]},
        "The table people in {server} has no primary key or unique index over name, so rows cannot be matched.",
    ),
    "a view": ("CREATE VIEW people AS SELECT 1 AS id", TWO, {}, "people is a view; rows are written to tables."),
    "a row that is there": (
        TABLE,
        "SELECT 1 AS id UNION ALL SELECT 1",
        {},
        '{Server} reports: duplicate key value violates unique constraint "people_pkey".',
    ),
    "text in a number": (
        TABLE,
        "SELECT 'x' AS id",
        {},
        '{Server} reports: invalid input syntax for type integer: "x".',
    ),
    "a schema that is not there": (
        "SELECT 1",
        TWO,
        {"schema": "nowhere", "create_table": True},
        '{Server} reports: schema "nowhere" does not exist.',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(postgres_shop, case):
    there, rows, config, message = REFUSED[case]
    postgres_shop.execute(there)

    run = postgres_shop.put(rows, **{"table": "people", **config})

    place = f"PostgreSQL server at 127.0.0.1:{postgres_shop.server.port}"
    assert run.error("w") == message.format(server=f"the {place}", Server=f"The {place}")


def test_nothing_is_written_by_a_step_that_fails_late(postgres_shop):
    postgres_shop.execute(TABLE, ANN)
    late = (
        "SELECT i::INT AS id, CASE WHEN i < 50000 THEN 'x' ELSE error('late') END AS name FROM range(3, 90000) AS t (i)"
    )

    run = postgres_shop.put(late, table="people", mode="replace")

    assert run.state == "failed"
    assert postgres_shop.query("SELECT id FROM people ORDER BY id") == [(1,), (2,)]


def test_a_table_in_another_schema(postgres_shop):
    postgres_shop.execute('CREATE SCHEMA "Other"', 'CREATE TABLE "Other".t (id int)')

    run = postgres_shop.put("SELECT 7 AS id", table="t", schema="Other")

    assert run.state == "succeeded", run.error()
    assert postgres_shop.query('SELECT * FROM "Other".t') == [(7,)]
    assert postgres_shop.rows(table="t", schema="Other")[1] == [("7",)]


def test_a_table_in_another_schema_by_its_qualified_name(postgres_shop):
    postgres_shop.execute('CREATE SCHEMA "Other"', 'CREATE TABLE "Other".t (id INT)')

    run = postgres_shop.put("SELECT 7 AS id", table="Other.t")

    assert run.state == "succeeded", run.error()
    assert postgres_shop.rows(table="Other.t")[1] == [("7",)]


def test_a_table_whose_own_name_has_a_dot(postgres_shop):
    postgres_shop.execute('CREATE TABLE "a.b" (id INT)')

    assert postgres_shop.put("SELECT 7 AS id", table="a.b").state == "succeeded"
    assert postgres_shop.rows(table="a.b")[1] == [("7",)]
