"""The journal of appends on servers: a COMMIT without an answer, a server that is still at it, missing rights."""

from __future__ import annotations

import contextlib

import pytest

from drivers.conftest import INNODB_LOOKS_AGAIN
from drivers.interference import proxy_to
from osiris.drivers.journal import TABLE
from osiris.drivers.postgres import journal
from osiris.execution.local import start_run
from osiris.execution.resume import OutcomeUnknown, plan_resume
from runtime.interrupted import cut_after


@pytest.fixture(params=["mysql", "postgres"])
def shop(request):
    """A project with a database on each kind of server, and a table with one row."""
    shop = request.getfixturevalue(f"{request.param}_shop")
    shop.execute("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (0)")
    shop.write("t.csv", "a\n1\n2\n")
    return shop


COMMIT = {"mysql": b"COMMIT", "postgres": b"COMMIT\0"}  # and not READ COMMITTED


def append(shop, **config):
    return shop.csv("read", "t.csv"), shop.load("read", **{"table": "t", "mode": "append", **config})


def go_on(shop, run_id, **answers):
    manifest, plan = plan_resume(shop.store().show(run_id), shop.root, **answers)
    return shop.run(manifest=manifest, resume=plan)


def rows(shop):
    return [row[0] for row in shop.query("SELECT a FROM t ORDER BY a")]


@pytest.mark.parametrize("delivered", [True, False], ids=["the server did it", "the server never heard of it"])
def test_a_commit_without_an_answer_is_not_tried_again_and_a_resume_finds_out(shop, delivered):
    with proxy_to(shop.server.port) as proxy:
        shop.connect_as(port=proxy.port)
        assert shop.run(*append(shop)).state == "succeeded"
        proxy.cut_at(COMMIT[shop.server.family], delivered=delivered)
        read, write = append(shop)
        failed = shop.run(read, {**write, "retry": {"attempts": 3, "delay": 0, "max_delay": 0}})
        expected = [0, 1, 1, 2, 2] if delivered else [0, 1, 2]
        assert rows(shop) == expected

        resumed = go_on(shop, failed.path.name)

    assert "nobody knows whether the rows are in it" in failed.error("w")
    assert not failed.named("step_retry")
    assert resumed.state == "succeeded", resumed.error()
    assert rows(shop) == [0, 1, 1, 2, 2]


def test_a_run_that_is_cancelled_while_it_waits_for_the_answer_to_commit_may_have_written(shop, until):
    with proxy_to(shop.server.port) as proxy:
        shop.connect_as(port=proxy.port)
        proxy.cut_at(COMMIT[shop.server.family], silently=True)
        shop.execute(JOURNAL)  # else it is made by a connection of its own, which commits, too
        run_id = shop.start(*append(shop))
        until(lambda: rows(shop) == [0, 1, 2])
        shop.store().cancel(run_id)
        until(lambda: not shop.store().show(run_id).active)
        proxy.speak_again()
        proxy.vanish()

        resumed = go_on(shop, run_id)

    assert shop.store().show(run_id).state == "cancelled"
    assert resumed.state == "succeeded", resumed.error()
    assert rows(shop) == [0, 1, 2]


@pytest.mark.parametrize(("third", "entries"), [("", 1), ("3", 0)], ids=["a row lacks its key", "none does"])
def test_an_upsert_adds_the_rows_without_a_key_once(shop, third, entries):
    shop.execute("CREATE TABLE u (k INT UNIQUE, a INT)", "INSERT INTO u VALUES (1, 0)")
    shop.write("u.csv", f"k,a\n1,1\n2,2\n{third},3\n")
    steps = (shop.csv("read", "u.csv"), shop.load("read", table="u", mode="upsert", primary_key="k"))
    run = shop.run(*steps)
    assert run.state == "succeeded", run.error()
    assert shop.query(f"SELECT count(*) FROM {TABLE}") == [(entries,)]
    cut_after(run.path, "step_commit", "w")

    resumed = go_on(shop, run.path.name)

    assert resumed.state == "succeeded", resumed.error()
    assert [row[0] for row in shop.query("SELECT a FROM u ORDER BY a")] == [1, 2, 3]


def test_an_upsert_into_a_table_whose_key_is_never_missing_makes_no_journal(shop):
    shop.execute("CREATE TABLE u (k INT PRIMARY KEY, a INT)")
    shop.write("u.csv", "k,a\n1,1\n")

    run = shop.run(shop.csv("read", "u.csv"), shop.load("read", table="u", mode="upsert", primary_key="k"))

    assert run.state == "succeeded", run.error()
    here = "DATABASE()" if shop.server.family == "mysql" else "current_schema()"
    tables = f"SELECT table_name FROM information_schema.tables WHERE table_schema = {here} ORDER BY 1"
    assert shop.query(tables) == [("t",), ("u",)]


