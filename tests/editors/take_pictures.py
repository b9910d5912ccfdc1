"""Take the pictures of the documentation anew: ``python tests/editors/take_pictures.py``.

``docs/pictures/vscode-error.png`` shows VS Code on ``examples/shop/pipelines/broken-orders.oml.yaml``: an error that is
underlined, its message, and the Problems panel.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import code_server
import setup_editors
from editor_page import EditorPage, launch_browser

PICTURES = setup_editors.REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT, SCALE = 1280, 760, 1.5

# Large, plain, and without what the picture is not about.
_SETTINGS: dict[str, object] = {
    "workbench.colorTheme": "Default Light Modern",
    "workbench.activityBar.location": "hidden",
    "window.commandCenter": False,
    "workbench.layoutControl.enabled": False,
    "editor.fontSize": 14,
    "editor.lineHeight": 20,
    "editor.stickyScroll.enabled": False,
    "editor.scrollbar.horizontal": "hidden",
    "editor.hover.delay": 100,
    "editor.hover.above": False,
    "editor.renderLineHighlight": "none",
    "breadcrumbs.enabled": False,
}


def main() -> int:
    """Take all pictures. Returns the exit code."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="osiris-pictures-") as scratch:
        shop = code_server.copy_example(Path(scratch) / "shop")
        data = Path(scratch) / "vscode"
        data.mkdir()
        with code_server.CodeServer(data, settings=_SETTINGS) as server, sync_playwright() as playwright:
            browser = launch_browser(playwright)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
            take_error(EditorPage(page, server, shop))
            browser.close()
    return 0


def take_error(editor: EditorPage) -> None:
    """An underlined error, its hover, the Problems panel."""
    editor.open_file("pipelines/broken-orders.oml.yaml")
    editor.close_sidebar()
    editor.wait_for_squiggle("sqlite.extracter")
    editor.problems()
    editor.go_to(line=26, column=1)
    editor.wait_for_squiggle("delimeter")
    editor.hover("delimeter")
    editor.screenshot(PICTURES / "vscode-error.png")


if __name__ == "__main__":
    sys.exit(main())
