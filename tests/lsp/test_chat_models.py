"""Which model answers in an editor: its own or one of the user's choice, with a key that it keeps; or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chatting import (
    BROKEN,
    PANEL,
    actions_at,
    answer_next,
    chat_event,
    command_with_key,
    end_of,
    model_of,
    pipeline,
)
from lsp_client import Client, Message, RequestRefusedError

from agent.shop import GOOD, make_shop
from model_double import Says, model_double


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def test_the_editors_own_model_answers_without_a_key(root: Path) -> None:
    able = {**PANEL, "experimental": {"osiris": {"chatEvent": True, "modelRequest": True}}}
    client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config")})
    call = {"id": "1", "name": "propose_pipeline", "arguments": json.dumps({"oml": GOOD, "summary": "Revenue."})}
    try:
        client.initialize(root, able, initializationOptions={"ai": {"provider": "editor", "model": "copilot"}})
        started = client.command("osiris.chat.start", {"message": "Revenue by customer"})
        assert (started["provider"], started["host"], started["model"]) == ("editor", "editor", "copilot")
        opened = client.wait(lambda m: m.get("method") == "osiris/modelRequest")
        asked = opened["params"]
        client.notify("$/progress", {"token": asked["partialResultToken"], "value": {"text": "He"}})
        assert chat_event(client, started["conversation"], "text")["text"] == "He"  # there is no answer yet
        client.send({"id": opened["id"], "result": {"text": "Here.", "calls": [call]}})
        assert chat_event(client, started["conversation"], "text")["text"] == "re."
        assert (asked["model"], asked["messages"][-1]["text"]) == ("copilot", "Revenue by customer")
        assert "propose_pipeline" in {tool["name"] for tool in asked["tools"]}
        assert end_of(client, started["conversation"])["proposal"]["ok"] is True

        again = {"conversation": started["conversation"], "message": "more"}
        client.command("osiris.chat.send", again)
        refused = client.wait(lambda m: m.get("method") == "osiris/modelRequest")
        assert refused["params"]["messages"][-2]["answers"] == "1"
        client.send({"id": refused["id"], "error": {"code": 1, "message": "Sign in first."}})
        said = end_of(client, started["conversation"])["message"]
        assert said == "The editor's AI model does not answer: Sign in first."

        client.command("osiris.chat.send", again)
        open_request = client.wait(lambda m: m.get("method") == "osiris/modelRequest")
        client.command("osiris.chat.stop")
        client.wait(lambda m: m.get("method") == "$/cancelRequest" and m["params"]["id"] == open_request["id"])
        assert end_of(client, started["conversation"]) == {"event": "stopped"}
        status = client.command("osiris.chat.status")
        assert (status["ready"], status["provider"], status["keyFor"]) == (True, "editor", None)
        assert client.close() == 0
    finally:
        client.kill()


def test_a_model_that_is_chosen_during_an_answer_gives_the_next_one(root: Path) -> None:
    able = {**PANEL, "experimental": {"osiris": {"chatEvent": True, "modelRequest": True}}}
    client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config")})
    try:
        client.initialize(root, able, initializationOptions={"ai": {"provider": "editor", "model": "one"}})
        talk = client.command("osiris.chat.start", {"message": "Hello"})["conversation"]
        for model, chosen in (("one", "two"), ("two", "two")):
            asked = client.wait(lambda m: m.get("method") == "osiris/modelRequest")
            assert asked["params"]["model"] == model
            chosen_now = {"osiris": {"ai": {"provider": "editor", "model": chosen}}}
            client.notify("workspace/didChangeConfiguration", {"settings": chosen_now})
            client.send({"id": asked["id"], "result": {"text": f"I am {model}.", "calls": []}})
            assert end_of(client, talk)["text"] == f"I am {model}."
            client.command("osiris.chat.send", {"conversation": talk, "message": "And now?"})
        client.command("osiris.chat.stop")
        assert end_of(client, talk) == {"event": "stopped"}
        assert client.close() == 0
    finally:
        client.kill()


def test_an_editor_without_a_model_of_its_own_says_so(root: Path) -> None:
    client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config")})
    try:
        client.initialize(root, PANEL, initializationOptions={"ai": {"provider": "editor"}})
        status = client.command("osiris.chat.status")
        assert (status["ready"], status["allowed"]) == (False, True)
        assert "only there inside of an editor that offers one" in status["problem"]
        with pytest.raises(RequestRefusedError, match="only there inside of an editor that offers one"):
            client.command("osiris.chat.start", {"message": "Hello"})
        assert client.close() == 0
    finally:
        client.kill()


# -- keys that the editor keeps

KEY = "canary-key-of-the-editor-1"
KEEPING: Message = {**PANEL, "experimental": {"osiris": {"chatEvent": True, "secretRequest": True}}}


def test_a_key_that_the_editor_keeps_goes_to_its_own_server_only_and_into_no_file(root: Path) -> None:
    uri = pipeline(root, BROKEN)
    with model_double(Says("Hello."), Says("Bye.")) as double:
        own = {"provider": "openai", "model": "double-1", "baseUrl": double.url}
        env = {"OSIRIS_CONFIG_DIR": str(root.parent / "config"), "OPENAI_API_KEY": "sk-of-the-environment"}
        client = Client(env=env)
        try:
            client.initialize(root, KEEPING, initializationOptions={"ai": own})
            asked, status = command_with_key(client, KEY, "osiris.chat.status", {})
            assert asked == [{"for": double.url.removesuffix("/v1")}]
            assert status["keyFor"] == double.url.removesuffix("/v1")
            message = {"uri": uri, "message": f"My key is {KEY}."}
            _, started = command_with_key(client, KEY, "osiris.chat.start", message)
            talk = started["conversation"]
            assert end_of(client, talk)["text"] == "Hello."
            command_with_key(client, None, "osiris.chat.status", {})  # its user has taken it away
            command_with_key(client, None, "osiris.chat.send", {"uri": uri, "conversation": talk, "message": "More"})
            assert end_of(client, talk)["text"] == "Bye."
            assert client.close() == 0
        finally:
            client.kill()
    sent = [headers.get("authorization", headers.get("Authorization", "")) for headers in double.headers]
    assert sent[0] == f"Bearer {KEY}"
    assert KEY not in sent[1]
    assert "sk-of-the-environment" not in "".join(sent)
    assert "My key is ***." in double.requests[0]["messages"][-1]["content"]
    said = client.raw.replace(json.dumps(f"My key is {KEY}.").encode(), b"")  # the answer repeats what was written
    assert KEY.encode() not in said
    assert KEY not in client.log
    written = [path for path in root.parent.rglob("*") if path.is_file()]
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("trusted", [True, False])
def test_keys_are_asked_for_in_trusted_workspaces_for_the_providers_that_are_chosen(root: Path, trusted: bool) -> None:
    own = {"provider": "openai", "model": "one", "fallback": "anthropic/two"}
    client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config"), "OPENAI_API_KEY": ""})
    try:
        client.initialize(root, KEEPING, initializationOptions={"ai": own, "trusted": trusted})
        asked, status = command_with_key(client, KEY, "osiris.chat.status", {})
        assert sorted(one["for"] for one in asked) == (["anthropic", "openai"] if trusted else [])
        assert status["ready"] is trusted
        assert client.close() == 0
    finally:
        client.kill()


@pytest.mark.parametrize("why", ["untrusted", "no model", "ceiling", "another provider"])
def test_no_actions_and_no_answers(root: Path, why: str) -> None:
    ceiling = {"ceiling": "ai:\n  enabled: false\n", "another provider": "ai:\n  providers: [anthropic]\n"}
    (root / "osiris.yaml").write_text("version: 1\n" + ceiling.get(why, ""))
    uri = pipeline(root, BROKEN)
    said = {
        "untrusted": "Talking to an AI model needs a trusted workspace.",
        "no model": r"^No AI model is set up\. Set OSIRIS_AI_PROVIDER",
        "ceiling": "This project does not allow AI",
        "another provider": "This project does not allow the AI provider",
    }
    with model_double() as double:
        env = {} if why == "no model" else model_of(double, root)
        client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config"), **env})
        try:
            client.initialize(root, PANEL, initializationOptions={"trusted": why != "untrusted"})
            client.open(uri, BROKEN)
            assert actions_at(client, uri, BROKEN.split("\n").index("    component: filesystem.csv_writr")) == {}
            with pytest.raises(RequestRefusedError, match=said[why]):
                client.command("osiris.chat.start", {"uri": uri, "message": "Hello"})
            if why == "no model":  # what would be sent can be seen before one is set up
                shown = client.command("osiris.chat.showPrompt", {"uri": uri, "message": "Hello"})["text"]
                assert shown.startswith("To a host that is not known yet (now nothing can be sent: No AI model is")
            else:
                with pytest.raises(RequestRefusedError, match=said[why]):
                    client.command("osiris.chat.showPrompt", {"uri": uri, "message": "Hello"})
            assert client.close() == 0
        finally:
            client.kill()
        assert double.requests == []


def test_the_editors_settings_choose_the_model_and_no_folders_do(root: Path) -> None:
    uri = pipeline(root, BROKEN)
    asking = {**PANEL, "workspace": {**PANEL["workspace"], "configuration": True}}
    line = BROKEN.split("\n").index("    component: filesystem.csv_writr")
    with model_double(Says("Hello.")) as double:
        own = {"provider": "openai", "model": "double-2", "baseUrl": double.url}
        client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config")})
        try:
            client.initialize(root, asking)
            answer_next(client, "workspace/configuration", lambda _: [{}, {"ai": own}])
            client.open(uri, BROKEN)
            assert actions_at(client, uri, line) == {}
            client.notify("workspace/didChangeConfiguration", {"settings": None})
            answer_next(client, "workspace/configuration", lambda _: [{"ai": own}, {}])
            assert set(actions_at(client, uri, line)) == {"Fix with Osiris", "Explain with Osiris"}
            talk = client.command("osiris.chat.start", {"uri": uri, "message": "Hi"})["conversation"]
            assert end_of(client, talk)["text"] == "Hello."
            assert client.close() == 0
        finally:
            client.kill()
        assert double.requests[0]["model"] == "double-2"
