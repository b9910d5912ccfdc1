"""A conversation outlives the process and the window that it was begun in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.shop import GOOD, agent_of, make_shop, told
from model_double import Says, model_double
from osiris.core.agent.conversation import ConversationContext
from osiris.core.conversation_store import ConversationStore
from osiris.core.error_taxonomy import ValidationError
from osiris.core.llm.messages import Message, ToolCall
from osiris.core.secrets_masking import Masker
from osiris.core.state_store import StateStore


def test_a_conversation_goes_on_in_another_window(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "shop")
    propose = Says("Here.", [("propose_pipeline", {"oml": GOOD, "summary": "s"})])
    with model_double(propose, Says("You asked for revenue.")) as double:
        here = ConversationStore(root)
        context = here.new()
        agent_of(root, double, context=context, keep=here.save).process_message("Revenue")
        there = ConversationStore(root).load(context.id)
        assert (there.state, there.path, there.draft_ok) == ("compile", "pipelines/revenue.oml.yaml", True)
        agent_of(root, double, context=there).process_message("What did I ask for?")
        assert told(double, "user") == ["Revenue", "What did I ask for?"]


def test_a_process_that_is_killed_in_the_middle_of_an_answer_loses_nothing_that_was_said(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "shop")
    code = (
        "import os, sys, pathlib\n"
        "from osiris.core.conversation_store import ConversationStore\n"
        "from osiris.core.llm.messages import Message, ToolCall\n"
        "store = ConversationStore(pathlib.Path(sys.argv[1]))\n"
        "context = store.new()\n"
        "call = ToolCall('c', 'list_tables', '{}')\n"
        "context.messages += [Message('user', 'Revenue'), Message('assistant', '', (call,))]\n"
        "store.save(context)\n"
        "print(context.id, flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        conversation = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
    store = ConversationStore(root)
    with model_double(Says("Where were we?")) as double:
        agent_of(root, double, context=store.load(conversation), keep=store.save).process_message("Go on")
        assert told(double) == ["This was interrupted; nothing came of it."]
    assert [message.role for message in store.load(conversation).messages] == [
        "user",
        "assistant",
        "tool",
        "user",
        "assistant",
    ]


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_conversation(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from osiris.core.conversation_store import ConversationStore\n"
        "from osiris.core.llm.messages import Message\n"
        "store = ConversationStore(pathlib.Path(sys.argv[1]))\n"
        "context = store.new()\n"
        "print(context.id, flush=True)\n"
        "for number in range(100_000):\n"
        "    context.messages += [Message('user', str(number)), Message('assistant', 'x' * 50_000)]\n"
        "    context.draft = context.draft_before = str(number)\n"
        "    store.save(context)\n"
        "    print(number, flush=True)\n"
    )
    store = ConversationStore(tmp_path)
    for until in (3, 10, 17):
        command = [sys.executable, "-P", "-c", code, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                conversation = process.stdout.readline().strip()
                saved = next(int(line) for line in process.stdout if int(line) == until)
            finally:
                process.kill()
        context = store.load(conversation)
        numbers = [int(message.text) for message in context.messages if message.role == "user"]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > saved
        assert context.draft == context.draft_before == str(numbers[-1])
        assert len(context.messages) == 2 * len(numbers)
        assert store.lock(conversation).acquire()


def test_only_one_window_answers_at_a_time(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    context = store.new()
    first, second = store.lock(context.id), ConversationStore(tmp_path).lock(context.id)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_secrets_that_are_typed_into_a_conversation_are_not_kept(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path, masker=Masker(["canary-Zq81"]))
    call = ToolCall("c", "propose_pipeline", '{"oml": "canary-Zq81"}')
    said = [Message("user", "my password is canary-Zq81"), Message("assistant", "", (call,))]
    store.save(ConversationContext("chat_1", said, draft="x: canary-Zq81"))
    assert b"canary-Zq81" not in b"".join(file.read_bytes() for file in StateStore().path.parent.rglob("*.db*"))


def test_a_list_shows_what_was_said_last_first_and_only_of_this_project(tmp_path: Path) -> None:
    mine, other = ConversationStore(tmp_path / "a"), ConversationStore(tmp_path / "b")
    for store, word in ((mine, "first"), (other, "elsewhere"), (mine, "second")):
        store.save(ConversationContext(f"chat_{word}", [Message("user", f"{word}\nthing")]))
    mine.new()
    assert [(item.id, item.title, item.messages) for item in mine.listed()] == [
        ("chat_second", "second thing", 1),
        ("chat_first", "first thing", 1),
    ]
    with pytest.raises(ValidationError, match="no conversation chat_elsewhere"):
        mine.load("chat_elsewhere")


def test_old_conversations_are_cleaned_up(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    for name in ("old", "new"):
        store.save(ConversationContext(f"chat_{name}", [Message("user", name)]))
    month_ago = time.time() - 31 * 86_400
    store.state.write(
        lambda db: db.execute("UPDATE conversations SET changed_at = ? WHERE id = 'chat_old'", (month_ago,))
    )
    store.new()
    assert [item.id for item in store.listed()] == ["chat_new"]


def test_what_was_sent_is_known_afterwards_but_not_its_words(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "shop")
    store = ConversationStore(root)
    context = store.new()
    columns = Says("", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])
    with model_double(columns, Says("Three columns.")) as double:
        agent = agent_of(root, double, context=context, keep=store.save)
        agent.model.on_event = lambda event: store.note(context, event)
        agent.process_message("Which columns?")
        sizes = [len(raw) for raw in double.bodies]
    latest, first = store.sent(context.id)
    assert (first.model, first.host) == ("double-1", double.url.split("/")[2])
    assert first.tables == ()
    assert latest.tables == ("@sqlite.shop: orders",)
    assert [first.bytes, latest.bytes] == sizes
    assert (latest.outcome, latest.input_tokens, latest.output_tokens, latest.rows) == ("answered", 100, 20, False)
