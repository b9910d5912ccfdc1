"""supabase.writer, and supabase.extractor, by the project's database and by a double of its REST interface."""

from __future__ import annotations

import threading

import duckdb
import pytest

from drivers.postgrest import PostgRest
from drivers.web import SECRET, Reply, WebProject, serving
from osiris.execution.local import start_run
from osiris.execution.resume import OutcomeUnknown, plan_resume
from servers import PASSWORD

PEOPLE = "CREATE TABLE people (id int PRIMARY KEY, name text, height double precision DEFAULT 9)"
ANN = "INSERT INTO people VALUES (1, 'Ann', 1.7), (2, 'Bob', NULL)"
TWO = "SELECT * FROM (VALUES (2, 'Bea'), (3, NULL)) AS x (id, name)"


class Shop(WebProject):
    """A project with a connection to a fresh database, over REST unless a test says otherwise."""

    def __init__(self, root, web, server, database):
        self.web, self.server, self.database_name = web, server, database
        super().__init__(root, "supabase", {"url": web.url, "key": "${SHOP_KEY}"})
        self.write(".env", f"SHOP_KEY={SECRET}\nSHOP_DSN={server.dsn(database)}\n")
        self.write("one.csv", "one\n1\n")

    def connect_by(self, way):
        """Lead the connection to ``rest`` or to the ``database``."""
        dsn = {"pg_dsn": "${SHOP_DSN}"} if way == "database" else {}
        self.connect(url=self.web.url, key="${SHOP_KEY}", **dsn)

    def execute(self, *statements):
        self.server.execute(*statements, database=self.database_name)

    def query(self, query):
        connection = self.server.connect(self.database_name)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def steps(self, rows, **config):
        """The steps that write the rows of a query in DuckDB's SQL."""
        load = self.step("w", "supabase.writer", sources="t", step__connection="@supabase.shop", **config)
        return [self.csv("s", "one.csv"), self.sql("t", "s", rows), load]

    def put(self, rows, **config):
        """Write the rows of a query in DuckDB's SQL."""
        return self.run_here(*self.steps(rows, **config))

    def sent(self, method="POST"):
        """The requests of a kind."""
        return [request for request in self.web.requests if request.method == method]

    def fail_first(self, *replies, done=False):
        """Give these replies to the first requests that write; ``done``: and carry those out all the same."""
        left, answer = list(replies), self.web.answer

        def reply(request):
            if request.method == "GET" or not left:
                return answer(request)
            if done:
                answer(request)
            return left.pop(0)

        self.web.answer = reply


@pytest.fixture
def shop(postgres, tmp_path):
    with serving() as web, postgres.database() as database:
        connection = postgres.connect(database)
        rest = PostgRest(connection)
        web.answer = rest.answer
        shop = Shop(tmp_path / "shop", web, postgres, database)
        shop.rest = rest
        try:
            yield shop
        finally:
            connection.close()


WRITES = {
    "append": ("SELECT 3 AS id, 'Cyd' AS name", {}, [(1, "Ann", 1.7), (2, "Bob", None), (3, "Cyd", 9)]),
    "no rows to append": (f"{TWO} WHERE id > 9", {}, [(1, "Ann", 1.7), (2, "Bob", None)]),
    "upsert": (
        TWO,
        {"write_mode": "upsert", "primary_key": "id"},
        [(1, "Ann", 1.7), (2, "Bea", None), (3, None, 9)],
    ),
    "upsert, the last one counts": (
        "SELECT 1 AS id, 'v' || i AS name FROM range(250) AS t (i) ORDER BY i",
        {"write_mode": "upsert", "primary_key": ["id"]},
        [(1, "v249", 1.7), (2, "Bob", None)],
    ),
    "replace": (
        "SELECT * FROM (VALUES (2, 'Bea', 1.0), (3, NULL, NULL)) AS x (id, name, height)",
        {"write_mode": "replace", "primary_key": ["id"]},
        [(2, "Bea", 1.0), (3, None, None)],
    ),
    "replace by nothing": (f"{TWO} WHERE id > 9", {"write_mode": "replace", "primary_key": "ID"}, []),
    "small batches": (
        "SELECT i AS id, NULL AS name FROM range(3, 6) AS t (i)",
        {"batch_size": 1, "returning": "representation", "prefer": "timezone=UTC"},
        [(1, "Ann", 1.7), (2, "Bob", None), (3, None, 9), (4, None, 9), (5, None, 9)],
    ),
}


