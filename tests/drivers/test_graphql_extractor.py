"""graphql.extractor on a web service: what its options do, which types come, and what goes wrong in words."""

from __future__ import annotations

import base64

import pytest

from drivers.web import SECRET, Reply, Request, WebProject, serving

PEOPLE = "{ people { id name } }"
PAGED = """query ($after: String) {
  people(after: $after) { nodes { id } pageInfo { endCursor hasNextPage } }
}"""
PAGING = {
    "query": PAGED,
    "data_path": "data.people.nodes",
    "pagination_enabled": True,
    "pagination_path": "data.people.pageInfo",
}


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def shop(web, tmp_path):
    fields = {"endpoint": f"{web.url}/graphql", "auth_token": "${SHOP_KEY}", "auth_type": "bearer"}
    return WebProject(tmp_path / "shop", "graphql", fields)


def people(*rows):
    return Reply({"data": {"people": list(rows)}})


def page(ids, after, more=True):
    nodes = [{"id": id} for id in ids]
    return Reply({"data": {"people": {"nodes": nodes, "pageInfo": {"endCursor": after, "hasNextPage": more}}}})


def paged(request: Request) -> Reply:
    """Three pages of two."""
    start = int(request.body["variables"].get("after") or 0)
    return page([start + 1, start + 2], str(start + 2), start + 2 < 6)


def test_a_query_is_sent_with_its_variables_headers_and_the_token_of_the_connection(shop, web):
    web.replies(people({"id": 1, "name": "Ann"}))

    query = "query ($first: Int) { people(first: $first) { id name } }"
    types, rows = shop.rows(query=query, variables={"first": 1}, headers={"X-Shop": "north"}, data_path="data.people")

    assert (types, rows) == ({"id": "BIGINT", "name": "VARCHAR"}, [(1, "Ann")])
    (request,) = web.requests
    assert (request.method, request.path) == ("POST", "/graphql")
    assert request.body == {"query": query, "variables": {"first": 1}}
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["x-shop"] == "north"


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"auth_type": "api_key"}, "x-api-key", SECRET),
        ({"auth_type": "api_key", "auth_header_name": "X-Shop-Key"}, "x-shop-key", SECRET),
        (
            {"auth_type": "basic", "auth_username": "ann"},
            "authorization",
            "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode(),
        ),
    ],
)
def test_each_way_to_authenticate(shop, web, auth, name, value):
    shop.connect(endpoint=web.url, auth_token="${SHOP_KEY}", **auth)
    web.replies(people({"id": 1}))

    shop.rows(query=PEOPLE, data_path="data.people")

    assert web.requests[0].headers[name] == value


def test_pages_are_read_until_there_are_no_more(shop, web):
    web.answer = paged

    assert shop.rows(**PAGING)[1] == [(1,), (2,), (3,), (4,), (5,), (6,)]
    assert [request.body["variables"] for request in web.requests] == [{}, {"after": "2"}, {"after": "4"}]


def test_a_preview_asks_for_no_more_pages_than_it_needs(shop, web):
    web.answer = paged

    assert shop.look(3, **PAGING) == [(1,), (2,), (3,)]
    assert len(web.requests) == 2  # the fourth row says that there are more


def test_max_pages_ends_the_reading(shop, web):
    web.answer = paged

    assert shop.rows(**PAGING, max_pages=2)[1] == [(1,), (2,), (3,), (4,)]


def test_without_paging_one_page_is_read(shop, web):
    web.answer = paged

    assert shop.rows(query=PAGED, data_path="data.people.nodes")[1] == [(1,), (2,)]


def test_names_of_the_page_information_can_be_others(shop, web):
    info = {"next": "b", "more": True}
    web.replies(
        Reply({"data": {"p": [{"id": 1}], "i": info}}), Reply({"data": {"p": [], "i": {**info, "more": False}}})
    )

    shop.rows(
        query="query ($cursor: String) { p(c: $cursor) { id } i { next more } }",
        data_path="data.p",
        pagination_enabled=True,
        pagination_path="data.i",
        pagination_cursor_field="next",
        pagination_has_next_field="more",
        pagination_variable_name="cursor",
    )

    assert web.requests[1].body["variables"] == {"cursor": "b"}


VALUES = {
    "whole numbers": ([1, None, 2], "BIGINT", [1, None, 2]),
    "numbers": ([1, 2.5], "DOUBLE", [1.0, 2.5]),
    "yes or no": ([True, None], "BOOLEAN", [True, None]),
    "large whole numbers": ([1, 2**64], "DECIMAL(38,0)", [1, 2**64]),
    "numbers that no type holds exactly": ([2**60 + 1, 0.5], "VARCHAR", ["1152921504606846977", "0.5"]),
    "several kinds": (["a", 1, True], "VARCHAR", ["a", "1", "true"]),
    "lists": ([["a", 1], []], "VARCHAR", ['["a",1]', "[]"]),
    "half a pair of surrogates": (["\ud800x"], "VARCHAR", ["?x"]),
    "nothing": ([None], '"NULL"', [None]),
}


