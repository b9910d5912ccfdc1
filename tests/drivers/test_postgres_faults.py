"""What postgres.extractor and postgres.writer do when something goes wrong: words, and no half-written table."""

from __future__ import annotations

import threading
import time

import pytest

from drivers.interference import proxy_to


def ours(shop):
    """How many connections of runs the server has."""
    return (
        shop.query("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleeper%'")[0][0] - 1
    )


REFUSED = {
    "no table": (
        {"table": "peeple"},
        "The database {database} of {server} has no table or view peeple; case matters.",
    ),
    "no schema": (
        {"table": "people", "schema": "Public"},
        "The schema Public of {server} has no table or view people; case matters.",
    ),
    "no column": ({"table": "people", "columns": ["id", "Id"]}, "The table people has no column Id."),
    "no column of a query": (
        {"query": "SELECT 1 AS id", "columns": ["age"]},
        "The result of the query has no column age.",
    ),
    "not a SELECT": (
        {"query": "DELETE FROM people RETURNING id"},
        "Only queries that read are allowed, and this one has DELETE.",
    ),
    "a change within WITH": (
        {"query": "WITH x AS (/* all */ delete FROM people RETURNING id) SELECT * FROM x"},
        "Only queries that read are allowed, and this one has DELETE.",
    ),
    "two statements": ({"query": "SELECT 1; SELECT 2"}, '{Server} reports: syntax error at or near ";".'),
    "statements that would fit where the query stands": (
        {"query": "SELECT 1) TO STDOUT; DROP TABLE people; COPY (SELECT 1"},
        "{Server} reports: subquery in FROM must have an alias.",
    ),
    "statements that would fit where the columns are asked for": (
        {"query": "SELECT 1) AS x; DROP TABLE people; SELECT * FROM (SELECT 1"},
        "{Server} reports: cannot insert multiple commands into a prepared statement.",
    ),
    "a change by a function": (
        {"query": "SELECT grow()"},
        "{Server} reports: cannot execute INSERT in a read-only transaction. Only queries that read are allowed.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(postgres_shop, case):
    config, message = REFUSED[case]
    postgres_shop.execute(
        "CREATE TABLE people (id INT)",
        "CREATE FUNCTION grow() RETURNS bigint LANGUAGE sql AS 'INSERT INTO people VALUES (1) RETURNING 1::bigint'",
    )

    place = f"PostgreSQL server at 127.0.0.1:{postgres_shop.server.port}"
    names = {"server": f"the {place}", "Server": f"The {place}", "database": postgres_shop.database_name}
    assert postgres_shop.refused(**config) == message.format(**names)
    assert postgres_shop.query("SELECT count(*) FROM people") == [(0,)]


def test_a_wrong_password_is_told_without_it(postgres_shop):
    postgres_shop.connect_as(password="wr0ng-s3cret")

    run = postgres_shop.run_here(postgres_shop.extract(table="t"), postgres_shop.to_csv("c", "t", "out.csv"))

    assert run.error("t") == (
        f"The PostgreSQL server at 127.0.0.1:{postgres_shop.server.port} does not let the user osiris in: the user or"
        " the password is wrong."
    )
    assert all("wr0ng-s3cret" not in file.read_text() for file in run.path.rglob("*") if file.is_file())


def test_a_user_without_rights(postgres_shop):
    postgres_shop.execute(
        "CREATE TABLE t (id INT)", "CREATE USER timid PASSWORD 'soft'", "GRANT SELECT (id) ON t TO timid"
    )
    postgres_shop.connect_as(user="timid", password="soft")
    try:
        run = postgres_shop.put("SELECT 1 AS id", table="t")
    finally:
        postgres_shop.execute("REVOKE ALL ON t FROM timid", "DROP USER timid")

    assert run.error("w") == "The user timid may not write this: permission denied for table t."


def test_the_server_goes_away_in_the_middle_of_a_read(postgres_shop):
    with proxy_to(postgres_shop.server.port) as proxy:
        postgres_shop.connect_as(port=proxy.port)
        postgres_shop.write("one.csv", "one\n1\n")
        timer = threading.Timer(1.0, proxy.vanish)
        timer.start()
        run = postgres_shop.run_here(
            postgres_shop.extract(
                query="SELECT i FROM generate_series(1, 5000000) i WHERE i < 50000 OR pg_sleep(0.01) IS NOT NULL"
            ),
            postgres_shop.to_csv("c", "t", "out.csv"),
        )
        timer.join()

    assert run.error("t") == f"The connection to the PostgreSQL server at 127.0.0.1:{proxy.port} was lost."
    assert not (postgres_shop.root / "out.csv").exists()


def test_a_table_that_others_read_while_it_is_replaced(postgres_shop, until):
    postgres_shop.execute("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    slow = postgres_shop.extract("s", query="SELECT id, pg_sleep(0.01)::text FROM generate_series(2, 200) id")
    seen = set()
    done = threading.Event()

    def look():
        while not done.is_set():
            seen.add(tuple(postgres_shop.query("SELECT count(*), min(id) FROM t")[0]))

    reader = threading.Thread(target=look)
    reader.start()
    try:
        run = postgres_shop.run_here(
            slow, postgres_shop.sql("t", "s", "SELECT id FROM df"), postgres_shop.load("t", table="t", mode="replace")
        )
        until(lambda: (199, 2) in seen)
    finally:
        done.set()
        reader.join()

    assert run.state == "succeeded", run.error()
    assert seen == {(1, 1), (199, 2)}


THINKING = {
    "before the first row": "SELECT count(*) AS sleeper FROM generate_series(1, 1000000) i WHERE pg_sleep(0.1) IS NULL",
    "between rows": "SELECT i, 'sleeper' FROM generate_series(1, 99999) i WHERE i < 40000 OR pg_sleep(0.1) IS NOT NULL",
}


@pytest.mark.parametrize("when", THINKING)
def test_a_run_is_cancelled_while_the_server_thinks(postgres_shop, until, when):
    steps = [postgres_shop.extract(query=THINKING[when]), postgres_shop.to_csv("c", "t", "out.csv")]
    run_id = postgres_shop.start(*steps)
    until(lambda: ours(postgres_shop) == 1)

    began = time.monotonic()
    postgres_shop.store().cancel(run_id)
    until(lambda: postgres_shop.store().show(run_id).state == "cancelled")

    assert time.monotonic() - began < 10  # two seconds of grace, and a loaded machine
    until(lambda: ours(postgres_shop) == 0)
    assert not (postgres_shop.root / "out.csv").exists()


def test_a_timeout_ends_what_the_server_does(postgres_shop, until):
    step = postgres_shop.extract(
        query="SELECT count(*) AS sleeper FROM generate_series(1, 1000000) i WHERE pg_sleep(0.1) IS NULL"
    )

    run = postgres_shop.run({**step, "timeout": 1}, postgres_shop.to_csv("c", "t", "out.csv"))

    assert run.error("t") == "It took longer than its timeout of 1 s and was stopped."
    until(lambda: ours(postgres_shop) == 0)


def test_nothing_is_written_by_a_run_that_is_cancelled(postgres_shop, until):
    postgres_shop.execute("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    rows = postgres_shop.extract(
        "s", query="SELECT id FROM generate_series(1, 1000000) id WHERE id < 60000 OR pg_sleep(0.1) IS NOT NULL"
    )
    run_id = postgres_shop.start(rows, postgres_shop.load("s", table="t", mode="replace"))
    until(lambda: postgres_shop.query('SELECT count(*) FROM pg_stat_activity WHERE query LIKE $$COPY "%$$') == [(1,)])

    postgres_shop.store().cancel(run_id)
    until(lambda: postgres_shop.store().show(run_id).state == "cancelled")
    until(lambda: postgres_shop.query('SELECT count(*) FROM pg_stat_activity WHERE query LIKE $$COPY "%$$') == [(0,)])

    assert postgres_shop.query("SELECT * FROM t") == [(1,)]


@pytest.mark.parametrize("limit", ["statement_timeout", "idle_in_transaction_session_timeout"])
def test_a_limit_of_the_server_does_not_end_a_step(postgres_shop, limit):
    postgres_shop.execute(
        "CREATE TABLE t (id INT, name TEXT)", f"ALTER DATABASE {postgres_shop.database_name} SET {limit} = '1s'"
    )

    run = postgres_shop.put("SELECT 1 AS id, sleep_ms(3000)::VARCHAR AS name", table="t")

    assert run.state == "succeeded", run.error()
    assert postgres_shop.rows(query="SELECT id, pg_sleep(2)::text AS x FROM t")[1] == [("1", "")]