@pytest.mark.parametrize("case", WRITES)
def test_both_ways_write_the_same(shop, case):
    rows, config, expected = WRITES[case]
    shop.execute(PEOPLE)

    for way in ("rest", "database"):
        shop.connect_by(way)
        shop.execute("TRUNCATE people", ANN)
        run = shop.put(rows, table="people", **config)

        assert run.state == "succeeded", run.error()
        assert shop.query("SELECT * FROM people ORDER BY id") == expected, way


def test_with_an_address_of_the_database_nothing_is_asked_over_rest(shop):
    shop.connect_by("database")
    shop.execute(PEOPLE, ANN)

    assert shop.put(TWO, table="people", write_mode="upsert", primary_key="id").state == "succeeded"
    assert len(shop.rows(table="people")[1]) == 3
    assert shop.web.requests == []


# A type in PostgreSQL, a value in DuckDB's SQL, and PostgreSQL's text of the value.
VALUES = {
    "boolean": ("true", "true"),
    "bigint": ("-9007199254740993", "-9007199254740993"),
    "numeric": ("'1234567890123456789012345678.0123456789'::DECIMAL(38,10)", "1234567890123456789012345678.0123456789"),
    "numeric(39,0)": ("'-17014118346046923173168730371588410572'::HUGEINT", "-17014118346046923173168730371588410572"),
    "real": ("0.1::FLOAT", "0.1"),
    "double precision": ("'-inf'::DOUBLE", "-Infinity"),
    "text": ("'a,\"b\"' || chr(10) || '\\.\\n🦆'", 'a,"b"\n\\.\\n🦆'),
    "varchar": ("''", ""),
    "bytea": ("'\\x00\\xFF'::BLOB", "\\x00ff"),
    "date": ("DATE '0044-03-15 (BC)'", "0044-03-15 BC"),
    "time": ("TIME '23:59:59.000001'", "23:59:59.000001"),
    "timestamp": ("TIMESTAMP '2024-01-31 23:59:59.000001'", "2024-01-31 23:59:59.000001"),
    "timestamptz": ("TIMESTAMPTZ '2024-01-31 10:00:00+02'", "2024-01-31 08:00:00+00"),
    "interval": ("INTERVAL '14 months 3 days'", "1 year 2 mons 3 days"),
    "uuid": ("'123e4567-e89b-12d3-a456-426655440000'::UUID", "123e4567-e89b-12d3-a456-426655440000"),
    "json": ("'{\"a\": 1.10}'::JSON", '{"a": 1.10}'),
    "jsonb": ("{'a': [1, NULL]}", '{"a": [1, null]}'),
    "int[]": ("[1, NULL]", "{1,NULL}"),
    "text[]": ("['a\"\\', NULL, 'NULL', '']", '{"a\\"\\\\",NULL,"NULL",""}'),
    "int": ("NULL", None),
}


def test_every_value_arrives_exactly(shop):
    names = {kind: f"c{place} {kind}" for place, kind in enumerate(VALUES)}  # names that need quotes
    columns = ", ".join(f'"{name}" {kind}' for kind, name in names.items())
    shop.execute(f"CREATE TABLE t (k int PRIMARY KEY, {columns})")
    values = ", ".join(f'{VALUES[kind][0]} AS "{name}"' for kind, name in names.items())

    run = shop.put(f"SELECT 1 AS k, {values}", table="t", write_mode="upsert", primary_key="k")

    assert run.state == "succeeded", run.error()
    texts = ", ".join(f'"{name}"::text' for name in names.values())
    connection = shop.server.connect(shop.database_name)
    connection.execute("SET timezone = 'UTC'")
    row = connection.execute(f"SELECT {texts} FROM t").fetchone()
    connection.close()
    assert dict(zip(VALUES, row, strict=True)) == {kind: text for kind, (_, text) in VALUES.items()}


