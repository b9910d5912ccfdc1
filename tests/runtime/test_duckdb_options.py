"""Every option of duckdb.extractor and duckdb.writer does what its spec says, on real database files."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import duckdb
import psutil
import pytest

from osiris.drivers.duckdb import database as opening
from osiris.execution.local import start_run

PEOPLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR, height DOUBLE)"
ANN = "INSERT INTO people VALUES (1, 'Ann', 1.7), (2, 'Bob', NULL), (3, 'Cyd', 2)"


def make(project, path, *statements):
    target = project.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(target)) as connection:
        for statement in statements:
            connection.execute(statement)
    return target


def rows(path, query):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def held_by_another_program(path):
    """Another process has the database open for writing inside the block; its process id."""
    code = f"import duckdb; held = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout.readline() == "open\n"
        yield it.pid
        it.stdin.close()


def read(project, **config):
    """What duckdb.extractor reads, as CSV text."""
    run = project.run_here(project.step("t", "duckdb.extractor", **config), project.to_csv("w", "t", "out.csv"))
    assert run.state == "succeeded", run.error()
    return project.read("out.csv")


def refused(project, **config):
    """Why duckdb.extractor does not read."""
    run = project.run_here(project.step("t", "duckdb.extractor", **config), project.to_csv("w", "t", "out.csv"))
    assert run.state == "failed"
    return run.error("t")


def put(project, query, **config):
    """Write the rows of ``query``."""
    project.write("one.csv", "one\n1\n")
    return project.run_here(
        project.csv("s", "one.csv"),
        project.sql("q", "s", query),
        project.step("w", "duckdb.writer", sources="q", **config),
    )


READS = {
    "table": ({"table": "people"}, "id,name,height\n1,Ann,1.7\n2,Bob,\n3,Cyd,2.0\n"),
    "table in other case": ({"table": "PEOPLE", "columns": ["ID"], "limit": 1}, "id\n1\n"),
    "schema": ({"schema": "old", "table": "people"}, "id\n9\n"),
    "view": ({"table": "tall"}, "name\nCyd\n"),
    "query": ({"query": "SELECT name FROM people WHERE id > 1 ORDER BY id; -- two"}, "name\nBob\nCyd\n"),
    "query with CTE": ({"query": "WITH x AS (SELECT max(id) AS m FROM people) SELECT m FROM x"}, "m\n3\n"),
    "query that begins with FROM": ({"query": "FROM people SELECT id"}, "id\n1\n2\n3\n"),
    "columns": ({"table": "people", "columns": ["name", "id"]}, "name,id\nAnn,1\nBob,2\nCyd,3\n"),
    "columns of a query": ({"query": "SELECT * FROM people", "columns": ["height"]}, 'height\n1.7\n""\n2.0\n'),
    "limit": ({"table": "people", "columns": ["id"], "limit": 2}, "id\n1\n2\n"),
    "no rows": ({"query": "SELECT id, name FROM people WHERE id > 9"}, "id,name\n"),
}


@pytest.mark.parametrize("case", READS)
def test_reading(project, case):
    config, expected = READS[case]
    make(
        project,
        "shop.duckdb",
        PEOPLE,
        ANN,
        "CREATE VIEW tall AS SELECT name FROM people WHERE height > 1.8",
        "CREATE SCHEMA old",
        "CREATE TABLE old.people AS SELECT 9 AS id",
    )

    assert read(project, path="shop.duckdb", **config).replace('""', "") == expected.replace('""', "")


REFUSED = {
    "no such table": ({"table": "peple"}, "shop.duckdb has no table or view peple."),
    "no such schema": ({"schema": "x", "table": "people"}, "shop.duckdb has no table or view x.people."),
    "no such column": ({"table": "people", "columns": ["size"]}, "people has no column size."),
    "two statements": ({"query": "SELECT 1; SELECT 2"}, "query holds 2 statements; it must be exactly one that"),
    "no statement": ({"query": "-- nothing"}, "query holds 0 statements"),
    "a statement that writes": ({"query": "DELETE FROM people"}, "query is a statement of the kind DELETE"),
    "a statement that exports": ({"query": "COPY people TO 'x.csv'"}, "query is a statement of the kind COPY"),
    "a file outside": ({"query": "FROM read_text('/etc/hostname')"}, "opens another file or address"),
    "a view over a file": ({"table": "files"}, "opens another file or address"),
    "no SQL": ({"query": "SELEC 1"}, "The query is no SQL of DuckDB"),
    "unknown column in the query": ({"query": "SELECT size FROM people"}, "Cannot read shop.duckdb: "),
    "a value that does not fit": ({"query": "SELECT name::INT FROM people"}, "Could not convert string 'Ann' to INT32"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read(project, case):
    config, expected = REFUSED[case]
    project.write("secret.csv", "a\n1\n")
    secret = project.root / "secret.csv"
    make(project, "shop.duckdb", PEOPLE, ANN, f"CREATE VIEW files AS FROM read_csv('{secret}')")

    assert expected in refused(project, path="shop.duckdb", **config)


TYPES = {
    "HUGEINT": "170141183460469231731687303715884105727",
    "UHUGEINT": "340282366920938463463374607431768211455",
    "DECIMAL(38,2)": "123456789012345678901234567890123456.78",
    "UUID": "6b0a8a5e-6f0e-4a39-8d5b-1f7c6a2f3c11",
    "BIT": "10101",
    "BLOB": "\\x00\\xFF",
    "DATE": "0044-03-15 (BC)",
    "TIME": "23:59:59.999999",
    "TIME WITH TIME ZONE": "10:00:00+02",
    "TIMESTAMP": "2024-01-31 10:00:00.123456",
    "TIMESTAMP_NS": "2024-01-31 10:00:00.123456789",
    "INTERVAL": "1 year 2 months 3 days 04:05:06.7",
    "INTEGER[]": "[1, NULL, 3]",
    "STRUCT(a INTEGER, b VARCHAR[])": "{'a': 1, 'b': [x, y]}",
    "MAP(VARCHAR, INTEGER)": "{a=1, b=NULL}",
    "JSON": '{"a": [1, 2]}',
    "FLOAT": "1.5",
    "UBIGINT": "18446744073709551615",
}


@pytest.mark.parametrize("kind", TYPES)
def test_types_and_values_arrive_from_one_database_in_another(project, kind):
    make(project, "a.duckdb", f"CREATE TABLE t (x {kind})", "INSERT INTO t VALUES (NULL)")
    with duckdb.connect(str(project.root / "a.duckdb")) as connection:
        connection.execute(f"INSERT INTO t SELECT CAST(? AS {kind})", [TYPES[kind]])

    run = project.run_here(
        project.step("t", "duckdb.extractor", path="a.duckdb", table="t"),
        project.step("w", "duckdb.writer", sources="t", path="b.duckdb", table="t"),
    )

    assert run.state == "succeeded", run.error()
    asked = "SELECT typeof(x), x::VARCHAR FROM t"
    assert rows(project.root / "b.duckdb", asked) == rows(project.root / "a.duckdb", asked)


def test_a_new_database_and_its_folder_are_made(project):
    run = put(project, "SELECT 1 AS id, 'Ann' AS name", path="out/new.duckdb", table="people", primary_key="id")

    assert run.state == "succeeded", run.error()
    assert rows(project.root / "out/new.duckdb", "FROM people") == [(1, "Ann")]
    keys = (
        "SELECT constraint_column_names FROM duckdb_constraints()"
        " WHERE table_name = 'people' AND constraint_type = 'PRIMARY KEY'"
    )
    assert rows(project.root / "out/new.duckdb", keys) == [(["id"],)]
    assert [path.name for path in (project.root / "out").iterdir()] == ["new.duckdb"]


NEW = "SELECT * FROM (VALUES (3, 'Eve'), (4, 'Dan'), (3, 'Cy')) AS t(id, name) WHERE (SELECT count(*) FROM df) = 1"
WRITES = {
    "append": (
        {"write_mode": "append", "table": "free"},
        [(1, "a"), (2, "b"), (3, "Cy"), (3, "Eve"), (4, "Dan")],
    ),
    "replace": ({"write_mode": "replace", "table": "free"}, [(3, "Cy"), (3, "Eve"), (4, "Dan")]),
    "upsert, the last of two rows with one key counts": (
        {"write_mode": "upsert", "table": "people", "primary_key": ["id"]},
        [(1, "Ann"), (2, "Bob"), (3, "Cy"), (4, "Dan")],
    ),
    "upsert by a unique constraint": (
        {"write_mode": "upsert", "table": "uniq", "primary_key": "id"},
        [(3, "Cy"), (4, "Dan"), (None, "none")],
    ),
    "a schema that is not there yet": ({"schema": "new", "table": "t"}, [(3, "Cy"), (3, "Eve"), (4, "Dan")]),
}


@pytest.mark.parametrize("case", WRITES)
def test_writing(project, case):
    config, expected = WRITES[case]
    path = make(
        project,
        "shop.duckdb",
        PEOPLE,
        ANN,
        "CREATE TABLE free AS FROM (VALUES (1, 'a'), (2, 'b')) t(id, name)",
        "CREATE TABLE uniq (id INTEGER UNIQUE, name VARCHAR)",
        "INSERT INTO uniq VALUES (NULL, 'none'), (3, 'old')",
    )

    run = put(project, NEW, path="shop.duckdb", **config)

    assert run.state == "succeeded", run.error()
    name = f"{config.get('schema', 'main')}.{config['table']}"
    assert rows(path, f"SELECT id, name FROM {name} ORDER BY ALL") == expected


def test_an_upsert_leaves_columns_that_the_data_does_not_have(project):
    path = make(project, "shop.duckdb", PEOPLE, ANN)

    put(project, "SELECT 1 AS id, 'Anna' AS name", path="shop.duckdb", table="people", write_mode="upsert",
        primary_key=["id"])  # fmt: skip

    assert rows(path, "FROM people WHERE id = 1") == [(1, "Anna", 1.7)]


def test_a_table_with_a_key_is_replaced_by_rows_with_the_same_keys(project):
    path = make(project, "shop.duckdb", PEOPLE, ANN)

    run = put(project, "SELECT 1 AS id, 'x' AS name", path="shop.duckdb", table="people", write_mode="replace")

    assert run.state == "succeeded", run.error()
    assert rows(path, "SELECT id, name FROM people") == [(1, "x")]


NOT_WRITTEN = {
    "a key twice": ({"table": "people"}, NEW, 'Duplicate key "id: 3" violates primary key constraint'),
    "missing table": ({"table": "x", "create_table": False}, NEW, "There is no table x in shop.duckdb."),
    "a view": ({"table": "v"}, NEW, "v is a view; rows are written to tables."),
    "foreign column": ({"table": "people"}, "SELECT 1 AS id, 2 AS size", "has no column size, which the data has."),
    "lost key": (
        {"table": "people", "write_mode": "upsert", "primary_key": ["code"]},
        NEW,
        "primary_key names the column code, which the data does not have.",
    ),
    "no unique key": (
        {"table": "people", "write_mode": "upsert", "primary_key": ["name"]},
        NEW,
        "has no primary key or unique constraint over name, so rows cannot be matched.",
    ),
    "a text that is no number": ({"table": "people"}, "SELECT 'x' AS id", "Could not convert string 'x' to INT32"),
    "a query that fails at its last row": (
        {"table": "people", "write_mode": "replace"},
        "SELECT CASE WHEN i = 199999 THEN error('no') ELSE i END::INTEGER AS id FROM range(200000) t(i)",
        "no",
    ),
}


@pytest.mark.parametrize("case", NOT_WRITTEN)
def test_what_cannot_be_written_leaves_the_database_as_it_was(project, case):
    config, query, expected = NOT_WRITTEN[case]
    path = make(project, "shop.duckdb", PEOPLE, ANN, "CREATE VIEW v AS FROM people")

    run = put(project, query, path="shop.duckdb", **config)

    assert run.state == "failed"
    assert expected in run.error()
    assert rows(path, "SELECT * FROM people ORDER BY id") == [(1, "Ann", 1.7), (2, "Bob", None), (3, "Cyd", 2.0)]


def test_a_new_database_that_fails_is_not_there(project):
    query = "SELECT CASE WHEN i = 199999 THEN error('no') ELSE i END AS id FROM range(200000) t(i)"

    run = put(project, query, path="out/new.duckdb", table="t")

    assert run.state == "failed"
    assert list((project.root / "out").iterdir()) == []


def test_a_log_without_its_database_is_not_taken_for_that_of_a_new_one(project):
    project.write("new.duckdb.wal", b"something")

    run = put(project, "SELECT 1 AS id", path="new.duckdb", table="t")

    assert "There is no new.duckdb, but its log new.duckdb.wal" in run.error()
    assert project.read("new.duckdb.wal") == "something"


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_pipeline_writes_into_the_database_that_it_reads_from(project, mode):
    path = make(project, "shop.duckdb", "CREATE TABLE a AS SELECT range::INTEGER AS id FROM range(200000)",
                "CREATE TABLE b AS SELECT -1 AS id")  # fmt: skip

    run = project.run(
        project.step("t", "duckdb.extractor", path="shop.duckdb", table="a"),
        project.step("w", "duckdb.writer", sources="t", path="shop.duckdb", table="b", write_mode=mode),
    )

    assert run.state == "succeeded", run.error()
    more = 1 if mode == "append" else 0
    assert rows(path, "SELECT count(*), max(id) FROM b") == [(200_000 + more, 199_999)]


def test_several_steps_read_one_database_at_once(project):
    make(project, "shop.duckdb", PEOPLE, ANN)
    names = ["a", "b", "c", "d"]

    run = project.run(
        *(project.step(name, "duckdb.extractor", path="shop.duckdb", table="people") for name in names),
        *(project.to_csv(f"w{name}", name, f"{name}.csv") for name in names),
    )

    assert run.state == "succeeded", run.error()
    assert {project.read(f"{name}.csv") for name in names} == {"id,name,height\n1,Ann,1.7\n2,Bob,\n3,Cyd,2.0\n"}


def test_a_database_that_another_program_writes_to_says_who(project, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.2)
    path = make(project, "shop.duckdb", PEOPLE, ANN)
    with held_by_another_program(path) as pid:
        reading = refused(project, path="shop.duckdb", table="people")
        writing = put(project, "SELECT 4 AS id", path="shop.duckdb", table="people")

    assert reading == f"shop.duckdb is locked: another program (PID {pid}) has it open."
    assert writing.error("w") == reading


def test_a_step_waits_for_a_database_that_is_closed_soon(project):
    path = make(project, "shop.duckdb", PEOPLE, ANN)
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(1)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        text = read(project, path="shop.duckdb", table="people", columns=["id"])

    assert text == "id\n1\n2\n3\n"


def test_rows_in_the_log_of_a_database_are_read(project):
    path = project.root / "shop.duckdb"
    code = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r}); c.execute('CREATE TABLE t AS SELECT 7 AS id');"
        " os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)

    assert path.with_name("shop.duckdb.wal").exists()
    assert read(project, path="shop.duckdb", table="t") == "id\n7\n"


def encrypted(path):
    with duckdb.connect(config={"force_mbedtls_unsafe": "true"}) as database:
        database.execute(f"ATTACH '{path}' AS locked (ENCRYPTION_KEY 'abc'); CREATE TABLE locked.t (x INT)")


def of_version(number):
    """Make a database whose header names another version of the format; its checksum is right."""

    def make_it(path):
        duckdb.connect(str(path)).close()
        content = bytearray(path.read_bytes())
        content[12] = number
        checksum = 5381
        for (word,) in struct.iter_unpack("<Q", content[8:4096]):
            checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
        content[:8] = struct.pack("<Q", checksum)
        path.write_bytes(content)

    return make_it


def torn(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS FROM range(200000)")
    path.write_bytes(path.read_bytes()[:20_000])


ODD_FILES = {
    "encrypted": (encrypted, "x.duckdb is encrypted."),
    "newer": (of_version(200), "x.duckdb was written by another version of DuckDB"),
    "older": (of_version(10), "x.duckdb was written by another version of DuckDB"),
    "torn": (torn, "x.duckdb is damaged:"),
    "SQLite": (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4096)), "is a SQLite database, not a DuckDB"),
    "text": (lambda path: path.write_text("a,b\n1,2\n" * 99), "x.duckdb is not a DuckDB database."),
}


@pytest.mark.parametrize("case", ODD_FILES)
def test_a_file_that_is_no_readable_database_is_explained(project, case):
    make_it, expected = ODD_FILES[case]
    make_it(project.root / "x.duckdb")
    before = (project.root / "x.duckdb").read_bytes()

    assert expected in refused(project, path="x.duckdb", table="t")
    assert expected in put(project, "SELECT 1 AS x", path="x.duckdb", table="t").error("w")
    assert (project.root / "x.duckdb").read_bytes() == before


def test_a_missing_database_is_not_made_by_a_reader(project):
    assert "Cannot read none.duckdb" in refused(project, path="none.duckdb", table="t")
    assert not (project.root / "none.duckdb").exists()


def test_reading_changes_no_byte(project):
    path = make(project, "shop.duckdb", PEOPLE, ANN)
    before = path.read_bytes()

    read(project, path="shop.duckdb", table="people")

    assert path.read_bytes() == before
    assert sorted(p.name for p in project.root.iterdir()) == ["logs", "osiris.yaml", "out.csv", "shop.duckdb"]


@pytest.mark.parametrize("mode", ["append", "replace", "new"])
def test_cancelling_leaves_the_old_state(project, until, mode):
    path = make(project, "shop.duckdb", "CREATE TABLE t AS SELECT -1::BIGINT AS i")
    target = "shop.duckdb" if mode != "new" else "new.duckdb"
    endless = "SELECT i FROM range(100000000000) r(i)"
    project.write("one.csv", "one\n1\n")
    manifest = project.manifest(
        project.csv("s", "one.csv"),
        project.sql("q", "s", endless),
        project.step("w", "duckdb.writer", sources="q", path=target, table="t",
                     write_mode="append" if mode == "new" else mode),
    )  # fmt: skip
    run_id = start_run(manifest, root=project.root, detach=True).run_id
    store = project.store()
    until(lambda: any(e["event"] == "step_progress" for e in events(project, run_id)))
    store.cancel(run_id)
    until(lambda: store.show(run_id).state == "cancelled")

    assert rows(path, "FROM t") == [(-1,)]
    assert not (project.root / "new.duckdb").exists()
    assert project.leftovers() == []


def events(project, run_id):
    path = project.root / "logs" / run_id / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6])
def test_a_kill_leaves_the_old_rows(project, until, seconds):
    path = make(project, "shop.duckdb", "CREATE TABLE t AS SELECT -1::BIGINT AS i")
    project.write("one.csv", "one\n1\n")
    manifest = project.manifest(
        project.csv("s", "one.csv"),
        project.sql("q", "s", "SELECT i FROM range(100000000000) r(i)"),
        project.step("w", "duckdb.writer", sources="q", path="shop.duckdb", table="t", write_mode="replace"),
    )
    run_id = start_run(manifest, root=project.root, detach=True).run_id
    until(lambda: any(e["event"] == "step_start" and e["step_id"] == "w" for e in events(project, run_id)))
    time.sleep(seconds)
    for process in psutil.process_iter(["cmdline"]):
        with suppress(psutil.Error):
            if "osiris.execution.worker" in (process.info["cmdline"] or []) and process.cwd() == str(project.root):
                process.kill()
    until(lambda: not project.store().show(run_id).active)

    assert rows(path, "FROM t") == [(-1,)]
