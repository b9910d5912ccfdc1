"""What goes wrong between a step and a web service: the right category, a clear message, and never a secret."""

from __future__ import annotations

import datetime
import email.utils
import subprocess
import threading
import time

import pytest

from drivers.web import SECRET, Reply, WebProject, serving
from osiris.drivers.http import client
from osiris.execution.local import start_run
from servers import openssl_program, or_missing

ROWS = Reply({"data": {"people": [{"id": 1}]}})
READ = {"query": "{ people { id } }", "data_path": "data.people", "retry_delay": 0.1}
ONCE = {**READ, "max_retries": 0}


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def shop(web, tmp_path):
    fields = {"endpoint": f"{web.url}/graphql", "auth_token": "${SHOP_KEY}", "auth_type": "bearer"}
    return WebProject(tmp_path / "shop", "graphql", fields)


def test_a_service_that_is_busy_is_asked_again_after_the_time_it_names(shop, web):
    web.replies(Reply({}, 429, {"Retry-After": "1"}), Reply({}, 503), ROWS)
    begin = time.monotonic()

    assert shop.rows(**READ)[1] == [(1,)]
    assert len(web.requests) == 3
    assert time.monotonic() - begin >= 1


def test_the_time_to_wait_may_be_a_date_and_stand_beside_an_error_of_graphql(shop, web):
    soon = email.utils.format_datetime(datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1), usegmt=True)
    late = email.utils.format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1), usegmt=True)
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    web.replies(Reply(throttled, 200, {"Retry-After": soon}), ROWS)

    assert shop.rows(**READ)[1] == [(1,)]
    web.replies(Reply(throttled, 200, {"Retry-After": late}))
    assert "reports: Throttled" in shop.refused(**READ)
    assert len(web.requests) == 3


def test_a_service_that_asks_to_wait_for_long_fails_the_step_at_once(shop, web):
    web.replies(Reply({}, 429, {"Retry-After": "3600"}))

    assert "takes no more requests now (HTTP 429)" in shop.refused(**READ)
    assert len(web.requests) == 1


def test_the_retry_of_a_step_tries_again_what_may_pass(shop, web):
    web.replies(Reply({}, 502), ROWS)

    run = shop.run_here(shop.extract(**ONCE, step__retry={"attempts": 2}), shop.to_csv("c", "t", "out.csv"))

    assert run.state == "succeeded"
    assert shop.read("out.csv") == "id\n1\n"


def test_a_wrong_token_is_not_tried_again(shop, web):
    web.replies(Reply({"message": f"no such token: {SECRET}"}, 401))

    run = shop.run_here(shop.extract(**READ, step__retry={"attempts": 3, "delay": 0}), shop.to_csv("c", "t", "out.csv"))

    assert "does not accept the credentials (HTTP 401)" in run.error("t")
    assert len(web.requests) == 1