def test_replace_removes_what_did_not_come_also_of_many_rows_with_odd_keys(shop):
    key = "'k\"\\,)(' || chr(233) || i"
    shop.execute(
        'CREATE TABLE t ("the key" text, day date, v int, PRIMARY KEY ("the key", day))',
        f"INSERT INTO t SELECT {key}, '2026-01-01', 0 FROM generate_series(1, 2300) AS s (i)",
    )
    rows = f"""SELECT {key} AS "the key", DATE '2026-01-01' AS day, i AS v FROM range(1100, 2400) AS t (i)"""

    run = shop.put(rows, table="t", write_mode="replace", primary_key=["the key", "day"], batch_size=1000)

    assert run.state == "succeeded", run.error()
    assert run.status["rows"]["w"] == 1300
    assert shop.query("SELECT count(*), min(v), max(v), sum(v) FROM t") == [(1300, 1100, 2399, sum(range(1100, 2400)))]
    assert max(len(request.path) for request in shop.web.requests) < 16_000


def test_replace_never_leaves_the_table_empty_meanwhile(shop):
    shop.execute(PEOPLE, ANN)

    shop.put(TWO, table="people", write_mode="replace", primary_key="id")

    methods = [request.method for request in shop.web.requests if request.method != "GET"]
    assert methods[0] == "POST"
    assert set(methods[1:]) == {"DELETE"}


def test_a_request_that_is_too_large_for_the_service_is_sent_in_parts(shop):
    shop.execute(PEOPLE)
    shop.rest.most_bytes = 2000

    run = shop.put("SELECT i AS id, repeat('x', 40) AS name FROM range(300) AS t (i)", table="people", batch_size=300)

    assert run.state == "succeeded", run.error()
    assert shop.query("SELECT count(*) FROM people") == [(300,)]


NOT_DONE = {
    "too many requests": Reply({"message": "slow down"}, 429, {"Retry-After": "1"}),
    "no connection to the database": Reply({"code": "PGRST002", "message": "schema cache"}, 503),
    "a deadlock, undone by the database": Reply({"code": "40P01", "message": "deadlock detected"}, 500),
}


@pytest.mark.parametrize("case", NOT_DONE)
def test_rows_are_sent_again_when_they_certainly_did_not_arrive(shop, case):
    shop.execute(PEOPLE, ANN)
    shop.fail_first(NOT_DONE[case])

    run = shop.put("SELECT 3 AS id, 'Cyd' AS name", table="people")

    assert run.state == "succeeded", run.error()
    assert len(shop.sent()) == 2


MAYBE_DONE = {
    "the line is lost": Reply(lost=True),
    "a gateway gives up": Reply(b"<html>", 504),
    "the service loses the database": Reply({"code": "08006", "message": "server closed the connection"}, 503),
    "half an answer": Reply(b"[", length=1000),
}


@pytest.mark.parametrize("case", MAYBE_DONE)
def test_rows_to_append_are_never_sent_again_when_they_may_have_arrived(shop, case):
    shop.execute("CREATE TABLE t (i int)")
    shop.fail_first(MAYBE_DONE[case], done=True)

    run = shop.put("SELECT i FROM range(3) AS t (i)", table="t", step__retry={"attempts": 3, "delay": 0})

    assert run.state == "failed"
    assert "Nobody knows whether the rows of the last request are in the table t in the Supabase" in run.error("w")
    assert [event["outcome_unknown"] for event in run.events if event["event"] == "step_error"] == [True]
    assert (len(shop.sent()), shop.query("SELECT count(*) FROM t")) == (1, [(3,)])


def test_an_upsert_is_sent_again_since_that_changes_nothing(shop):
    shop.execute(PEOPLE, ANN)
    shop.fail_first(Reply(lost=True), done=True)

    run = shop.put(TWO, table="people", write_mode="upsert", primary_key="id")

    assert run.state == "succeeded", run.error()
    assert len(shop.sent()) == 2


def test_of_an_append_that_fails_in_the_middle_it_is_said_how_much_is_there(shop):
    shop.execute("CREATE TABLE t (i int CHECK (i < 250))")

    run = shop.put("SELECT i FROM range(300) AS t (i)", table="t", step__retry={"attempts": 3, "delay": 0})

    assert 'violates check constraint "t_i_check"' in run.error("w")
    assert "Before that, 200 rows were added to the table t in the Supabase service" in run.error("w")
    assert (len(shop.sent()), shop.query("SELECT count(*) FROM t")) == (3, [(200,)])


