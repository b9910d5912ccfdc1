"""Every option of the SQLite components does what its spec says."""

from __future__ import annotations

import sqlite3

import pytest

PEOPLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, height REAL, photo BLOB)"
ANN = "INSERT INTO people VALUES (1, 'Ann', 1.7, x'00ff'), (2, 'Bob', NULL, NULL), (3, 'Cyd', 2, NULL)"


def read(project, **config):
    """What sqlite.extractor reads, as CSV text."""
    run = project.run_here(project.step("t", "sqlite.extractor", **config), project.to_csv("w", "t", "out.csv"))
    assert run.state == "succeeded", run.error()
    return project.read("out.csv")


def refused(project, **config):
    """Why sqlite.extractor does not read."""
    run = project.run_here(project.step("t", "sqlite.extractor", **config), project.to_csv("w", "t", "out.csv"))
    assert run.state == "failed"
    return run.error("t")


READS = {
    "table": ({"table": "people"}, "id,name,height,photo\n1,Ann,1.7,\\x00\\xFF\n2,Bob,,\n3,Cyd,2.0,\n"),
    "table in other case": ({"table": "PEOPLE", "columns": ["ID"], "limit": 1}, "id\n1\n"),
    "query": ({"query": "SELECT name FROM people WHERE id > 1 -- two"}, "name\nBob\nCyd\n"),
    "query with CTE": ({"query": "WITH x AS (SELECT max(id) AS m FROM people) SELECT m FROM x"}, "m\n3\n"),
    "columns": ({"table": "people", "columns": ["name", "id"]}, "name,id\nAnn,1\nBob,2\nCyd,3\n"),
    "columns of a query": ({"query": "SELECT * FROM people", "columns": ["height"]}, "height\n1.7\n\n2.0\n"),
    "limit": ({"table": "people", "columns": ["id"], "limit": 2}, "id\n1\n2\n"),
    "batch_size": ({"table": "people", "columns": ["id"], "batch_size": 1}, "id\n1\n2\n3\n"),
    "no rows": ({"query": "SELECT id, name FROM people WHERE id > 9"}, "id,name\n"),
}


@pytest.mark.parametrize("case", READS)
def test_reading(project, case):
    config, expected = READS[case]
    project.database("shop.db", PEOPLE, ANN)

    assert read(project, path="shop.db", **config) == expected


def test_types_follow_what_is_stored(project):
    project.database(
        "t.db",
        "CREATE TABLE t (i INTEGER, r REAL, mixed INTEGER, words INTEGER, b BOOLEAN, nob BOOLEAN, d DATE, nod DATE,"
        " ts DATETIME, nots TIMESTAMP, empty DATE, free)",
        "INSERT INTO t VALUES (1, 1, 1, 1, 1, 2, '2024-01-31', '2024-02-30', '2024-01-31 10:00:00', 'noon', NULL, 'x')",
        "INSERT INTO t VALUES (2, 2.5, 2.5, 'two', 0, 1, NULL, '2024-01-31', '2024-01-31T11:00:00', NULL, NULL, NULL)",
    )

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="t.db", table="t"),
        project.sql("d", "t", "SELECT column_name, column_type FROM (DESCRIBE df)"),
        project.to_csv("w", "d", "types.csv"),
        project.to_csv("v", "t", "values.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert dict(line.split(",") for line in project.read("types.csv").splitlines()[1:]) == {
        "i": "BIGINT",
        "r": "DOUBLE",
        "mixed": "DOUBLE",
        "words": "VARCHAR",
        "b": "BOOLEAN",
        "nob": "BIGINT",
        "d": "DATE",
        "nod": "VARCHAR",
        "ts": "TIMESTAMP",
        "nots": "VARCHAR",
        "empty": "DATE",
        "free": "VARCHAR",
    }
    assert project.read("values.csv").splitlines()[1:] == [
        "1,1.0,1.0,1,true,2,2024-01-31,2024-02-30,2024-01-31 10:00:00,noon,,x",
        "2,2.5,2.5,two,false,1,,2024-01-31,2024-01-31 11:00:00,,,",
    ]


def test_a_value_far_down_that_is_of_another_kind(project):
    project.database(
        "t.db",
        "CREATE TABLE t (n INTEGER)",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000) INSERT INTO t SELECT i FROM r",
        "INSERT INTO t VALUES ('many')",
    )

    text = read(project, path="t.db", table="t")

    assert text.splitlines()[-2:] == ["30000", "many"]


