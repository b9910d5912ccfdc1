"""What mysql.extractor and mysql.writer do when something goes wrong: words, and no half-written table."""

from __future__ import annotations

import threading
import time

import pytest

from drivers.conftest import INNODB_LOOKS_AGAIN
from drivers.interference import proxy_to


def ours(shop):
    """How many connections of runs the server has."""
    return shop.query("SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%sleeper%'")[0][0] - 1


REFUSED = {
    "no table": (
        {"table": "peeple"},
        "The database {database} of {server} has no table or view peeple, or the user osiris may not see it.",
    ),
    "no column": ({"table": "people", "columns": ["id", "age"]}, "The table people has no column age."),
    "no column of a query": (
        {"query": "SELECT 1 AS id", "columns": ["age"]},
        "The result of the query has no column age.",
    ),
    "not a SELECT": ({"query": "DELETE FROM people"}, "The query is not one that reads rows."),
    "nothing": ({"query": "-- later"}, "The query is not one that reads rows."),
    "two statements": ({"query": "SELECT 1; SELECT 2"}, "The query has several statements."),
    "a file on the server": (
        {"query": "SELECT 1 INTO OUTFILE '/tmp/x'"},
        "The query writes its result on the server (INTO).",
    ),
    "hidden in a comment that runs": (
        {"query": "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */"},
        "The query writes its result on the server (INTO).",
    ),
    "a change by a function": (
        {"query": "SELECT grow()"},
        "{Server} reports: Cannot execute statement in a READ ONLY transaction. Only queries that read are allowed.",
    ),
    "a table that a query does not find": (
        {"query": "SELECT * FROM nowhere"},
        "{Server} reports: Table '{database}.nowhere' doesn't exist.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(mysql_shop, case):
    config, message = REFUSED[case]
    mysql_shop.execute(
        "CREATE TABLE people (id INT)",
        "CREATE FUNCTION grow() RETURNS INT BEGIN INSERT INTO people VALUES (1); RETURN 1; END",
    )

    place = f"MySQL server at 127.0.0.1:{mysql_shop.server.port}"
    names = {"server": f"the {place}", "Server": f"The {place}", "database": mysql_shop.database_name}
    assert mysql_shop.refused(**config) == message.format(**names)
    assert mysql_shop.query("SELECT count(*) FROM people") == [(0,)]


def test_a_wrong_password_is_told_without_it(mysql_shop):
    mysql_shop.connect_as(password="wr0ng-s3cret")

    run = mysql_shop.run_here(mysql_shop.extract(table="t"), mysql_shop.to_csv("c", "t", "out.csv"))

    assert run.error("t") == (
        f"The MySQL server at 127.0.0.1:{mysql_shop.server.port} does not let the user osiris in: the user or the"
        " password is wrong."
    )
    assert all("wr0ng-s3cret" not in file.read_text() for file in run.path.rglob("*") if file.is_file())


def test_a_user_without_rights(mysql_shop):
    database = mysql_shop.database_name
    mysql_shop.execute(
        "CREATE TABLE t (id INT)", "CREATE USER timid IDENTIFIED BY 'soft'", f"GRANT SELECT ON {database}.* TO timid"
    )
    mysql_shop.connect_as(user="timid", password="soft")
    try:
        run = mysql_shop.put("SELECT 1 AS id", table="t")
    finally:
        mysql_shop.execute("DROP USER timid")

    assert run.error("w").startswith("The user timid may not write this: INSERT command denied to user 'timid'@")


@pytest.mark.parametrize("number", [1148, 1235, 3948, 3950])
def test_what_takes_no_file_although_the_server_would_is_sent_statements(mysql_shop, number):
    error = b"\xff" + number.to_bytes(2, "little") + b"#42000No files here"
    mysql_shop.execute("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (7)")
    with proxy_to(mysql_shop.server.port) as proxy:
        proxy.answer(b"LOAD DATA LOCAL", len(error).to_bytes(3, "little") + b"\x01" + error)
        mysql_shop.connect_as(port=proxy.port)
        mysql_shop.write("n.csv", "id\n1\n2\n")
        run = mysql_shop.run_here(mysql_shop.csv("n", "n.csv"), mysql_shop.load("n", table="t", mode="replace"))

    assert run.state == "succeeded", run.error()
    assert mysql_shop.query("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_the_server_goes_away_in_the_middle_of_a_read(mysql_shop):
    with proxy_to(mysql_shop.server.port) as proxy:
        mysql_shop.connect_as(port=proxy.port)
        mysql_shop.write("one.csv", "one\n1\n")
        timer = threading.Timer(1.0, proxy.vanish)
        timer.start()
        run = mysql_shop.run_here(
            mysql_shop.extract(query="SELECT a.seq FROM seq_1_to_5000000 a WHERE a.seq < 50000 OR SLEEP(0.01) = 0"),
            mysql_shop.to_csv("c", "t", "out.csv"),
        )
        timer.join()

    assert run.error("t") == f"The connection to the MySQL server at 127.0.0.1:{proxy.port} was lost."
    assert not (mysql_shop.root / "out.csv").exists()


def test_a_table_that_others_read_while_it_is_replaced(mysql_shop, until):
    mysql_shop.execute("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    slow = mysql_shop.extract("s", query="SELECT seq AS id, SLEEP(0.01) AS x FROM seq_2_to_200")
    seen = set()
    done = threading.Event()

    def look():
        while not done.is_set():
            seen.add(tuple(mysql_shop.query("SELECT count(*), min(id) FROM t")[0]))

    reader = threading.Thread(target=look)
    reader.start()
    try:
        run = mysql_shop.run_here(
            slow, mysql_shop.sql("t", "s", "SELECT id FROM df"), mysql_shop.load("t", table="t", mode="replace")
        )
        until(lambda: (199, 2) in seen)
    finally:
        done.set()
        reader.join()

    assert run.state == "succeeded", run.error()
    assert seen == {(1, 1), (199, 2)}


THINKING = {
    "before the first row": "SELECT count(*) AS sleeper FROM seq_1_to_1000000 WHERE SLEEP(0.1) = 1",
    "between rows": "SELECT seq, 'sleeper' AS s FROM seq_1_to_1000000 WHERE seq < 40000 OR SLEEP(0.1) = 0",
}


@pytest.mark.parametrize("when", THINKING)
def test_a_run_is_cancelled_while_the_server_thinks(mysql_shop, until, when):
    steps = [mysql_shop.extract(query=THINKING[when]), mysql_shop.to_csv("c", "t", "out.csv")]
    run_id = mysql_shop.start(*steps)
    until(lambda: ours(mysql_shop) == 1)

    began = time.monotonic()
    mysql_shop.store().cancel(run_id)
    until(lambda: mysql_shop.store().show(run_id).state == "cancelled")

    assert time.monotonic() - began < 10  # two seconds of grace, and a loaded machine
    until(lambda: ours(mysql_shop) == 0)
    assert not (mysql_shop.root / "out.csv").exists()


def test_a_timeout_ends_what_the_server_does(mysql_shop, until):
    step = mysql_shop.extract(query="SELECT count(*) AS sleeper FROM seq_1_to_1000000 WHERE SLEEP(0.1) = 1")

    run = mysql_shop.run({**step, "timeout": 1}, mysql_shop.to_csv("c", "t", "out.csv"))

    assert run.error("t") == "It took longer than its timeout of 1 s and was stopped."
    until(lambda: ours(mysql_shop) == 0)


def test_nothing_is_written_by_a_run_that_is_cancelled(mysql_shop, until):
    mysql_shop.execute("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    rows = mysql_shop.extract("s", query="SELECT seq AS id FROM seq_1_to_1000000 WHERE seq < 60000 OR SLEEP(0.1) = 0")
    run_id = mysql_shop.start(rows, mysql_shop.load("s", table="t", mode="replace"))
    writing = "SELECT max(trx_rows_modified) >= 1 FROM information_schema.innodb_trx"
    until(lambda: mysql_shop.query(writing) == [(1,)], every=INNODB_LOOKS_AGAIN)

    mysql_shop.store().cancel(run_id)
    until(lambda: mysql_shop.store().show(run_id).state == "cancelled")
    working = "SELECT count(*) FROM information_schema.innodb_trx"
    until(lambda: mysql_shop.query(working) == [(0,)], every=INNODB_LOOKS_AGAIN)

    assert mysql_shop.query("SELECT * FROM t") == [(1,)]
