"""Conversations with the agent in any editor: streamed, proposed, applied when confirmed, run."""

from __future__ import annotations

from pathlib import Path

import pytest
from chatting import (
    LOOKS,
    PANEL,
    agree,
    answer_next,
    chat_event,
    end_of,
    model_of,
    proposes,
    talking,
)
from lsp_client import Client, RequestRefusedError, apply_edits

from agent.shop import EXPECTED, GOOD, WRONG_COLUMN, make_shop
from model_double import model_double


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


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
