"""The chat panel in a real VS Code: streamed, stopped, compared, applied when it compiles, run; kept when reloaded;
with models of VS Code itself and keys that it keeps."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import code_server
import pytest
from chat_panel import Model, ModelOfEditor, ask, button, choose, new_conversation, panel, reload, said
from editor_page import EditorPage

from agent.shop import EXPECTED, GOOD, WRONG_COLUMN, make_shop
from model_double import Says, model_double

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.editor

BROKEN = GOOD.replace("component: filesystem.csv_writer", "component: filesystem.csv_writr")
KEY = "canary-key-of-vscode-1"
FIRST_WORDS = "Here is **bold** and <img src=x onerror=alert(1)> as text:\n\n```yaml\nname: revenue\n```\n"


def proposes(oml: str, text: str = "") -> Says:
    return Says(text, [("propose_pipeline", {"oml": oml, "summary": "Revenue by customer."})])


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    model = Model()
    with model_double(model) as double:
        model.double = double
        yield model


def chosen(url: str) -> dict[str, object]:
    """The settings of a user who has chosen a server of their own."""
    own = {"provider": "openai", "model": "double-1", "baseUrl": url}
    return {f"osiris.ai.{name}": value for name, value in own.items()}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> ModelOfEditor:
    return ModelOfEditor(tmp_path_factory.mktemp("acme"))


@pytest.fixture(scope="module")
def serving(
    model: Model, acme: ModelOfEditor, vscode: code_server.CodeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[code_server.CodeServer]:
    """A VS Code with an AI model of its own, for a user who has chosen the double in their settings."""
    assert model.double is not None
    settings = chosen(model.double.url) | {"chat.disableAIFeatures": False, "osiris.trace.server": "verbose"}
    scratch, variables = tmp_path_factory.mktemp("chat-server"), {"OSIRIS_TEST_MODEL": str(acme.folder)}
    with code_server.CodeServer(scratch, settings=settings, variables=variables, extensions=[acme.packed()]) as server:
        yield server


@pytest.fixture(scope="module")
def chatting(
    serving: code_server.CodeServer, profile: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EditorPage]:
    """A window on a project with a database."""
    folder = make_shop(tmp_path_factory.mktemp("chat") / "shop")
    page, asked = profile.new_page(), set[str]()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
    page.set_viewport_size({"width": 1400, "height": 1000})
    editor = EditorPage(page, serving, folder)
    editor.open_file("osiris_connections.yaml")
    editor.wait_until_served()
    editor.close_sidebar()
    yield editor
    page.close()
    assert asked <= {"127.0.0.1", "localhost", ""}, asked  # the page of the panel loads nothing from anywhere


@pytest.fixture(autouse=True)
def by_itself(
    chatting: EditorPage, serving: code_server.CodeServer, model: Model, photograph: Callable[[Page], object]
) -> Iterator[None]:
    """Every test begins with the double as the model; one that fails leaves a picture, and no box open."""
    assert model.double is not None
    serving.change_settings(chosen(model.double.url))
    chatting.press("Escape")
    yield
    photograph(chatting.page)


def test_from_a_question_to_a_pipeline_that_has_run(chatting: EditorPage, model: Model, pictures: Path) -> None:
    editor, later = chatting, threading.Event()
    looks = Says("Let me look.", [("describe_table", {"connection": "@sqlite.shop", "table": "orders"})])
    told = Says(FIRST_WORDS, [("propose_pipeline", {"oml": GOOD, "summary": "Revenue by customer."})], pause=later)
    model.answers = iter([looks, proposes(WRONG_COLUMN), told, Says("It sums the amounts.")])

    editor.run_command("Osiris: Chat")
    ask(editor, "Revenue by customer as CSV")
    editor.notification("Connect to @sqlite.shop").get_by_role("button", name="Connect").click()
    editor.until(lambda: "Here" in said(editor), lambda: said(editor))  # the rest of the answer has not been said yet
    assert "amuont" in said(editor)
    assert panel(editor).get_by_role("button", name="Stop answering").is_visible()
    editor.screenshot(pictures / "chat-streaming.png")
    later.set()
    panel(editor).get_by_role("region", name="pipelines/revenue.oml.yaml compiles").wait_for()
    button(editor, "Send message").wait_for()
    assert "<img src=x onerror=alert(1)>" in said(editor)  # words of a model are text
    assert panel(editor).locator("main img").count() == 0
    assert panel(editor).locator("main pre").inner_text() == "name: revenue"
    editor.screenshot(pictures / "chat-proposal.png")

    button(editor, "Show change").click()
    compared = editor.page.locator(".monaco-diff-editor .editor.modified .view-lines")
    compared.filter(has_text="duckdb.processor").wait_for()
    editor.screenshot(pictures / "chat-diff.png")

    path = editor.folder / "pipelines" / "revenue.oml.yaml"
    button(editor, "Apply").click()
    preview = editor.page.locator(".bulk-edit-panel")
    preview.locator(".monaco-list-row", has_text="revenue.oml.yaml").get_by_role("checkbox").first.click()
    editor.screenshot(pictures / "chat-confirm.png")
    assert not path.exists()
    preview.get_by_role("button", name="Apply").click()
    editor.until(lambda: "Applied to pipelines/revenue.oml.yaml" in said(editor), lambda: said(editor))
    button(editor, "Run").click()
    editor.until(lambda: "The run succeeded." in said(editor), lambda: said(editor))
    editor.screenshot(pictures / "chat-run.png")
    assert path.read_text() == GOOD
    assert (editor.folder / "out" / "revenue.csv").read_text() == EXPECTED


def test_a_draft_with_errors_cannot_be_applied_and_an_answer_can_be_stopped(
    chatting: EditorPage, model: Model, pictures: Path
) -> None:
    editor = chatting
    new_conversation(editor)
    model.answers = itertools.chain([proposes(BROKEN)] * 4)
    ask(editor, "Revenue, wrongly")
    panel(editor).get_by_role("region", name="is a draft with errors").wait_for()
    button(editor, "Send message").wait_for()
    assert button(editor, "Apply").is_disabled()
    assert button(editor, "Run").is_disabled()
    assert "filesystem.csv_writr" in panel(editor).get_by_role("list", name="errors").last.inner_text()
    assert said(editor).count("this is a draft only") == 1
    editor.screenshot(pictures / "chat-draft.png")

    assert model.double is not None
    model.double.gone.clear()
    model.answers = iter([Says("One two three", pause=threading.Event())])
    ask(editor, "Tell me more")
    editor.until(lambda: "One" in said(editor), lambda: said(editor))
    button(editor, "Stop answering").click()
    editor.until(lambda: "Stopped." in said(editor), lambda: said(editor))
    assert model.double.gone.wait(20)
    assert "three" not in said(editor)


def test_a_model_of_vs_code_is_chosen_and_answers_piece_by_piece_without_a_key(
    chatting: EditorPage, serving: code_server.CodeServer, acme: ModelOfEditor, pictures: Path
) -> None:
    editor = chatting
    new_conversation(editor)
    serving.change_settings({"osiris.ai.provider": "", "osiris.ai.model": "", "osiris.ai.baseUrl": ""})
    panel(editor).get_by_text("No model can be asked yet").wait_for()
    editor.screenshot(pictures / "chat-no-model.png")
    button(editor, "Choose Model").click()
    box = editor.page.locator(".quick-input-widget:not(.hidden)")
    box.get_by_text("Acme Tester").click()
    panel(editor).get_by_text("acme/tester of VS Code").wait_for()

    call = {"oml": GOOD, "summary": "Revenue by customer."}
    answer = [{"text": "Here "}, {"wait": "go"}, {"text": "it is."}, {"call": ["propose_pipeline", call]}]
    waits, fails = [{"text": "One "}, {"wait": "never"}], [{"error": ["Blocked", "quota exceeded"]}]
    acme.say(answer, waits, fails)
    ask(editor, "Revenue by customer as CSV")
    editor.until(lambda: "Here" in said(editor), lambda: said(editor))
    assert "it is." not in said(editor)
    (acme.folder / "go").touch()
    panel(editor).get_by_role("region", name="pipelines/revenue.oml.yaml compiles").wait_for()
    button(editor, "Send message").wait_for()
    assert "propose_pipeline" in acme.asked()[0]["tools"]
    editor.screenshot(pictures / "chat-own-model.png")

    ask(editor, "More")
    editor.until(lambda: "One" in said(editor), lambda: said(editor))
    button(editor, "Stop answering").click()
    editor.until(lambda: (acme.folder / "cancelled").exists(), lambda: "the model was not told")
    editor.until(lambda: "Stopped." in said(editor), lambda: said(editor))
    ask(editor, "Again")
    editor.until(
        lambda: "not answer: The quota of Acme Tester is used up: quota exceeded." in said(editor), lambda: said(editor)
    )


def test_a_key_is_kept_by_vs_code_and_stands_in_no_setting_file_or_log(
    chatting: EditorPage, serving: code_server.CodeServer, model: Model, pictures: Path
) -> None:
    editor, double = chatting, model.double
    assert double is not None
    log = "Osiris Language Server"
    choose(editor, "Developer: Set Log Level...", (log, log, log), ("Warning", "Trace", "Trace"))
    new_conversation(editor)
    other = ("Which AI model", "Another server", "Another server")
    choose(editor, "Osiris: Choose AI Model", other, ("address", double.url, None), ("name", "double-1", None))
    panel(editor).get_by_text("double-1 at").wait_for()
    choose(editor, "Osiris: Set AI Key", ("The AI key for", KEY, None))
    editor.notification("is kept in the secret storage").wait_for()
    model.answers = iter([Says("Hello."), Says("Bye.")])
    ask(editor, "Hello")
    editor.until(lambda: "Hello." in said(editor), lambda: said(editor))
    assert double.headers[-1]["Authorization"] == f"Bearer {KEY}"

    traces = list((serving.scratch / "user-data" / "logs").rglob("*Osiris Language Server.log"))
    assert any("osiris/secret" in trace.read_text() for trace in traces), traces
    files = [*serving.scratch.rglob("*"), *editor.folder.rglob("*")]
    assert [file for file in files if file.is_file() and KEY.encode() in file.read_bytes()] == []

    choose(editor, "Osiris: Set AI Key", ("The AI key for", "", None))
    editor.notification("keeps no AI key").wait_for()
    ask(editor, "And now?")
    editor.until(lambda: "Bye." in said(editor), lambda: said(editor))
    assert KEY not in json.dumps(double.headers[-1])


def test_a_finding_is_fixed_from_the_editor_and_the_panel_is_used_by_keyboard_in_a_dark_theme(
    chatting: EditorPage, serving: code_server.CodeServer, model: Model, pictures: Path
) -> None:
    editor, keyboard = chatting, chatting.page.keyboard
    serving.change_settings({"workbench.colorTheme": "Default Dark Modern"})
    path = editor.folder / "pipelines" / "broken.oml.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(BROKEN)
    editor.open_file("pipelines/broken.oml.yaml")
    editor.wait_for_squiggle("filesystem.csv_writr")
    editor.go_to(BROKEN[: BROKEN.index("filesystem.csv_writr")].count("\n") + 1, 20)
    model.answers = iter([proposes(GOOD), Says("One two three", pause=threading.Event()), Says("By keyboard.")])
    editor.quick_fixes().filter(has_text="Fix with Osiris").click()
    panel(editor).get_by_role("region", name="pipelines/broken.oml.yaml compiles").wait_for()
    button(editor, "Send message").wait_for()

    focused = panel(editor).locator(":focus")
    editor.run_command("Osiris: Chat")
    editor.until(lambda: focused.get_attribute("aria-label") == "Message", lambda: str(focused.all_inner_texts()))
    keyboard.type("Tell me more")
    keyboard.press("Enter")
    editor.until(lambda: "One" in said(editor), lambda: said(editor))
    keyboard.press("Escape")
    editor.until(lambda: "Stopped." in said(editor), lambda: said(editor))
    keyboard.type("Again")
    keyboard.press("Enter")
    editor.until(lambda: "By keyboard." in said(editor), lambda: said(editor))
    editor.screenshot(pictures / "chat-dark.png")
    dark = panel(editor).locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert max(int(part) for part in dark.removeprefix("rgb(").removesuffix(")").split(",")) < 60, dark
    for name in ("Run", "Show change", "Apply"):
        keyboard.press("Shift+Tab")
        editor.until(lambda name=name: focused.inner_text() == name, lambda: focused.inner_text())  # type: ignore[misc]
    keyboard.press("Enter")
    preview = editor.page.locator(".bulk-edit-panel")
    preview.locator(".monaco-list-row", has_text="broken.oml.yaml").get_by_role("checkbox").first.click()
    preview.get_by_role("button", name="Apply").click()
    editor.until(lambda: "Applied to pipelines/broken.oml.yaml" in said(editor), lambda: said(editor))
    editor.until(lambda: "filesystem.csv_writr" not in editor.squiggles(), lambda: str(editor.squiggles()))
    serving.change_settings({"workbench.colorTheme": "Default Light Modern"})


def test_what_was_sent_and_what_would_be_is_shown_in_documents_to_read(chatting: EditorPage, model: Model) -> None:
    editor = chatting
    shown = editor.page.locator(".editor-group-container .monaco-editor .view-lines")
    model.answers = iter([Says("Hello.")])
    new_conversation(editor)
    ask(editor, "For the log")
    editor.until(lambda: "Hello." in said(editor), lambda: said(editor))
    button(editor, "Log of what was sent").click()
    shown.filter(has_text="requests").filter(has_text="double-1 at 127.0.0.1").wait_for()
    choose(editor, "Osiris: Show What Would Be Sent to the AI Model", ("Nothing is sent", "My words", None))
    shown.filter(has_text="To 127.0.0.1").wait_for()
    editor.press("Control+End")
    shown.filter(has_text="My words").wait_for()
    editor.type("x")
    editor.page.locator(".monaco-editor-overlaymessage", has_text="read-only").wait_for()
    assert model.double is not None
    assert "My words" not in json.dumps(model.double.requests)


def test_vs_code_starts_the_server_that_is_offered_to_its_agents(chatting: EditorPage) -> None:
    shop, start = "Osiris: shop", "Start Server"
    choose(chatting, "MCP: List Servers", (shop, shop, shop), (start, start, start))
    chatting.wait_for_output("Connection state: Running")
    chatting.wait_for_output("Discovered")


def test_a_conversation_is_there_again_after_a_reload_and_in_the_history(
    chatting: EditorPage, model: Model, pictures: Path
) -> None:
    editor = chatting
    new_conversation(editor)
    choice = Says("", [("ask_choice", {"question": "As what?", "options": ["CSV", "JSON"]})])
    model.answers = iter([choice, Says("As JSON, then.")])
    ask(editor, "Write the orders")
    button(editor, "JSON").click()
    editor.until(lambda: "As JSON, then." in said(editor), lambda: said(editor))

    reload(editor)
    editor.until(lambda: "As JSON, then." in said(editor), lambda: said(editor))
    button(editor, "History of conversations").click()
    rows = panel(editor).get_by_role("navigation", name="Conversations").get_by_role("listitem")
    rows.first.wait_for()
    assert rows.first.inner_text().startswith("Write the orders\n")
    assert "/1970" not in rows.first.inner_text()
    editor.screenshot(pictures / "chat-history.png")

    (editor.folder / "osiris.yaml").write_text("version: 1\nai:\n  enabled: false\n")
    reload(editor)
    panel(editor).get_by_text("This project does not allow AI").first.wait_for()
    editor.until(lambda: "Osiris: Chat" not in editor.commands("Osiris: "), lambda: "the command is offered")
    editor.screenshot(pictures / "chat-forbidden.png")
