"""What the agent offers in a document, the edits that come of it, and what is never applied."""

from __future__ import annotations

from pathlib import Path

import pytest
from chatting import (
    BROKEN,
    CONFIRMING,
    PLAIN,
    actions_at,
    agree,
    answer_next,
    choose,
    end_of,
    pipeline,
    proposes,
    talking,
)
from lsp_client import RequestRefusedError, apply_edits

from agent.shop import GOOD, make_shop
from model_double import Says, model_double


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


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
