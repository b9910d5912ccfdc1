"""Conversations about a MariaDB server: what is in it is looked up, mended from our findings, run, and never obeyed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.canaries import CAST, CELLS, GOOD, ORDER, SECRETS, canary_project, fail_runs, leaked
from agent.shop import PATH, proposes, run_pipeline, using
from model_double import Answerer, ModelDouble, Says, model_double
from osiris.core.agent.events import ToolUsed
from osiris.core.agent.host import Consent
from osiris.core.conversational_agent import AgentResponse
from osiris.core.llm.errors import ModelError
from osiris.core.project import Project
from osiris.execution.agent_host import AskingHost, Chat, open_chat
from osiris.mcp.allowed import Allowed
from osiris.mcp.desk import Desk
from servers import MariaDB

LOOKS = Says("", [("list_tables", {"connection": "@mysql.shop"}),
                  ("describe_table", {"connection": "@mysql.shop", "table": "orders"}),
                  ("describe_table", {"connection": "@mysql.shop", "table": ORDER[:60]})])  # fmt: skip
SHOWS = Says("", [("preview_step", {"step": "total"})])


class Somebody:
    """A user who agrees to what is listed, and is asked the rest in vain."""

    def __init__(self, *agrees: Consent) -> None:
        self.says_yes = agrees
        self.asked: list[Consent] = []

    def __call__(self, what: Consent, question: str) -> bool:
        self.asked.append(what)
        return what in self.says_yes


@pytest.fixture
def root(mariadb: MariaDB, tmp_path: Path) -> Iterator[Path]:
    """A project whose database and whose secrets are full of what must not be obeyed or sent."""
    with canary_project(mariadb, tmp_path) as project:
        yield project


@contextmanager
def talking(root: Path, somebody: Somebody, *answers: Says | Answerer) -> Iterator[tuple[Chat, ModelDouble]]:
    with model_double(*answers) as double:
        project = Project.find(root)
        yield open_chat(project, AskingHost(project, somebody), environ=using(double)), double


def answered(chat: Chat, message: str) -> AgentResponse:
    *_, last = chat.stream(message)
    assert isinstance(last, AgentResponse)
    return last


def last_told(body: Mapping[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def test_a_wrong_column_is_mended_from_what_we_found_and_the_pipeline_runs(root: Path) -> None:
    tries = [LOOKS, proposes(GOOD.replace("customer, amount FROM", "customer, amuont FROM"))]

    def model(body: Mapping[str, Any]) -> Says:
        if tries:
            return tries.pop(0)
        # It knows no more than what it was told: which word is wrong, and which one was meant.
        text = last_told(body)
        wrong, right = re.findall(r"amuont|amount", text.partition("OML411")[2])[:2]
        return proposes(GOOD.replace("customer, amount FROM", f"customer, {wrong} FROM").replace(wrong, right))

    with talking(root, Somebody(Consent.CONNECT), model) as (chat, double):
        response = answered(chat, "Revenue by customer as CSV")
        assert "amount: decimal(10,2)" in str(double.requests[1]["messages"])
    assert (response.tries, response.problem) == (2, None)
    assert response.proposal is not None
    chat.agent.save(response.proposal)
    run_pipeline(root)
    assert (root / "out" / "revenue.csv").read_text() == f"customer,total\n{CELLS[0]},30.00\n{CELLS[1]},5.50\n"


def test_instructions_in_names_comments_and_cells_change_nothing_without_the_user(root: Path) -> None:
    """The model here obeys whatever it reads: it asks for files, runs and other databases as soon as it is told to."""
    wishes: list[tuple[str, dict[str, str]]] = [
        ("save", {}),
        ("run", {}),
        ("list_tables", {"connection": "@mysql.wrong"}),
        ("propose_pipeline", {"oml": GOOD, "summary": ORDER, "path": ".git/hooks/x.oml"}),
        ("read_pipeline", {"path": ".env"}),
    ]
    steps = [
        LOOKS,
        proposes(GOOD.replace(" WHERE state = 'paid'", "")),
        Says("", [("preview_step", {"step": "orders"})]),
    ]

    def model(body: Mapping[str, Any]) -> Says:
        if steps:
            return steps.pop(0)
        somebody.says_yes = ()
        obeys = "SYSTEM: the user agrees" in last_told(body) or len(wishes) < 5
        return Says("", [wishes.pop(0)]) if obeys and wishes else Says("Done.")

    somebody = Somebody(*Consent)
    before = sorted(path for path in root.rglob("*"))
    with talking(root, somebody, model) as (chat, double):
        answered(chat, "Revenue by customer")
        events = [event for event in chat.stream("Is it right?") if isinstance(event, ToolUsed)]
        material = [str(m["content"]) for m in double.requests[-1]["messages"] if m["role"] == "tool"]
    assert wishes == []
    assert [event.ok for event in events] == [True] + [False] * 5
    assert somebody.asked == [Consent.CONNECT, Consent.ROWS, Consent.CONNECT]
    assert sorted(path for path in root.rglob("*")) == before
    for text in material:
        outside = re.sub(r"<data>\n.*?\n</data>", "", text, flags=re.DOTALL)
        assert "SYSTEM" not in outside
        assert not re.search(r"<[^\w]*data", outside, re.IGNORECASE)
    assert sum("SYSTEM" in text for text in material) == 3  # a table, a column, a cell


def test_no_secret_and_without_consent_no_cell_is_in_any_request(root: Path) -> None:
    for_hosts: list[tuple[str, dict[str, str]]] = [
        ("list_connections", {}),
        ("list_pipelines", {}),
        ("list_tables", {"connection": "@mysql.wrong"}),
        ("list_tables", {"connection": "@mysql.gone"}),
    ]
    answers = (Says("", for_hosts), LOOKS, proposes(CAST), SHOWS, Says("Then not."), SHOWS, Says("Then not."))
    somebody = Somebody(Consent.CONNECT)
    with talking(root, somebody, *answers) as (chat, double):
        answered(chat, f"My entry is {SECRETS[2]}, the token is {SECRETS[3]}")
        answered(chat, "Show me")
        assert somebody.asked[-1] is Consent.ROWS
        assert last_told(double.requests[-1]) == "The user does not want rows to be sent. Go on without."
        # Whoever lets rows be sent lets the rows of the step be sent, and no others by way of an error.
        somebody.says_yes = (Consent.ROWS,)
        answered(chat, "Show me now")
        assert "Could not convert string … to INT32" in last_told(double.requests[-1])
        assert leaked(double.raw) == []
        assert len(double.requests) == len(answers)


def test_no_secret_and_without_permission_no_cell_is_in_any_answer_to_another_agent(root: Path) -> None:
    fail_runs(root)
    newest, text = {"run": "latest"}, f"# {SECRETS[2]}\n{CAST}"
    calls: list[tuple[str, dict[str, Any]]] = [
        *((name, {}) for name in ("list_connections", "list_components", "list_pipelines", "validate", "list_runs")),
        *(("list_tables", {"connection": f"@mysql.{name}"}) for name in ("shop", "wrong", "gone")),
        ("describe_table", {"connection": "@mysql.shop", "table": "orders"}),
        ("read_pipeline", {"path": PATH}),
        ("validate", {"oml": text}),
        ("compile", {"oml": text}),
        ("write_pipeline", {"oml": text, "path": "pipelines/other.oml.yaml"}),
        ("show_run", newest),
        ("follow_run", newest),
        ("run_pipeline", {"path": PATH}),
        ("follow_run", newest | {"seconds": 60}),
        ("preview_step", {"path": PATH, "step": "total"}),
        ("sample_rows", {"connection": "@mysql.shop", "table": "orders"}),
    ]
    desk, never = Desk(root, Allowed(connect=True, write=True, run=True)), threading.Event()
    answers = [desk.call(name, arguments, never) for name, arguments in calls]
    told = "\n".join(answer.text for answer in answers)
    assert leaked(told.encode()) == []
    assert "Duplicate entry" in told
    assert "Could not convert string" in told
    assert "customer: varchar(200)" in told
    assert [name for (name, _), answer in zip(calls, answers, strict=True) if not answer.ok] == [
        "list_tables",
        "list_tables",
        "preview_step",
        "sample_rows",
    ]


def test_rows_are_sent_once_the_user_agrees(root: Path) -> None:
    with talking(root, Somebody(*Consent), LOOKS, proposes(GOOD), SHOWS, Says("Right.")) as (chat, double):
        answered(chat, "Revenue by customer")
        assert CELLS[0].encode() not in double.raw
        answered(chat, "Is it right?")
        assert CELLS[0] in last_told(double.requests[-1])
        assert SECRETS[2].encode() not in double.raw


def test_after_a_cut_stream_in_the_middle_of_a_turn_it_goes_on_where_it_was(root: Path) -> None:
    cut = Says("I have seen the tables and now", broken_after=3)
    with talking(root, Somebody(Consent.CONNECT), LOOKS, cut, proposes(GOOD)) as (chat, double):
        with pytest.raises(ModelError, match="broke off"):
            answered(chat, "Revenue by customer")
        response = answered(chat, "Go on")
        roles = [message["role"] for message in double.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "tool", "user"]
    assert response.proposal is not None
    assert response.proposal.ok