REFUSED = {
    "unknown table": ({"table": "nope"}, "shop.db has no table or view nope."),
    "unknown column": ({"table": "people", "columns": ["nope"]}, "people has no column nope."),
    "broken SQL": ({"query": "SELEC 1"}, 'Cannot read shop.db: near "SELEC": syntax error.'),
    "no SELECT": ({"query": "DELETE FROM people"}, 'Cannot read shop.db: near "DELETE": syntax error.'),
    "pragma": ({"query": "PRAGMA user_version = 3"}, 'Cannot read shop.db: near "PRAGMA": syntax error.'),
    "attach": ({"query": "ATTACH 'other.db' AS o"}, 'Cannot read shop.db: near "ATTACH": syntax error.'),
    "two statements": ({"query": "SELECT 1; DROP TABLE people"}, "You can only execute one statement at a time"),
    "load_extension": ({"query": "SELECT load_extension('x.so')"}, "Cannot read shop.db: not authorized"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read(project, case):
    config, message = REFUSED[case]
    path = project.database("shop.db", PEOPLE, ANN)
    before = path.read_bytes()

    assert message in refused(project, path="shop.db", **config)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database(project):
    project.write("shop.db", "a,b\n" * 500)

    assert refused(project, path="shop.db", table="t") == "Cannot read shop.db: file is not a database."


def test_text_that_is_not_utf8(project):
    project.database("t.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'fffe' AS TEXT))")

    assert refused(project, path="t.db", table="t") == "Cannot read t.db: Could not decode to UTF-8 column 'a'."


def test_the_path_may_come_from_the_connection(project, tmp_path):
    with sqlite3.connect(tmp_path / "far.db") as far:
        far.execute("CREATE TABLE t AS SELECT 1 AS a")
    project.write("osiris_connections.yaml", f"connections: {{sqlite: {{shop: {{path: {tmp_path / 'far.db'}}}}}}}")

    run = project.run_here(
        project.step("t", "sqlite.extractor", table="t", step__connection="@sqlite.shop"),
        project.step("w", "sqlite.writer", sources="t", table="copy", step__connection="@sqlite.shop"),
    )

    assert run.state == "succeeded", run.error()
    assert sqlite3.connect(tmp_path / "far.db").execute("SELECT * FROM copy").fetchall() == [(1,)]


def write(project, query, **config):
    """Run sqlite.writer on the rows of a query."""
    return project.run_here(
        project.sql("t", (), query), project.step("w", "sqlite.writer", sources="t", path="out.db", **config)
    )


def content(project, query):
    """Rows of the database that was written."""
    connection = sqlite3.connect(project.root / "out.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_new_database_gets_the_table_with_its_types(project):
    run = write(
        project,
        "SELECT 1 AS i, 170141183460469231731687303715884105727::HUGEINT % 5 AS h, 1.5::DECIMAL(9,2) AS dec, 2.5 AS f,"
        " 'ž' AS s, true AS b, DATE '2024-01-31' AS d, TIMESTAMP '2024-01-31 10:00:00' AS ts, [1, 2] AS l,"
        " '\\x00\\xFF'::BLOB AS bin, NULL AS n",
        table="t",
    )

    assert run.state == "succeeded", run.error()
    assert content(project, "SELECT * FROM t") == [
        (1, 2, 1.5, 2.5, "ž", 1, "2024-01-31", "2024-01-31 10:00:00", "[1, 2]", b"\x00\xff", None)
    ]
    declared = dict(content(project, "SELECT name, type FROM pragma_table_info('t')"))
    assert declared["i"] == "INTEGER"
    assert declared["f"] == "REAL"
    assert declared["b"] == "BOOLEAN"
    assert declared["d"] == "DATE"
    assert declared["ts"] == "TIMESTAMP"
    assert run.status["rows"]["w"] == 1


MODES = {
    "append": ({"write_mode": "append"}, [(1, "old"), (2, "old"), (2, "new"), (3, "new")]),
    "replace": ({"write_mode": "replace"}, [(2, "new"), (3, "new")]),
    "upsert": ({"write_mode": "upsert", "primary_key": "id"}, [(1, "old"), (2, "new"), (3, "new")]),
    "upsert by list": ({"write_mode": "upsert", "primary_key": ["id"]}, [(1, "old"), (2, "new"), (3, "new")]),
}


@pytest.mark.parametrize("case", MODES)
@pytest.mark.parametrize("batch_size", [1, 10_000])
def test_write_mode(project, case, batch_size):
    config, expected = MODES[case]
    key = "id INTEGER PRIMARY KEY" if "upsert" in case else "id INTEGER"
    project.database("out.db", f"CREATE TABLE t ({key}, name TEXT)", "INSERT INTO t VALUES (1, 'old'), (2, 'old')")

    run = write(
        project, "SELECT * FROM (VALUES (2, 'new'), (3, 'new')) v(id, name)", table="t", batch_size=batch_size, **config
    )

    assert run.state == "succeeded", run.error()
    assert content(project, "SELECT id, name FROM t ORDER BY id, name DESC") == expected


def test_upsert_into_a_new_table_makes_the_key(project):
    rows = "SELECT * FROM (VALUES (1, 'a', 'x'), (2, 'b', 'y')) v(k1, k2, value)"

    write(project, rows, table="t", write_mode="upsert", primary_key=["k1", "k2"])
    run = write(
        project, "SELECT 1 AS k1, 'a' AS k2, 'z' AS value", table="t", write_mode="upsert", primary_key=["k1", "k2"]
    )

    assert run.state == "succeeded", run.error()
    assert content(project, "SELECT * FROM t ORDER BY k1") == [(1, "a", "z"), (2, "b", "y")]


NOT_WRITTEN = {
    "missing table": ({"table": "nope", "create_table": False}, "There is no table nope in out.db."),
    "foreign column": ({"table": "other"}, "The table other in out.db has no column id, which the data has."),
    "no unique key": (
        {"table": "t", "write_mode": "upsert", "primary_key": "name"},
        "The table t in out.db has no primary key or unique index over name, so rows cannot be matched.",
    ),
    "key not in data": (
        {"table": "t", "write_mode": "upsert", "primary_key": "nope"},
        "primary_key names the column nope, which the data does not have.",
    ),
    "constraint": ({"table": "t"}, "Cannot write to out.db: UNIQUE constraint failed: t.id."),
}


@pytest.mark.parametrize("case", NOT_WRITTEN)
def test_what_cannot_be_written_changes_nothing(project, case):
    config, message = NOT_WRITTEN[case]
    project.database(
        "out.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
        "INSERT INTO t VALUES (3, 'old')",
        "CREATE TABLE other (x INTEGER)",
    )

    run = write(project, "SELECT * FROM (VALUES (2, 'new'), (3, 'new')) v(id, name)", batch_size=1, **config)

    assert run.state == "failed"
    assert run.error("w") == message
    assert content(project, "SELECT * FROM t") == [(3, "old")]


def test_a_failure_leaves_no_new_database_behind(project):
    run = write(
        project,
        "SELECT CASE WHEN i = 90000 THEN error('stop here') ELSE 'x' END AS a FROM range(100000) t(i)",
        table="t",
    )

    assert run.state == "failed"
    assert [p.name for p in project.root.iterdir()] == ["osiris.yaml", "logs"] or not (project.root / "out.db").exists()
    assert project.leftovers() == []


EMPTY_DAY = "SELECT id, date(name) AS day, sum(height) AS total FROM people WHERE id > 9 GROUP BY id, day"
ON_AN_EMPTY_DAY = {
    "sum and round": ("SELECT id, round(sum(total), 2) AS r FROM df GROUP BY id", "id,r\n"),
    "text functions": ("SELECT lower(day) AS l, day || '!' AS e, substr(total, 1, 2) AS s FROM df", "l,e,s\n"),
    "comparisons": ("SELECT id FROM df WHERE total > 1.5 AND total = 'x' AND day > DATE '2024-01-01'", "id\n"),
    "coalesce": ("SELECT coalesce(total, 0) AS a, coalesce(total, 'none') AS b FROM df", "a,b\n"),
    "casts": ("SELECT CAST(total AS DOUBLE) AS a, year(CAST(day AS DATE)) AS b FROM df", "a,b\n"),
    "union with typed rows": ("SELECT total FROM df UNION ALL SELECT 'x'", "total\nx\n"),
    "join on typed rows": ("SELECT v.k FROM df JOIN (VALUES (1.5)) v(k) ON v.k = df.total", "k\n"),
    "nothing at all": ("SELECT * FROM df", "id,day,total\n"),
}


@pytest.mark.parametrize("case", ON_AN_EMPTY_DAY)
def test_computed_columns_without_rows_fit_what_a_query_does_with_them(project, case):
    query, expected = ON_AN_EMPTY_DAY[case]
    project.database("shop.db", PEOPLE, ANN)

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="shop.db", query=EMPTY_DAY),
        project.sql("again", "t", "SELECT * FROM df"),
        project.sql("q", "again", query),
        project.to_csv("w", "q", "out.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == expected


def test_a_computed_column_of_nothing_but_null_fits_a_sum_and_a_text(project):
    project.database("shop.db", PEOPLE, ANN)

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="shop.db", query="SELECT id, nullif(id, id) AS x FROM people"),
        project.sql("q", "t", "SELECT count(*) AS n, sum(x) AS s, max(lower(x)) AS l FROM df"),
        project.to_csv("w", "q", "out.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "n,s,l\n3,,\n"


@pytest.mark.parametrize("writer", ["filesystem.parquet_writer", "sqlite.writer"])
def test_an_empty_day_can_be_written_to_any_file(project, writer):
    project.database("shop.db", PEOPLE, ANN)
    config = {"path": "out.parquet"} if writer == "filesystem.parquet_writer" else {"path": "out.db", "table": "t"}

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="shop.db", query=EMPTY_DAY),
        project.step("w", writer, sources="t", **config),
    )

    assert run.state == "succeeded", run.error()
    assert run.status["rows"]["w"] == 0


def test_columns_of_a_table_keep_their_declared_types_without_rows(project):
    project.database("t.db", "CREATE TABLE t (i INTEGER, r REAL, s TEXT, d DATE, ts TIMESTAMP, b BOOLEAN, free)")

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="t.db", query="SELECT *, i + 1 AS computed FROM t"),
        project.sql("d", "t", "SELECT column_name, column_type FROM (DESCRIBE df)"),
        project.to_csv("w", "d", "types.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("types.csv").splitlines()[1:] == [
        "i,BIGINT",
        "r,DOUBLE",
        "s,VARCHAR",
        "d,DATE",
        "ts,TIMESTAMP",
        "b,BOOLEAN",
        'free,"""NULL"""',
        'computed,"""NULL"""',
    ]


