"""Talking to models: real HTTP to a double on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_double import ModelDouble, Refuses, Says, model_double
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.llm import chat_completions
from osiris.core.llm.ceiling import AiCeiling
from osiris.core.llm.errors import AiForbiddenError, ModelCancelledError, ModelError, NoModelError
from osiris.core.llm.messages import Message, Reply, Request, TextPiece, Tool, ToolCall, Usage
from osiris.core.llm.user_settings import key_for, load_ai_settings
from osiris.core.llm_adapter import LLMAdapter
from osiris.core.secrets_masking import Masker

QUESTION = Request((Message("user", "Hello"),))
LOOK = Tool("look", "Looks at a table.", {"type": "object", "properties": {"table": {"type": "string"}}})


def adapter(double: ModelDouble, **options: Any) -> LLMAdapter:
    return LLMAdapter.create("openai", "gpt-4", base_url=double.url, environ={}, **options)


def reply_of(llm: LLMAdapter, request: Request = QUESTION) -> Reply:
    *_, last = llm.converse(request)
    assert isinstance(last, Reply)
    return last


def test_an_answer_comes_whole_or_in_pieces() -> None:
    with model_double(Says("orders has three columns"), Says("one two three")) as double:
        llm = adapter(double)
        assert llm.complete("Which columns?", system="Be brief.") == "orders has three columns"
        assert list(llm.stream("Count")) == ["one", " two", " three"]
    assert [message["role"] for message in double.requests[0]["messages"]] == ["system", "user"]


def test_calls_of_tools_are_put_together_from_their_pieces() -> None:
    calls = [("look", {"table": "orders" * 30}), ("look", {"table": "customers"})]
    with model_double(Says("Looking.", calls)) as double:
        reply = reply_of(adapter(double), Request((Message("user", "Hello"),), tools=(LOOK,)))
    assert reply.finish == "tool_calls"
    assert [(call.name, json.loads(call.arguments)) for call in reply.message.calls] == calls
    assert reply.usage == Usage(100, 20)
    assert double.requests[0]["tools"][0]["function"]["name"] == "look"


def test_answers_of_tools_go_back_under_the_id_of_their_call() -> None:
    said = Message("assistant", "", (ToolCall("call_1", "look", "{}"),))
    with model_double(Says("fine")) as double:
        reply_of(
            adapter(double), Request((Message("user", "Hello"), said, Message("tool", "3 rows", answers="call_1")))
        )
    _, assistant, tool = double.requests[0]["messages"]
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"] == "call_1"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again_after_the_time_that_the_server_asks_for(status: int) -> None:
    events: list[Any] = []
    with model_double(Refuses(status, "wait", {"Retry-After": "0.05"}), Says("now")) as double:
        assert adapter(double, on_event=events.append).complete("Hello") == "now"
    assert [event["event"] for event in events] == ["llm_request", "llm_retry", "llm_request", "llm_response"]
    assert events[1]["seconds"] == 0.05
    assert events[3]["input_tokens"] == 100


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "does not accept the request: bad thing"),
        (401, "does not accept the key: bad thing"),
        (403, "does not let this key use the model"),
        (404, "has no such model, or is not at this address"),
    ],
)
def test_what_cannot_pass_is_not_tried_again(status: int, said: str) -> None:
    with model_double(Refuses(status, "bad thing")) as double:
        with pytest.raises(ModelError, match=said):
            adapter(double).complete("Hello")
        assert len(double.requests) == 1


def test_a_stream_that_breaks_is_said_and_not_told_twice() -> None:
    with model_double(Says("one two three four", broken_after=2), Says("again")) as double:
        pieces = []
        with pytest.raises(ModelError, match="broke off") as caught:
            pieces.extend(adapter(double).stream("Hello"))
        assert caught.value.answered
        assert len(double.requests) == 1


def test_another_model_steps_in_when_the_first_cannot_answer() -> None:
    events: list[Any] = []
    with model_double(Refuses(404, "no such model"), Says("from the other")) as double:
        llm = adapter(double, fallback="gpt-3", on_event=events.append)
        assert llm.complete("Hello") == "from the other"
    assert [request["model"] for request in double.requests] == ["gpt-4", "gpt-3"]
    assert {"llm_fallback"} <= {event["event"] for event in events}


def test_stopping_closes_the_connection_in_the_middle_of_an_answer() -> None:
    cancel = threading.Event()
    with model_double(Says("one two three", pause=threading.Event())) as double:
        pieces = adapter(double).converse(QUESTION, cancel)
        assert next(pieces) == TextPiece("one")
        cancel.set()
        with pytest.raises(ModelCancelledError):
            next(pieces)
        assert double.gone.wait(10)


def test_a_server_that_is_not_there_is_said() -> None:
    with model_double() as double:
        pass
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:\d+ cannot be reached") as caught:
        adapter(double, retries=0).complete("Hello")
    assert caught.value.transient


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with model_double(Says("one two", pause=(pause := threading.Event()))) as double:
        llm = LLMAdapter.create("openai", "m", base_url=double.url.replace("/v1", ""), environ={}, timeout=1, retries=0)
        double.answers = lambda body: (pause.wait(20), Refuses(500))[1]
        with pytest.raises(ModelError, match="did not answer in time"):
            llm.complete("Hello")
        pause.set()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Refuses(200, raw="<html>"), "no chat completion"),
        (Refuses(200, raw=""), "no chat completion"),
        (Refuses(200, raw='{"choices": []}'), "no chat completion"),
        (Refuses(200, raw="data: {oops\n\n"), "no chat completion"),
        (Refuses(200, raw='data: {"choices": [1]}\n\n'), "no chat completion"),
        (Refuses(200, raw='data: {"choices": [], "usage": [1]}\n\n'), "no chat completion"),
        (Refuses(200, raw='data: {"error": {"message": "too much"}}\n\n'), "reports an error: too much"),
        (Refuses(200, raw='data: {"error": "too much"}\n\n'), "reports an error: too much"),
        (Refuses(400, raw='[{"error": {"message": "bad model"}}]'), "does not accept the request: bad model"),
        (Refuses(422, raw='{"detail": "bad model"}'), "does not accept the request: bad model"),
        (Refuses(502, raw="<html>Bad gateway</html>"), r"has a fault of its own \(status 502\)\.$"),
        (Refuses(429, "wait", {"Retry-After": "9" * 400}), "too many requests"),
        (Refuses(429, "wait", {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}), "too many requests"),
        (Refuses(200, raw=f"data: {'x' * (9 << 20)}\n\n"), "longer than any answer can be"),
        (Refuses(500, raw="x" * (9 << 20)), "longer than any answer can be"),
        (Refuses(200, raw="data: 1\n\n", headers={"Content-Encoding": "gzip"}), "is compressed"),
        (Refuses(307, headers={"Location": "/v2"}), "sends requests on to another address"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_a_server_answers_is_said_in_one_sentence_and_asked_once(answer: Refuses, said: str) -> None:
    with model_double(answer, answer) as double:
        with pytest.raises(ModelError, match=said):
            adapter(double, retries=0).complete("Hello")
        assert len(double.requests) == 1


def test_an_error_in_a_stream_is_tried_again_when_it_may_pass() -> None:
    busy = Refuses(200, raw='data: {"error": {"message": "busy", "type": "overloaded_error"}}\n\n')
    with model_double(busy, Says("now")) as double:
        assert adapter(double).complete("Hello") == "now"


def test_a_wait_that_nobody_waits_for_is_said_at_once() -> None:
    with model_double(Refuses(429, "slow down", {"Retry-After": "7200"}), Says("now")) as double:
        with pytest.raises(ModelError, match="slow down") as caught:
            adapter(double).complete("Hello")
        assert caught.value.hint == "It asks to wait about 2 hours."
        assert len(double.requests) == 1


def test_an_answer_that_never_ends_is_given_up_however_alive_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_completions, "MOST_SECONDS", 0.6)
    with model_double(Says("one two", pause=threading.Event())) as double:
        with pytest.raises(ModelError, match="did not come to an end"):
            adapter(double).complete("Hello")
        assert double.gone.wait(10)


def test_only_what_is_ours_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ORG_ID", "PROJECT_ID", "ADMIN_KEY", "API_KEY", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "canary-Zq17")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer canary-Zq17\nX-Own: canary-Zq17")
    ours = {"Host", "Accept", "Accept-Encoding", "Connection", "Content-Type", "Content-Length", "User-Agent"}
    with model_double(Says("fine"), Says("fine")) as double:
        adapter(double).complete("Hello")
        adapter(double, api_key="k-1").complete("Hello")
        assert b"canary-Zq17" not in double.raw
        assert {name.title() for name in double.headers[0]} == ours
        assert double.headers[1]["Authorization"] == "Bearer k-1"


def test_neither_key_nor_words_follow_to_another_address() -> None:
    with model_double(Says("mine now")) as other:
        on = {"Location": f"{other.url}/chat/completions"}
        with model_double(Refuses(307, headers=on)) as double, pytest.raises(ModelError, match="another address"):
            adapter(double, api_key="k-1", retries=0).complete("Hello")
        assert other.requests == []


def test_secrets_are_masked_before_anything_is_sent() -> None:
    call = ToolCall("c", "look", '{"table": "hunter22-secret"}')
    request = Request(
        (
            Message("system", "password=abcdef123"),
            Message("user", "my key is hunter22-secret"),
            Message("assistant", "", (call,)),
            Message("tool", "hunter22-secret", answers="c"),
        )
    )
    with model_double(Says("fine")) as double:
        reply_of(adapter(double, masker=Masker(["hunter22-secret"])), request)
    assert b"hunter22" not in double.raw
    assert b"abcdef123" not in double.raw


class TestWhatTheUserHasChosen:
    def test_nothing_is_one_sentence_that_says_how_to_set_a_model_up(self) -> None:
        with pytest.raises(NoModelError, match=r"^No AI model is set up\.$") as caught:
            LLMAdapter.create(environ={"HOME": "/nowhere"})
        assert "OSIRIS_AI_PROVIDER" in (caught.value.hint or "")

    def test_a_missing_key_is_named_by_its_variable(self) -> None:
        llm = LLMAdapter.create("anthropic", "claude", environ={})
        for ask in (llm.check, lambda: llm.complete("Hello")):
            with pytest.raises(NoModelError, match="ANTHROPIC_API_KEY is not set"):
                ask()

    @pytest.mark.parametrize(
        ("provider", "variable", "host"),
        [
            ("openai", "OPENAI_API_KEY", "api.openai.com"),
            ("anthropic", "ANTHROPIC_API_KEY", "api.anthropic.com"),
            ("google", "GEMINI_API_KEY", "generativelanguage.googleapis.com"),
            ("google", "GOOGLE_API_KEY", "generativelanguage.googleapis.com"),
        ],
    )
    def test_each_provider_has_its_address_and_its_key(self, provider: str, variable: str, host: str) -> None:
        (model,) = LLMAdapter.create(provider, "m", environ={variable: "k"}).models
        assert (model.provider, model.host) == (provider, host)

    def test_the_key_of_a_provider_does_not_go_to_another_server(self) -> None:
        with model_double(Says("fine")) as double:
            LLMAdapter.create("openai", "m", base_url=double.url, environ={"OPENAI_API_KEY": "sk-canary"}).complete("x")
        assert b"sk-canary" not in double.raw

    def test_the_settings_file_and_the_environment_above_it(self, tmp_path: Path) -> None:
        (tmp_path / "settings.yaml").write_text(
            "ai: {provider: openai, model: from-file, base_url: 'http://[::1]:1/v1'}\n"
        )
        environ = {"OSIRIS_CONFIG_DIR": str(tmp_path)}
        assert LLMAdapter.create(environ=environ).models[0].model == "from-file"
        assert LLMAdapter.create(environ={**environ, "OSIRIS_AI_MODEL": "from-env"}).models[0].model == "from-env"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("ai: {provider: opanai}", "no AI provider 'opanai'"),
            ("ai: {key: sk-1}", "does not belong into a file"),
            ("ai: {modell: x}", "no setting `ai.modell`"),
            ("ai: {timeout: soon}", "must be a number of seconds"),
            ("ai: [1]", "must hold keys"),
            ("ai: {base_url: 'ftp://x'}", "not an address that can be used"),
            ("ai: {provider: [", "settings.yaml:1:"),
        ],
    )
    def test_a_settings_file_that_cannot_be_used_is_said(self, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "settings.yaml").write_text(text + "\n")
        with pytest.raises(ConfigurationError, match=said.replace("(", r"\(")):
            LLMAdapter.create(environ={"OSIRIS_CONFIG_DIR": str(tmp_path)})

    def test_a_key_that_was_set_for_one_provider_goes_to_no_other(self) -> None:
        environ = {"OSIRIS_AI_PROVIDER": "openai", "OSIRIS_AI_MODEL": "m", "OSIRIS_AI_KEY": "of-openai"}
        with pytest.raises(NoModelError, match="ANTHROPIC_API_KEY"):
            LLMAdapter.create("anthropic", "m", environ=environ).check()
        kept = replace(load_ai_settings(environ), keys={"anthropic": "of-anthropic"})
        assert key_for("anthropic", kept.of_provider("anthropic"), {}) == "of-anthropic"
        assert key_for("openai", kept.of_provider("openai"), {}) == "of-openai"
        assert key_for("google", load_ai_settings({"OSIRIS_AI_KEY": "k"}).of_provider("google"), {}) == "k"

    def test_another_server_needs_no_provider(self) -> None:
        environ = {"OSIRIS_AI_BASE_URL": "http://localhost:11434/v1", "OSIRIS_AI_MODEL": "qwen3"}
        assert LLMAdapter.create(environ=environ).models[0].provider == "localhost:11434"

    def test_the_model_of_an_editor_is_not_there_without_one(self) -> None:
        for environ in ({"OSIRIS_AI_PROVIDER": "editor"}, {"OSIRIS_AI_PROVIDER": "editor", "OSIRIS_AI_MODEL": "any"}):
            with pytest.raises(NoModelError, match="only there inside of an editor that offers one") as caught:
                LLMAdapter.create(environ=environ)
            assert "OSIRIS_AI_PROVIDER" in (caught.value.hint or "")
        first = LLMAdapter.create("openai", "m", fallback="editor/any", environ={"OPENAI_API_KEY": "k"})
        assert [model.provider for model in first.models] == ["openai"]

    @pytest.mark.parametrize("url", ["http://localhost:99999/v1", "http://localhost:port/v1", "localhost/v1"])
    def test_an_address_that_is_none_is_said(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="not an address that can be used"):
            LLMAdapter.create("openai", "m", base_url=url, environ={})

    @pytest.mark.parametrize("url", ["http://example.org/v1", "http://10.0.0.7:8000/v1"])
    def test_a_key_does_not_travel_unencrypted(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="unencrypted"):
            LLMAdapter.create("openai", "m", base_url=url, api_key="k", environ={})
        assert LLMAdapter.create("openai", "m", base_url=url, environ={}).models[0].provider in url


class TestWhatTheProjectAllows:
    def test_nothing(self) -> None:
        with pytest.raises(AiForbiddenError, match="does not allow AI"):
            LLMAdapter.create("openai", "m", api_key="k", environ={}, ceiling=AiCeiling(enabled=False))

    def test_some_providers_and_a_fallback_counts_as_one(self) -> None:
        ceiling = AiCeiling(providers=("openai",))
        environ = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
        LLMAdapter.create("openai", "m", environ=environ, ceiling=ceiling)
        with pytest.raises(AiForbiddenError, match="anthropic"):
            LLMAdapter.create("anthropic", "m", environ=environ, ceiling=ceiling)
        with pytest.raises(AiForbiddenError, match="anthropic"):
            LLMAdapter.create("openai", "m", fallback="anthropic/m", environ=environ, ceiling=ceiling)

    def test_another_server_goes_by_its_host_whatever_provider_it_speaks_like(self) -> None:
        server = {"base_url": "http://localhost:11434/v1", "environ": {}}
        LLMAdapter.create("openai", "m", ceiling=AiCeiling(providers=("localhost:11434",)), **server)
        with pytest.raises(AiForbiddenError):
            LLMAdapter.create("openai", "m", ceiling=AiCeiling(providers=("openai",)), **server)


def test_the_package_of_the_providers_is_imported_only_by_asking() -> None:
    code = (
        "import sys; from osiris.core.llm_adapter import LLMAdapter; "
        "LLMAdapter.create('openai', 'gpt-4', api_key='k'); "
        "print([m for m in ('openai', 'httpx2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
