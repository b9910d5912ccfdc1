"""What every face builds its conversations with: secrets masked, conversations kept and locked, rows on request."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from agent.shop import GOOD, PATH, make_shop, proposes, using
from model_double import ModelDouble, Says, model_double
from osiris.core.agent.conversation import ChatState
from osiris.core.agent.events import Said
from osiris.core.agent.host import Consent
from osiris.core.conversational_agent import AgentResponse
from osiris.core.error_taxonomy import ConfigurationError, ValidationError
from osiris.core.project import Project
from osiris.execution.agent_host import AskingHost, Chat, open_chat, preview_rows, project_masker

PROPOSES = proposes(GOOD)


def opened(root: Path, double: ModelDouble, conversation: str | None = None) -> Chat:
    project = Project.find(root)
    return open_chat(project, AskingHost(project, lambda *_: True), conversation=conversation, environ=using(double))


def test_no_secret_of_the_project_is_sent(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    (root / "osiris_connections.yaml").write_text(
        "connections:\n"
        "  sqlite: {shop: {path: data/shop.db}}\n"
        "  mysql: {crm: {host: '${NOT_SET}', user: app, password: '${CRM_ENTRY}', database: crm}}\n"
        "  postgres: {dwh: {dsn: 'postgresql://app:from-the-address@host/db'}}\n"
    )
    (root / ".env").write_text("CRM_ENTRY=plain-words-1\nUNUSED_PASSWORD=plain-words-2\n")
    masker = project_masker(Project.find(root))
    assert masker.text("plain-words-1 plain-words-2 from-the-address crm") == "*** *** *** crm"
    with model_double(Says("Hello.")) as double:
        list(opened(root, double).stream("I know plain-words-1 and from-the-address"))
    assert b"plain-words-1" not in double.raw
    assert b"from-the-address" not in double.raw


def test_a_conversation_goes_on_in_another_window_as_the_first_left_it(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    with model_double(Says("One."), PROPOSES, Says("Three.")) as double:
        first = opened(root, double)
        list(first.stream("first"))
        second = opened(root, double, first.context.id)
        list(second.stream("second"))
        list(first.stream("third"))
        assert [m["content"] for m in double.requests[-1]["messages"] if m["role"] == "user"] == [
            "first",
            "second",
            "third",
        ]
    draft = first.draft()
    assert draft is not None
    assert draft.ok
    assert first.agent.save(draft).read_text() == GOOD


def test_two_windows_do_not_answer_at_once(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    with model_double(Says("one two three"), Says("Later.")) as double:
        first = opened(root, double)
        second = opened(root, double, first.context.id)
        answer = first.stream("first")
        while not isinstance(next(answer), Said):
            pass
        with pytest.raises(ValidationError, match="answered in another window"):
            next(second.stream("second"))
        list(answer)
        assert [event.text for event in second.stream("second") if isinstance(event, Said)] == ["Later."]


def test_what_was_sent_can_be_looked_up(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    looks = Says("", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])
    with model_double(looks, Says("Done.")) as double:
        chat = opened(root, double)
        list(chat.stream("Look"))
        sent = chat.store.sent()
    assert [request.bytes for request in sent] == [len(body) for body in reversed(double.bodies)]
    assert [request.tables for request in sent] == [("@sqlite.shop: orders",), ()]
    assert {(request.outcome, request.rows) for request in sent} == {("answered", False)}


def test_rows_of_a_step_and_no_file(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    project = Project.find(root)
    host = AskingHost(project)
    assert host.agrees(Consent.ROWS, "?") is False
    found = preview_rows(project, GOOD, root / "pipelines" / "revenue.oml.yaml", "total", 1, threading.Event())
    assert (list(found.columns), [list(row) for row in found.rows], found.more) == (
        ["customer", "total"],
        [["Ada", 30]],
        True,
    )
    assert not (root / "build").exists()
    assert not (root / "logs").exists()


def test_what_compiled_can_be_run_after_something_else_was_spoken_of(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    looks = Says("", [("list_tables", {"connection": "@sqlite.shop"})])
    with model_double(PROPOSES, Says("Of all customers."), looks, Says("One table.")) as double:
        chat = opened(root, double)
        for message in ("Revenue", "Whose?", "Which tables are there?"):
            list(chat.stream(message))
            chat.agent.say_run()
    assert chat.context.state is ChatState.RUN


def test_rows_are_sent_once_the_user_has_agreed_and_the_log_says_so(tmp_path: Path) -> None:
    root = make_shop(tmp_path, "ai: {allow_rows: true}\n")
    looks = Says("", [("preview_step", {"step": "total"})])
    with model_double(PROPOSES, looks, Says("Fine.")) as double:
        chat = opened(root, double)
        list(chat.stream("Revenue"))
        assert b"Ada" not in double.raw
        list(chat.stream("Is it right?"))
        assert '[["Ada", 30], ["Bob", 5]]' in double.requests[-1]["messages"][-1]["content"]
    assert [request.rows for request in chat.store.sent()] == [True, False, False]


def test_halves_of_characters_are_no_obstacle(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    half = json.dumps({"oml": GOOD + "# \ud800\n", "summary": "\ud800"})
    with model_double(Says("Half \ud800", [("propose_pipeline", half)]), Says("Fine.")) as double:
        chat = opened(root, double)
        list(chat.stream("caf\udcff"))
        list(opened(root, double, chat.context.id).stream("again"))
        assert double.requests[-1]["messages"][1]["content"] == "caf?"
    draft = chat.draft()
    assert draft is not None
    assert draft.text == GOOD + "# ?\n"


def test_locks_go_with_their_conversations(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    with model_double(Says("One."), Says("Two.")) as double:
        chat = opened(root, double)
        list(chat.stream("first"))
        folder = chat.store.lock(chat.context.id).path.parent
        chat.store.state.write(lambda db: db.execute("UPDATE conversations SET changed_at = 0"))
        later = opened(root, double)
        list(later.stream("second"))
    assert [lock.stem for lock in folder.iterdir()] == [later.context.id]


def test_secrets_are_known_also_beside_an_env_file_that_cannot_be_read(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    (root / "osiris_connections.yaml").write_text("connections: {mysql: {a: {host: h, password: plain-pass-77}}}\n")
    (root / ".env").write_bytes(b"A=\xff\xfe\x00\n")
    assert project_masker(Project.find(root)).text("it is plain-pass-77") == "it is ***"


class TestWhatTheProjectAllows:
    """It counts as it is when a request is made, whatever it was when the conversation began."""

    @pytest.mark.parametrize(
        "settings", ["ai: {enabled: false}", "ai: {providers: [anthropic]}", "ai: {enabled: perhaps}"]
    )
    def test_no_further_request_is_sent(self, tmp_path: Path, settings: str) -> None:
        root = make_shop(tmp_path)

        def model(body: object) -> Says:
            (root / "osiris.yaml").write_text(settings)
            return Says("", [("list_components", {})])

        with model_double(model) as double:
            chat = opened(root, double)
            for _ in range(2):
                with pytest.raises(ConfigurationError):
                    list(chat.stream("Go on"))
            with pytest.raises(ConfigurationError):
                chat.use_model(None, "double-2")
            assert len(double.requests) == 1

    def test_rows_are_in_no_further_request(self, tmp_path: Path) -> None:
        root = make_shop(tmp_path, "ai: {allow_rows: true}\n")
        shows = Says("", [("preview_step", {"step": "total"})])
        with model_double(PROPOSES, shows, Says("Fine."), shows, Says("Not now.")) as double:
            chat = opened(root, double)
            list(chat.stream("Revenue"))
            list(chat.stream("Is it right?"))
            assert b'["Ada", 30]'.replace(b'"', b'\\"') in double.bodies[-1]
            (root / "osiris.yaml").write_text("ai: {allow_rows: false}\n")
            list(chat.stream("And now?"))
            assert not [body for body in double.bodies[-2:] if b"Ada" in body]
            assert "does not allow that rows" in double.requests[-1]["messages"][-1]["content"]


class TestAProposalOfAnEarlierSession:
    CHANGED = GOOD.replace("out/revenue.csv", "out/sums.csv")

    def test_is_the_same_and_saved_byte_for_byte(self, tmp_path: Path) -> None:
        root = make_shop(tmp_path)
        file = root / PATH
        file.parent.mkdir()
        file.write_text(f"# mine\n{GOOD}")
        with model_double(proposes(self.CHANGED)) as double:
            first = opened(root, double)
            first.agent.context.path = PATH
            *_, response = first.stream("To sums.csv")
            again = opened(root, double, first.context.id)
        draft = again.draft()
        assert isinstance(response, AgentResponse)
        assert response.proposal is not None
        assert draft is not None
        assert draft.diff() == response.proposal.diff()
        assert again.agent.save(draft).read_bytes() == f"# mine\n{self.CHANGED}".encode() == draft.text.encode()

    def test_does_not_undo_what_the_user_has_done_since(self, tmp_path: Path) -> None:
        root = make_shop(tmp_path)
        with model_double(PROPOSES) as double:
            first = opened(root, double)
            list(first.stream("Revenue"))
            (root / PATH).parent.mkdir()
            (root / PATH).write_text(self.CHANGED)
            draft = opened(root, double, first.context.id).draft()
        assert draft is not None
        assert draft.before is None
        with pytest.raises(ValidationError, match="has changed since"):
            first.agent.save(draft)
        assert (root / PATH).read_text() == self.CHANGED


def test_what_another_window_has_said_is_kept_when_this_one_runs_the_pipeline(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    with model_double(PROPOSES, Says("Two."), Says("Three.")) as double:
        here = opened(root, double)
        list(here.stream("first"))
        there = opened(root, double, here.context.id)
        list(there.stream("second"))
        here.say_run()
        list(there.stream("third"))
        users = [m["content"] for m in double.requests[-1]["messages"] if m["role"] == "user"]
    assert users == ["first", "second", "third"]


def test_a_proposal_for_another_file_has_nothing_of_the_open_one(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    (root / PATH).parent.mkdir()
    (root / PATH).write_text(GOOD)
    other = {"summary": "s", "path": "pipelines/other.oml.yaml"}
    tries = [other | {"oml": text.replace("name: revenue", "name: other")} for text in ("steps: [", GOOD)]
    with model_double(*[Says("", [("propose_pipeline", one)]) for one in tries]) as double:
        chat = opened(root, double)
        chat.agent.context.path = PATH
        *_, response = chat.stream("Another one", open_text=f"# unsaved\n{GOOD}")
    assert isinstance(response, AgentResponse)
    assert response.proposal is not None
    assert (response.proposal.before, response.proposal.text) == (None, tries[1]["oml"])


def test_every_pipeline_that_is_named_can_be_read_and_changed(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    names = ("pipelines/a.oml.yaml", "plain.yaml", "UPPER.OML", "odd\x07.oml.yaml", "x/build/b.oml.yaml", "x/.h/c.oml")
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(GOOD)
    reads = [("read_pipeline", {"path": name}) for name in names]
    with model_double(Says("", [("list_pipelines", {}), *reads]), Says("Fine.")) as double:
        list(opened(root, double).stream("Which are there?"))
        listed, *read = [m["content"] for m in double.requests[-1]["messages"] if m["role"] == "tool"]
    named = listed.removeprefix("<data>\n").removesuffix("\n</data>").split("\n")
    assert named == ["UPPER.OML", "pipelines/a.oml.yaml", "plain.yaml"]
    assert [name for name, text in zip(names, read, strict=True) if GOOD in text] == list(names[:3])