def warnings(run):
    """What the run warned of, by step."""
    return [(e["step_id"], e["warning"]) for e in run.events if e["event"] == "step_progress" and "warning" in e]


def test_text_in_a_column_of_numbers_is_warned_of_with_its_row_and_without_its_value(project):
    project.database(
        "t.db",
        "CREATE TABLE t (n INTEGER, price DECIMAL(9,2), label STRING, word TEXT)",
        "INSERT INTO t VALUES (1, 1.5, 1, 'a'), ('secret words', 2, 'x', 'b'), (3, x'00', 'y', 'c'), ('more', 4, 1, 1)",
    )

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="t.db", table="t"), project.to_csv("w", "t", "out.csv")
    )

    assert run.state == "succeeded", run.error()
    assert warnings(run) == [
        (
            "t",
            "The column n of t.db is declared as numbers but holds text, first in row 2: "
            "the whole column is read as text.",
        ),
        (
            "t",
            "The column price of t.db is declared as numbers but holds bytes, first in row 3: "
            "the whole column is read as bytes.",
        ),
    ]
    assert "secret words" not in (run.path / "events.jsonl").read_text()


def test_columns_of_numbers_that_hold_numbers_warn_of_nothing(project):
    project.database("shop.db", PEOPLE, ANN)

    run = project.run_here(
        project.step("t", "sqlite.extractor", path="shop.db", table="people"), project.to_csv("w", "t", "out.csv")
    )

    assert run.state == "succeeded", run.error()
    assert warnings(run) == []


