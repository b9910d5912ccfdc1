"""Trust and the managed environment in a real VS Code: what is started, and what is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from editor_page import EditorPage

if TYPE_CHECKING:
    from code_server import CodeServer
    from playwright.sync_api import Page

pytestmark = pytest.mark.editor

BROKEN = "pipelines/broken-orders.oml.yaml"
DAILY = "pipelines/daily-revenue.oml.yaml"


def own_interpreter(shop: Path) -> Path:
    """Gives the folder a Python of its own that its settings name; returns the file that it makes when started."""
    seen = shop / "started"
    program = shop / "env" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\ntouch "{seen}"\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    (shop / ".vscode").mkdir()
    settings = {"osiris.server.interpreter": "${workspaceFolder}/env/bin/python"}
    (shop / ".vscode" / "settings.json").write_text(json.dumps(settings))
    return seen


def test_trust_granted_in_an_open_window_brings_runs_compiles_and_the_settings_of_the_folder(
    restricted_vscode: CodeServer, page: Page, shop: Path, pictures: Path
) -> None:
    seen = own_interpreter(shop)
    manifest = shop / "build" / "daily-revenue" / "manifest.json"
    editor = EditorPage(page, restricted_vscode, shop)
    editor.open_file(BROKEN)
    editor.wait_for_squiggle("sqlite.extracter")
    assert "CSV" in editor.hover("filesystem.csv_extractor")
    editor.open_file(DAILY)
    editor.press("Control+End")
    editor.type(" # seen")
    editor.press("Control+S")
    assert "Osiris: Run Pipeline" not in editor.commands("Osiris: ")
    (before,) = restricted_vscode.language_servers()
    assert not seen.exists()

    editor.trust()

    editor.until(seen.exists, lambda: "the Python that the folder's settings name was not started")
    editor.until(lambda: not before.is_running(), lambda: "the server of before still runs")
    assert not manifest.exists(), "it was compiled in Restricted Mode"
    editor.open_file(DAILY)
    editor.run_command("Osiris: Run Pipeline")
    editor.wait_for_output("run succeeded")
    editor.screenshot(pictures / "trusted.png")
    editor.open_file(DAILY)
    editor.press("Control+End")
    editor.type(" twice")
    editor.press("Control+S")
    editor.until(manifest.exists, lambda: f"{manifest} was not written")
    assert len(restricted_vscode.language_servers()) == 1


def test_without_leave_to_make_an_environment_nothing_is_made_and_the_message_says_what_to_do(
    frugal_vscode: CodeServer, page: Page, shop: Path, pictures: Path
) -> None:
    editor = EditorPage(page, frugal_vscode, shop)

    editor.open_file(DAILY)

    message = editor.notification("osiris.server.createEnvironment is off")
    message.wait_for()
    assert "name a Python that has osiris-oml in the setting osiris.server.interpreter" in message.inner_text()
    editor.screenshot(pictures / "environment-off.png")
    assert frugal_vscode.language_servers() == []
    assert list(frugal_vscode.scratch.rglob("pyvenv.cfg")) == []
    message.get_by_role("button", name="Open Settings").click()
    editor.page.wait_for_selector(".settings-editor")
