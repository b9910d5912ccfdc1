"""What is masked before it leaves the program, and what stays readable."""

from __future__ import annotations

import base64
import json
import logging
import urllib.parse
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.core.secrets_masking import Masker, MaskingFilter, mask_secrets

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4"
ULID = "01JDB6Q8T3ZV5N2M4K7R9WXYAC"
UUID = "550e8400-e29b-41d4-a716-446655440000"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=secret123", "password=***"),
        ("PGPASSWORD=secret123 psql", "PGPASSWORD=*** psql"),
        ('{"apiKey": "a b\\"c", "rows": 3}', '{"apiKey": "***", "rows": 3}'),
        ('{\\"token\\": \\"abc\\"}', '{\\"token\\": \\"***\\"}'),
        ("{'client_secret': 'it\\'s', 'n': 1}", "{'client_secret': '***', 'n': 1}"),
        ("password: hunter2", "password: ***"),
        ("X-Api-Key: abc123", "X-Api-Key: ***"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("mysql --password hunter2 --host db", "mysql --password *** --host db"),
        ("GET /x?api_key=abc&page=2", "GET /x?api_key=***&page=2"),
        ("host=db password='a b' dbname=x", "host=db password='***' dbname=x"),
        ("Server=db;Uid=me;Pwd={a;b};Database=x", "Server=db;Uid=me;Pwd={***};Database=x"),
        ("postgres://me:pw@db:5432/x", "postgres://me:***@db:5432/x"),
        ("postgres://me:p@w/x@db/x", "postgres://me:***@db/x"),
        ("redis://:pw@db", "redis://:***@db"),
        ("https://me:pw@example.com/x", "https://me:***@example.com/x"),
        ("key sk-proj-abcDEF1234567890xyz!", "key ***!"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("ASIAIOSFODNN7EXAMPLE", "***"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "***"),
        ("github_pat_11ABCDEFG0123456789_abcdef", "***"),
        ("xoxb-123456789012-abcdef", "***"),
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", "https://***"),
        (f"cookie {JWT} sent", "cookie *** sent"),
        ("bearer abc123def456", "bearer ***"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "***"),
        ("sk_live_0123456789abcdef", "***"),
        ("sb_secret_0123456789abcdef_x", "***"),
        ("e2b_0123456789abcdef0123456789abcdef01234567", "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "***\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "***"),
        ("found aB3dE5gH7jK9mN1pQ3sT5vX7 in it", "found *** in it"),
    ],
)
def test_secrets_are_masked_and_the_rest_stays(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"run_{ULID}",
        ULID,
        UUID,
        SHA256,
        SHA256.upper(),
        "d41d8cd98f00b204e9800998ecf8427e",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "build/daily-revenue/manifest.json",
        "/home/me/projects/Shop2024/Data1A2b/orders.csv",
        "https://example.com/a/B1c2/d3E4f5?page=2#x",
        "http://localhost:8080/me@home",
        "df_extract_orders_2024_by_region_and_country",
        "getCustomerOrders2024BySalesRegion",
        "extract-customers-from-eu-west-1-and-us-east-2",
        "SELECT token_count, max_tokens FROM df WHERE primary_key = 7",
        "unexpected token: SELECT",
        "bearer authentication failed",
        "Basic understanding",
        "password=${DB_PASSWORD}",
        "postgres://me:${DB_PASSWORD}@db/x",
        "The key needs a colon: `mode: read`.",
        "needs: [extract-orders]",
        "session_id=abc auth_type=basic sort_key=day",
        "10:30:15 step a took 1.5 s",
        "naïve 日本語 🙂 text",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert mask_secrets(text) == text


SECRET = "p\"w'd /ä+&=%1"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        SECRET.replace("'", "''"),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_known_secret_is_masked_in_every_encoding(written: str) -> None:
    assert Masker([SECRET]).text(f"<{written}>").startswith("<***")


@pytest.mark.parametrize(
    "written",
    [
        urllib.parse.quote(SECRET).lower(),
        json.dumps(json.dumps(SECRET))[3:-3],
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        SECRET.encode().hex(),
        " ".join(SECRET.split()),
        "".join(SECRET.split()),
    ],
)
def test_a_known_secret_is_masked_also_as_programs_take_it_apart(written: str) -> None:
    assert "***" in Masker([SECRET]).text(f"<{written}>")
    assert written not in Masker([SECRET]).text(f"<{written}>")


def test_a_secret_out_of_an_address_is_masked_as_it_is() -> None:
    assert Masker(["Grey%20Heron%2Bone"]).text("no user has Grey Heron+one") == "no user has ***"


def test_each_line_of_a_secret_with_lines_is_masked() -> None:
    assert "second" not in Masker(["first line\nsecond line"]).text("1: second line")


PHRASE = "correct horse & battery staple"


@pytest.mark.parametrize(
    ("told", "masked"),
    [
        ("near 'correct horse & bat' at line 1", "near '***' at line 1"),
        ("LINE 1: ... battery staple' = x", "LINE 1: ...***' = x"),
        ("LINE 1: ...e & battery stap... is wrong", "LINE 1: ...***... is wrong"),
        ("bad value 'correct...", "bad value '***..."),
        ("bad value 'corr...", "bad value 'corr..."),
        ("...staple' is wrong", "...***' is wrong"),
        ("this is correct, the horse has a battery", "this is correct, the horse has a battery"),
    ],
)
def test_a_part_of_a_secret_is_masked_where_somebody_cut_it(told: str, masked: str) -> None:
    assert Masker([PHRASE]).text(told) == masked


def test_an_ordinary_word_in_a_secret_stays_readable() -> None:
    assert Masker(["Password123", "localhost-password"]).text("Password of localhost") == "Password of localhost"


def test_the_address_in_a_secret_stays_readable() -> None:
    masker = Masker(["postgresql://ann:hunter22@db.example.com/shop", "hunter22"])
    assert masker.text("postgresql://ann@db.example.com: hunter22?") == "postgresql://ann@db.example.com: ***?"


@given(st.text("ab c+%/'é", min_size=20, max_size=40), st.integers(0, 20), st.integers(0, 20))
def test_half_of_a_secret_is_masked_wherever_it_was_cut(secret: str, before: int, behind: int) -> None:
    part = secret[before : len(secret) - behind]
    if len(part) >= max(16, len(secret) // 2 + 1) and len(part.strip()) == len(part) and not part.isalpha():
        assert part not in Masker([secret]).text(f"near <{part}> at line 1")


@pytest.mark.parametrize("user", ["a", "ab", "abc"])
def test_a_known_secret_is_masked_inside_base64(user: str) -> None:
    header = base64.b64encode(f"{user}:correct horse battery".encode()).decode()
    masked = Masker(["correct horse battery"]).text(f"sent {header}")
    assert len(masked) < 16


def test_a_short_secret_is_masked_where_it_stands_alone_only() -> None:
    masker = Masker(["ab", "1"])
    assert masker.text("about 11 cabs") == "about 11 cabs"
    assert masker.text("ab") == "***"
    assert masker.data({"x": ["1", "11", 1]}) == {"x": ["***", "11", 1]}


def test_a_secret_that_is_an_ordinary_word_is_masked_as_a_whole_word() -> None:
    masker = Masker(["root"])
    assert masker.text("rooted in /root, user=root%3Aroot") == "rooted in /***, user=***%3A***"


def test_blank_values_and_masks_are_no_secrets() -> None:
    masker = Masker(["", "   ", "***"])
    masker.add(None)
    assert masker.text("a *** b    c") == "a *** b    c"


def test_a_secret_added_later_counts_from_then_on() -> None:
    masker = Masker()
    assert masker.text("open sesame please") == "open sesame please"
    masker.add("open sesame")
    assert masker.text("open sesame please") == "*** please"


def test_everything_under_a_secret_key_is_masked_whole() -> None:
    data = {
        "password": "x",
        "api_keys": ["a", {"b": "c"}],
        "credentials": {"user": "me", "pass": "x"},
        "tokens": 312,
        "token": 312,
        "auth": "x",
    }
    assert Masker().data(data) == {
        "password": "***",
        "api_keys": "***",
        "credentials": "***",
        "tokens": 312,
        "token": "***",
        "auth": "***",
    }


def test_references_flags_and_empty_values_are_no_secrets() -> None:
    data = {"password": "${DB_PASSWORD}", "token": None, "secret": "", "use_password": True, "pw": "@mysql.db"}
    assert Masker().data(data) == data
    assert Masker().data({"password": "${DB_PASSWORD:-hunter2}"}) == {"password": "${DB_PASSWORD:-***}"}


def test_nested_data_keeps_its_shape() -> None:
    data = {"a": [{"b": ("postgres://me:pw@db", 1, None)}], "hunter22": {"n": 1.5}, "s": {"x", "hunter22"}}
    masked = Masker(["hunter22"]).data(data)
    assert masked == {"a": [{"b": ("postgres://me:***@db", 1, None)}], "***": {"n": 1.5}, "s": {"x", "***"}}


def test_numbers_that_are_a_known_secret_are_masked() -> None:
    assert Masker(["918273"]).data([918273, 918274]) == ["***", 918274]


def test_objects_become_masked_text() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    masker = Masker(["hunter22"])
    data = [PurePosixPath("/x/hunter22"), b"hunter22", ValueError("hunter22"), Odd()]
    assert masker.data(data) == ["/x/***", "***", "***", "<Odd>"]


def test_data_that_holds_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "***" in str(Masker().data(loop))


def test_log_records_are_masked_whole() -> None:
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.setFormatter(logging.Formatter("%(message)s %(connection)s"))
    handler.addFilter(MaskingFilter(Masker(["hunter22"])))
    logger = logging.Logger("any")
    logger.addHandler(handler)
    try:
        raise ValueError("cannot log in with hunter22")
    except ValueError:
        logger.exception(
            "user %s, password=%s", "me", "x", extra={"connection": {"password": "y", "url": "//hunter22"}}
        )
    logger.error("%d of %d", "wrong", extra={"connection": "-"})
    assert lines[0].startswith("user me, password=*** {'password': '***', 'url': '//***'}\nTraceback")
    assert "hunter22" not in lines[0]
    assert lines[1].startswith("%d of %d ('wrong',)")


PIECES = st.sampled_from(
    ["password=", "token: ", "://", "a:", "@", "***", "*", '"', "'", "\\", " ", "\n", "${", "}", ":-", "sk-", "eyJ",
     ".", "-----BEGIN PRIVATE KEY-----", "bearer ", "aB3dE5gH7jK9mN1pQ3sT5vX7", "hunter22", "ab", "é", "\ud800",
     "--key "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30)


@given(text=TEXTS, values=st.lists(TEXTS, max_size=3))
def test_masking_twice_changes_nothing_more_and_nothing_known_is_left(text: str, values: list[str]) -> None:
    masker = Masker(values)
    once = masker.text(text)
    assert masker.text(once) == once
    for value in values:
        if len(value) >= 8 and value.strip("*") and value.strip():
            assert value not in once


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(data=JSON)
def test_any_data_can_be_masked(data: Any) -> None:
    masker = Masker(["hunter22"])
    assert "hunter22" not in repr(masker.data(data))