def test_digits_that_sqlite_cannot_keep_are_warned_of_by_column_and_text_keeps_them(project):
    run = write(
        project,
        "SELECT 1234567890123456.78::DECIMAL(18,2) AS lost, 12345.67::DECIMAL(18,2) AS kept, NULL::DECIMAL(38,9) AS n,"
        " 0.1::DECIMAL(38,30) AS tenth, CAST(1234567890123456.78::DECIMAL(18,2) AS VARCHAR) AS text,"
        " 12345678901234567::DECIMAL(20,0) AS whole",
        table="t",
    )

    assert content(project, "SELECT kept, tenth, text, whole FROM t") == [
        (12345.67, 0.1, "1234567890123456.78", 12345678901234567)
    ]
    assert warnings(run) == [
        (
            "w",
            "SQLite has floating-point numbers only, and some here have more digits than those keep (about 15): the "
            "last ones were lost in lost. To keep them, write text: CAST(x AS VARCHAR).",
        )
    ]


@pytest.mark.parametrize(
    "number", ["18446744073709551615::UBIGINT", "(-9223372036854775809)::HUGEINT", "1e19::DECIMAL(38,0)"]
)
def test_a_whole_number_that_sqlite_cannot_hold_is_told_by_its_column(project, number):
    run = write(project, f"SELECT 1 AS id, {number} AS big", table="t", batch_size=1)

    assert run.error("w") == "The column big holds a whole number that is too large for SQLite (64 bits)."
    assert not (project.root / "out.db").exists()
