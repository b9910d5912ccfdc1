"""mysql.writer on a real MariaDB server: every option of its spec, and what goes wrong in words."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

from runtime.test_processes import worker_of

TABLE = "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), height DOUBLE DEFAULT 9)"
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
def test_writing(mysql_shop, case):
    rows, config, expected = WRITES[case]
    mysql_shop.execute(TABLE, ANN)

    run = mysql_shop.put(rows, table="people", **config)

    assert run.state == "succeeded", run.error()
    assert mysql_shop.query("SELECT * FROM people ORDER BY id") == expected


def test_the_rows_are_counted(mysql_shop):
    run = mysql_shop.put("SELECT i FROM range(12345) AS t (i)", table="t", create_table=True)

    assert run.status["rows"]["w"] == 12345
    assert mysql_shop.query("SELECT count(*), sum(i) FROM t") == [(12345, 12344 * 12345 // 2)]


# A value in DuckDB's SQL: the type of the column that is made, and MySQL's text of the value.
MADE = {
    "true": ("tinyint(1)", "1"),
    "-1::TINYINT": ("tinyint(4)", "-1"),
    "65535::USMALLINT": ("smallint(5) unsigned", "65535"),
    "18446744073709551615::UBIGINT": ("bigint(20) unsigned", "18446744073709551615"),
    "'-17014118346046923173168730371588410572'::HUGEINT": ("decimal(39,0)", "-17014118346046923173168730371588410572"),
    "0.1::FLOAT": ("float", "0.1"),
    "0.1234567890123456::DOUBLE": ("double", "0.1234567890123456"),
    "-1.50::DECIMAL(12,2)": ("decimal(12,2)", "-1.50"),
    "'a,\"b\"''' || chr(10) || '\\.\\n🦆'": ("longtext", 'a,"b"\'\n\\.\\n🦆'),
    "''": ("longtext", ""),
    "'\\x00\\xFF'::BLOB": ("longblob", "\x00ÿ"),
    "''::BLOB": ("longblob", ""),
    "DATE '2024-02-29'": ("date", "2024-02-29"),
    "TIME '23:59:59.000001'": ("time(6)", "23:59:59.000001"),
    "TIMESTAMP '2024-01-31 23:59:59.000001'": ("datetime(6)", "2024-01-31 23:59:59.000001"),
    "TIMESTAMPTZ '2024-01-31 10:00:00+02'": ("datetime(6)", "2024-01-31 08:00:00.000000"),
    "INTERVAL '14 months 3 days'": ("longtext", "1 year 2 months 3 days"),
    "'123e4567-e89b-12d3-a456-426655440000'::UUID": ("char(36)", "123e4567-e89b-12d3-a456-426655440000"),
    "'{\"a\": 1}'::JSON": ("longtext", '{"a": 1}'),
    "{'a': [1, NULL]}": ("longtext", '{"a":[1,null]}'),
    "['a', NULL]": ("longtext", '["a",null]'),
    "NULL": ("longtext", None),
}


@pytest.fixture(params=["file", "statements"])
def way(request, mysql_shop):
    """How rows get to the server: as a file, or where it takes none, by INSERT."""
    mysql_shop.execute(f"SET GLOBAL local_infile = {request.param == 'file'}")
    yield request.param
    mysql_shop.execute("SET GLOBAL local_infile = 1")


def test_a_table_is_made_for_every_type(mysql_shop, way):
    values = ", ".join(f"{value} AS x{place}" for place, value in enumerate(MADE))

    run = mysql_shop.put(f"SELECT 'k' AS k, {values}", table="t", create_table=True, primary_key="k")

    assert run.state == "succeeded", run.error()
    columns = mysql_shop.query(
        "SELECT column_name, column_type, column_key FROM information_schema.columns"
        " WHERE table_schema = database() AND table_name = 't' ORDER BY ordinal_position"
    )
    expected = [(f"x{place}", kind, "") for place, (kind, _) in enumerate(MADE.values())]
    assert columns == [("k", "varchar(255)", "PRI"), *expected]
    texts = [f"CONVERT({name} USING latin1)" if "blob" in kind else f"concat({name})" for name, kind, _ in expected]
    assert mysql_shop.query(f"SELECT {', '.join(texts)} FROM t") == [tuple(text for _, text in MADE.values())]


HARD_TEXTS = [
    *("", "NULL", "null", '"', "'", "a,b", " x ", "é", "🦆", "x" * 70_000),
    *("line\nline", "\r\n", "\r", "\n", "\n\n", "\t", "\\", "\\N", "\\n", "\\\\", "\0", "\x1a", "\\\n", None),
]


def test_texts_that_look_like_what_stands_between_them(mysql_shop, way):
    frame = pa.table({"n": range(len(HARD_TEXTS)), "x": HARD_TEXTS, "y": HARD_TEXTS[::-1]})
    parquet.write_table(frame, mysql_shop.root / "texts.parquet")
    read = mysql_shop.step("t", "filesystem.parquet_extractor", path="texts.parquet")

    run = mysql_shop.run_here(read, mysql_shop.load("t", table="t", create_table=True))

    assert run.state == "succeeded", run.error()
    expected = list(zip(range(len(HARD_TEXTS)), HARD_TEXTS, HARD_TEXTS[::-1], strict=True))
    assert mysql_shop.query("SELECT n, x, y FROM t ORDER BY n") == expected


# Columns of a table that is there, and values of DuckDB that it takes in; MySQL's text of them.
TAKEN = {
    "TIME": ("INTERVAL '-30 hours'", "-30:00:00"),
    "BIT(10)": ("'\\x02\\x01'::BLOB", "513"),
    "ENUM('a','b')": ("'b'", "b"),
    "YEAR": ("2024", "2024"),
    "YEAR NULL": ("0", "0000"),
    "INT AUTO_INCREMENT UNIQUE": ("0", "0"),
    "DECIMAL(4,1)": ("1.25", "1.3"),
}


ONLY_BY_STATEMENTS = ("BIT(10)", "YEAR", "YEAR NULL")  # for a number is no text there


@pytest.mark.parametrize("declared", [[d for d in TAKEN if d not in ONLY_BY_STATEMENTS], [*TAKEN]], ids=["file", "all"])
def test_a_table_that_is_there_keeps_its_types(mysql_shop, declared):
    mysql_shop.execute(f"CREATE TABLE t ({', '.join(f'x{n} {kind}' for n, kind in enumerate(declared))})")
    values = ", ".join(f"{TAKEN[kind][0]} AS x{n}" for n, kind in enumerate(declared))
    files = mysql_shop.query("SHOW GLOBAL STATUS LIKE 'Com_load'")[0][1]

    run = mysql_shop.put(f"SELECT {values}", table="t")

    assert run.state == "succeeded", run.error()
    by_file = mysql_shop.query("SHOW GLOBAL STATUS LIKE 'Com_load'")[0][1] != files
    assert by_file == (len(declared) < len(TAKEN))
    texts = [f"concat(x{n} + 0)" if "BIT" in kind else f"concat(x{n})" for n, kind in enumerate(declared)]
    assert mysql_shop.query(f"SELECT {', '.join(texts)} FROM t") == [tuple(TAKEN[kind][1] for kind in declared)]


def test_columns_that_nothing_comes_for_do_not_decide_how_rows_get_there(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (id INT, kind ENUM('a', 'b') DEFAULT 'a', flags BIT(2) DEFAULT 1)")
    files = mysql_shop.query("SHOW GLOBAL STATUS LIKE 'Com_load'")[0][1]

    run = mysql_shop.put("SELECT 1 AS id, 'b' AS kind", table="t")

    assert run.state == "succeeded", run.error()
    assert mysql_shop.query("SELECT id, kind, flags + 0 FROM t") == [(1, "b", 1)]
    assert mysql_shop.query("SHOW GLOBAL STATUS LIKE 'Com_load'")[0][1] != files


def test_an_upsert_never_takes_another_unique_column_for_the_key(mysql_shop):
    mysql_shop.execute("CREATE TABLE t (id INT PRIMARY KEY, mail VARCHAR(9) UNIQUE)", "INSERT INTO t VALUES (1, 'a')")

    run = mysql_shop.put("SELECT 2 AS id, 'a' AS mail", table="t", mode="upsert", upsert_keys=["id"])

    assert "Duplicate entry 'a' for key 'mail'" in run.error("w")
    assert mysql_shop.query("SELECT * FROM t") == [(1, "a")]


# What is there, the rows, the options; the message.
REFUSED = {
    "no table": (
        "SELECT 1",
        TWO,
        {"table": "peeple"},
        "There is no table peeple in the database {database} of {server}.",
    ),
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
    "a column that the table computes": (
        "CREATE TABLE people (id INT, next_id INT AS (id + 1) STORED)",
        "SELECT 1 AS id, 9 AS next_id",
        {},
        "The table people in {server} computes its column next_id itself, and the data has values for it.",
    ),
    "a view": ("CREATE VIEW people AS SELECT 1 AS id", TWO, {}, "people is a view; rows are written to tables."),
    "a row that is there": (
        TABLE,
        "SELECT 1 AS id UNION ALL SELECT 1",
        {},
        "{Server} reports: Duplicate entry '1' for key 'PRIMARY'.",
    ),
    "text in a number": (
        TABLE,
        "SELECT 'x' AS id",
        {},
        "{Server} reports: Incorrect integer value: 'x' for column `{database}`.`people`.`id` at row 1.",
    ),
    "text that is too long": (
        TABLE,
        "SELECT 1 AS id, repeat('x', 21) AS name",
        {},
        "{Server} reports: Data truncated for column 'name' at row 1.",
    ),
    "a number that is none": (
        TABLE,
        "SELECT 1 AS id, 'nan'::DOUBLE AS height",
        {},
        "{Server} reports: Incorrect double value: 'nan' for column `{database}`.`people`.`height` at row 1.",
    ),
    "a date that is none there": (
        "CREATE TABLE people (d DATE)",
        "SELECT DATE 'infinity' AS d",
        {},
        "{Server} reports: Data truncated for column 'd' at row 1.",
    ),
    "a row without what it needs": (
        "CREATE TABLE people (id INT NOT NULL)",
        "SELECT CASE WHEN i <> 4999 THEN i END AS id FROM range(5000) AS t (i)",
        {},
        "{Server} reports: Column set to default value; NULL supplied to NOT NULL column 'id' at row 5000.",
    ),
    "a row that a rule of the table forbids": (
        "CREATE TABLE people (id INT, CONSTRAINT small CHECK (id < 10))",
        "SELECT i::INT AS id FROM range(11) AS t (i)",
        {},
        "{Server} reports: CONSTRAINT `small` failed for `{database}`.`people`.",
    ),
    "no transactions": (
        "CREATE TABLE people (id INT) ENGINE=MyISAM",
        TWO,
        {"mode": "replace"},
        "The table people in {server} has the engine MyISAM, which has no transactions: a step that fails could leave"
        " half of its rows behind.",
    ),
    "a database that is not there": (
        "SELECT 1",
        TWO,
        {"schema": "nowhere", "create_table": True},
        "{Server} reports: Unknown database 'nowhere'.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(mysql_shop, case):
    there, rows, config, message = REFUSED[case]
    mysql_shop.execute(there)

    run = mysql_shop.put(rows, **{"table": "people", **config})

    place = f"MySQL server at 127.0.0.1:{mysql_shop.server.port}"
    assert run.error("w") == message.format(
        database=mysql_shop.database_name, server=f"the {place}", Server=f"The {place}"
    )


def test_a_server_that_soon_ends_who_is_silent_waits_for_the_steps_before(mysql_shop, way):
    mysql_shop.execute(TABLE, "SET GLOBAL wait_timeout = 1")
    try:
        run = mysql_shop.put("SELECT 1 AS id, sleep_ms(3000)::VARCHAR AS name", table="people")
    finally:
        mysql_shop.execute("SET GLOBAL wait_timeout = 28800")

    assert run.state == "succeeded", run.error()


def test_nothing_is_written_by_a_step_that_fails_late(mysql_shop):
    mysql_shop.execute(TABLE, ANN)
    late = (
        "SELECT i::INT AS id, CASE WHEN i < 50000 THEN 'x' ELSE error('late') END AS name FROM range(3, 90000) AS t (i)"
    )

    run = mysql_shop.put(late, table="people", mode="replace")

    assert run.state == "failed"
    assert mysql_shop.query("SELECT id FROM people ORDER BY id") == [(1,), (2,)]


def test_a_table_that_was_to_be_made_is_not_there_when_the_step_fails(mysql_shop):
    late = "SELECT CASE WHEN i < 50000 THEN 'x' ELSE error('late') END AS name FROM range(90000) AS t (i)"

    run = mysql_shop.put(late, table="people", create_table=True)

    assert run.state == "failed"
    assert mysql_shop.query("SHOW TABLES") == [("osiris_journal",)]


def test_the_next_run_removes_the_table_that_a_killed_one_was_filling(mysql_shop, until):
    slow = mysql_shop.extract("slow", query="SELECT seq FROM seq_1_to_5000000 WHERE seq < 50000 OR SLEEP(0.01) = 0")
    run_id = mysql_shop.start(slow, mysql_shop.load("slow", table="people", create_table=True))
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY 1"
    names = until(lambda: [name for (name,) in mysql_shop.query(tables) if name.startswith("osiris_new_")])
    complete = "osiris_new_0123456789abcdef"
    mysql_shop.execute(f"CREATE TABLE {complete} SELECT 1 AS id")

    beside = mysql_shop.put("SELECT 1 AS id", table="beside", create_table=True)
    while_it_runs = [name for (name,) in mysql_shop.query(tables)]
    until(lambda: worker_of(mysql_shop)).kill()
    until(lambda: not mysql_shop.store().show(run_id).active)
    until(lambda: mysql_shop.query(f"SELECT IS_FREE_LOCK('{names[0]}')") == [(1,)])
    after = mysql_shop.put("SELECT 2 AS id", table="people", create_table=True)

    assert (beside.state, after.state) == ("succeeded", "succeeded")
    assert while_it_runs == ["beside", "osiris_journal", *sorted([complete, *names])]
    assert [name for (name,) in mysql_shop.query(tables)] == ["beside", "osiris_journal", complete, "people"]


def test_messages_call_a_table_that_is_being_made_by_the_name_it_will_have(mysql_shop):
    mysql_shop.server.execute("SET GLOBAL local_infile = 0")
    try:
        run = mysql_shop.put("SELECT 1 AS id, DATE '20000-01-01' AS day", table="fresh", create_table=True)
    finally:
        mysql_shop.server.execute("SET GLOBAL local_infile = 1")

    assert run.error("w").endswith(f"for column `{mysql_shop.database_name}`.`fresh`.`day` at row 1.")


def test_a_row_longer_than_the_server_takes_in_one_statement(mysql_shop, way):
    mysql_shop.execute("CREATE TABLE t (x LONGTEXT)", "SET GLOBAL max_allowed_packet = 102400")
    try:
        run = mysql_shop.put("SELECT repeat('x', 200000) AS x", table="t")
    finally:
        mysql_shop.execute("SET GLOBAL max_allowed_packet = 16777216")

    if way == "file":
        assert run.state == "succeeded", run.error()
        assert mysql_shop.query("SELECT x = repeat('x', 200000) FROM t") == [(1,)]
    else:
        place = f"127.0.0.1:{mysql_shop.server.port}"
        assert (
            run.error("w") == f"A row is too long for the MySQL server at {place}, which takes 102,400 bytes at once."
        )


def test_a_table_in_another_database(mysql_shop):
    with mysql_shop.server.database("CREATE TABLE t (id INT)") as other:
        run = mysql_shop.put("SELECT 7 AS id", table="t", schema=other)

        assert run.state == "succeeded", run.error()
        assert mysql_shop.rows(table="t", schema=other)[1] == [("7",)]


def test_a_table_of_another_database_by_its_qualified_name(mysql_shop):
    with mysql_shop.server.database("CREATE TABLE t (id INT)") as other:
        run = mysql_shop.put("SELECT 7 AS id", table=f"{other}.t")

        assert run.state == "succeeded", run.error()
        assert mysql_shop.rows(table=f"{other}.t")[1] == [("7",)]


def test_a_table_whose_own_name_has_a_dot(mysql_shop):
    mysql_shop.execute("CREATE TABLE `a.b` (id INT)")

    assert mysql_shop.put("SELECT 7 AS id", table="a.b").state == "succeeded"
    assert mysql_shop.rows(table="a.b")[1] == [("7",)]
