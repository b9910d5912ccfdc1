"""How a real VS Code starts its server, starts it again, gives it up, and does without it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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


def test_a_restarted_server_goes_on_checking(editor: EditorPage) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()

    editor.run_command("Osiris: Restart Server")
    editor.go_to(line=25, column=15)
    editor.type("y")

    editor.wait_for_squiggle("ready")


def test_a_server_that_dies_is_started_again(editor: EditorPage, vscode: CodeServer) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()

    for server in vscode.language_servers():
        server.kill()
    editor.go_to(line=25, column=15)
    editor.type("y")

    editor.wait_for_squiggle("ready")


def test_restarts_that_come_too_fast_end_with_one_server(editor: EditorPage, vscode: CodeServer) -> None:
    others = {process.pid for process in vscode.language_servers()}
    editor.open_file(DAILY)
    editor.wait_until_served()

    for _ in range(4):
        editor.run_command("Osiris: Restart Server")
    editor.wait_until_served()

    editor.go_to(line=25, column=15)
    editor.type("y")
    editor.wait_for_squiggle("ready")
    mine = [process.pid for process in vscode.language_servers() if process.pid not in others]
    assert len(mine) == 1, mine


def test_a_closed_window_leaves_no_server(editor: EditorPage, vscode: CodeServer) -> None:
    others = {process.pid for process in vscode.language_servers()}
    editor.open_file(DAILY)
    editor.wait_until_served()
    mine = [process for process in vscode.language_servers() if process.pid not in others]
    assert len(mine) == 1

    editor.page.goto("about:blank")

    editor.until(lambda: not mine[0].is_running(), lambda: "the server outlived its window")


def test_a_server_that_keeps_dying_is_given_up_with_a_message(
    editor: EditorPage, vscode: CodeServer, pictures: Path
) -> None:
    others = {process.pid for process in vscode.language_servers()}
    editor.open_file(DAILY)
    editor.wait_until_served()
    message = editor.notification("ended 5 times within 3 minutes")

    def killed_again() -> bool:
        for process in vscode.language_servers():
            # Only one that serves: to die while it starts is another matter.
            if process.pid not in others and time.time() - process.create_time() > 4:
                process.kill()
        return message.is_visible()

    editor.until(killed_again, lambda: "no message came")
    editor.screenshot(pictures / "given-up.png")
    message.get_by_role("button", name="Restart").click()
    editor.wait_until_served()
    editor.go_to(line=25, column=15)
    editor.type("y")
    editor.wait_for_squiggle("ready")


def test_without_a_server_one_message_says_what_to_do(
    open_editor: Callable[[Path], EditorPage], shop: Path, pictures: Path
) -> None:
    (shop / ".vscode").mkdir()
    (shop / ".vscode" / "settings.json").write_text('{"osiris.server.path": "gone/osiris"}')
    editor = open_editor(shop)

    editor.open_file(DAILY)

    message = editor.notification("which is not a program")
    message.wait_for()
    assert f"osiris.server.path names {shop}/gone/osiris" in message.inner_text()
    editor.screenshot(pictures / "no-server.png")
    message.get_by_role("button", name="Open Settings").click()
    editor.page.wait_for_selector(".settings-editor")


def test_doctor_reports_also_why_there_is_no_server(
    open_editor: Callable[[Path], EditorPage], shop: Path, pictures: Path
) -> None:
    (shop / ".vscode").mkdir()
    (shop / ".vscode" / "settings.json").write_text('{"osiris.server.path": "gone/osiris"}')
    editor = open_editor(shop)
    editor.open_file(DAILY)

    editor.notification("which is not a program").get_by_role("button", name="Doctor").click()

    editor.until(lambda: "state: failed: osiris.server.path names" in editor.text(), editor.text)
    editor.screenshot(pictures / "doctor-without-server.png")


def test_restricted_mode_checks_but_compiles_and_runs_nothing(
    restricted_vscode: CodeServer, page: Page, shop: Path, pictures: Path
) -> None:
    editor = EditorPage(page, restricted_vscode, shop)
    editor.open_file(BROKEN)
    editor.wait_for_squiggle("sqlite.extracter")
    editor.open_file(DAILY)
    editor.press("Control+End")
    editor.type(" # seen")
    editor.press("Control+S")

    assert "Osiris: Validate" in editor.commands("Osiris: ")
    assert "Osiris: Run Pipeline" not in editor.commands("Osiris: ")
    editor.screenshot(pictures / "restricted.png")
    assert (shop / DAILY).read_text().endswith("# seen")
    assert not (shop / "build").exists()


def test_restricted_mode_starts_nothing_of_a_hostile_folder(
    bare_restricted_vscode: CodeServer, page: Page, shop: Path
) -> None:
    seen = shop / "started"
    program = shop / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\ntouch "{seen}"\n')
    program.chmod(0o755)
    for name in ("python3", "osiris", "pip"):
        (program.parent / name).symlink_to("python")
    for module in ("yaml", "pygls", "sitecustomize", "osiris", "pip"):
        (shop / f"{module}.py").write_text(f"open({str(seen)!r}, 'w')")
    (shop / ".vscode").mkdir()
    (shop / ".vscode" / "settings.json").write_text(
        json.dumps({"osiris.server.path": str(program), "osiris.server.basePython": str(program)})
    )
    editor = EditorPage(page, bare_restricted_vscode, shop)

    editor.open_file(BROKEN)

    editor.wait_for_squiggle("sqlite.extracter")
    (server,) = bare_restricted_vscode.language_servers()
    assert server.cmdline()[0].startswith(str(bare_restricted_vscode.scratch))
    assert "PYTHONPATH" not in server.environ()
    assert not Path(server.cwd()).is_relative_to(shop)
    assert not seen.exists()


def test_from_no_server_at_all_to_a_run(bare_vscode: CodeServer, page: Page, shop: Path, pictures: Path) -> None:
    editor = EditorPage(page, bare_vscode, shop)

    editor.open_file(BROKEN)
    editor.notification("Osiris sets up its Python environment").wait_for()
    editor.screenshot(pictures / "environment.png")
    editor.wait_for_squiggle("sqlite.extracter")
    editor.notification("Osiris sets up its Python environment").wait_for(state="hidden")

    editor.open_file(DAILY)
    editor.run_command("Osiris: Run Pipeline")
    editor.notification("Osiris installs what it needs to run pipelines").wait_for()
    editor.screenshot(pictures / "environment-extra.png")
    editor.notification("Osiris installs what it needs to run pipelines").wait_for(state="hidden", timeout=240_000)
    editor.wait_for_output("run succeeded")
    assert (shop / "out" / "daily_revenue.csv").read_text().startswith("day,country,orders")
    (server,) = bare_vscode.language_servers()
    assert server.cmdline()[0].startswith(str(bare_vscode.scratch))
    assert not (shop / ".venv").exists()
