"""Answers that are stopped, and conversations side by side: of other windows, and of clients without a panel."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from chatting import (
    PLAIN,
    agree,
    chat_event,
    end_of,
    talking,
)
from lsp_client import RequestRefusedError

from agent.shop import make_shop
from agent.silent import LIMIT_SECONDS, make_silent_shop, silent_server
from model_double import Says, model_double


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def test_a_stopped_answer_ends_in_the_middle_while_another_goes_on(root: Path) -> None:
    never, later = threading.Event(), threading.Event()

    def answers(body: Any) -> Says:
        first = body["messages"][-1]["content"] == "first"
        return Says("one two three", pause=never) if first else Says("four five", pause=later)

    with model_double(answers) as double, talking(root, double) as client:
        first = client.command("osiris.chat.start", {"message": "first"})["conversation"]
        second = client.command("osiris.chat.start", {"message": "second"})["conversation"]
        assert chat_event(client, first, "text")["text"] == "one"
        chat_event(client, second, "text")
        with pytest.raises(RequestRefusedError, match="is being answered"):
            client.command("osiris.chat.send", {"conversation": first, "message": "more"})

        assert client.command("osiris.chat.stop", {"conversation": first}) == {"stopped": 1}

        assert end_of(client, first) == {"event": "stopped"}
        assert double.gone.wait(10)
        later.set()
        assert end_of(client, second)["text"] == "four five"


def test_shutdown_ends_an_answer(root: Path) -> None:
    with model_double(Says("one two", pause=threading.Event())) as double, talking(root, double) as client:
        talk = client.command("osiris.chat.start", {"message": "first"})["conversation"]
        chat_event(client, talk, "text")
        assert client.close() == 0
        assert double.gone.wait(10)


def test_another_window_goes_on_once_the_first_has_its_answer(root: Path) -> None:
    later = threading.Event()
    with model_double(Says("one two", pause=later), Says("three")) as double, talking(root, double) as client:
        talk = client.command("osiris.chat.start", {"message": "first"})["conversation"]
        chat_event(client, talk, "text")
        with talking(root, double) as other:
            other.command("osiris.chat.send", {"conversation": talk, "message": "second"})
            assert "answered in another window" in end_of(other, talk)["message"]
            later.set()
            end_of(client, talk)
            resumed = other.command("osiris.chat.start", {"conversation": talk, "message": "second"})
            assert [m["text"] for m in resumed["messages"]] == ["first"]
            assert end_of(other, talk)["text"] == "three"
        assert [m["content"] for m in double.requests[-1]["messages"][1:]] == ["first", "one two", "second"]


def test_any_client_can_talk_by_progress_log_and_messages(root: Path) -> None:
    choice = Says("", [("ask_choice", {"question": "As what?", "options": ["CSV", "JSON"]})])
    with model_double(choice, Says("As JSON, then.")) as double, talking(root, double, PLAIN) as client:
        arguments = [{"message": "Write it"}]
        client.request(
            "workspace/executeCommand",
            {"command": "osiris.chat.start", "arguments": arguments, "workDoneToken": "mine"},
        )
        begun = client.wait_for("$/progress", token="mine")["value"]
        assert (begun["kind"], begun["title"], begun["cancellable"]) == ("begin", "Osiris: Write it", True)
        assert agree(client, "JSON")["message"] == "As what?"
        assert client.wait_for("window/showMessage")["message"] == "As JSON, then."
        assert double.requests[-1]["messages"][-1]["content"] == "JSON"


def test_ending_the_progress_ends_the_answer(root: Path) -> None:
    asked = threading.Event()

    def answers(body: Any) -> Says:
        asked.set()
        return Says("one two", pause=threading.Event())

    with model_double(answers) as double, talking(root, double, PLAIN) as client:
        arguments = [{"message": "Write it"}]
        asking = {"command": "osiris.chat.start", "arguments": arguments, "workDoneToken": "mine"}
        client.request("workspace/executeCommand", asking)
        assert asked.wait(10)

        client.notify("window/workDoneProgress/cancel", {"token": "mine"})

        client.wait(lambda m: m.get("method") == "window/logMessage" and "Stopped." in m["params"]["message"])
        assert double.gone.wait(10)


def test_trust_that_is_taken_away_ends_the_answer(root: Path) -> None:
    with model_double(Says("one two", pause=threading.Event())) as double, talking(root, double) as client:
        talk = client.command("osiris.chat.start", {"message": "first"})["conversation"]
        chat_event(client, talk, "text")

        client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"trusted": False}}})

        assert end_of(client, talk) == {"event": "stopped"}
        with pytest.raises(RequestRefusedError, match="needs a trusted workspace"):
            client.command("osiris.chat.send", {"conversation": talk, "message": "more"})


def test_stop_and_the_end_of_the_server_leave_a_database_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    far = Says("", [("list_tables", {"connection": "@mysql.slow"})])
    with silent_server() as server, model_double(far, far) as double:
        root = make_silent_shop(tmp_path / "shop", server)
        with talking(root, double) as client:
            talk = client.command("osiris.chat.start", {"message": "Look"})["conversation"]
            agree(client, "Connect")
            assert server.called.wait(LIMIT_SECONDS)
            client.command("osiris.chat.stop", {"conversation": talk})
            assert end_of(client, talk) == {"event": "stopped"}
            assert server.left.wait(LIMIT_SECONDS)
            assert list(temporary.iterdir()) == []

            server.called.clear()
            server.left.clear()
            client.command("osiris.chat.send", {"conversation": talk, "message": "Again"})
            assert server.called.wait(LIMIT_SECONDS)
        assert server.left.wait(LIMIT_SECONDS)
    assert list(temporary.iterdir()) == []
