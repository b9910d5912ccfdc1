"""Editing a pipeline in a real VS Code: what each feature of the language server looks like to a person."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from editor_page import EditorPage

pytestmark = pytest.mark.editor

BROKEN = "pipelines/broken-orders.oml.yaml"
DAILY = "pipelines/daily-revenue.oml.yaml"
CUSTOMERS = "pipelines/customer-ltv.oml.yaml"
CONNECTIONS = "osiris_connections.yaml"

# One step is named in `needs`, in `inputs` and in SQL.
WIRED = """\
oml_version: "0.1.0"
name: wired
steps:
  - id: refunds
    component: filesystem.csv_extractor
    mode: read
    config:
      connection: "@filesystem.data"
      path: refunds.csv
      delimiter: ";"
  - id: total
    component: duckdb.processor
    mode: transform
    needs: [refunds]
    config:
      query: SELECT sum(amount) AS total FROM df_refunds
  - id: save
    component: filesystem.csv_writer
    mode: write
    needs: [total]
    inputs: {df: "${refunds.df}"}
    config:
      connection: "@filesystem.out"
      path: wired.csv
"""

MESSY = """\
oml_version:   "0.1.0"   # the language, not Osiris
name:   messy


steps:
- id:   refunds
  component: filesystem.csv_extractor
  mode:   read
  config: {connection: "@filesystem.data",path: refunds.csv,   delimiter: ";"}
- id: save
  component: filesystem.csv_writer
  mode:   write
  config:
        connection:   "@filesystem.out"
        path: messy.csv
"""

TIDY = """\
oml_version: "0.1.0"   # the language, not Osiris
name: messy

steps:
  - id: refunds
    component: filesystem.csv_extractor
    mode: read
    config: {connection: "@filesystem.data", path: refunds.csv, delimiter: ";"}
  - id: save
    component: filesystem.csv_writer
    mode: write
    config:
      connection: "@filesystem.out"
      path: messy.csv
