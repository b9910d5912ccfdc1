"""What a person does and sees in VS Code, as methods over a Playwright page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from code_server import CodeServer
    from playwright.sync_api import Browser, Locator, Page

import setup_editors

PATIENCE = 60.0  # seconds to wait for something to show; far more than it takes

_CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)

# The text under each squiggle: the characters of the line whose middle lies within the squiggle's box.
_TEXT_UNDER = """
selector => {
  const texts = new Set();
  for (const squiggle of document.querySelectorAll(selector)) {
    const box = squiggle.getBoundingClientRect();
    for (const line of document.querySelectorAll('.monaco-editor .view-line')) {
      const place = line.getBoundingClientRect();
      if (place.top > box.bottom - 2 || place.bottom < box.top + 2) continue;
      let text = '';
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        for (let i = 0; i < node.length; i++) {
          const range = document.createRange();
          range.setStart(node, i);
          range.setEnd(node, i + 1);
          const character = range.getBoundingClientRect();
          const middle = (character.left + character.right) / 2;
          if (middle > box.left && middle < box.right) text += node.data[i];
        }
      }
      texts.add(text.replaceAll('\\u00a0', ' '));
    }
  }
  return [...texts];
}
"""


def launch_browser(playwright: object) -> Browser:
    """Headless Chromium of the system."""
    executable = setup_editors.chromium()
    assert executable is not None, "Chromium is not installed; run tests/editors/setup_editors.py"
    chromium = playwright.chromium  # type: ignore[attr-defined]
    browser: Browser = chromium.launch(executable_path=str(executable), args=list(_CHROMIUM_FLAGS))
    return browser


class EditorPage:
    """One window of VS Code."""

    def __init__(self, page: Page, server: CodeServer, folder: Path) -> None:
        """A window that will show ``folder``; it is loaded when the first file is opened."""
        self.page = page
        self.folder = folder
        self._window = folder
        self._server = server
        self._loaded = False
        page.set_default_timeout(PATIENCE * 1000)

    def begin_again(self, folder: Path) -> None:
        """Close all files without saving them; those that are opened from now on are in ``folder``, in the window's."""
        tabs = self.page.locator(".editor-group-container .tab")
        while left := tabs.count():
            self.press("Escape")
            self.run_command("View: Revert and Close Editor")
            self.until(lambda left=left: tabs.count() < left, lambda: "the file stays open")  # type: ignore[misc]
        self.folder = folder

    def open_file(self, path: str) -> None:
        """Open a file of the folder, with the cursor in it: the first with the window, others through Quick Open."""
        name = path.rsplit("/", 1)[-1]
        path = (self.folder / path).relative_to(self._window).as_posix()
        if self._loaded:
            self.page.keyboard.press("Control+P")
            self._pick(path, row=name, described=path.removesuffix(name).rstrip("/"))
            self.page.wait_for_selector(f'.tab.active[data-resource-name="{name}"]')
            self.page.wait_for_selector(".editor-group-container.active .monaco-editor.focused")
            return
        self.page.goto(self._server.url(self._window, path))
        self._loaded = True
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{name}"]')
        self.page.locator(".monaco-editor .view-line").first.click()

    def new_pipeline(self, text: str) -> Path:
        """A file with this text, which is not complete, open with the cursor at its end; and its path."""
        path = self.folder / "pipelines" / "new.oml.yaml"
        path.write_text(text)
        self.open_file("pipelines/new.oml.yaml")
        # So that something is underlined as soon as it is checked.
        self.until(lambda: bool(self.squiggles() + self.squiggles("warning")), lambda: "the file is not checked")
        self.press("Control+End")
        return path

    def wait_until_served(self) -> None:
        """Wait for the language server: the path above the text then goes on from the file to the place in it."""
        self.page.locator(".breadcrumbs-control .file.monaco-breadcrumb-item + .monaco-breadcrumb-item").wait_for()

    def run_command(self, title: str) -> None:
        """Run a command from the palette."""
        self.page.keyboard.press("F1")
        self._pick(title, row=title)

    def trust(self) -> None:
        """Trust the folder, as the page about Restricted Mode offers it."""
        self.run_command("Workspaces: Manage Workspace Trust")
        page = self.page.locator(".workspace-trust-editor")
        page.wait_for()
        page.get_by_role("button", name="Trust", exact=True).click()

    def commands(self, title: str) -> list[str]:
        """The commands that the palette offers for a title or its start."""
        self.page.keyboard.press("F1")
        self._type_into_box(title)
        self.page.locator(".quick-input-list .monaco-list-row", has_text=title).first.wait_for()
        self.page.wait_for_timeout(300)
        found = self.page.locator(".quick-input-list .monaco-list-row .label-name").all_inner_texts()
        self.page.keyboard.press("Escape")
        return [" ".join(text.split()) for text in found]

    def text(self) -> str:
        """The visible lines of the active editor."""
        # All at once: lines come and go while one looks at them.
        script = """
        () => [...document.querySelectorAll('.editor-group-container.active .view-line')]
          .sort((a, b) => a.offsetTop - b.offsetTop).map(line => line.innerText).join('\\n')
        """
        shown: str = self.page.evaluate(script)
        return shown.replace("\u00a0", " ")

    def go_to(self, line: int, column: int) -> None:
        """Put the cursor at a 1-based line and column."""
        self.page.keyboard.press("Control+G")
        self._pick(f"{line}:{column}", row=None)
        place = self.page.locator('.statusbar-item[id="status.editor.selection"]')
        self.until(lambda: f"Ln {line}," in place.inner_text(), place.inner_text)

    def type(self, text: str) -> None:
        """Type as a person does, key by key."""
        self.page.keyboard.type(text, delay=20)

    def press(self, keys: str) -> None:
        """Press a key or chord, for example ``Control+S``."""
        self.page.keyboard.press(keys)

    def language_mode(self) -> str:
        """The language named in the status bar."""
        return self.page.locator('.statusbar-item[id="status.editor.mode"]').inner_text().strip()

    def squiggles(self, severity: str = "error") -> list[str]:
        """The pieces of text that are underlined as errors (or warnings, infos), top to bottom."""
        found: list[str] = self.page.evaluate(_TEXT_UNDER, f".monaco-editor .squiggly-{severity}")
        return found

    def wait_for_squiggle(self, text: str, severity: str = "error") -> None:
        """Wait until exactly this text is underlined."""
        self.until(lambda: text in self.squiggles(severity), lambda: f"squiggles: {self.squiggles(severity)}")

    def problems(self) -> list[str]:
        """The rows of the Problems panel, which is brought into view."""
        rows = self.page.locator(".markers-panel .monaco-list-row")
        if not self.page.locator(".markers-panel").is_visible():
            self.press("Control+Shift+M")
        rows.first.wait_for()
        return [" ".join(text.split()) for text in rows.all_inner_texts()]

    def suggestions(self) -> list[str]:
        """The labels in the suggestion list; waits for the list to show by itself."""
        self.page.wait_for_selector(".suggest-widget.visible .monaco-list-row")
        return [label.strip() for label in self.page.locator(".suggest-widget.visible .label-name").all_inner_texts()]

    def select_suggestion(self, label: str) -> None:
        """Go down the suggestion list to an entry, as a person does who looks where the highlight is."""
        focused = self.page.locator(".suggest-widget.visible .monaco-list-row.focused .label-name")
        for _ in self.suggestions():
            if focused.count() and focused.first.inner_text().strip() == label:
                return
            self.press("ArrowDown")
            self.page.wait_for_timeout(100)
        assert focused.first.inner_text().strip() == label, f"suggestions: {self.suggestions()}"

    def quick_fixes(self) -> Locator:
        """The entries of the quick fix menu at the cursor."""
        entries = self.page.locator(".action-widget .monaco-list-row.action")
        pressed = float("-inf")

        def shown() -> bool:
            nonlocal pressed
            # VS Code asks by itself as well when cursor or findings change, and then forgets what it was asked for
            # before. As a person would, press again when no menu comes.
            if entries.count() == 0 and time.monotonic() - pressed > 5:
                self.press("Control+.")
                pressed = time.monotonic()
            return entries.count() > 0

        self.until(shown, lambda: "no quick fix menu")
        return entries

    def rename(self, name: str, *, picture: Path | None = None) -> None:
        """Give the thing at the cursor another name, as with F2."""
        self.press("F2")
        box = self.page.locator(".rename-box .rename-input")
        box.wait_for()
        box.fill(name)
        if picture is not None:
            self.screenshot(picture)
        box.press("Enter")
        box.wait_for(state="hidden")

    def open_tree(self) -> None:
        """Open the view of connections, as with a click on its icon."""
        if not self._connections().is_visible():
            self.page.locator('.activitybar a.action-label[aria-label="Osiris"]').click()
        self._connections().wait_for()

    def tree(self) -> list[str]:
        """The rows of the view of connections, each with its description behind it."""
        script = """
        rows => rows.map(row => ['.label-name', '.label-description']
          .map(part => row.querySelector(part)?.textContent ?? '').join(' ').trim())
        """
        shown: list[str] = self._connections().locator(".monaco-list-row").evaluate_all(script)
        return shown

    def tree_row(self, label: str) -> Locator:
        """The row of the view of connections with this label."""
        name = self.page.locator(".label-name").get_by_text(label, exact=True)
        return self._connections().locator(".monaco-list-row").filter(has=name).first

    def expand(self, label: str) -> None:
        """Open a row of the view of connections, as with a click."""
        row = self.tree_row(label)
        row.wait_for()
        if row.get_attribute("aria-expanded") != "true":
            row.click()
        self.until(lambda: row.get_attribute("aria-expanded") == "true", lambda: f"{label} stays shut: {self.tree()}")

    def _connections(self) -> Locator:
        return self.page.locator(".part.sidebar .customview-tree").first

    def lens(self, title: str, *, above: str) -> Locator:
        """The code lens with this title right above the line with ``above``; waits for it."""
        lenses = self.page.locator(".codelens-decoration a", has_text=title)
        line = self.page.locator(".monaco-editor .view-line", has_text=above).first
        found: list[Locator] = []

        def there() -> bool:
            place = line.bounding_box()
            boxes = [(one, one.bounding_box()) for one in lenses.all()]
            found[:] = [one for one, box in boxes if place and box and 0 < place["y"] - box["y"] < 2 * place["height"]]
            return bool(found)

        self.until(there, lambda: f"no {title!r} above {above!r}, but: {lenses.all_inner_texts()}")
        return found[0]

    def run_lens(self, title: str, *, above: str) -> None:
        """Click a lens that runs something, until the output comes into view."""
        clicked = float("-inf")

        def shown() -> bool:
            nonlocal clicked
            output = self.page.locator(".output-view").is_visible()
            # A click is lost when VS Code draws the lenses anew under the mouse.
            if not output and time.monotonic() - clicked > 10:
                self.lens(title, above=above).click()
                clicked = time.monotonic()
            return output

        self.until(shown, lambda: f"a click on {title!r} above {above!r} runs nothing")

    def cursor(self) -> str:
        """The active file and the place of the cursor in it, such as ``daily.oml:12:5``."""
        file = self.page.locator(".tab.active").last.get_attribute("data-resource-name")
        place = self.page.locator('.statusbar-item[id="status.editor.selection"]').inner_text()
        numbers = re.findall(r"\d+", place)
        return f"{file}:{':'.join(numbers[:2])}"

    def hover(self, text: str) -> str:
        """Rest the mouse on the last visible occurrence of a text; the words of the hover that shows."""
        place = self.page.locator(".monaco-editor .view-line span", has_text=text).last
        box = self.page.locator(".monaco-hover:not(.hidden) .hover-contents")

        def shown() -> bool:
            if box.count() == 0:  # as a person would, wiggle the mouse when nothing comes
                self.page.mouse.move(5, 5)
                place.hover()
                self.page.wait_for_timeout(700)
            return box.count() > 0 and "Loading" not in box.first.inner_text()

        self.until(shown, lambda: f"no hover over {text!r}")
        return " ".join(" ".join(box.all_inner_texts()).split())

    def notification(self, text: str) -> Locator:
        """The notification with this text, a progress for instance."""
        return self.page.locator(".notifications-toasts .notification-toast", has_text=text)

    def output_lines(self) -> list[str]:
        """The visible lines of the output panel, without the time stamps."""
        lines = self.page.locator(".output-view .view-line").all_inner_texts()
        shown = [line.replace("\u00a0", " ") for line in lines]
        return [line.split("] ", 1)[-1] for line in shown if line.strip()]

    def wait_for_output(self, text: str) -> None:
        """Wait until a line of the output panel holds ``text``."""

        def explain() -> str:
            return f"no line with {text!r} in the output:\n" + "\n".join(self.output_lines())

        self.until(lambda: any(text in line for line in self.output_lines()), explain)

    def color_of(self, text: str) -> str:
        """The colour of the first piece of code that is exactly ``text``."""
        script = """
        text => {
          for (const span of document.querySelectorAll('.monaco-editor .view-line span span'))
            if (span.textContent.replaceAll('\\u00a0', ' ').trim() === text) return getComputedStyle(span).color;
          return '';
        }
        """
        color: str = self.page.evaluate(script, text)
        return color

    def close_sidebar(self) -> None:
        """Hide the file tree."""
        self.press("Control+B")

    def screenshot(self, path: Path) -> None:
        """Save what is to be seen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))

    def until(self, condition: Callable[[], bool], explain: Callable[[], str]) -> None:
        """Wait for a condition; AssertionError with the explanation when it does not come."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(explain())
            self.page.wait_for_timeout(50)

    def _pick(self, text: str, *, row: str | None, described: str = "") -> None:
        self._type_into_box(text)
        if row is not None:
            rows = self.page.locator(".quick-input-list .monaco-list-row.focused", has_text=row)
            rows.filter(has_text=described).wait_for()
        self.page.wait_for_timeout(300)  # the list settles after the last key; Enter takes its first row
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".quick-input-widget", state="hidden")

    def _type_into_box(self, text: str) -> None:
        box = self.page.locator(".quick-input-widget:not(.hidden) input")
        box.wait_for()
        box.press("End")
        self.page.keyboard.insert_text(text)