ANSWERS = {
    "malformed": (Reply(b'{"data": {"people": [{"id": 1}, '), "it breaks off or is wrong at character"),
    "a web page": (Reply(b"<html>Sign in</html>"), "something that is no JSON"),
    "empty": (Reply(b""), "it is empty"),
    "not UTF-8": (Reply(b'{"data": "\xff"}'), "it is not UTF-8"),
    "nested": (Reply(b"[" * 200_000), "nested too deeply"),
    "NaN": (Reply(b'{"data": NaN}'), "a number that JSON does not know"),
    "a list": (Reply([]), "it is no object with data"),
    "gone in the middle": (Reply(b'{"data": {', length=1000), "was lost"),
    "compressed": (Reply(b"x", headers={"Content-Encoding": "gzip"}), "it is compressed although"),
    "forbidden": (Reply({}, 403), "does not allow this with the credentials (HTTP 403)"),
    "not there": (Reply({}, 404), "has nothing at that path (HTTP 404)"),
    "broken": (Reply({"error": "out of cheese"}, 500), "reports HTTP 500 Internal Server Error: out of cheese."),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_cannot_be_used_is_explained(shop, web, case):
    reply, message = ANSWERS[case]
    web.replies(reply)

    assert message in shop.refused(**ONCE)


def test_a_huge_answer_is_not_read_to_its_end(shop, web, monkeypatch):
    monkeypatch.setattr(client, "MOST_BYTES", 2**20)
    web.replies(Reply(b'"' + b"x" * 2**22 + b'"'))

    assert "is larger than" in shop.refused(**ONCE)


def test_a_redirect_on_the_same_host_is_followed(shop, web):
    moved = Reply({}, 308, {"Location": "/new"})
    web.answer = lambda request: ROWS if request.path == "/new" else moved

    assert shop.rows(**READ)[1] == [(1,)]


def test_credentials_are_never_sent_to_another_host(shop, web):
    with serving() as other:
        for target in (other.url, web.url.replace("http:", "https:"), "file:///etc/passwd", "//[half"):
            web.replies(Reply({}, 307, {"Location": f"{target}/?key={SECRET}"}))
            assert "which is not followed" in shop.refused(**ONCE)
        assert other.requests == []


def test_a_redirect_that_would_change_the_request_or_never_ends_is_not_followed(shop, web):
    for status in (302, 307):
        web.replies(Reply({}, status, {"Location": "/graphql"}))
        assert "which is not followed" in shop.refused(**ONCE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that nobody vouches for."""
    or_missing(openssl_program)
    folder = tmp_path_factory.mktemp("tls")
    made = (folder / "own.pem", folder / "own.key")
    command = [
        openssl_program(),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run(
        [*command, "-addext", "subjectAltName=DNS:localhost", "-keyout", made[1], "-out", made[0]],
        check=True,
        capture_output=True,
    )
    return made


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_the_step_allows_it(shop, certificate):
    with serving(certificate) as web:
        web.replies(ROWS)

        assert "The certificate of" in shop.refused(**ONCE, endpoint=web.url)
        assert web.requests == []
        assert shop.rows(**ONCE, endpoint=web.url, validate_ssl=False)[1] == [(1,)]


def test_plain_http_where_https_is_expected_is_explained(shop, web):
    message = shop.refused(**ONCE, endpoint=web.url.replace("http:", "https:"))

    assert "Cannot agree upon encryption" in message


def test_nobody_listens(shop, web):
    with serving() as gone:
        address = gone.url

    assert "the connection was refused" in shop.refused(**ONCE, endpoint=address)


def test_a_service_that_never_answers_is_given_up(shop, web):
    never = threading.Event()
    web.replies(Reply({}, wait=never))
    try:
        assert "did not answer within 5 seconds" in shop.refused(**{**ONCE, "timeout": 5})
    finally:
        never.set()


def test_a_run_is_cancelled_while_it_waits_for_an_answer(shop, web, until):
    never = threading.Event()
    web.replies(Reply({}, wait=never))
    try:
        run = start_run(shop.manifest(shop.extract(**READ)), root=shop.root, detach=True).run_id
        until(lambda: web.requests)
        shop.store().cancel(run)
        until(lambda: shop.store().show(run).state == "cancelled", seconds=15)
    finally:
        never.set()


@pytest.mark.parametrize("status", [200, 401, 429, 500])
def test_the_token_is_nowhere_though_the_service_repeats_it(shop, web, status):
    said = f"Bearer {SECRET} is what you sent"
    web.replies(Reply({"message": said, "errors": [{"message": said}]}, status, {"X-Echo": SECRET}))

    run = shop.run(shop.extract(**ONCE), shop.to_csv("c", "t", "out.csv"))

    assert run.state == "failed"
    assert shop.holding(SECRET) == []


def test_the_token_is_nowhere_after_a_success(shop, web):
    web.replies(ROWS)

    assert shop.run(shop.extract(**READ), shop.to_csv("c", "t", "out.csv")).state == "succeeded"
    assert shop.holding(SECRET) == []