@pytest.mark.parametrize("case", VALUES)
def test_the_type_of_a_column_fits_the_values_of_all_pages(shop, web, case):
    values, kind, expected = VALUES[case]
    replies = [
        Reply({"data": {"n": [{"v": value}], "pageInfo": {"endCursor": str(i), "hasNextPage": i + 1 < len(values)}}})
        for i, value in enumerate(values)
    ]
    web.replies(*replies)

    query = "query ($after: Int) { n(after: $after) { v } pageInfo { endCursor hasNextPage } }"
    types, rows = shop.rows(query=query, data_path="data.n", pagination_enabled=True)

    assert types == {"v": kind}
    assert [row[0] for row in rows] == expected


def test_fields_of_nested_objects_are_columns_also_where_the_object_is_missing(shop, web):
    web.replies(people({"id": 1, "home": None}, {"id": 2, "home": {"city": "Brno", "at": {"x": 1}}}))

    query = "{ people { id home { city at { x } } } }"
    types, rows = shop.rows(query=query, data_path="data.people")

    assert list(types) == ["id", "home_city", "home_at_x"]
    assert rows == [(1, None, None), (2, "Brno", 1)]


def test_without_flattening_an_object_is_json(shop, web):
    web.replies(people({"id": 1, "home": {"city": "Brno"}}))

    assert shop.rows(query=PEOPLE, data_path="data.people", flatten_result=False)[1] == [(1, None, '{"city":"Brno"}')]


def test_a_list_of_objects_is_one_column_of_json(shop, web):
    web.replies(people({"id": 1, "pets": [{"name": "Rex"}]}))

    types, rows = shop.rows(query="{ people { id pets { name } } }", data_path="data.people")

    assert (list(types), rows) == (["id", "pets"], [(1, '[{"name":"Rex"}]')])


def test_a_day_without_rows_has_the_columns_of_the_query(shop, web):
    web.replies(people())

    query = """query P($a: Int = 1) { people(first: $a, where: {x: "}"}) { # all {
        id full: name @include(if: true) ...Place ... on Boss { staff } } }
      fragment Place on Person { home { city } }"""
    types, rows = shop.rows(query=query, data_path="data.people")

    assert (list(types), rows) == (["id", "full", "home_city", "staff"], [])


def test_an_object_is_one_row(shop, web):
    web.replies(Reply({"data": {"shop": {"name": "North", "open": True}}}))

    assert shop.rows(query="{ shop { name open } }", data_path="data.shop")[1] == [("North", True)]


def test_an_error_of_the_service_has_its_place_in_the_query(shop, web):
    error = {"message": "Cannot query field 'nme'", "locations": [{"line": 1, "column": 12}], "path": ["people", 0]}
    web.replies(Reply({"errors": [error, error]}, status=400))

    run = shop.fails(query="{ people { nme } }", data_path="data.people")

    message = run.error("t")
    assert "reports: Cannot query field 'nme' (at people.0). One more error." in message
    assert [(e["line"], e["column"]) for e in run.events if e["event"] == "step_error"] == [(1, 12)]
    assert len(web.requests) == 1


def test_an_error_beside_data_stops_the_step(shop, web):
    web.replies(Reply({"data": {"people": [{"id": 1}]}, "errors": [{"message": "The half is missing"}]}))

    assert "The half is missing" in shop.refused(query=PEOPLE, data_path="data.people")


REFUSED = {
    "a mutation": ({"query": "mutation { drop }"}, "This is a mutation, and graphql.extractor only reads."),
    "a second operation": ({"query": "query A { a } mutation B { b }"}, "This is a mutation"),
    "a wrong path": ({"query": PEOPLE, "data_path": "data.persons"}, "The answer has nothing at data.persons."),
    "no page information": (
        {"query": "query ($after: Int) { people { id } }", "data_path": "data.people", "pagination_enabled": True},
        "The answer has nothing at data.pageInfo.",
    ),
    "a header that is none": ({"query": PEOPLE, "headers": {"X-A": "a\nX-B: b"}}, "The header X-A holds a character"),
    "a user in the address": ({"query": PEOPLE, "endpoint": "http://ann:pw@localhost/"}, "endpoint may hold no user"),
    "a blank in the address": ({"query": PEOPLE, "endpoint": "http://localhost/a b"}, "endpoint is no address"),
    "no address": ({"query": PEOPLE, "endpoint": "http://[half/"}, "endpoint is no address of a web service"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_explained(shop, web, case):
    config, message = REFUSED[case]
    web.replies(people({"id": 1}))

    assert message in shop.refused(**config)


def test_a_cursor_that_stands_still_is_no_endless_loop(shop, web):
    web.replies(page([1], "same"))

    assert "the cursor of the next page is the one of this page" in shop.refused(**PAGING)


def test_two_fields_for_one_column_are_refused(shop, web):
    web.replies(people({"a_b": 1, "a": {"b": 2}}))

    assert "would both be the column a_b" in shop.refused(query="{ people { a_b } }", data_path="data.people")
