"""Take the pictures of the documentation anew: ``python tests/editors/take_pictures.py [NAME ...]``.

Each function ``take_<name>`` makes ``docs/pictures/<name>.png`` from a fresh copy of ``examples/shop``, in VS Code with
the packaged extension; without names all are made. ``vscode-error.png`` is that of the README, the others are those of
``docs/editor-features.md``, cropped to what they are about.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import code_server
import setup_editors
from editor_page import EditorPage, launch_browser
from small_png import make_small

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import start_mariadb

if TYPE_CHECKING:
    from playwright.sync_api import Locator

PICTURES = setup_editors.REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT, SCALE = 1280, 760, 1.5
NARROW = 800  # the width of the window for pictures that are cropped

BROKEN = "pipelines/broken-orders.oml.yaml"
DAILY = "pipelines/daily-revenue.oml.yaml"
CUSTOMERS = "pipelines/customer-ltv.oml.yaml"

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
    "editor.cursorBlinking": "solid",
    "breadcrumbs.enabled": False,
}

# A step is named in `needs`, in `inputs` and in SQL.
_WIRED = """\
oml_version: "0.1.0"
name: returns
steps:
  - id: refunds
    component: filesystem.csv_extractor
    mode: read
    config: {connection: "@filesystem.data", path: refunds.csv, delimiter: ";"}
  - id: total
    component: duckdb.processor
    mode: transform
    needs: [refunds]
    config: {query: SELECT sum(amount) AS total FROM df_refunds}
  - id: save
    component: filesystem.csv_writer
    mode: write
    inputs: {df: "${refunds.df}"}
    config: {connection: "@filesystem.out", path: returns.csv}
"""


# What the shop sells stands in a database of its own.
_TABLES = (
    "CREATE TABLE products (product_id int PRIMARY KEY, name varchar(120) NOT NULL, price decimal(10,2))",
    """
    CREATE TABLE stock (
      product_id int NOT NULL REFERENCES products (product_id),
      warehouse char(3) NOT NULL COMMENT 'Where it lies, as on the label', pieces int NOT NULL,
      counted_at datetime, PRIMARY KEY (product_id, warehouse)
    )
    """,
    "CREATE VIEW sold_out AS SELECT product_id FROM stock GROUP BY product_id HAVING sum(pieces) = 0",
)
_STOCK = """\
oml_version: "0.1.0"
name: stock
steps:
  - id: stock
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.wares"
      query: |
        SELECT p.name, s.warehouse, s.pieces
        FROM stock s
        JOIN products p ON p.