def test_rows_that_cannot_be_computed_leave_the_table_alone(shop):
    shop.execute("CREATE TABLE t (i int)")

    run = shop.put("SELECT CASE WHEN i < 900 THEN i ELSE error('no') END AS i FROM range(1000) AS t (i)", table="t")

    assert run.state == "failed"
    assert shop.sent() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_resume_asks_only_when_a_request_that_appends_was_under_way(shop, until, method):
    shop.execute("CREATE TABLE t (i int)")
    never, answer = threading.Event(), shop.web.answer
    shop.web.answer = lambda request: Reply(wait=never) if request.method == method else answer(request)
    try:
        steps = shop.steps("SELECT i FROM range(3) AS t (i)", table="t")
        run = start_run(shop.manifest(*steps), root=shop.root, detach=True).run_id
        until(lambda: shop.sent(method))
        shop.store().cancel(run)
        until(lambda: shop.store().show(run).state == "cancelled")
    finally:
        never.set()

    if method == "GET":  # it only looked whether the table is there
        assert "w" not in plan_resume(shop.store().show(run), shop.root)[1].done
    else:
        with pytest.raises(OutcomeUnknown, match="The step w was under way"):
            plan_resume(shop.store().show(run), shop.root)


def test_a_missing_table_is_made_over_the_sql_interface_of_the_project(shop):
    shop.rest.blind = 1

    run = shop.put("SELECT 1 AS id, 1.50 AS total", table="my sums", write_mode="upsert", primary_key="id")

    assert run.state == "succeeded", run.error()
    assert shop.query('SELECT * FROM "my sums"')[0][0] == 1


def test_a_missing_table_is_made_in_the_database(shop):
    shop.connect_by("database")

    assert shop.put("SELECT 1 AS id, 'x' AS name", table="sums").state == "succeeded"
    assert shop.query("SELECT * FROM sums") == [(1, "x")]


def test_a_table_that_cannot_be_made_comes_with_the_statement_that_makes_it(shop):
    shop.rest.sql_interface = False
    statement = 'CREATE TABLE "public"."sums" ("id" integer, PRIMARY KEY ("id"))'
    config = {"table": "sums", "write_mode": "upsert", "primary_key": "id"}

    for channel in ("auto", "http_sql", "psycopg2"):
        run = shop.put("SELECT 1 AS id", **config, ddl_channel=channel)
        (error,) = [event for event in run.events if event["event"] == "step_error"]
        assert "There is no table sums in the Supabase service" in error["message"]
        assert statement in error["hint"]
    refused = shop.put("SELECT 1 AS id", **config, create_if_missing=False)
    assert "has no table sums in the schema public that it shows" in refused.error("w")


