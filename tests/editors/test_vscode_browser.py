"""The packaged extension in a real VS Code, used as a person uses it: by keys, mouse and eyes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_panel import choose
from editor_page import EditorPage

from e2b_double import E2BDouble

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


def test_an_error_is_underlined_at_its_very_text(shared_editor: EditorPage, pictures: Path) -> None:
    shared_editor.open_file(BROKEN)
    shared_editor.wait_until_served()

    shared_editor.wait_for_squiggle("sqlite.extracter")

    shared_editor.screenshot(pictures / "squiggle.png")


def test_the_problems_panel_names_code_and_place(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(BROKEN)
    editor.wait_for_squiggle("sqlite.extracter")

    row = next(row for row in editor.problems() if "sqlite.extracter" in row)

    assert "did you mean" in row.lower()
    assert "OML124" in row
    assert "[Ln 11, Col 16]" in row
    editor.screenshot(pictures / "problems.png")


def test_a_quick_fix_mends_the_error(shared_editor: EditorPage, pictures: Path) -> None:
    shared_editor.open_file(BROKEN)
    shared_editor.wait_for_squiggle("sqlite.extracter")
    shared_editor.go_to(line=11, column=20)

    fixes = shared_editor.quick_fixes()
    shared_editor.screenshot(pictures / "quick-fix.png")
    fixes.filter(has_text="sqlite.extractor").first.click()

    shared_editor.until(
        lambda: "sqlite.extracter" not in shared_editor.squiggles(), lambda: f"squiggles: {shared_editor.squiggles()}"
    )
    shared_editor.press("Control+S")
    path = shared_editor.folder / BROKEN
    shared_editor.until(lambda: "component: sqlite.extractor\n" in path.read_text(), lambda: path.read_text())


def test_hovering_a_component_says_what_it_does(shared_editor: EditorPage, pictures: Path) -> None:
    shared_editor.open_file(DAILY)
    shared_editor.wait_until_served()

    words = shared_editor.hover("sqlite.extractor")

    assert "SQLite" in words
    shared_editor.screenshot(pictures / "hover.png")


def test_saving_compiles_the_pipeline(shared_editor: EditorPage) -> None:
    manifest = shared_editor.folder / "build" / "daily-revenue" / "manifest.json"
    shared_editor.open_file(DAILY)
    shared_editor.wait_until_served()
    shared_editor.go_to(line=3, column=200)
    shared_editor.type(" Net.")

    shared_editor.press("Control+S")

    shared_editor.until(manifest.is_file, lambda: f"{manifest} was not written")
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


def test_a_pipeline_runs_in_a_sandbox_and_is_cancelled_there(
    editor: EditorPage, sandboxes: E2BDouble, pictures: Path
) -> None:
    (editor.folder / "pipelines" / "slow.oml.yaml").write_text(SLOW)
    editor.open_file(DAILY)
    editor.wait_until_served()
    e2b, before = ("Run ", "E2B", "E2B"), len(sandboxes.boxes)
    choose(editor, "Osiris: Run On...", e2b)
    editor.wait_for_output("run succeeded")
    editor.screenshot(pictures / "run-e2b.png")
    assert (editor.folder / "out" / "daily_revenue.csv").read_text().startswith("day,country,orders")

    editor.open_file("pipelines/slow.oml.yaml")
    choose(editor, "Osiris: Run On...", e2b)
    editor.wait_for_output("count: started")
    editor.notification("Running slow").get_by_role("button", name="Cancel").click()
    editor.wait_for_output("run cancelled")
    assert len(sandboxes.boxes) == before + 2
    assert sandboxes.running() == []


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


def test_plain_yaml_with_an_oml_version_is_oml(shared_editor: EditorPage) -> None:
    (shared_editor.folder / "plain.yaml").write_text('oml_version: "0.1.0"\nname: plain\nsteps: 3\n')

    shared_editor.open_file("plain.yaml")

    shared_editor.until(lambda: shared_editor.language_mode() == "OML", shared_editor.language_mode)
    shared_editor.wait_for_squiggle("3")


def test_other_yaml_stays_yaml(shared_editor: EditorPage) -> None:
    (shared_editor.folder / "other.yaml").write_text("shop: 1\n")
    shared_editor.open_file(BROKEN)
    shared_editor.wait_for_squiggle("sqlite.extracter")

    shared_editor.open_file("other.yaml")

    shared_editor.until(lambda: shared_editor.language_mode() == "YAML", shared_editor.language_mode)


def test_the_connections_file_is_checked_although_no_pipeline_is_open(editor: EditorPage) -> None:
    (editor.folder / "osiris_connections.yaml").write_text("connections:\n  sqlite:\n    shop: nonsense\n")

    editor.open_file("osiris_connections.yaml")

    editor.wait_for_squiggle("nonsense")


def test_sql_in_a_query_is_coloured_as_sql(shared_editor: EditorPage, pictures: Path) -> None:
    shared_editor.open_file(DAILY)
    shared_editor.wait_until_served()
    shared_editor.go_to(line=60, column=1)

    shared_editor.until(lambda: shared_editor.color_of("SELECT") != "", lambda: "no SELECT to be seen")

    assert shared_editor.color_of("SELECT") not in ("", shared_editor.color_of("query"))
    assert shared_editor.color_of("SELECT") != shared_editor.color_of("df_extract_refunds")
    shared_editor.screenshot(pictures / "sql.png")


def test_a_folder_without_project_files_gets_diagnostics_too(
    open_editor: Callable[[Path], EditorPage], tmp_path: Path
) -> None:
    (tmp_path / "alone.oml").write_text('oml_version: "0.1.0"\nname: alone\nsteps: {}\n')
    editor = open_editor(tmp_path)

    editor.open_file("alone.oml")

    editor.wait_for_squiggle("{}")


def test_format_document_formats_and_keeps_comments(shared_editor: EditorPage) -> None:
    path = shared_editor.new_pipeline('oml_version:   "0.1.0"   # kept\nname:    new\nsteps:\n-   id:  a\n')

    def saved() -> str:
        shared_editor.press("Control+S")
        return path.read_text()

    shared_editor.run_command("Format Document")

    shared_editor.until(lambda: 'oml_version: "0.1.0"' in saved(), path.read_text)
    assert "# kept" in path.read_text()
    assert "  - id: a\n" in path.read_text()
