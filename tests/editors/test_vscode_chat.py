"""The chat panel in a real VS Code: streamed, stopped, compared, applied when it compiles, run; kept when reloaded."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import code_server
import pytest
from editor_page import EditorPage

from agent.shop import EXPECTED, GOOD, WRONG_COLUMN, make_shop
from model_double import ModelDouble, Says, model_double

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page

pytestmark = pytest.mark.editor

BROKEN = GOOD.replace("component: filesystem.csv_writer", "component: filesystem.csv_writr")
FIRST_WORDS = "Here is **bold** and <img src=x onerror=alert(1)> as text:\n\n```yaml\nname: revenue\n```\n"


def proposes(oml: str, text: str = "") -> Says:
    return Says(text, [("propose_pipeline", {"oml": oml, "summary": "Revenue by customer."})])


class Model:
    """What the double says next. A test gives it its answers."""

    def __init__(self) -> None:
        self.answers: Iterator[Says] = iter(())
        self.double: ModelDouble | None = None

    def __call__(self, body: Mapping[str, Any]) -> Says:
        return next(self.answers, Says("Nothing more to say."))


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    model = Model()
    with model_double(model) as double:
        model.double = double
        yield model


@pytest.fixture(scope="module")
def chatting(
    model: Model, vscode: code_server.CodeServer, profile: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EditorPage]:
    """A window on a project with a database, for a user who has chosen the double in their settings."""
    assert model.double is not None
    folder = make_shop(tmp_path_factory.mktemp("chat") / "shop")
    own = {"provider": "openai", "model": "double-1", "baseUrl": model.double.url}
    settings = {f"osiris.ai.{name}": value for name, value in own.items()}
    scratch = tmp_path_factory.mktemp("chat-server")
    with code_server.CodeServer(scratch, settings=settings) as server:
        page, asked = profile.new_page(), set[str]()
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
        page.set_viewport_size({"width": 1400, "height": 1000})
        editor = EditorPage(page, server, folder)
        editor.open_file("osiris_connections.yaml")
        editor.wait_until_served()
        editor.close_sidebar()
        yield editor
        page.close()
    assert asked <= {"127.0.0.1", "localhost", ""}, asked  # the page of the panel loads nothing from anywhere


@pytest.fixture(autouse=True)
def photographed(chatting: EditorPage, photograph: Callable[[Page], object]) -> Iterator[None]:
    """A test that fails leaves a picture."""
    yield
    photograph(chatting.page)


def panel(editor: EditorPage) -> FrameLocator:
    """What stands in the panel."""
    return editor.page.frame_locator("iframe.webview.ready").last.frame_locator("#active-frame")


def said(editor: EditorPage) -> str:
    return panel(editor).locator("main").inner_text()


def ask(editor: EditorPage, words: str) -> None:
    box = panel(editor).get_by_label("Message", exact=True)
    box.fill(words)
    box.press("Enter")


def button(editor: EditorPage, name: str) -> Locator:
    return panel(editor).get_by_role("button", name=name).last


def reload(editor: EditorPage) -> None:
    """Load the window anew, with what was open in it."""
    editor.page.goto(editor.page.url.split("&payload=")[0])


def new_conversation(editor: EditorPage) -> None:
    editor.run_command("Osiris: Chat")
    button(editor, "New conversation").click()
    panel(editor).get_by_text("New pipeline", exact=True).wait_for()


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
