"""posthog.extractor on a double of PostHog's query interface, which runs the queries in DuckDB."""

from __future__ import annotations

import datetime
import json
import re
import threading

import duckdb
import pytest

from drivers.web import SECRET, Reply, Request, WebProject, serving, tuples

TABLES = """
    CREATE MACRO toString(x) AS x::VARCHAR;
    CREATE MACRO toDateTime(x) AS x::TIMESTAMPTZ;
    SET timezone = 'Europe/Prague';
    CREATE TABLE events (uuid UUID, event VARCHAR, timestamp TIMESTAMPTZ, distinct_id VARCHAR, person_id UUID,
        properties VARCHAR);
    CREATE TABLE persons (id UUID, created_at TIMESTAMPTZ, is_identified TINYINT, properties VARCHAR);
    CREATE TABLE person_distinct_ids (distinct_id VARCHAR, person_id UUID);
    CREATE TABLE sessions (session_id VARCHAR, distinct_id VARCHAR, "$start_timestamp" TIMESTAMPTZ,
        "$end_timestamp" TIMESTAMPTZ, "$session_duration" INT, "$pageview_count" INT, "$entry_current_url" VARCHAR,
        "$end_current_url" VARCHAR, "$is_bounce" TINYINT);
"""
EVENT = "('00000000-0000-0000-0000-{:012}', '{}', '{}', 'ann', NULL, '{{\"n\":1}}')"


class Double:
    """The tables of a project, and the answers to queries about them."""

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute(TABLES)
        self.lock = threading.Lock()

    def execute(self, statement: str) -> None:
        self.database.execute(statement)

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Reply({"detail": "Invalid personal API key."}, 401)
        query = request.body["query"]
        assert query["kind"] == "HogQLQuery"
        sql = re.sub(r"\{(\w+)\}", r"$\1", re.sub(r"(\$\w+)", r'"\1"', query["query"]))
        with self.lock:
            rows = tuples(self.database.sql(sql, params=query["values"] or None))
        return Reply({"results": json.loads(json.dumps(rows, default=_json))})


def _json(value):
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def posthog(web):
    double = Double()
    web.answer = double.answer
    yield double
    double.database.close()


@pytest.fixture
def shop(web, tmp_path):
    fields = {"api_key": "${SHOP_KEY}", "project_id": "7/x", "region": "self_hosted", "custom_base_url": web.url}
    return WebProject(tmp_path / "shop", "posthog", fields)


def put(posthog, *events):
    """Events as (number, name, time)."""
    posthog.execute("INSERT INTO events VALUES " + ", ".join(EVENT.format(*event) for event in events))


def numbers(rows):
    return [int(str(row[0])[-12:]) for row in rows]


def test_events_are_read_with_their_types(shop, web, posthog):
    put(posthog, (1, "$pageview", "2026-01-01 10:00:00.123456+00"))

    types, rows = shop.rows(data_type="events")

    assert types == {
        "uuid": "VARCHAR",
        "event": "VARCHAR",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "distinct_id": "VARCHAR",
        "person_id": "VARCHAR",
        "properties": "VARCHAR",
    }
    moment = datetime.datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=datetime.UTC)
    assert rows == [("00000000-0000-0000-0000-000000000001", "$pageview", moment, "ann", None, '{"n":1}')]
    assert web.requests[0].path == "/api/projects/7%2Fx/query/"


def test_pages_follow_each_other_without_a_gap_also_among_events_of_one_moment(shop, web, posthog):
    put(posthog, *((n, "e", f"2026-01-01 10:00:{n // 250:02}+00") for n in range(1, 1001)))

    rows = shop.rows(data_type="events", page_size=100)[1]

    assert numbers(rows) == list(range(1, 1001))
    assert len(web.requests) == 11


def test_a_preview_asks_for_no_more_pages_than_it_needs(shop, web, posthog):
    put(posthog, *((n, "e", f"2026-01-01 10:00:{n // 20:02}+00") for n in range(1, 1001)))

    assert numbers(shop.look(150, data_type="events", page_size=100)) == list(range(1, 151))
    assert len(web.requests) == 2


