"""supabase.extractor on a double of the REST interface that Supabase has."""

from __future__ import annotations

import urllib.parse

import pytest

from drivers.web import SECRET, Reply, Request, WebProject, serving

PEOPLE = [{"id": n, "name": f"P{n}"} for n in range(2500)]


@pytest.fixture
def web():
    with serving() as web:
        web.answer = rest
        yield web


@pytest.fixture
def shop(web, tmp_path):
    return WebProject(tmp_path / "shop", "supabase", {"url": web.url, "key": "${SHOP_KEY}"})


def asked(request: Request) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query, keep_blank_values=True))


def rest(request: Request, most: int = 1000) -> Reply:
    """The table of people; never more than ``most`` rows at once."""
    if request.headers.get("apikey") != SECRET or request.headers.get("authorization") != f"Bearer {SECRET}":
        return Reply({"message": "Invalid API key"}, 401)
    options = asked(request)
    start = int(options.get("offset", 0))
    return Reply(PEOPLE[start : start + min(int(options["limit"]), most)])


def test_a_table_is_read_to_its_end_page_by_page(shop, web):
    types, rows = shop.rows(table="people", order="id.asc")

    assert types == {"id": "BIGINT", "name": "VARCHAR"}
    assert rows == [(n, f"P{n}") for n in range(2500)]
    assert [asked(request).get("offset") for request in web.requests] == [None, "1000", "2000", "2500"]


def test_a_service_that_gives_less_at_once_is_read_to_its_end_too(shop, web):
    web.answer = lambda request: rest(request, most=700)

    assert len(shop.rows(table="people", order="id.asc")[1]) == 2500


def test_limit_and_offset(shop, web):
    assert shop.rows(table="people", limit=1200, offset=1000)[1] == [(n, f"P{n}") for n in range(1000, 2200)]
    assert [asked(request)["limit"] for request in web.requests] == ["1000", "200"]


def test_a_preview_asks_for_no_more_rows_than_it_shows_and_one(shop, web):
    assert shop.look(10, table="people") == [(n, f"P{n}") for n in range(10)]
    assert [asked(request)["limit"] for request in web.requests] == ["11"]


def test_what_the_step_says_is_what_is_asked(shop, web):
    shop.rows(
        table="the people",
        schema="crm",
        select="id, name",
        order="name.desc",
        limit=5,
        filter={
            "status": "active & well",
            "age": "gte.18",
            "boss": None,
            "paid": True,
            "version": 1.5,
            "city": ["Brno", 'a"b,c'],
            "or": "(a.eq.1,b.eq.2)",
            "note": "not an operator. Really",
        },
    )

    (request,) = web.requests
    assert urllib.parse.urlsplit(request.path).path == "/rest/v1/the%20people"
    assert request.headers["accept-profile"] == "crm"
    assert asked(request) == {
        "select": "id,name",
        "order": "name.desc",
        "limit": "5",
        "status": "eq.active & well",
        "age": "gte.18",
        "boss": "is.null",
        "paid": "is.true",
        "version": "eq.1.5",
        "city": 'in.("Brno","a\\"b,c")',
        "or": "(a.eq.1,b.eq.2)",
        "note": "eq.not an operator. Really",
    }


def test_pages_without_order_are_warned_of(shop):
    run = shop.run_here(shop.extract(table="people"), shop.to_csv("c", "t", "out.csv"))

    warnings = [event["warning"] for event in run.events if "warning" in event]
    assert run.state == "succeeded"
    assert ["rows may be missing or come twice" in warning for warning in warnings] == [True]


def test_columns_named_in_select_are_there_without_rows(shop, web):
    for reply in (Reply([]), Reply({"code": "PGRST103"}, 416)):
        web.replies(reply)
        types, rows = shop.rows(table="people", select="id,full:name,at::text")
        assert (list(types), rows) == (["id", "full", "at"], [])
        assert "gives no rows, so nobody can know its columns" in shop.refused(table="people")


def test_what_goes_wrong_is_explained(shop, web):
    assert "filter cannot name the column order" in shop.refused(table="people", filter={"order": 1})
    web.replies(Reply({"message": 'relation "public.x" does not exist', "code": "42P01"}, 404))
    assert "has no table x in the schema public that it shows" in shop.refused(table="x")
    web.replies(Reply({"rows": []}))
    assert "it is no list of rows" in shop.refused(table="x")
    shop.connect(key="${SHOP_KEY}")
    assert "has no field url, and no project_id" in shop.refused(table="x")


def test_the_key_is_nowhere_after_success_and_failure(shop, web):
    shop.run(shop.extract(table="people", order="id"), shop.to_csv("c", "t", "out.csv"))
    web.replies(Reply({"message": f"{SECRET} is no key"}, 401))
    run = shop.run(shop.extract(table="people"), shop.to_csv("c", "t", "out.csv"))

    assert "does not accept the credentials" in run.error("t")
    assert shop.holding(SECRET) == []
