"""The packaged extension in a real VS Code, used as a person uses it: by keys, mouse and eyes."""

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

# Counts longer than anybody waits.
SLOW = """\
oml_version: "0.1.0"
name: slow
steps:
  - id: refunds
    component: filesystem.csv_extractor
    mode: read
    config:
      connection: "@filesystem.data"
      path: refunds.csv
      delimiter: ";"
  - id: count
    component: duckdb.processor
    mode: transform
    config:
      query: |
        SELECT count(*) AS n
        FROM df_refunds, range(1000000000) a, range(1000000000) b
        WHERE a.range % 7 = b.range % 5
  - id: write
    component: filesystem.csv_writer
    mode: write
    config:
      connection: "@filesystem.out"
      path: slow.csv
"""


REFUNDS = """\
oml_version: "0.1.0"
name: new
steps:
  - id: refunds
    component: filesystem.csv_extractor
    mode: read
    config:"""

QUERY = """\
oml_version: "0.1.0"
name: new
steps:
  - id: orders
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      query: |"""


def new_pipeline(editor: EditorPage, text: str) -> Path:
    """A file of the shop with this text, open with the cursor at its end."""
    path = editor.folder / "pipelines" / "new.oml.yaml"
    path.write_text(text)
    editor.open_file("pipelines/new.oml.yaml")
    # It is not complete, so that something is underlined as soon as it is checked.
    editor.until(lambda: bool(editor.squiggles() + editor.squiggles("warning")), lambda: "the file is not checked")
    editor.press("Control+End")
    return path


