"""Conversations with the agent in any editor: streamed, stopped, applied only when right and confirmed, and nothing of
it where the user or the project has not allowed it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lsp_client import ABLE, Client, Message, RequestRefusedError, apply_edits, position

from agent.shop import EXPECTED, GOOD, WRONG_COLUMN, make_shop
from model_double import ModelDouble, Says, model_double

BROKEN = GOOD.replace("component: filesystem.csv_writer", "component: filesystem.csv_writr")
CONFIRMING: Message = {
    **ABLE,
    "workspace": {
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create"],
            "changeAnnotationSupport": {"groupsOnLabel": True},
        }
    },
}
PANEL: Message = {**CONFIRMING, "experimental": {"osiris": {"chatEvent": True, "runEvent": True}}}
PLAIN: Message = {**ABLE, "window": {"workDoneProgress": True}}


def proposes(oml: str, text: str = "Here it is.") -> Says:
    return Says(text, [("propose_pipeline", {"oml": oml, "summary": "Revenue by customer."})])


LOOKS = Says("", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])


@contextmanager
def talking(root: Path, double: ModelDouble, capabilities: Message = PANEL, **options: Any) -> Iterator[Client]:
    """An editor whose user has set up the double as their model."""
    client = Client(env=model_of(double, root))
    try:
        client.initialize(root, capabilities, **options)
        yield client
        assert client.close() == 0
    finally:
        client.kill()


def model_of(double: ModelDouble, root: Path) -> dict[str, str]:
    own = {"OSIRIS_CONFIG_DIR": str(root.parent / "config"), "OSIRIS_AI_BASE_URL": double.url}
    return {**own, "OSIRIS_AI_PROVIDER": "openai", "OSIRIS_AI_MODEL": "double-1"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def pipeline(root: Path, text: str) -> str:
    """A saved pipeline; its URI."""
    (root / "pipelines").mkdir(exist_ok=True)
    path = root / "pipelines" / "revenue.oml.yaml"
    path.write_text(text)
    return path.as_uri()


def chat_event(client: Client, conversation: str, *kinds: str) -> Message:
    """The next event of one of these kinds in the conversation."""
    return client.wait(
        lambda m: (
            m.get("method") == "osiris/chatEvent"
            and m["params"]["conversation"] == conversation
            and m["params"]["event"]["event"] in kinds
        )
    )["params"]["event"]


def end_of(client: Client, conversation: str) -> Message:
    return chat_event(client, conversation, "response", "error", "stopped")


def answer_next(client: Client, method: str, answer: Callable[[Message], Any]) -> Message:
    """Answer the next request of the server of this method; its parameters."""
    asked = client.wait(lambda m: m.get("method") == method and "id" in m)
    client.send({"id": asked["id"], "result": answer(asked["params"])})
    return asked["params"]


def agree(client: Client, title: str) -> Message:
    return answer_next(client, "window/showMessageRequest", lambda _: {"title": title})


def actions_at(client: Client, uri: str, line: int) -> dict[str, Message]:
    """The agent's actions in a line, by title."""
    place = {"start": position(line, 0), "end": position(line, 999)}
    params = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
    found = client.request("textDocument/codeAction", params) or []
    return {a["title"]: a for a in found if a["title"].endswith("with Osiris")}


def choose(client: Client, action: Message) -> str:
    """Choose an action; the conversation that it begins."""
    command = action["command"]
    answer = client.request(
        "workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]}
    )
    assert answer["answering"] is True
    return str(answer["conversation"])


# -- from a wish to a pipeline that ran