"""


def main(arguments: Sequence[str]) -> int:
    """Take the named pictures, or all. Returns the exit code."""
    from playwright.sync_api import sync_playwright

    takers = {name[5:].replace("_", "-"): taker for name, taker in globals().items() if name.startswith("take_")}
    unknown = sorted(set(arguments) - set(takers))
    if unknown:
        print(f"There is no picture {', '.join(unknown)}; there are {', '.join(takers)}.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="osiris-pictures-") as scratch:
        data = Path(scratch) / "vscode"
        data.mkdir()
        with code_server.CodeServer(data, settings=_SETTINGS) as server, sync_playwright() as playwright:
            browser = launch_browser(playwright)
            # One profile: VS Code is loaded once and then comes from the cache.
            profile = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
            for name in arguments or takers:
                page = profile.new_page()
                if name != "vscode-error":
                    page.set_viewport_size({"width": NARROW, "height": HEIGHT})
                takers[name](EditorPage(page, server, code_server.copy_example(Path(scratch) / name / "shop")))
                page.close()
                print(PICTURES / f"{name}.png", flush=True)
            browser.close()
    return 0


def open_at(editor: EditorPage, path: str, marked: str) -> None:
    """Open a file without the tree beside it, with the cursor at ``<|>`` of a piece of its text."""
    before, after = marked.split("<|>")
    text = (editor.folder / path).read_text()
    lines = text[: text.index(before + after) + len(before)].split("\n")
    editor.open_file(path)
    editor.close_sidebar()
    if path.startswith("pipelines/"):
        editor.lens("Run", above="name: ")
    editor.go_to(len(lines), len(lines[-1]) + 1)
    editor.page.mouse.move(500, 10)  # beside the tabs, away from all that says something when the mouse is over it


def line(editor: EditorPage, text: str) -> Locator:
    """The first visible line with this text."""
    return editor.page.locator(".monaco-editor .view-line", has_text=text).first


def crop(editor: EditorPage, name: str, *shown: Locator, width: int = 0) -> None:
    """Save the part of the page around all that is to be shown; ``width`` in CSS pixels, if it is to be that wide."""
    boxes = []
    for one in shown:
        one.first.wait_for()
        box = one.first.bounding_box()
        assert box is not None
        boxes.append(box)
    left = max(min(box["x"] for box in boxes) - 8, 0)
    top = max(min(box["y"] for box in boxes) - 2, 0)
    right = left + width if width else min(max(box["x"] + box["width"] for box in boxes) + 8, NARROW)
    bottom = min(max(box["y"] + box["height"] for box in boxes) + 2, HEIGHT)
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    picture = PICTURES / f"{name}.png"
    editor.page.screenshot(path=str(picture), clip=clip)  # type: ignore[arg-type]
    make_small(picture)


def take_vscode_error(editor: EditorPage) -> None:
    """An underlined error, its hover, the Problems panel."""
    editor.open_file(BROKEN)
    editor.close_sidebar()
    editor.wait_for_squiggle("sqlite.extracter")
    editor.problems()
    editor.go_to(line=26, column=1)
    editor.wait_for_squiggle("delimeter")
    editor.hover("delimeter")
    editor.screenshot(PICTURES / "vscode-error.png")
    make_small(PICTURES / "vscode-error.png")


def take_problems(editor: EditorPage) -> None:
    """The findings of a file that is not open."""
    open_at(editor, DAILY, "name: <|>")
    editor.until(lambda: any("OML311" in row for row in editor.problems()), lambda: str(editor.problems()))
    crop(editor, "problems", editor.page.locator(".panel .markers-panel-container").first)


def take_completion(editor: EditorPage) -> None:
    """A component while its name is typed."""
    (editor.folder / "pipelines/new.oml").write_text(
        'oml_version: "0.1.0"\nname: new\nsteps:\n  - id: refunds\n    component: \n'
    )
    open_at(editor, "pipelines/new.oml", "component: <|>")
    editor.type("csv")
    editor.suggestions()
    crop(editor, "completion", line(editor, "steps:"), editor.page.locator(".suggest-widget.visible"), width=680)


def take_hover(editor: EditorPage) -> None:
    """What a parameter is worth."""
    open_at(editor, DAILY, "HAVING count(*) >= ${params.min_<|>orders}")
    editor.hover("min_orders")
    crop(editor, "hover", line(editor, "HAVING"), editor.page.locator(".monaco-hover:not(.hidden)").first, width=680)


def take_references(editor: EditorPage) -> None:
    """The places of a step."""
    open_at(editor, DAILY, "- id: extract-ref<|>unds")
    editor.press("Shift+F12")
    editor.page.locator(".reference-zone-widget .ref-tree .monaco-list-row").nth(2).wait_for()
    crop(editor, "references", editor.page.locator(".reference-zone-widget .body").first)


def take_call_hierarchy(editor: EditorPage) -> None:
    """The steps that need a step."""
    open_at(editor, CUSTOMERS, "- id: lifetime-v<|>alue")
    editor.run_command("Peek Call Hierarchy")
    editor.page.locator(".call-hierarchy .monaco-list-row").nth(1).wait_for()
    crop(editor, "call-hierarchy", editor.page.locator(".call-hierarchy").first)


def take_workspace_symbols(editor: EditorPage) -> None:
    """A step of any pipeline, by a few letters."""
    open_at(editor, DAILY, "name: <|>")
    editor.press("Control+P")
    box = editor.page.locator(".quick-input-widget:not(.hidden) input")
    box.wait_for()
    editor.page.keyboard.insert_text("#orders")
    editor.page.locator(".quick-input-list .monaco-list-row", has_text="net-orders").first.wait_for()
    crop(editor, "workspace-symbols", editor.page.locator(".quick-input-widget"))


def take_rename(editor: EditorPage) -> None:
    """A step that is renamed, and the places that change with it."""
    (editor.folder / "pipelines/returns.oml").write_text(_WIRED)
    open_at(editor, "pipelines/returns.oml", "- id: ref<|>unds")
    editor.until(lambda: editor.page.locator("[class*=wordHighlight]").count() > 2, lambda: "nothing is highlighted")
    editor.press("F2")
    box = editor.page.locator(".rename-box .rename-input")
    box.wait_for()
    box.fill("returns")
    crop(editor, "rename", line(editor, "steps:"), line(editor, "returns.csv"), width=680)


def take_quick_fix(editor: EditorPage) -> None:
    """The fixes of a misspelt key."""
    open_at(editor, BROKEN, "delim<|>eter")
    editor.wait_for_squiggle("delimeter")
    editor.quick_fixes()
    crop(editor, "quick-fix", line(editor, "path: refunds.csv"), editor.page.locator(".action-widget"), width=680)


def take_extract(editor: EditorPage) -> None:
    """A value that becomes a parameter."""
    open_at(editor, DAILY, 'delimiter: "<|>;"')
    editor.quick_fixes()
    crop(editor, "extract", line(editor, "path: refunds.csv"), editor.page.locator(".action-widget"), width=680)


def take_colours(editor: EditorPage) -> None:
    """SQL in a pipeline, and the step above that a step waits for."""
    open_at(editor, CUSTOMERS, "mode: transform\n    needs: [lifetime-value<|>]")
    editor.lens("Run to here", above="- id: segments")
    crop(editor, "colours", line(editor, "FROM df_customers c"), line(editor, "ORDER BY country, segment"), width=680)


def take_inlay_hint(editor: EditorPage) -> None:
    """The step that a step waits for without saying so."""
    open_at(editor, DAILY, "mode: <|>write")
    editor.until(lambda: "needs: revenue-by-day" in editor.text(), editor.text)
    editor.lens("Run to here", above="- id: write-revenue")
    crop(editor, "inlay-hint", line(editor, "ORDER BY o.day"), line(editor, "daily_revenue.csv"), width=680)


def take_lens(editor: EditorPage) -> None:
    """What can be run, and how it went."""
    open_at(editor, DAILY, "<|>name: ")
    editor.run_lens("▶ Run", above="name: daily-revenue")
    editor.lens("✓ just now", above="name: daily-revenue")
    crop(editor, "lens", line(editor, "oml_version"), line(editor, "description: What the shop"), width=680)


def take_run(editor: EditorPage) -> None:
    """A run in the output."""
    editor.page.set_viewport_size({"width": 980, "height": HEIGHT})  # no line is broken
    open_at(editor, DAILY, "name: <|>")
    editor.run_command("Osiris: Run Pipeline")
    editor.wait_for_output("run succeeded")
    crop(editor, "run", editor.page.locator(".output-view").first, width=960)


def take_folding(editor: EditorPage) -> None:
    """Steps folded to a line each."""
    open_at(editor, DAILY, "steps:<|>")
    editor.run_command("Fold Level 2")
    editor.until(lambda: "sqlite.extractor" not in editor.text(), editor.text)
    editor.lens("Run to here", above="- id: write-revenue")
    crop(editor, "folding", line(editor, "steps:"), line(editor, "- id: write-revenue"), width=680)


def take_outline(editor: EditorPage) -> None:
    """The outline of a pipeline."""
    open_at(editor, CUSTOMERS, "- id: net-<|>orders")
    editor.press("Control+Shift+O")
    editor.page.locator(".quick-input-list .monaco-list-row", has_text="net-orders").first.wait_for()
    crop(editor, "outline", editor.page.locator(".quick-input-widget"))


@contextlib.contextmanager
def discovered(editor: EditorPage) -> Iterator[None]:
    """A pipeline that reads from a MariaDB, whose tables are known."""
    with start_mariadb() as server, server.database(*_TABLES) as name:
        fields = server.fields(name, password="${WARES_PASSWORD}")
        lines = "".join(f"      {key}: {value}\n" for key, value in fields.items())
        (editor.folder / "osiris_connections.yaml").write_text(f"connections:\n  mysql:\n    wares:\n{lines}")
        (editor.folder / ".env").write_text(f"WARES_PASSWORD={server.password}\n")
        (editor.folder / "pipelines/stock.oml").write_text(_STOCK)
        open_at(editor, "pipelines/stock.oml", "ON p.<|>")
        editor.run_command("Osiris: Discover")
        question = editor.notification("May Osiris connect to @mysql.wares")
        question.get_by_role("button", name="Connect").click()
        editor.until(lambda: "stock table" in editor.tree(), lambda: f"tree: {editor.tree()}")
        yield


def take_database_tree(editor: EditorPage) -> None:
    """Connections, tables, columns."""
    editor.page.set_viewport_size({"width": 1000, "height": HEIGHT})
    with discovered(editor):
        sash = editor.page.locator(".monaco-sash.vertical:not(.disabled)").first.bounding_box()
        assert sash is not None
        editor.page.mouse.move(sash["x"] + 2, 300)
        editor.page.mouse.down()
        editor.page.mouse.move(430, 300)
        editor.page.mouse.up()
        editor.expand("stock")
        editor.expand("products")
        editor.page.mouse.move(700, 10)
        bar = editor.page.locator(".part.sidebar > .title")
        crop(editor, "database-tree", bar, editor.tree_row("counted_at"), editor.tree_row("sold_out"))


def take_sql_completion(editor: EditorPage) -> None:
    """A join while it is typed."""
    with discovered(editor):
        editor.close_sidebar()
        editor.press("Control+End")
        editor.go_to(12, 30)
        editor.type("pro")
        editor.suggestions()
        crop(
            editor, "sql-completion", line(editor, "query:"), editor.page.locator(".suggest-widget.visible"), width=680
        )


def take_column_hover(editor: EditorPage) -> None:
    """What a column is."""
    with discovered(editor):
        editor.close_sidebar()
        editor.hover("warehouse")
        shown = editor.page.locator(".monaco-hover:not(.hidden)").first
        crop(editor, "column-hover", line(editor, "SELECT p.name"), shown, width=680)


def take_connections(editor: EditorPage) -> None:
    """A connection while it is written."""
    text = (editor.folder / "osiris_connections.yaml").read_text()
    (editor.folder / "osiris_connections.yaml").write_text(text + "  mysql:\n    crm:\n      \n")
    open_at(editor, "osiris_connections.yaml", "    crm:\n      <|>")
    editor.press("Control+Space")
    editor.suggestions()
    crop(editor, "connections", line(editor, "mysql:"), editor.page.locator(".suggest-widget.visible"), width=680)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