JOURNAL = f"""
CREATE TABLE {TABLE} (
  run_id VARCHAR(64) NOT NULL, step_id VARCHAR(255) NOT NULL, target VARCHAR(64) NOT NULL,
  written_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (run_id, step_id, target)
)"""  # as docs/running.md has it for databases where users may not make tables

WAITS = {
    "mysql": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
}


def test_a_server_that_is_still_at_what_a_killed_run_has_sent_is_waited_for(shop, until):
    run = shop.run(*append(shop))
    cut_after(run.path, "step_commit", "w")
    column = "run_id, step_id, target"
    ((run_id, step, target),) = shop.query(f"SELECT {column} FROM {TABLE}")
    shop.execute(f"DELETE FROM {TABLE}", "DELETE FROM t WHERE a > 0")
    server = shop.server.connect(shop.database_name, autocommit=False)
    cursor = server.cursor()
    cursor.execute("INSERT INTO t VALUES (1), (2)")
    cursor.execute(f"INSERT INTO {TABLE} ({column}) VALUES ('{run_id}', '{step}', '{target}')")

    manifest, plan = plan_resume(shop.store().show(run.path.name), shop.root)
    resumed = start_run(manifest, root=shop.root, resume=plan, detach=True)
    until(lambda: shop.query(WAITS[shop.server.family]) == [(1,)], every=INNODB_LOOKS_AGAIN)
    server.commit()
    server.close()
    until(lambda: not shop.store().show(resumed.run_id).active)

    assert shop.store().show(resumed.run_id).state == "succeeded"
    assert rows(shop) == [0, 1, 2]


def test_a_connection_that_nobody_ends_is_not_waited_for_without_limit(postgres_shop, monkeypatch):
    monkeypatch.setattr(journal, "WAITING_SECONDS", 1)
    postgres_shop.execute("CREATE TABLE t (a INT)", JOURNAL)
    postgres_shop.write("t.csv", "a\n1\n")
    with contextlib.closing(postgres_shop.server.connect(postgres_shop.database_name, autocommit=False)) as other:
        other.cursor().execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE")

        run = postgres_shop.run_here(*append(postgres_shop))

    assert "Another connection has kept the journal" in run.error("w")
    assert "nothing was written" in run.error("w")
    assert rows(postgres_shop) == []


RIGHTS = {
    "mysql": ("CREATE USER clerk IDENTIFIED BY 'soft'", "GRANT SELECT, INSERT ON {database}.t TO clerk"),
    "postgres": ("CREATE USER clerk PASSWORD 'soft'", "GRANT SELECT, INSERT ON t TO clerk"),
}


def test_where_no_journal_is_allowed_the_resume_asks(shop):
    shop.execute(*(statement.format(database=shop.database_name) for statement in RIGHTS[shop.server.family]))
    shop.connect_as(user="clerk", password="soft")
    try:
        run = shop.run(*append(shop))
        assert run.state == "succeeded", run.error()
        assert rows(shop) == [0, 1, 2]
        cut_after(run.path, "step_commit", "w")

        with pytest.raises(OutcomeUnknown, match="The step w was under way"):
            go_on(shop, run.path.name)
        done = go_on(shop, run.path.name, done=["w"])
    finally:
        shop.execute(*(["DROP OWNED BY clerk"] if shop.server.family == "postgres" else []), "DROP USER clerk")

    assert done.state == "succeeded", done.error()
    assert rows(shop) == [0, 1, 2]


def test_a_journal_that_is_gone_is_a_question(shop):
    run = shop.run(*append(shop))
    cut_after(run.path, "step_commit", "w")
    shop.execute(f"DROP TABLE {TABLE}", f"CREATE VIEW {TABLE} AS SELECT 1 AS run_id")

    resumed = go_on(shop, run.path.name)

    assert resumed.state == "failed"
    assert "cannot be used any more" in resumed.error("w")
    assert rows(shop) == [0, 1, 2]
    with pytest.raises(OutcomeUnknown):
        go_on(shop, resumed.path.name)


@pytest.mark.parametrize(("lost", "there"), [(b"COMMIT", "osiris_new_"), (b"RENAME", "t")])
def test_a_table_that_was_made_is_there_once_whatever_answer_was_lost(mysql_shop, lost, there):
    mysql_shop.write("t.csv", "a\n1\n2\n")
    with proxy_to(mysql_shop.server.port) as proxy:
        mysql_shop.connect_as(port=proxy.port)
        proxy.cut_at(lost)
        failed = mysql_shop.run(*append(mysql_shop, create_table=True))
        names = sorted(name for (name,) in mysql_shop.query("SHOW TABLES"))
        assert [name.rstrip("0123456789abcdef") for name in names] == [TABLE, there]

        resumed = go_on(mysql_shop, failed.path.name)

    assert resumed.state == "succeeded", resumed.error()
    assert rows(mysql_shop) == [1, 2]
    assert sorted(mysql_shop.query("SHOW TABLES")) == [(TABLE,), ("t",)]
