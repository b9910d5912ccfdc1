"""What a real VS Code shows and does while a person types: suggestions, indentation, findings."""

from __future__ import annotations

from pathlib import Path

import pytest
from editor_page import EditorPage

pytestmark = pytest.mark.editor


@pytest.fixture
def editor(shared_editor: EditorPage) -> EditorPage:
    """What is shown while typing depends on the file alone."""
    return shared_editor


BROKEN = "pipelines/broken-orders.oml.yaml"
DAILY = "pipelines/daily-revenue.oml.yaml"

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
    path = editor.new_pipeline(REFUNDS)

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
    path = editor.new_pipeline(REFUNDS + "\n      path: refunds.csv")
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
    path = editor.new_pipeline(REFUNDS + "\n      path: refunds.csv")

    editor.press("Enter")
    editor.type("delim")  # at once
    focused = editor.page.locator(".suggest-widget.visible .monaco-list-row.focused .label-name")
    editor.until(lambda: focused.count() == 1, lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.press("Control+S")

    expected = REFUNDS + "\n      path: refunds.csv\n      delimiter: "
    editor.until(lambda: path.read_text().startswith(expected), lambda: path.read_text())


def test_a_component_brings_what_its_config_needs(editor: EditorPage) -> None:
    path = editor.new_pipeline('oml_version: "0.1.0"\nname: new\nsteps:\n  - id: total\n    component: ')

    editor.type("duckdb.pro")
    editor.until(lambda: editor.suggestions()[0] == "duckdb.processor", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.type("SELECT 1")
    editor.press("Control+S")

    expected = "component: duckdb.processor\n    mode: transform\n    config:\n      query: |\n        SELECT 1"
    editor.until(lambda: expected in path.read_text(), lambda: path.read_text())


def test_a_new_line_of_sql_shows_no_list(editor: EditorPage) -> None:
    path = editor.new_pipeline(QUERY)

    editor.press("Enter")
    editor.type("SELECT 1")
    editor.press("Enter")
    editor.page.wait_for_timeout(1500)  # in which a list would have come

    assert not editor.page.locator(".suggest-widget.visible").is_visible()
    editor.press("Control+S")
    editor.until(lambda: path.read_text().startswith(QUERY + "\n        SELECT 1\n"), lambda: path.read_text())


def test_a_pipeline_typed_line_by_line_is_indented_by_itself(editor: EditorPage, pictures: Path) -> None:
    path = editor.new_pipeline('oml_version: "0.1.0"\nname: new\nsteps:')

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
