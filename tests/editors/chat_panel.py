"""What a person does and sees in the chat panel of VS Code, and a model for it that says what a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import code_server
from editor_page import EditorPage

from model_double import ModelDouble, Says

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Locator

ACME = Path(__file__).parent / "acme_models"


class Model:
    """What the double says next. A test gives it its answers."""

    def __init__(self) -> None:
        self.answers: Iterator[Says] = iter(())
        self.double: ModelDouble | None = None

    def __call__(self, body: Mapping[str, Any]) -> Says:
        return next(self.answers, Says("Nothing more to say."))


class ModelOfEditor:
    """The model that the extension in ``acme_models`` brings to VS Code; ``folder`` is where they meet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.say()

    def say(self, *answers: list[dict[str, Any]]) -> None:
        """What it answers next, in the parts that the extension knows."""
        for name in ("asked.jsonl", "cancelled"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def asked(self) -> list[dict[str, Any]]:
        """The requests since then: ``messages`` and names of ``tools``."""
        file = self.folder / "asked.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def packed(self) -> Path:
        """The package of the extension."""
        return code_server.pack_extension(ACME, self.folder / "models.vsix")


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


def choose(editor: EditorPage, command: str, *steps: tuple[str, str, str | None]) -> None:
    """Run a command that asks for something: what its box shows each time, what is typed, and the row to take."""
    page = editor.page
    page.keyboard.press("F1")
    for shown, typed, row in (("", command, command), *steps):
        box = page.locator(".quick-input-widget:not(.hidden)")
        box.filter(has_text=shown).wait_for()
        field = box.locator("input.input")
        field.press("End")
        page.keyboard.insert_text(typed)
        if row is not None:
            box.locator(".monaco-list-row.focused", has_text=row).wait_for()
        page.wait_for_timeout(300)  # the list settles after the last key; Enter takes its first row
        page.keyboard.press("Enter")
    page.wait_for_selector(".quick-input-widget", state="hidden")