"""


@pytest.fixture
def editor(shared_editor: EditorPage) -> EditorPage:
    """Most of it is about the text of one file; what runs, or is about other files, has a window of its own."""
    return shared_editor


def put_cursor(editor: EditorPage, path: str, marked: str) -> None:
    """Open a file, if need be, and put the cursor where ``<|>`` stands in a piece of its text on disk."""
    text = (editor.folder / path).read_text()
    before, after = marked.split("<|>")
    assert text.count(before + after) == 1, f"{marked!r} is not one place of {path}"
    lines = text[: text.index(before + after) + len(before)].split("\n")
    editor.open_file(path)
    editor.wait_until_served()
    editor.go_to(line=len(lines), column=len(lines[-1]) + 1)


def wait_for_cursor(editor: EditorPage, path: str, marked: str) -> None:
    """Wait until the file is shown and the cursor stands where ``<|>`` does in its text on disk."""
    text = (editor.folder / path).read_text()
    before, after = marked.split("<|>")
    lines = text[: text.index(before + after) + len(before)].split("\n")
    expected = f"{Path(path).name}:{len(lines)}:{len(lines[-1]) + 1}"
    editor.until(lambda: editor.cursor() == expected, lambda: f"{editor.cursor()}, not {expected}")


def saved(editor: EditorPage, path: str, *expected: str) -> str:
    """Save the active editor, also what comes into it a little later, until the file has these texts; its text."""
    file = editor.folder / path
    changed = editor.page.locator(".tab.active.dirty")
    pressed = float("-inf")

    def done() -> bool:
        nonlocal pressed
        if changed.count() and time.monotonic() - pressed > 2:
            editor.press("Control+S")
            pressed = time.monotonic()
        return all(text in file.read_text() for text in expected)

    editor.until(done, file.read_text)
    return file.read_text()


def wait_for_suggestion(editor: EditorPage, label: str) -> None:
    """Wait until the list offers this first."""
    editor.until(lambda: editor.suggestions()[0] == label, lambda: f"suggestions: {editor.suggestions()}")


def test_a_step_is_completed_in_needs(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, CUSTOMERS, "needs: [customers, net-orders<|>]")

    editor.type(", ref")
    wait_for_suggestion(editor, "refunds")
    editor.screenshot(pictures / "editing-needs.png")
    editor.press("Enter")

    saved(editor, CUSTOMERS, "needs: [customers, net-orders, refunds]")


def test_a_component_is_completed_with_its_mode_and_required_keys(editor: EditorPage, pictures: Path) -> None:
    text = 'oml_version: "0.1.0"\nname: new\nsteps:\n  - id: refunds\n    component: \n'
    (editor.folder / "new.oml").write_text(text)
    put_cursor(editor, "new.oml", "component: <|>\n")

    editor.type("sqlite.wr")
    wait_for_suggestion(editor, "sqlite.writer")
    editor.screenshot(pictures / "editing-component.png")
    editor.press("Enter")
    wait_for_suggestion(editor, '"@sqlite.shop"')  # for its first required key
    editor.type("rep")
    wait_for_suggestion(editor, '"@sqlite.reports"')
    editor.press("Enter")
    editor.press("Tab")
    editor.type("refunds")

    saved(
        editor,
        "new.oml",
        "    component: sqlite.writer\n"
        "    mode: write\n"
        "    config:\n"
        '      connection: "@sqlite.reports"\n'
        "      table: refunds\n",
    )


def test_a_path_is_completed_from_the_files_of_its_connection(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "path: <|>refunds.csv")
    editor.press("Shift+End")
    editor.press("Backspace")

    editor.type("re")
    wait_for_suggestion(editor, "refunds.csv")
    editor.screenshot(pictures / "editing-path.png")
    editor.press("Enter")

    saved(editor, DAILY, "      path: refunds.csv\n")


def test_renaming_a_step_renames_it_in_needs_inputs_and_sql(editor: EditorPage, pictures: Path) -> None:
    (editor.folder / "wired.oml").write_text(WIRED)
    put_cursor(editor, "wired.oml", "- id: ref<|>unds")

    editor.rename("returns", picture=pictures / "editing-rename.png")

    text = saved(editor, "wired.oml", "- id: returns")
    assert "needs: [returns]" in text
    assert 'inputs: {df: "${returns.df}"}' in text
    assert "FROM df_returns" in text
    assert text == WIRED.replace("id: refunds", "id: returns").replace("[refunds]", "[returns]").replace(
        "${refunds.", "${returns."
    ).replace("df_refunds", "df_returns")


def test_renaming_a_connection_renames_it_in_every_file(own_editor: EditorPage, pictures: Path) -> None:
    put_cursor(own_editor, DAILY, '"@sqlite.sh<|>op"')

    own_editor.rename("orders", picture=pictures / "editing-rename-connection.png")

    saved(own_editor, DAILY, '"@sqlite.orders"')
    for path, text in ((CONNECTIONS, "    orders:\n      path: data/shop.db"), (CUSTOMERS, '"@sqlite.orders"')):
        file = own_editor.folder / path
        own_editor.until(lambda file=file, text=text: text in file.read_text(), file.read_text)  # type: ignore[misc]
    assert "@sqlite.shop" not in (own_editor.folder / CUSTOMERS).read_text()


def test_a_bad_new_name_is_refused_with_its_reason(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "- id: extract-ref<|>unds")

    editor.rename("extract-orders", picture=None)

    editor.notification("There is a step `extract-orders` already, in line 23").hover()
    editor.screenshot(pictures / "editing-rename-refused.png")


def test_the_lens_above_a_pipeline_runs_it_and_then_tells_how_it_went(own_editor: EditorPage, pictures: Path) -> None:
    own_editor.open_file(DAILY)

    own_editor.run_lens("▶ Run", above="name: daily-revenue")

    own_editor.wait_for_output("run succeeded")
    own_editor.lens("✓ just now", above="name: daily-revenue")
    own_editor.screenshot(pictures / "editing-lens.png")
    own_editor.go_to(line=23, column=1)
    own_editor.lens("✓ 354 rows", above="- id: extract-orders")
    own_editor.screenshot(pictures / "editing-lens-of-a-step.png")


def test_run_to_here_runs_a_step_and_what_it_needs(own_editor: EditorPage, pictures: Path) -> None:
    put_cursor(own_editor, DAILY, "- id: extract-refunds<|>")

    own_editor.run_lens("▶ Run to here", above="- id: extract-refunds")

    own_editor.wait_for_output("run succeeded")
    assert any("extract-refunds: done" in line for line in own_editor.output_lines())
    assert not any("extract-orders" in line for line in own_editor.output_lines())
    own_editor.screenshot(pictures / "editing-run-to-here.png")


def test_format_on_save_gives_the_one_layout_and_keeps_comments(own_editor: EditorPage, pictures: Path) -> None:
    (own_editor.folder / ".vscode").mkdir()
    (own_editor.folder / ".vscode" / "settings.json").write_text('{"[oml]": {"editor.formatOnSave": true}}')
    (own_editor.folder / "messy.oml").write_text(MESSY)
    put_cursor(own_editor, "messy.oml", "name:   messy<|>")
    own_editor.screenshot(pictures / "editing-messy.png")

    own_editor.type(" ")
    text = saved(own_editor, "messy.oml", "name: messy\n")

    assert text == TIDY
    own_editor.screenshot(pictures / "editing-tidy.png")


def test_the_definition_of_a_needed_step_is_the_step(editor: EditorPage) -> None:
    put_cursor(editor, DAILY, "needs: [extract-orders, extract-ref<|>unds]")

    editor.press("F12")

    wait_for_cursor(editor, DAILY, "- id: <|>extract-refunds")


def test_the_definition_of_a_connection_is_in_the_connections_file(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, '"@sqlite.<|>shop"')

    editor.press("F12")

    wait_for_cursor(editor, CONNECTIONS, "    <|>shop:")
    editor.screenshot(pictures / "editing-definition.png")


def test_the_references_of_a_step_are_its_places_also_in_sql(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "- id: extract-ref<|>unds")

    editor.press("Shift+F12")

    rows = editor.page.locator(".reference-zone-widget .ref-tree .monaco-list-row")
    editor.until(lambda: rows.count() >= 3, lambda: f"references: {rows.all_inner_texts()}")
    shown = [" ".join(text.split()) for text in rows.all_inner_texts()]
    assert shown == ["- id: extract-refunds", "extract-orders, extract-refunds]", "FROM df_extract_refunds"]
    editor.screenshot(pictures / "editing-references.png")


def test_tables_that_are_steps_stand_out_in_sql(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "FROM df_extract<|>_refunds")
    own = editor.color_of("refunds r")  # the query's own table, which is no step

    editor.until(lambda: editor.color_of("df_extract_refunds") not in ("", own), lambda: "it looks like any other")

    editor.screenshot(pictures / "editing-colours.png")


def test_a_step_without_needs_shows_which_step_it_waits_for(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "- id: write-revenue<|>")

    editor.until(lambda: "- id: write-revenueneeds: revenue-by-day" in editor.text(), editor.text)

    editor.screenshot(pictures / "editing-inlay-hint.png")


def test_a_step_folds_and_its_query_by_itself(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "- id: extract-ord<|>ers")

    editor.press("Control+Shift+BracketLeft")

    editor.until(lambda: "sqlite.extractor" not in editor.text(), editor.text)
    assert "- id: extract-orders" in editor.text()
    assert "# The payment provider's export" in editor.text()
    editor.screenshot(pictures / "editing-folded.png")


def test_the_selection_grows_by_meaning(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "path: ref<|>unds.csv")
    status = editor.page.locator('.statusbar-item[id="status.editor.selection"]')

    for text in ("refunds", "refunds.csv", "path: refunds.csv"):
        editor.press("Shift+Alt+ArrowRight")
        size = f"({len(text)} selected)"
        editor.until(lambda size=size: size in status.inner_text(), status.inner_text)  # type: ignore[misc]

    editor.screenshot(pictures / "editing-selection.png")


def test_the_path_above_the_text_and_the_outline_name_the_steps(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, "delim<|>iter:")

    crumbs = editor.page.locator(".breadcrumbs-control .monaco-breadcrumb-item")
    editor.until(lambda: "extract-refunds" in " ".join(crumbs.all_inner_texts()), lambda: str(crumbs.all_inner_texts()))
    editor.press("Control+Shift+O")
    rows = editor.page.locator(".quick-input-list .monaco-list-row")
    editor.until(lambda: "write-revenue" in " ".join(rows.all_inner_texts()), lambda: str(rows.all_inner_texts()))

    editor.screenshot(pictures / "editing-outline.png")


def test_steps_of_all_pipelines_are_found_by_a_few_letters(own_editor: EditorPage, pictures: Path) -> None:
    own_editor.open_file(DAILY)
    own_editor.wait_until_served()

    own_editor.press("Control+P")
    box = own_editor.page.locator(".quick-input-widget:not(.hidden) input")
    box.wait_for()
    own_editor.page.keyboard.insert_text("#lifeval")
    row = own_editor.page.locator(".quick-input-list .monaco-list-row", has_text="lifetime-value")
    row.first.wait_for()
    own_editor.screenshot(pictures / "editing-workspace-symbols.png")
    own_editor.press("Enter")

    wait_for_cursor(own_editor, CUSTOMERS, "- id: <|>lifetime-value")


def test_a_value_is_extracted_to_a_parameter(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, DAILY, 'delimiter: "<|>;"')

    actions = editor.quick_fixes()
    actions.filter(has_text="Extract to the parameter").first.wait_for()
    editor.screenshot(pictures / "editing-extract.png")
    actions.filter(has_text="Extract to the parameter").first.click()

    saved(editor, DAILY, 'delimiter: "${params.delimiter}"', '  delimiter: ";"\n')


def test_all_certain_fixes_are_applied_on_save(own_editor: EditorPage, pictures: Path) -> None:
    (own_editor.folder / ".vscode").mkdir()
    settings = '{"[oml]": {"editor.codeActionsOnSave": {"source.fixAll.osiris": "explicit"}}}'
    (own_editor.folder / ".vscode" / "settings.json").write_text(settings)
    put_cursor(own_editor, BROKEN, "name: broken-orders<|>")
    own_editor.type("-mended")

    text = saved(own_editor, BROKEN, "name: broken-orders-mended\n", "component: sqlite.extractor\n", "delimiter: ")

    assert "needs: [extract-refunds]" in text
    assert "mode: write\n" in text
    own_editor.screenshot(pictures / "editing-fixed-on-save.png")


def test_a_warning_is_silenced_on_its_line(editor: EditorPage, pictures: Path) -> None:
    file = editor.folder / DAILY
    file.write_text(file.read_text().replace("path: refunds.csv", "path: gone.csv"))
    put_cursor(editor, DAILY, "path: go<|>ne.csv")
    editor.wait_for_squiggle("gone.csv", "warning")

    actions = editor.quick_fixes()
    editor.screenshot(pictures / "editing-ignore.png")
    actions.filter(has_text="on this line").first.click()

    editor.until(lambda: editor.squiggles("warning") == [], lambda: str(editor.squiggles("warning")))
    saved(editor, DAILY, "path: gone.csv  # osiris: ignore[OML")


def test_problems_of_files_that_are_not_open_are_shown(own_editor: EditorPage, pictures: Path) -> None:
    own_editor.open_file(DAILY)
    own_editor.wait_until_served()

    own_editor.until(
        lambda: any("sqlite.extracter" in row for row in own_editor.problems()), lambda: str(own_editor.problems())
    )

    assert any("broken-orders.oml.yaml" in row for row in own_editor.problems())
    own_editor.screenshot(pictures / "editing-problems.png")


def test_what_a_step_needs_and_what_needs_it_is_a_call_hierarchy(editor: EditorPage, pictures: Path) -> None:
    put_cursor(editor, CUSTOMERS, "- id: net-or<|>ders")

    editor.run_command("Peek Call Hierarchy")

    rows = editor.page.locator(".call-hierarchy .monaco-list-row")
    editor.until(lambda: rows.count() >= 2, lambda: f"hierarchy: {rows.all_inner_texts()}")
    assert "lifetime-value" in " ".join(rows.all_inner_texts())
    editor.screenshot(pictures / "editing-call-hierarchy.png")
