"""``osiris chat`` with one message, its log and its list; the model is a double that speaks real HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.shop import GOOD, WRONG_COLUMN, make_shop, proposes, using
from model_double import Refuses, Says, model_double

COLUMNS = Says("Let me look.", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])
CHOICE = Says("", [("ask_choice", {"question": "Per day or month?", "options": ["per day", "per month"]})])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that the fixture ``osiris`` works in."""
    return make_shop(tmp_path / "shop")


def lines(done: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


class TestOneMessage:
    def test_for_people_is_the_answer_and_what_it_would_change(self, osiris: Any, project: Path) -> None:
        with model_double(COLUMNS, proposes(WRONG_COLUMN, "Trying."), proposes(GOOD)) as double:
            done = osiris("chat", "--allow-connect", "-m", "Revenue by customer", env=using(double))
        assert done.returncode == 0
        assert done.stdout.startswith("Let me look.\nTrying.\nHere it is.\n--- /dev/null\n")
        assert "+  - id: orders\n" in done.stdout
        looked, wrong, good, *_ = done.stderr.splitlines()
        assert looked == "· describe_table: 3 columns of @sqlite.shop orders"
        assert wrong.startswith(
            "✗ try 1 does not compile: OML411 `orders` has no column `amuont`. Did you mean `amount`?"
        )
        assert good == "✓ pipelines/revenue.oml.yaml compiles"
        assert "Nothing was written." in done.stderr
        assert not (project / "pipelines").exists()

    def test_for_programs_is_a_line_of_json_for_each_event(self, osiris: Any, project: Path) -> None:
        with model_double(COLUMNS, proposes(GOOD)) as double:
            done = osiris("chat", "-m", "Revenue", "--format", "json", "--allow-connect", env=using(double))
        events = lines(done)
        assert (done.returncode, done.stderr) == (0, "")
        assert events[0]["event"] == "conversation"
        assert events[0]["model"] == "double-1"
        assert [event["state"] for event in events if event["event"] == "state"] == [
            "intent_captured",
            "discovery",
            "oml_synthesis",
            "validate_oml",
            "compile",
        ]
        assert {"event": "consent", "what": "connect", "answer": True}.items() <= next(
            event for event in events if event["event"] == "consent"
        ).items()
        response = events[-1]
        assert response["event"] == "response"
        assert response["conversation"] == events[0]["conversation"]
        assert response["proposal"]["oml"] == GOOD
        assert response["proposal"]["ok"] is True
        assert response["proposal"]["masked"] is False
        assert response["problem"] is None
        assert response["usage"] == {"input_tokens": 200, "output_tokens": 40}

    def test_a_draft_with_errors_is_shown_with_them_and_exit_code_1(self, osiris: Any, project: Path) -> None:
        bad = GOOD.replace("needs: [total]", "needs: [nobody]")
        with model_double(lambda body: proposes(bad)) as double:
            done = osiris("chat", "-m", "Revenue", env=using(double))
        assert done.returncode == 1
        assert "nobody" in done.stderr
        assert "this is a draft only" in done.stderr
        assert not (project / "pipelines").exists()

    def test_a_warning_about_what_compiles_is_said(self, osiris: Any) -> None:
        with model_double(proposes(GOOD + "owner: me\n")) as double:
            done = osiris("chat", "-m", "Revenue", env=using(double))
        assert done.returncode == 0
        assert "✓ pipelines/revenue.oml.yaml compiles, 1 warning\n" in done.stderr
        assert "pipelines/revenue.oml.yaml:22: warning OML107" in done.stderr

    def test_a_proposal_for_a_place_where_none_belongs_is_said_to_be_refused(self, osiris: Any, project: Path) -> None:
        away = Says("", [("propose_pipeline", {"oml": GOOD, "summary": "s", "path": "../../away.oml"})])
        with model_double(away, proposes(GOOD)) as double:
            done = osiris("chat", "-m", "Revenue", env=using(double))
        assert done.stderr.splitlines()[:2] == [
            "✗ propose_pipeline: The path ../../away.oml does not lie in the project.",
            "✓ pipelines/revenue.oml.yaml compiles",
        ]

    def test_a_question_says_how_to_answer_it(self, osiris: Any) -> None:
        with model_double(CHOICE, Says("Per month then.")) as double:
            asked = osiris("chat", "-m", "Revenue over time", env=using(double))
            answered = osiris("chat", "--resume", "-m", "per month", env=using(double))
            said = [m["content"] for m in double.requests[-1]["messages"] if m["role"] == "user"]
        assert (asked.returncode, asked.stdout) == (0, "Per day or month?\n  1. per day\n  2. per month\n")
        assert "Answer with: osiris chat --resume chat_" in asked.stderr
        assert (answered.returncode, answered.stdout) == (0, "Per month then.\n")
        assert said == ["Revenue over time", "per month"]

    def test_without_consent_nothing_is_connected_to(self, osiris: Any) -> None:
        with model_double(COLUMNS, Says("Then not.")) as double:
            done = osiris("chat", "-m", "Look", env=using(double))
            assert "does not want @sqlite.shop" in double.requests[-1]["messages"][-1]["content"]
        assert done.returncode == 0
        assert "Connect to @sqlite.shop to read its tables and columns? Nobody is there to say yes." in done.stderr

    def test_no_answer_is_one_sentence_and_exit_code_1(self, osiris: Any) -> None:
        with model_double(Refuses(401, "bad key")) as double:
            double_at = double.url.split("/")[2]
            text = osiris("chat", "-m", "Hello", env=using(double))
        with model_double(Says("one two", broken_after=1)) as double:
            broken = osiris("chat", "-m", "Hello", "--format", "json", env=using(double))
        assert (text.returncode, text.stdout) == (1, "")
        assert text.stderr.startswith(f"error: {double_at} does not accept the key: bad key.\n")
        assert broken.returncode == 1
        assert lines(broken)[-1]["event"] == "error"
        assert "broke off" in lines(broken)[-1]["message"]

    def test_a_terminal_obeys_nothing_that_the_model_writes(self, osiris: Any) -> None:
        with model_double(Says("red \x1b[31malert\x07 done")) as double:
            done = osiris("chat", "-m", "Hello", env=using(double))
        assert done.stdout == "red ·[31malert· done\n"

    def test_comes_from_an_argument_or_standard_input_whatever_the_bytes(self, osiris: Any) -> None:
        with model_double(Says("One."), Says("Two.")) as double:
            given = osiris("chat", "-m", b"caf\xe9", env=using(double))
            read = osiris("chat", "-m", "-", env=using(double), stdin=None, input="café\n")
            said = [request["messages"][-1]["content"] for request in double.requests]
        assert (given.returncode, read.returncode) == (0, 0)
        assert said == ["caf?", "café\n"]

    def test_ctrl_c_stops_it_and_what_was_said_is_kept(self, project: Path, osiris: Any) -> None:
        pause = threading.Event()
        with model_double(Says("one two three", pause=pause)) as double:
            state = {"OSIRIS_STATE_DIR": str(project.parent / "state")}
            command = [sys.executable, "-P", "-m", "osiris", "chat", "-m", "Slowly"]
            process = subprocess.Popen(
                command, cwd=project, env=os.environ | using(double) | state, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            try:
                assert process.stdout is not None
                assert process.stdout.read(3) == "one"
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=60)
            finally:
                process.kill()
            assert double.gone.wait(30)
        assert process.returncode == 130
        assert "Stopped." in errors
        assert [one["title"] for one in json.loads(osiris("chat", "list", "--format", "json").stdout)] == ["Slowly"]


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "no terminal to talk in"),
            (("--format", "json"), "--format json goes with -m"),
            (("-m", " "), "The message is empty"),
            (("nothing.oml.yaml", "-m", "x"), "there is no such file"),
            (("--resume", "chat_1", "-m", "x"), "no conversation chat_1"),
            (("--resume", "-m", "x", "--new"), "--resume goes without"),
            (("log", "chat_1"), "no conversation chat_1"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_what_does_not_go_together(self, osiris: Any, arguments: tuple[str, ...], said: str) -> None:
        done = osiris("chat", *arguments)
        assert done.returncode == 2
        assert said in done.stderr

    def test_without_a_model_one_sentence_says_so(self, osiris: Any) -> None:
        done = osiris("chat", "-m", "Hello")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: No AI model is set up.\nhint: Set OSIRIS_AI_PROVIDER")
        data = osiris("chat", "-m", "Hello", "--format", "json")
        assert (data.returncode, data.stderr) == (1, "")
        [error] = lines(data)
        assert (error["event"], error["message"]) == ("error", "No AI model is set up.")
        assert error["hint"].startswith("Set OSIRIS_AI_PROVIDER")
        named = osiris("chat", "-m", "Hello", env={"OSIRIS_AI_PROVIDER": "anthropic", "OSIRIS_AI_MODEL": "x",
                                                   "ANTHROPIC_API_KEY": ""})  # fmt: skip
        assert named.stderr.startswith("error: There is no key for Anthropic: ANTHROPIC_API_KEY is not set.\n")
        away = osiris("chat", "-m", "Hello", "--model", "editor")
        assert away.stderr.startswith("error: The AI model of the editor is only there inside of an editor")
        assert osiris("chat", "list").stdout == "No conversations yet.\n"

    def test_where_the_project_forbids_ai_nothing_is_sent(self, osiris: Any, project: Path) -> None:
        (project / "osiris.yaml").write_text("ai: {enabled: false}\n")
        with model_double(Says("Hello")) as double:
            done = osiris("chat", "-m", "Hello", env=using(double))
            assert double.requests == []
        assert done.returncode == 1
        assert done.stderr.startswith("error: This project does not allow AI.\n")


class TestWhatIsSent:
    def test_can_be_shown_before(self, osiris: Any, project: Path) -> None:
        (project / "osiris_connections.yaml").write_text(
            "connections: {mysql: {crm: {host: h, password: '${PASS_1}'}}}"
        )
        (project / ".env").write_text("PASS_1=plain-words-1\n")
        with model_double() as double:
            done = osiris("chat", "--show-prompt", "-m", "My key is plain-words-1", env=using(double))
            assert double.requests == []
        host = double.url.removeprefix("http://").removesuffix("/v1")
        assert done.returncode == 0
        assert done.stdout.startswith(f"To {host}, model double-1:\n")
        assert "Connections: @mysql.crm" in done.stdout
        assert "My key is ***" in done.stdout
        assert "plain-words-1" not in done.stdout
        with model_double(Says("Hello")) as double:
            osiris("chat", "-m", "My key is plain-words-1", env=using(double))
            (sent,) = double.requests
        for tool in sent["tools"]:
            assert json.dumps(tool["function"]["parameters"], ensure_ascii=False) in done.stdout

    def test_can_be_shown_without_a_model(self, osiris: Any) -> None:
        nobody = osiris("chat", "--show-prompt", "-m", "Hello")
        assert nobody.stdout.startswith(
            "To a host that is not known yet (now nothing can be sent: No AI model is set up.):\n"
        )
        keyless = {"OSIRIS_AI_PROVIDER": "anthropic", "OSIRIS_AI_MODEL": "x", "ANTHROPIC_API_KEY": ""}
        named = osiris("chat", "--show-prompt", "-m", "Hello", env=keyless)
        assert named.stdout.startswith("To api.anthropic.com, model x (now nothing can be sent: There is no key for")
        for done in (nobody, named):
            assert (done.returncode, done.stderr) == (0, "")
            assert "--- user\nHello\n" in done.stdout
        assert osiris("chat", "list").stdout == "No conversations yet.\n"

    def test_a_secret_in_a_pipeline_is_neither_sent_nor_shown_nor_kept(self, osiris: Any, project: Path) -> None:
        secret = "plain-words-1"
        (project / ".env").write_text(f"SHOP_PASSWORD={secret}\n")
        (project / "pipelines").mkdir()
        file = project / "pipelines" / "revenue.oml.yaml"
        file.write_text(f"# not {secret}\n{GOOD}")
        with model_double(
            Says("", [("read_pipeline", {})]), proposes(GOOD.replace("out/revenue", "out/other")), Says("Done.")
        ) as double:
            shown = osiris("chat", str(file), "-m", f"Is it {secret}?", "--format", "json", env=using(double))
            again = osiris("chat", "--resume", "-m", "Go on", env=using(double))
            assert "# not ***" in double.requests[1]["messages"][-1]["content"]
            assert secret.encode() not in double.raw
        assert lines(shown)[-1]["proposal"]["ok"] is True
        assert "# not ***" in lines(shown)[-1]["proposal"]["oml"]
        assert lines(shown)[-1]["proposal"]["masked"] is True
        assert secret not in shown.stdout + shown.stderr + again.stdout + again.stderr
        kept = [path for path in (project.parent / "state").rglob("*") if path.is_file()]
        assert kept
        assert not [path for path in kept if secret.encode() in path.read_bytes()]

    def test_can_be_looked_up_afterwards(self, osiris: Any) -> None:
        assert osiris("chat", "log").stdout == "Nothing was sent to an AI model about this project.\n"
        tables = Says("", [("list_tables", {"connection": "@sqlite.shop"})])
        with model_double(tables, COLUMNS, Says("Done.")) as double:
            osiris("chat", "--allow-connect", "-m", "Look at orders", env=using(double))
        log = json.loads(osiris("chat", "log", "--format", "json").stdout)
        assert [one["bytes"] for one in log] == [len(body) for body in reversed(double.bodies)]
        assert log[0]["tables"] == ["@sqlite.shop: 1 name", "@sqlite.shop: orders"]
        assert (log[0]["model"], log[0]["rows"], log[0]["outcome"]) == ("double-1", False, "answered")
        text = osiris("chat", "log", "--limit", "1").stdout.splitlines()
        assert text[0].split() == ["TIME", "MODEL", "HOST", "BYTES", "TOKENS", "TABLES", "ROWS", "OUTCOME"]
        assert "@sqlite.shop: orders  none  answered" in text[1]
        assert "Look at orders" not in json.dumps(log)

    def test_a_conversation_about_a_file_tells_the_model_which(self, osiris: Any, project: Path) -> None:
        (project / "pipelines").mkdir()
        (project / "pipelines" / "revenue.oml.yaml").write_text("# keep me\n" + GOOD)
        step = {"step": "write", "summary": "To another file.", "oml": "id: write\ncomponent: filesystem.csv_writer\n"
                "mode: write\nneeds: [total]\nconfig:\n  path: out/other.csv\n"}  # fmt: skip
        with model_double(Says("", [("propose_step", step)])) as double:
            done = osiris("chat", "pipelines/revenue.oml.yaml", "-m", "Write it to other.csv", env=using(double))
            assert "Open pipeline: pipelines/revenue.oml.yaml" in double.requests[0]["messages"][0]["content"]
        changed = [line for line in done.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        assert changed == ["-      path: out/revenue.csv", "+      path: out/other.csv"]
        assert done.stdout.startswith("To another file.\n")


def test_a_conversation_survives_a_kill_and_goes_on(osiris: Any, project: Path) -> None:
    pause = threading.Event()
    with model_double(COLUMNS, Says("one two three", pause=pause), proposes(GOOD)) as double:
        state = {"OSIRIS_STATE_DIR": str(project.parent / "state")}
        command = [sys.executable, "-P", "-m", "osiris", "chat", "--allow-connect", "-m", "Revenue"]
        process = subprocess.Popen(
            command, cwd=project, env=os.environ | using(double) | state, text=True, stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            limit = time.monotonic() + 60
            while len(double.requests) < 2 and time.monotonic() < limit:
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait(30)
        done = osiris("chat", "--resume", "-m", "Go on", "--format", "json", env=using(double))
        told = [m["content"] for m in double.requests[-1]["messages"] if m["role"] in ("user", "tool")]
    assert told[0] == "Revenue"
    assert "customer: TEXT" in told[1]
    assert told[2] == "Go on"
    assert lines(done)[-1]["proposal"]["ok"] is True
