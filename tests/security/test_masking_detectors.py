"""The detectors behind masking and the rules on secrets: names, formats, connection strings, random tokens."""

from __future__ import annotations

import random
import string

import pytest

from osiris.language.secrets import (
    assigned_secret_spans,
    dsn_password_span,
    dsn_password_spans,
    find_known_formats,
    high_entropy_spans,
    is_secret_key,
)


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "db_password", "dbPassword", "PGPASSWORD", "MYSQL_PWD", "password2",
        "passphrase", "secret", "client_secret", "api_key", "apiKey", "APIKEY", "X-Api-Key", "x-auth-token",
        "token", "access_token", "refresh_tokens", "Authorization", "proxy-authorization", "Set-Cookie",
        "service_role_key", "anon_key", "private_key", "private_key_pem", "aws_secret_access_key",
        "account_key", "credentials", "user_pw",
    ],
)  # fmt: skip
def test_a_name_that_holds_a_secret(name: str) -> None:
    assert is_secret_key(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "key", "primary_key", "upsert_keys", "foreign_key", "cache_key", "sort_key", "public_key",
        "tokens", "max_tokens", "prompt_tokens", "token_count", "token_url", "token_type", "tokenizer",
        "auth_type", "auth_username", "auth_header_name", "api_key_header_name", "session_id",
        "access_key_id", "password_file", "password_env", "secret_name", "secretary", "author", "authority",
        "passenger", "compass", "bypass", "keyboard", "monkey", "path", "user", "url", "日本",
    ],
)  # fmt: skip
def test_a_name_that_does_not(name: str) -> None:
    assert not is_secret_key(name)


def test_a_known_format_comes_with_its_place_and_its_kind() -> None:
    text = "use AKIAIOSFODNN7EXAMPLE, then ghp_0123456789abcdefghijABCDEFGHIJ012345"
    found = find_known_formats(text)
    assert [(text[start:end][:4], kind) for start, end, kind in found] == [
        ("AKIA", "AWS access key"),
        ("ghp_", "GitHub token"),
    ]


def test_formats_that_overlap_are_one() -> None:
    (span,) = find_known_formats("bearer sk-proj-abcDEF1234567890xyz.more1")
    assert (span.start, span.end) == (7, 40)


@pytest.mark.parametrize("text", ["ask-me-anything-about-1-thing", "AKIA", "eyJ.eyJ", "skating-lessons", "ghp_short"])
def test_what_only_begins_like_a_format_is_none(text: str) -> None:
    assert find_known_formats(text) == []


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("postgresql+psycopg2://me:pw@db:5432/x?sslmode=require", "pw"),
        ("mysql://me:p%40ss@db/x", "p%40ss"),
        ("mongodb+srv://me:p:w@db/x", "p:w"),
        ("host=db user=me password=pw", "pw"),
        ("Server=db;Database=x;User Id=me;Password=pw;", "pw"),
        ("AccountName=x;AccountKey=abc==;host=y", "abc=="),
    ],
)
def test_the_password_of_a_connection_string_is_found(text: str, password: str) -> None:
    span = dsn_password_span(text)
    assert span is not None
    assert text[slice(*span)] == password


@pytest.mark.parametrize(
    "text",
    [
        "postgres://db/x",
        "postgres://me@db/x",
        "postgres://me:@db/x",
        "postgres://me:${DB_PASSWORD}@db/x",
        "postgres://me:***@db/x",
        "https://example.com:8443/a@b",
        "SELECT * FROM users WHERE password = 'x'",
        "host=db user=me password=${PW}",
        "://:@",
    ],
)
def test_a_connection_string_without_a_password_has_none(text: str) -> None:
    assert dsn_password_spans(text) == []


def test_the_default_of_a_reference_is_a_password() -> None:
    text = "postgres://me:${PW:-hunter2}@db/x"
    assert [text[start:end] for start, end in dsn_password_spans(text)] == ["${PW:-hunter2}"]


@pytest.mark.parametrize(
    "text",
    [
        "Cannot read data/my-secret.csv: No such file or folder.",
        "ls: cannot access 'token.txt': Permission denied",
        "Where to put the password: .env, or the environment",
    ],
)
def test_what_messages_say_of_files_is_no_secret(text: str) -> None:
    assert assigned_secret_spans(text) == []


@pytest.mark.parametrize("text", ["password: Nosuch1", "pw: .env1x", "token=.env.9f3k"])
def test_a_value_that_begins_like_such_a_message_is_a_secret(text: str) -> None:
    assert len(assigned_secret_spans(text)) == 1


def test_several_secrets_in_one_text_are_all_found() -> None:
    text = "password=a token='b c' --api-key d url=postgres://me:e@f"
    assert [text[start:end] for start, end in assigned_secret_spans(text)] == ["a", "b c", "d"]


@pytest.mark.parametrize("alphabet", [string.ascii_letters + string.digits, string.ascii_lowercase + string.digits])
def test_most_random_tokens_are_found(alphabet: str) -> None:
    draw = random.Random(7)
    tokens = ["".join(draw.choices(alphabet, k=32)) for _ in range(200)]
    assert sum(bool(high_entropy_spans(token)) for token in tokens) > 160


@pytest.mark.parametrize("size", [24, 100, 1000])
def test_a_random_token_may_be_long(size: int) -> None:
    token = "".join(random.Random(3).choices(string.ascii_letters + string.digits, k=size))
    assert high_entropy_spans(f"<{token}>") == [(1, size + 1)]


def test_ids_and_digests_are_never_taken_for_random_tokens() -> None:
    draw = random.Random(7)
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for _ in range(200):
        ulid = "0" + "".join(draw.choices(crockford, k=25))
        digests = ["".join(draw.choices("0123456789abcdef", k=size)) for size in (32, 40, 64, 128)]
        paths = (
            f"logs/run_{ulid}",
            f"see logs/run_{ulid}/artifacts/step-1 there",
            f"run_{ulid}.lock",
            f"session=run_{ulid}",
        )
        for text in (ulid, f"run_{ulid}", *paths, *digests, f"sha256:{digests[2]}"):
            assert high_entropy_spans(text) == []