REFUSED = {
    "a column that the table does not have": ("SELECT 3 AS id, 2 AS age", {}, 'column "age" does not exist'),
    "a key that the data does not have": (
        TWO,
        {"write_mode": "upsert", "primary_key": "nr"},
        "primary_key names the column nr, which the data does not have.",
    ),
    "a key that is not unique": (
        TWO,
        {"write_mode": "upsert", "primary_key": "name"},
        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
    ),
    "no key in a row": (
        "SELECT NULL AS id, 'x' AS name",
        {"write_mode": "replace", "primary_key": "id"},
        "A row has no value in its key (id)",
    ),
    "rows that are there": ("SELECT 1 AS id, 'x' AS name", {}, "duplicate key value violates unique constraint"),
    "no such schema": (TWO, {"schema": "crm", "create_if_missing": False}, "in the schema crm that it shows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_written_is_explained_and_changes_nothing(shop, case):
    rows, config, message = REFUSED[case]
    shop.execute(PEOPLE, ANN)

    run = shop.put(rows, table="people", **config, step__retry={"attempts": 2, "delay": 0})

    assert message in run.error("w")
    assert len(shop.sent()) <= 1
    assert shop.query("SELECT * FROM people ORDER BY id") == [(1, "Ann", 1.7), (2, "Bob", None)]


def test_a_web_page_where_the_service_should_be_is_no_success(shop):
    shop.web.replies(Reply(b"<html>Sign in</html>", 200, {"Content-Type": "text/html"}))

    assert "does not say that rows were written" in shop.put("SELECT 1 AS id", table="people").error("w")


@pytest.mark.parametrize("way", ["rest", "database"])
def test_the_secrets_are_nowhere(shop, way):
    shop.connect_by(way)
    shop.execute(PEOPLE, ANN)

    good = shop.steps("SELECT 3 AS id", table="people")
    bad = shop.step("x", "supabase.writer", sources="t", step__connection="@supabase.shop", table="people")
    run = shop.run(*good, {**bad, "needs": ["t", "w"]})

    assert run.states() == {"s": "succeeded", "t": "succeeded", "w": "succeeded", "x": "failed"}
    assert shop.holding(SECRET) == []
    assert shop.holding(PASSWORD) == []


READS = {
    "all": ({}, [1, 2, 3, 4]),
    "columns": ({"select": "id,name"}, [1, 2, 3, 4]),
    "renamed and cast": ({"select": "id::text,who:name"}, ["1", "2", "3", "4"]),
    "a value": ({"filter": {"name": "O'Hara \\"}}, [3]),
    "no value": ({"filter": {"age": None}}, [4]),
    "yes": ({"filter": {"boss": True}}, [1]),
    "some values": ({"filter": {"name": ["Ann", 'a,"b']}}, [1, 2]),
    "in": ({"filter": {"name": 'in.(Ann,"a,\\"b")'}}, [1, 2]),
    "compared": ({"filter": {"age": "gte.30", "id": "lt.3"}}, [2]),
    "not": ({"filter": {"age": "not.eq.30"}}, [1, 3]),
    "distinct": ({"filter": {"age": "isdistinct.30"}}, [1, 3, 4]),
    "like": ({"filter": {"name": "like.A*"}}, [1]),
    "ilike": ({"filter": {"name": "ilike.a*"}}, [1, 2]),
    "is not null": ({"filter": {"age": "not.is.null"}}, [1, 2, 3]),
    "a part": ({"order": "age.desc.nullslast,id", "limit": 2, "offset": 1}, [2, 1]),
    "a part without order": ({"limit": 1}, [1]),
    "a tree": ({"filter": {"or": '(age.gt.30,and(id.eq.1,name.eq."Ann"))'}, "order": "id"}, [1, 3]),
}


def test_both_ways_read_the_same(shop):
    shop.execute(
        "CREATE TABLE people (id int, name text, age int, boss bool)",
        "INSERT INTO people VALUES (1, 'Ann', 20, true), (2, 'a,\"b', 30, false), (3, 'O''Hara \\', 40, NULL), "
        "(4, NULL, NULL, NULL)",
    )

    for way in ("rest", "database"):
        shop.connect_by(way)
        steps = []
        for place, (config, _) in enumerate(READS.values()):
            step = shop.extract(table="people", **config)
            out = shop.step(f"p{place}", "filesystem.parquet_writer", sources=f"t{place}", path=f"{place}.parquet")
            steps += [{**step, "id": f"t{place}"}, out]
        run = shop.run_here(*steps)

        assert run.state == "succeeded", run.error()
        for place, (case, (_, expected)) in enumerate(READS.items()):
            rows = duckdb.sql(f"FROM '{shop.root}/{place}.parquet'").fetchall()
            assert [row[0] for row in rows] == expected, (case, way)


def test_the_database_gives_exact_types(shop):
    shop.connect_by("database")
    shop.execute("CREATE TABLE t (at timestamptz, price numeric(12,2))", "INSERT INTO t VALUES ('2026-01-01Z', 1.10)")

    assert list(shop.rows(table="t")[0].values()) == ["TIMESTAMP WITH TIME ZONE", "DECIMAL(12,2)"]


def test_what_only_rest_understands_is_asked_there_with_a_warning(shop):
    shop.connect_by("database")
    shop.execute(PEOPLE, ANN)

    read = shop.extract(table="people", filter={"or": "(id.eq.1,id.eq.7)"})
    run = shop.run_here(read, shop.to_csv("c", "t", "out.csv"))

    assert run.state == "succeeded", run.error()
    assert ["only the REST interface understands" in e["warning"] for e in run.events if "warning" in e] == [True]
    assert len(shop.web.requests) > 0


def test_an_address_that_is_none_is_never_repeated(shop):
    shop.write(".env", f"SHOP_KEY={SECRET}\nSHOP_DSN=postgresql://u:{PASSWORD}@h:port/x?service=y\n")
    shop.connect_by("database")

    for error in (shop.refused(table="t"), shop.put("SELECT 1 AS id", table="t").error("w")):
        assert "pg_dsn" in error
    assert shop.holding(PASSWORD) == []