def test_a_new_pipeline_is_streamed_confirmed_saved_and_run(root: Path) -> None:
    (root / "osiris.yaml").write_text("version: 1\n")
    with model_double(LOOKS, proposes(WRONG_COLUMN), proposes(GOOD)) as double, talking(root, double) as client:
        started = client.command("osiris.chat.start", {"message": "Revenue by customer as CSV"})
        talk = started["conversation"]
        assert (started["host"], started["model"], started["path"]) == (double.url.split("/")[2], "double-1", None)
        asked = agree(client, "Connect")
        assert "connect to @sqlite.shop to read the names" in asked["message"]
        assert "(sqlite; path data/shop.db)" in asked["message"]
        first, last = chat_event(client, talk, "proposal"), chat_event(client, talk, "proposal")
        assert (first["attempt"], first["ok"], first["findings"][0]["code"]) == (1, False, "OML411")
        assert (last["attempt"], last["ok"], last["final"], last["oml"]) == (2, True, True, GOOD)
        end = end_of(client, talk)
        assert (end["state"], end["proposal"]) == ("compile", {"path": "pipelines/revenue.oml.yaml", "ok": True})
        with pytest.raises(RequestRefusedError, match=r"Apply the proposal and save pipelines/revenue\.oml\.yaml"):
            client.command("osiris.chat.run", {"conversation": talk})

        applying = client.start_request(
            "workspace/executeCommand", {"command": "osiris.chat.apply", "arguments": [{"conversation": talk}]}
        )
        edit = answer_next(client, "workspace/applyEdit", lambda _: {"applied": True})["edit"]
        assert client.result_of(applying) == {"applied": True}
        [annotation] = edit["changeAnnotations"]
        assert edit["changeAnnotations"][annotation]["needsConfirmation"] is True
        create, change = edit["documentChanges"]
        path = root / "pipelines" / "revenue.oml.yaml"
        assert (create["kind"], create["uri"], create["annotationId"]) == ("create", path.as_uri(), annotation)
        assert {one["annotationId"] for one in change["edits"]} == {annotation}
        assert not path.exists()  # the editor alone writes it
        path.parent.mkdir()
        path.write_text(apply_edits("", change["edits"]))

        run = client.command("osiris.chat.run", {"conversation": talk})["runId"]
        client.wait(
            lambda m: (
                m.get("method") == "osiris/runEvent"
                and m["params"]["runId"] == run
                and m["params"]["event"]["event"] == "run_complete"
            )
        )
        assert (root / "out" / "revenue.csv").read_text() == EXPECTED

        [listed] = client.command("osiris.chat.list")
        assert (listed["conversation"], listed["title"]) == (talk, "Revenue by customer as CSV")
        sent = client.command("osiris.chat.log", {"conversation": talk})
        assert [one["bytes"] for one in reversed(sent)] == [len(body) for body in double.bodies]
        assert sent[0]["tables"] == ["@sqlite.shop: orders"]


def test_a_client_can_ask_what_to_show_and_take_up_a_proposal(root: Path) -> None:
    with model_double(proposes(GOOD)) as double, talking(root, double) as client:
        status = client.command("osiris.chat.status")
        assert (status["allowed"], status["ready"], status["model"]) == (True, True, "double-1")
        assert double.url.startswith(f"http://{status['host']}/")
        started = client.command("osiris.chat.start", {"message": "Revenue"})
        assert (started["message"], started["proposal"]) == ("Revenue", None)
        end_of(client, started["conversation"])
        with talking(root, double) as other:
            resumed = other.command("osiris.chat.start", {"conversation": started["conversation"]})
            assert (resumed["message"], resumed["answering"]) == (None, False)
            assert (resumed["proposal"]["oml"], resumed["proposal"]["ok"]) == (GOOD, True)


@pytest.mark.parametrize(
    ("why", "allowed", "problem"),
    [
        ("untrusted", False, "needs a trusted workspace"),
        ("ceiling", False, "does not allow AI"),
        ("another provider", True, "does not allow the AI provider"),
        ("no model", True, "No AI model is set up"),
    ],
)
def test_why_there_is_no_model_is_told(root: Path, why: str, allowed: bool, problem: str) -> None:
    ceiling = {"ceiling": "ai:\n  enabled: false\n", "another provider": "ai:\n  providers: [anthropic]\n"}
    (root / "osiris.yaml").write_text("version: 1\n" + ceiling.get(why, ""))
    with model_double() as double:
        env = {} if why == "no model" else model_of(double, root)
        client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config"), **env})
        try:
            client.initialize(root, PANEL, initializationOptions={"trusted": why != "untrusted"})
            status = client.command("osiris.chat.status")
            assert (status["allowed"], status["ready"], status["model"]) == (allowed, False, None)
            assert problem in status["problem"]
            assert client.close() == 0
        finally:
            client.kill()


def test_what_would_be_sent_is_shown_and_not_sent(root: Path) -> None:
    (root / ".env").write_text("SHOP_PASSWORD=plain-words-1\n")
    with model_double() as double, talking(root, double) as client:
        shown = client.command("osiris.chat.showPrompt", {"message": "My password is plain-words-1"})["text"]

        assert "My password is ***" in shown
        assert double.requests == []
        assert client.command("osiris.chat.list") == []


# -- code actions


def test_fix_is_an_edit_of_the_present_text_that_keeps_comments(root: Path) -> None:
    unsaved = BROKEN.replace("steps:", "# ours\nsteps:")
    uri = pipeline(root, BROKEN)
    with model_double(proposes(GOOD)) as double, talking(root, double, CONFIRMING) as client:
        client.open(uri, unsaved, version=7)
        line = unsaved.split("\n").index("    component: filesystem.csv_writr")
        assert set(actions_at(client, uri, line)) == {"Fix with Osiris", "Explain with Osiris"}
        choose(client, actions_at(client, uri, line)["Fix with Osiris"])

        edit = answer_next(client, "workspace/applyEdit", lambda _: {"applied": True})["edit"]

        [change] = edit["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": 7}
        assert all(edit["changeAnnotations"][one["annotationId"]]["needsConfirmation"] for one in change["edits"])
        assert apply_edits(unsaved, change["edits"]) == GOOD.replace("steps:", "# ours\nsteps:")
        assert f"line {line + 1}: OML" in double.requests[0]["messages"][-1]["content"]


