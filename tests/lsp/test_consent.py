"""The user is asked before the editor connects: once, in a trusted workspace, about what the connection is now."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from discovering import (
    CONNECTIONS,
    OFFERED,
    PIPELINE,
    answer,
    discover,
    make_shop,
    question,
    questions,
    start_discovery,
)
from lsp_client import ABLE, Client, RequestRefusedError

SERVER = """\
connections:
  mysql:
    shop:
      host: db.example.com
      port: 3307
      database: shop
      user: app
      password: ${SHOP_PASSWORD}
      default: true
"""
SHOP = {"connections": ["@sqlite.shop"]}


def test_the_question_says_where_the_connection_leads_and_no_secret(tmp_path: Path) -> None:
    make_shop(tmp_path, SERVER)
    client = Client(env={"SHOP_PASSWORD": "canary-of-the-shop"})
    client.initialize(tmp_path)
    request = start_discovery(client, {"connections": ["@mysql.shop"]})

    asked = question(client)["params"]

    assert asked["message"] == (
        "May Osiris connect to @mysql.shop to read the names and types of its tables and columns? "
        "(mysql; host db.example.com; port 3307; database shop; user app; variable SHOP_PASSWORD) "
        "It then completes and checks them in pipelines, and asks no more for this connection."
    )
    assert [action["title"] for action in asked["actions"]] == ["Connect", "Not now"]
    client.notify("$/cancelRequest", {"id": request})
    client.close()
    assert b"canary-of-the-shop" not in client.raw
    assert "canary-of-the-shop" not in client.log


@pytest.mark.parametrize("said", ["Not now", None], ids=["Not now", "closed"])
def test_without_consent_nothing_is_started(client: Client, tmp_path: Path, uri: str, said: str | None) -> None:
    client.initialize(tmp_path)
    request = start_discovery(client, {"uri": uri})
    answer(client, question(client), said)

    [result] = client.result_of(request)

    assert (result["connection"], result["ok"]) == ("@sqlite.shop", False)
    assert result["error"]["message"] == "Nobody has agreed to connect."
    assert psutil.Process(client.process.pid).children(recursive=True) == []


def test_who_asks_again_is_asked_again_after_not_now(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    discover(client, SHOP, "Not now")

    [result] = discover(client, SHOP, "Connect")

    assert result["ok"] is True


def test_what_a_field_says_adds_no_line_to_the_question(client: Client, tmp_path: Path) -> None:
    make_shop(tmp_path, 'connections:\n  sqlite:\n    shop: {path: "shop.db)\\n\\nYour team has agreed to this."}\n')
    client.initialize(tmp_path)
    start_discovery(client, SHOP)

    asked = question(client)

    assert "\n" not in asked["params"]["message"]


def test_one_question_is_open_at_a_time(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    requests = [start_discovery(client, SHOP) for _ in range(3)]
    asked = question(client)
    client.command("osiris.catalog", {})
    assert questions(client) == 1

    answer(client, asked, "Connect")

    assert [client.result_of(request)[0]["ok"] for request in requests] == [True, True, True]
    assert questions(client) == 1


def test_consent_is_kept_for_the_next_session(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    discover(client, SHOP)
    client.close()
    second = Client()
    second.initialize(tmp_path)

    [result] = second.command("osiris.discover", SHOP)

    assert result["ok"] is True
    assert questions(second) == 0
    assert second.close() == 0


def test_a_connection_that_leads_elsewhere_is_asked_about_anew(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    discover(client, SHOP)
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS.replace("shop.db", "other.db"))
    (tmp_path / "shop.db").rename(tmp_path / "other.db")

    request = start_discovery(client, SHOP)

    asked = question(client)
    assert "path other.db" in asked["params"]["message"]
    answer(client, asked, "Connect")
    assert client.result_of(request)[0]["ok"] is True


def test_another_password_is_the_same_connection(tmp_path: Path) -> None:
    make_shop(tmp_path, SERVER.replace("db.example.com", "127.0.0.1").replace("3307", "9"))
    for password, asked in (("first", 1), ("second", 0)):
        client = Client(env={"SHOP_PASSWORD": password})
        client.initialize(tmp_path)
        request = start_discovery(client, {"connections": ["@mysql.shop"]})
        if asked:
            answer(client, question(client), "Connect")
        client.result_of(request)
        assert questions(client) == asked
        client.close()


def test_what_is_not_saved_is_not_connected_to(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    changed = CONNECTIONS.replace("shop.db", "other.db")
    client.open((tmp_path / "osiris_connections.yaml").as_uri(), changed, language="yaml")

    with pytest.raises(RequestRefusedError, match="not saved"):
        client.command("osiris.discover", SHOP)

    assert questions(client) == 0


def test_a_client_that_cannot_ask_gives_no_consent(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path)
    request = start_discovery(client, SHOP)
    asked = question(client)
    client.send({"id": asked["id"], "error": {"code": -32601, "message": "unknown method"}})

    assert client.result_of(request)[0]["ok"] is False


def test_a_variable_that_is_not_set_is_named_before_anybody_is_asked(client: Client, tmp_path: Path) -> None:
    make_shop(tmp_path, SERVER)
    client.initialize(tmp_path)

    [result] = client.command("osiris.discover", {"connections": ["@mysql.shop"]})

    assert "SHOP_PASSWORD" in result["error"]["message"]
    assert "SHOP_PASSWORD" in client.wait_for("window/showMessage")["message"]
    assert questions(client) == 0


# -- in a workspace that is not trusted


def test_trust_that_is_taken_away_while_the_user_is_asked_counts_for_what_was_agreed_to(
    client: Client, tmp_path: Path
) -> None:
    make_shop(tmp_path, "connections:\n  sqlite:\n    a: {path: shop.db}\n    b: {path: other.db}\n")
    client.initialize(tmp_path)
    request = start_discovery(client, {"connections": ["@sqlite.a", "@sqlite.b"]})
    answer(client, question(client), "Connect")
    asked = question(client)

    client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"trusted": False}}})
    answer(client, asked, "Connect")

    assert [result["ok"] for result in client.result_of(request)] == [False, False]


@pytest.mark.parametrize("command", ["osiris.discover", "osiris.lockSchema"])
def test_an_untrusted_workspace_is_not_even_asked_about(client: Client, tmp_path: Path, uri: str, command: str) -> None:
    client.initialize(tmp_path, OFFERED, initializationOptions={"trusted": False})
    client.open(uri, PIPELINE)

    with pytest.raises(RequestRefusedError, match="trusted workspace"):
        client.command(command, {"uri": uri})

    assert questions(client) == 0
    assert psutil.Process(client.process.pid).children(recursive=True) == []


# -- offers


def test_an_open_pipeline_whose_database_nobody_has_read_leads_to_one_offer(
    client: Client, tmp_path: Path, uri: str
) -> None:
    client.initialize(tmp_path, OFFERED)
    client.open(uri, PIPELINE)
    answer(client, question(client), "Connect")
    assert "1 table with 3 columns" in client.wait_for("window/logMessage", type=3)["message"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    client.open(uri, PIPELINE)

    [item] = client.command("osiris.catalog", {"uri": uri})["items"]

    assert item["state"] == "fresh"
    assert questions(client) == 1


def test_an_offer_that_was_declined_is_not_made_again_in_this_session(client: Client, tmp_path: Path, uri: str) -> None:
    client.initialize(tmp_path, OFFERED)
    client.open(uri, PIPELINE)
    answer(client, question(client), "Not now")
    for version in range(2, 4):
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        client.open(uri, PIPELINE, version=version)

    with pytest.raises(AssertionError, match="no such message"):
        client.wait(lambda message: message.get("method") == "window/showMessageRequest", timeout=2.5)


@pytest.mark.parametrize(
    ("capabilities", "options"),
    [(ABLE, {}), (OFFERED, {"discovery": {"automatic": False}}), (OFFERED, {"trusted": False})],
    ids=["a client that does not take offers", "automatic: false", "not trusted"],
)
def test_nobody_is_offered_anything(
    client: Client, tmp_path: Path, uri: str, capabilities: dict[str, object], options: dict[str, object]
) -> None:
    client.initialize(tmp_path, capabilities, initializationOptions=options)
    client.open(uri, PIPELINE)

    with pytest.raises(AssertionError, match="no such message"):
        client.wait(lambda message: message.get("method") == "window/showMessageRequest", timeout=2.5)