def test_an_error_is_underlined_at_its_very_text(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_until_served()

    editor.wait_for_squiggle("sqlite.extracter")

    editor.screenshot(pictures / "squiggle.png")


def test_the_problems_panel_names_code_and_place(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_for_squiggle("sqlite.extracter")

    row = next(row for row in editor.problems() if "sqlite.extracter" in row)

    assert "did you mean" in row.lower()
    assert "OML124" in row
    assert "[Ln 11, Col 16]" in row
    editor.screenshot(pictures / "problems.png")


def test_an_error_shows_while_it_is_typed_and_goes_when_it_is_mended(editor: EditorPage) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()
    assert editor.squiggles() == []

    editor.go_to(line=25, column=15)  # behind "mode: read"
    editor.type("y")
    editor.wait_for_squiggle("ready")
    editor.press("Backspace")

    editor.until(lambda: editor.squiggles() == [], lambda: f"squiggles: {editor.squiggles()}")


def test_suggestions_come_by_themselves_while_typing_a_key(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_until_served()
    editor.go_to(line=25, column=23)  # behind "skip_rows: none", in the config of filesystem.csv_extractor
    editor.press("Enter")

    editor.type("enc")

    assert "encoding" in editor.suggestions()
    editor.screenshot(pictures / "suggestions.png")


def test_on_a_new_line_suggestions_come_by_themselves_the_required_first(editor: EditorPage, pictures: Path) -> None:
    path = new_pipeline(editor, REFUNDS)

    editor.press("Enter")

    assert editor.suggestions()[:2] == ["path", "connection"]
    editor.screenshot(pictures / "suggested-after-enter.png")
    editor.select_suggestion("connection")
    editor.press("Enter")
    editor.until(lambda: "@filesystem.data" in editor.suggestions(), lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.press("Enter")
    editor.until(lambda: editor.suggestions()[0] == "path", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Tab")
    editor.press("Control+S")
    expected = REFUNDS + '\n      connection: "@filesystem.data"\n      path: '
    editor.until(lambda: path.read_text().startswith(expected), lambda: path.read_text())


def test_enter_twice_makes_an_empty_line_and_accepts_nothing(editor: EditorPage) -> None:
    path = new_pipeline(editor, REFUNDS + "\n      path: refunds.csv")
    editor.press("Enter")
    assert "delimiter" in editor.suggestions()

    editor.press("Enter")
    editor.suggestions()
    editor.type("delim")
    editor.until(lambda: editor.suggestions()[0] == "delimiter", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")

    editor.press("Control+S")
    expected = REFUNDS + "\n      path: refunds.csv\n\n      delimiter: "
    editor.until(lambda: path.read_text().startswith(expected), lambda: path.read_text())


def test_letters_that_are_typed_before_the_list_is_there_select_in_it(editor: EditorPage) -> None:
    path = new_pipeline(editor, REFUNDS + "\n      path: refunds.csv")

    editor.press("Enter")
    editor.type("delim")  # at once
    focused = editor.page.locator(".suggest-widget.visible .monaco-list-row.focused .label-name")
    editor.until(lambda: focused.count() == 1, lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.press("Control+S")

    expected = REFUNDS + "\n      path: refunds.csv\n      delimiter: "
    editor.until(lambda: path.read_text().startswith(expected), lambda: path.read_text())


def test_a_component_brings_what_its_config_needs(editor: EditorPage) -> None:
    path = new_pipeline(editor, 'oml_version: "0.1.0"\nname: new\nsteps:\n  - id: total\n    component: ')

    editor.type("duckdb.pro")
    editor.until(lambda: editor.suggestions()[0] == "duckdb.processor", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.type("SELECT 1")
    editor.press("Control+S")

    expected = "component: duckdb.processor\n    mode: transform\n    config:\n      query: |\n        SELECT 1"
    editor.until(lambda: expected in path.read_text(), lambda: path.read_text())


def test_a_new_line_of_sql_shows_no_list(editor: EditorPage) -> None:
    path = new_pipeline(editor, QUERY)

    editor.press("Enter")
    editor.type("SELECT 1")
    editor.press("Enter")
    editor.page.wait_for_timeout(1500)  # in which a list would have come

    assert not editor.page.locator(".suggest-widget.visible").is_visible()
    editor.press("Control+S")
    editor.until(lambda: path.read_text().startswith(QUERY + "\n        SELECT 1\n"), lambda: path.read_text())


def test_a_pipeline_typed_line_by_line_is_indented_by_itself(editor: EditorPage, pictures: Path) -> None:
    path = new_pipeline(editor, 'oml_version: "0.1.0"\nname: new\nsteps:')

    for line in (
        "- id: refunds",
        "component: filesystem.csv_extractor",
        "mode: read",
        "config:",
        "path: refunds.csv",
        'delimiter: ";"',
    ):
        editor.press("Enter")
        editor.type(line)
        editor.page.wait_for_timeout(500)  # as long as a person takes, so that lists are there when Enter is pressed

    editor.screenshot(pictures / "indented.png")
    editor.press("Control+S")
    expected = REFUNDS + '\n      path: refunds.csv\n      delimiter: ";"'
    editor.until(lambda: path.read_text() == expected, lambda: path.read_text())


def test_an_accepted_suggestion_stands_at_the_right_indentation(editor: EditorPage) -> None:
    editor.open_file(BROKEN)
    editor.wait_until_served()
    editor.go_to(line=25, column=23)
    editor.press("Enter")
    editor.suggestions()
    editor.type("enc")
    editor.until(lambda: editor.suggestions()[0] == "encoding", lambda: f"suggestions: {editor.suggestions()}")

    editor.press("Enter")
    editor.press("Control+S")

    path = editor.folder / BROKEN
    editor.until(lambda: "      skip_rows: none\n      encoding: " in path.read_text(), lambda: path.read_text())


def test_behind_an_accepted_key_its_values_are_suggested_by_themselves(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_until_served()
    editor.go_to(line=25, column=23)
    editor.press("Enter")
    editor.suggestions()
    editor.type("hea")
    editor.until(lambda: editor.suggestions()[0] == "header", lambda: f"suggestions: {editor.suggestions()}")

    editor.press("Enter")

    editor.until(lambda: "true" in editor.suggestions(), lambda: f"suggestions: {editor.suggestions()}")
    editor.screenshot(pictures / "suggested-values.png")


def test_step_ids_are_suggested_in_needs(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_until_served()
    editor.go_to(line=30, column=27)  # behind "extract-refund" in "needs: [extract-refund]"

    editor.type(", extr")

    found = ["extract-orders", "extract-refunds"]
    editor.until(lambda: sorted(editor.suggestions()) == found, lambda: f"suggestions: {editor.suggestions()}")
    editor.screenshot(pictures / "suggested-steps.png")


def test_a_quick_fix_mends_the_error(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_for_squiggle("sqlite.extracter")
    editor.go_to(line=11, column=20)

    fixes = editor.quick_fixes()
    editor.screenshot(pictures / "quick-fix.png")
    fixes.filter(has_text="sqlite.extractor").first.click()

    editor.until(lambda: "sqlite.extracter" not in editor.squiggles(), lambda: f"squiggles: {editor.squiggles()}")
    editor.press("Control+S")
    path = editor.folder / BROKEN
    editor.until(lambda: "component: sqlite.extractor\n" in path.read_text(), lambda: path.read_text())


def test_hovering_a_component_says_what_it_does(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()

    words = editor.hover("sqlite.extractor")

    assert "SQLite" in words
    editor.screenshot(pictures / "hover.png")


def test_saving_compiles_the_pipeline(editor: EditorPage) -> None:
    manifest = editor.folder / "build" / "daily-revenue" / "manifest.json"
    editor.open_file(DAILY)
    editor.wait_until_served()
    editor.go_to(line=3, column=200)
    editor.type(" Net.")

    editor.press("Control+S")

    editor.until(manifest.is_file, lambda: f"{manifest} was not written")
    assert json.loads(manifest.read_text())["pipeline"]["name"] == "daily-revenue"


def test_run_pipeline_shows_its_steps_in_the_output(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()

    editor.run_command("Osiris: Run Pipeline")

    editor.wait_for_output("run succeeded")
    lines = editor.output_lines()
    assert any("extract-orders: done" in line and "rows in" in line for line in lines), lines
    assert (editor.folder / "out" / "daily_revenue.csv").read_text().startswith("day,country,orders")
    editor.screenshot(pictures / "run.png")


def test_a_run_is_cancelled_from_its_progress_message(editor: EditorPage, pictures: Path) -> None:
    (editor.folder / "pipelines" / "slow.oml.yaml").write_text(SLOW)
    editor.open_file("pipelines/slow.oml.yaml")
    editor.wait_until_served()
    editor.run_command("Osiris: Run Pipeline")
    editor.wait_for_output("count: started")
    editor.screenshot(pictures / "progress.png")

    editor.notification("Running slow").get_by_role("button", name="Cancel").click()

    editor.wait_for_output("run cancelled")
    editor.notification("Running slow").wait_for(state="hidden")


def test_doctor_opens_a_report_to_paste(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()

    editor.run_command("Osiris: Doctor")

    editor.until(lambda: "workspace: trusted" in editor.text(), editor.text)
    report = editor.text()
    assert "# Osiris: Doctor" in report
    assert "found by: osiris.server.interpreter" in report
    assert editor.language_mode() == "Markdown"
    editor.screenshot(pictures / "doctor.png")


def test_a_pipeline_with_errors_is_not_run_and_says_why(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_until_served()

    editor.run_command("Osiris: Run Pipeline")

    editor.wait_for_output("sqlite.extracter")
    assert not (editor.folder / "logs").exists()
    editor.screenshot(pictures / "run-refused.png")


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


def test_plain_yaml_with_an_oml_version_is_oml(editor: EditorPage) -> None:
    (editor.folder / "plain.yaml").write_text('oml_version: "0.1.0"\nname: plain\nsteps: 3\n')

    editor.open_file("plain.yaml")

    editor.until(lambda: editor.language_mode() == "OML", editor.language_mode)
    editor.wait_for_squiggle("3")


def test_other_yaml_stays_yaml(editor: EditorPage) -> None:
    (editor.folder / "other.yaml").write_text("shop: 1\n")
    editor.open_file(BROKEN)
    editor.wait_for_squiggle("sqlite.extracter")

    editor.open_file("other.yaml")

    editor.until(lambda: editor.language_mode() == "YAML", editor.language_mode)


def test_a_connection_typed_line_by_line_is_indented_by_itself_and_completed(
    editor: EditorPage, pictures: Path
) -> None:
    path = editor.folder / "osiris_connections.yaml"
    path.write_text("connections:\n  sqlite:\n    broken: nonsense\n  mysql:")
    editor.open_file("osiris_connections.yaml")
    editor.wait_for_squiggle("nonsense")
    editor.press("Control+End")

    editor.press("Enter")
    editor.type("crm:")
    editor.press("Enter")

    assert "host" in editor.suggestions()
    editor.screenshot(pictures / "connection-suggested.png")
    editor.type("hos")
    editor.until(lambda: editor.suggestions()[0] == "host", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.type("db.local")
    editor.press("Control+S")
    expected = "  mysql:\n    crm:\n      host: db.local"
    editor.until(lambda: path.read_text().endswith(expected), path.read_text)


def test_the_connections_file_is_checked_although_no_pipeline_is_open(editor: EditorPage) -> None:
    (editor.folder / "osiris_connections.yaml").write_text("connections:\n  sqlite:\n    shop: nonsense\n")

    editor.open_file("osiris_connections.yaml")

    editor.wait_for_squiggle("nonsense")


def test_sql_in_a_query_is_coloured_as_sql(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(DAILY)
    editor.wait_until_served()
    editor.go_to(line=60, column=1)

    editor.until(lambda: editor.color_of("SELECT") != "", lambda: "no SELECT to be seen")

    assert editor.color_of("SELECT") not in ("", editor.color_of("query"))
    assert editor.color_of("SELECT") != editor.color_of("df_extract_refunds")
    editor.screenshot(pictures / "sql.png")


def test_a_folder_without_project_files_gets_diagnostics_too(
    open_editor: Callable[[Path], EditorPage], tmp_path: Path
) -> None:
    (tmp_path / "alone.oml").write_text('oml_version: "0.1.0"\nname: alone\nsteps: {}\n')
    editor = open_editor(tmp_path)

    editor.open_file("alone.oml")

    editor.wait_for_squiggle("{}")


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


def test_format_document_formats_and_keeps_comments(editor: EditorPage) -> None:
    path = new_pipeline(editor, 'oml_version:   "0.1.0"   # kept\nname:    new\nsteps:\n-   id:  a\n')

    editor.run_command("Format Document")
    editor.press("Control+S")

    editor.until(lambda: 'oml_version: "0.1.0"' in path.read_text(), lambda: path.read_text())
    assert "# kept" in path.read_text()
    assert "  - id: a\n" in path.read_text()


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