def test_a_record_that_is_there_twice_is_kept_once_unless_the_step_says_otherwise(shop, posthog):
    put(posthog, *((n // 3, "e", f"2026-01-01 10:{n // 3 // 60:02}:{n // 3 % 60:02}+00") for n in range(600)))

    once = shop.rows(data_type="events", page_size=100)[1]
    all_of_them = shop.rows(data_type="events", page_size=100, deduplication_enabled=False)[1]

    assert numbers(once) == list(range(200))
    assert numbers(all_of_them) == [n // 3 for n in range(600)]


def test_reading_starts_some_minutes_before_initial_since(shop, posthog):
    put(posthog, *((minute, "e", f"2026-01-01 10:{minute:02}:00+00") for minute in range(60)))

    rows = shop.rows(data_type="events", initial_since="2026-01-01T10:50:00Z", lookback_window_minutes=5)[1]

    assert numbers(rows) == list(range(45, 60))


def test_event_types_choose_events_whatever_they_are_called(shop, posthog):
    put(posthog, (1, "$pageview", "2026-01-01"), (2, "it''s {x}", "2026-01-02"), (3, "other", "2026-01-03"))

    rows = shop.rows(data_type="events", event_types=["$pageview", "it's {x}"])[1]

    assert numbers(rows) == [1, 2]


def test_persons_distinct_ids_and_sessions(shop, posthog):
    person = "00000000-0000-0000-0000-000000000009"
    posthog.execute(f"INSERT INTO persons VALUES ('{person}', '2026-01-01 00:00+00', 1, '{{}}')")
    posthog.execute(f"INSERT INTO person_distinct_ids VALUES ('ann', '{person}')")
    posthog.execute("INSERT INTO sessions VALUES ('s', 'ann', '2026-01-01', '2026-01-01', 3, 2, '/a', '/b', 0)")

    types, persons = shop.rows(data_type="persons")
    assert types["is_identified"] == "BOOLEAN"
    assert [(row[0], row[2]) for row in persons] == [(person, True)]
    assert shop.rows(data_type="person_distinct_ids")[1] == [("ann", person)]
    types, sessions = shop.rows(data_type="sessions", initial_since="2025-12-31")
    assert (types["session_duration"], types["pageview_count"]) == ("DOUBLE", "BIGINT")
    assert [(row[0], *row[4:]) for row in sessions] == [("s", 3.0, 2, "/a", "/b", False)]


@pytest.mark.parametrize("kind", ["events", "persons", "sessions", "person_distinct_ids"])
def test_many_pages_of_each_kind(shop, posthog, kind):
    number = "('00000000-0000-0000-0000-' || lpad(n::VARCHAR, 12, '0'))::UUID"
    columns = {
        "events": f"{number}, 'e', '2026-01-01'::TIMESTAMPTZ, 'a', NULL, '{{}}'",
        "persons": f"{number}, NULL, 0, '{{}}'",
        "sessions": "'s' || n, 'a', '2026-01-01'::TIMESTAMPTZ, NULL, 1, 1, NULL, NULL, 1",
        "person_distinct_ids": f"'d''' || n, {number}",
    }
    posthog.execute(f"INSERT INTO {kind} SELECT {columns[kind]} FROM range(350) r(n)")

    rows = shop.rows(data_type=kind, page_size=100)[1]

    assert len(rows) == len({row[0] for row in rows}) == 350


def test_without_rows_the_columns_have_their_types(shop, posthog):
    types, rows = shop.rows(data_type="events")

    assert (types["timestamp"], types["event"], rows) == ("TIMESTAMP WITH TIME ZONE", "VARCHAR", [])


def test_a_page_that_does_not_go_on_where_the_last_one_ended_is_no_end(shop, web, posthog):
    row = ["u", "e", "2026-01-01T00:00:00Z", "a", None, "{}"]
    web.replies(Reply({"results": [[f"u{n:03}", *row[1:]] for n in range(100)]}), Reply({"results": []}))

    assert "changed in PostHog while they were read" in shop.refused(data_type="events", page_size=100)


def test_a_busy_service_is_waited_for(shop, web, posthog):
    put(posthog, (1, "e", "2026-01-01"))
    busy = [Reply({"detail": "Request was throttled."}, 429, {"Retry-After": "1"})]
    web.answer = lambda request: busy.pop() if busy else posthog.answer(request)

    assert numbers(shop.rows(data_type="events")[1]) == [1]


def test_a_wrong_key_is_said_and_stands_nowhere(shop, posthog):
    wrong = "phx_Wr0ngCanaryKey551Zq"
    shop.write(".env", f"SHOP_KEY={wrong}\n")

    message = shop.refused(data_type="events")

    assert "does not accept the credentials (HTTP 401): Invalid personal API key." in message
    assert shop.holding(wrong) == []


def test_an_answer_of_another_shape_is_explained(shop, web):
    web.replies(Reply({"results": [["just one"]]}))

    assert "it has no results with 6 values in each row" in shop.refused(data_type="events")


def test_fields_that_do_not_fit_are_explained(shop, web, posthog):
    assert "initial_since is no date or time" in shop.refused(data_type="events", initial_since="yesterday")
    assert "custom_base_url is for region self_hosted" in shop.refused(data_type="events", region="eu")
    shop.connect(api_key="${SHOP_KEY}", project_id=7, region="self_hosted")
    assert "region self_hosted needs custom_base_url" in shop.refused(data_type="events")


def test_the_key_is_nowhere_after_a_success(shop, posthog):
    assert shop.run(shop.extract(data_type="events"), shop.to_csv("c", "t", "out.csv")).state == "succeeded"
    assert shop.holding(SECRET) == []
