"""The fingerprint of a connection: another one for another place or user, the same one for another password."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.core import cache_fingerprint
from osiris.core.cache_fingerprint import SchemaFingerprint
from osiris.core.config import ConnectionConfig
from osiris.core.error_taxonomy import ConfigurationError

ROOT = Path("/project")
SHOP = {"host": "db.example.com", "port": 3306, "database": "shop", "user": "reader", "password": "${SHOP_PASSWORD}"}


def of(family: str, fields: dict[str, Any], env: dict[str, str] | None = None, root: Path = ROOT) -> str:
    variables = {"SHOP_PASSWORD": "secret", **(env or {})}
    return str(SchemaFingerprint.of(ConnectionConfig(family, "main", fields), root=root, env=variables))


def test_it_is_64_hexadecimal_digits_and_always_the_same() -> None:
    assert of("mysql", SHOP) == of("mysql", dict(reversed(SHOP.items())))
    assert len(of("mysql", SHOP)) == 64
    int(of("mysql", SHOP), 16)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "evil.example.com"},
        {"port": 3307},
        {"database": "crm"},
        {"user": "root"},
        {"ssl_ca": "/etc/ca.pem"},
        {"password": "${OTHER_PASSWORD}"},
        {"user": "${USER_NAME}"},
    ],
)
def test_another_place_another_user_or_another_variable_is_another_connection(change: dict[str, Any]) -> None:
    assert of("mysql", SHOP | change, {"OTHER_PASSWORD": "secret", "USER_NAME": "reader"}) != of("mysql", SHOP)


def test_another_family_is_another_connection() -> None:
    assert of("postgres", SHOP) != of("mysql", SHOP)


def test_what_a_variable_holds_counts_where_it_is_no_secret() -> None:
    shop = SHOP | {"host": "${HOST}"}
    assert of("mysql", shop, {"HOST": "a"}) != of("mysql", shop, {"HOST": "b"})


def test_a_default_that_is_written_down_and_a_number_from_a_variable_change_nothing() -> None:
    without = {key: value for key, value in SHOP.items() if key != "port"}
    assert of("mysql", SHOP) == of("mysql", without) == of("mysql", SHOP | {"port": "3306"})
    assert of("mysql", SHOP | {"default": True}) == of("mysql", SHOP)


def test_a_relative_path_is_that_of_the_project() -> None:
    relative, absolute = {"path": "data/../shop.db"}, {"path": "/project/shop.db"}
    assert of("sqlite", relative) == of("sqlite", absolute)
    assert of("sqlite", relative, root=Path("/other")) != of("sqlite", absolute)
    assert of("duckdb", {"path": ":memory:"}) == of("duckdb", {"path": ":memory:"}, root=Path("/other"))


def test_a_variable_that_is_not_set_leads_nowhere() -> None:
    with pytest.raises(ConfigurationError, match="NOT_SET"):
        of("mysql", SHOP | {"host": "${NOT_SET}"})


DSN = "postgresql://reader:{password}@{host}:5432/shop?sslmode=require"


def test_a_connection_string_counts_without_its_password() -> None:
    here = {"pg_dsn": DSN.format(password="one", host="db.example.com")}
    same = {"pg_dsn": DSN.format(password="two", host="db.example.com")}
    elsewhere = {"pg_dsn": DSN.format(password="one", host="evil.example.com")}
    assert of("supabase", here) == of("supabase", same) != of("supabase", elsewhere)


@pytest.mark.parametrize("name", ["dsn", "url", "connection_string", "anything"])
def test_a_connection_string_of_any_name_counts_without_its_password(name: str) -> None:
    assert of("x", {name: DSN.format(password="one", host="a")}) == of("x", {name: DSN.format(password="2", host="a")})
    assert of("x", {name: "host=a user=u password=one"}) == of("x", {name: "host=a user=u password='two'"})
    assert of("x", {name: "host=a user=u password=one"}) != of("x", {name: "host=b user=u password=one"})


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30).filter(
    lambda text: "${" not in text and text.strip()
)


@given(SECRETS, SECRETS)
def test_no_secret_ever_enters_it(one: str, two: str) -> None:
    for name in ("password", "api_key", "token", "service_role_key"):
        assert of("mysql", SHOP | {name: one}) == of("mysql", SHOP | {name: two})
        variable = SHOP | {name: "${X}"}
        assert of("mysql", variable, {"X": one}) == of("mysql", variable, {"X": two})


@given(SECRETS)
def test_the_password_of_an_address_never_enters_it_even_when_it_is_written_badly(secret: str) -> None:
    hashed: list[bytes] = []
    fields = {"url": f"mysql://reader:{secret}@db.example.com/shop", "pg_dsn": f"mysql://u:{secret}@db.example.com/s"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_fingerprint.hashlib, "sha256", lambda data: hashed.append(data) or hashlib.new("md5"))
        SchemaFingerprint.of_fields("mysql", fields, root=ROOT)
    (content,) = hashed
    kept = json.loads(content)["fields"]
    shown = json.dumps([kept["url"], kept["pg_dsn"]], ensure_ascii=False)
    around = json.dumps(["mysql reader u db.example.com shop s scheme user host port path secret =/"])
    if len(secret.strip()) > 3 and secret not in around:
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in shown