def test_a_client_that_cannot_confirm_edits_is_asked_first(root: Path) -> None:
    uri = pipeline(root, BROKEN)
    with model_double(proposes(GOOD), proposes(GOOD)) as double, talking(root, double, PLAIN) as client:
        client.open(uri, BROKEN)
        fix = actions_at(client, uri, BROKEN.split("\n").index("    component: filesystem.csv_writr"))[
            "Fix with Osiris"
        ]
        choose(client, fix)
        asked = agree(client, "Not now")
        assert asked["message"].startswith(
            "Apply the change to pipelines/revenue.oml.yaml (1 lines more, 1 lines less)?"
        )
        logged = [m["params"]["message"] for m in client.received if m.get("method") == "window/logMessage"]
        assert any("+    component: filesystem.csv_writer" in line for line in logged)
        choose(client, fix)
        agree(client, "Apply")
        edit = answer_next(client, "workspace/applyEdit", lambda _: {"applied": True})["edit"]
        assert apply_edits(BROKEN, edit["documentChanges"][0]["edits"]) == GOOD
        assert len([m for m in client.received if m.get("method") == "workspace/applyEdit"]) == 1


def test_steps_and_pipelines_are_written_from_comments(root: Path) -> None:
    uri = pipeline(root, GOOD + "  # write the totals as JSON, too\n")
    empty = (root / "pipelines" / "new.oml.yaml").as_uri()
    with model_double(Says("One."), Says("Two."), Says("Three.")) as double, talking(root, double) as client:
        client.open(uri, GOOD + "  # write the totals as JSON, too\n")
        client.open(empty, "# the orders\n# of today\n")
        end_of(client, choose(client, actions_at(client, uri, GOOD.count("\n"))["Write this step with Osiris"]))
        assert set(actions_at(client, empty, 0)) == {"Generate pipeline with Osiris"}
        end_of(client, choose(client, actions_at(client, empty, 0)["Generate pipeline with Osiris"]))
        end_of(client, choose(client, actions_at(client, uri, 4)["Explain with Osiris"]))
        said = [request["messages"][-1]["content"] for request in double.requests]
    assert said[0].endswith("The comment says:\nwrite the totals as JSON, too")
    assert said[1].endswith("ask for:\nthe orders\nof today")
    assert "Explain what the step `orders`" in said[2]


# -- what is never applied


def test_a_draft_is_never_applied(root: Path) -> None:
    with model_double(*[proposes(BROKEN)] * 4) as double, talking(root, double) as client:
        talk = client.command("osiris.chat.start", {"message": "Revenue"})["conversation"]
        end = end_of(client, talk)
        assert (end["proposal"]["ok"], end["tries"]) == (False, 4)
        assert "draft" in end["problem"]

        with pytest.raises(RequestRefusedError, match="A draft with errors is not applied"):
            client.command("osiris.chat.apply", {"conversation": talk})
        with pytest.raises(RequestRefusedError, match="no pipeline of this conversation that compiles"):
            client.command("osiris.chat.run", {"conversation": talk})
        client.drain()
        assert not [m for m in client.received if m.get("method") == "workspace/applyEdit"]


def test_a_text_that_has_changed_since_is_not_overwritten(root: Path) -> None:
    uri = pipeline(root, BROKEN)
    with model_double(proposes(GOOD)) as double, talking(root, double) as client:
        client.open(uri, BROKEN)
        talk = client.command("osiris.chat.start", {"uri": uri, "message": "Fix it"})["conversation"]
        end_of(client, talk)
        client.change(uri, 2, {"text": BROKEN + "# my own\n"})

        with pytest.raises(RequestRefusedError, match="has changed since this was proposed"):
            client.command("osiris.chat.apply", {"conversation": talk})


# -- stopping, locks, two at once


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


# -- the editor's own model


def test_the_editors_own_model_answers_without_a_key(root: Path) -> None:
    able = {**PANEL, "experimental": {"osiris": {"chatEvent": True, "modelRequest": True}}}
    client = Client(env={"OSIRIS_CONFIG_DIR": str(root.parent / "config")})
    call = {"id": "1", "name": "propose_pipeline", "arguments": json.dumps({"oml": GOOD, "summary": "Revenue."})}
    try:
        client.initialize(root, able, initializationOptions={"ai": {"provider": "editor", "model": "copilot"}})
        started = client.command("osiris.chat.start", {"message": "Revenue by customer"})
        assert (started["provider"], started["host"], started["model"]) == ("editor", "editor", "copilot")
        asked = answer_next(client, "osiris/modelRequest", lambda _: {"text": "Here.", "calls": [call]})
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
        assert client.close() == 0
    finally:
        client.kill()


# -- where there is nothing of it


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
