"""Databases in a real VS Code, with a real MariaDB: consent, discovery, and what the editor knows from then on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import code_server
import pytest
from editor_page import EditorPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from servers import MariaDB

pytestmark = pytest.mark.editor

ORDERS = "orders.oml"

TABLES = (
    """
    CREATE TABLE customers (
      customer_id int PRIMARY KEY, name varchar(80) NOT NULL COMMENT 'As on the invoice', country char(2)
    )
    """,
    """
    CREATE TABLE orders (
      order_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers (customer_id),
      total decimal(10,2), placed_at datetime
    )
    """,
    "CREATE VIEW paid AS SELECT * FROM orders WHERE total > 0",
)

PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.shop"
      table: ordres
  - id: by-customer
    component: mysql.extractor
    mode: read
    needs: []
    config:
      connection: "@mysql.shop"
      query: |
        SELECT c.name, o.total
        FROM orders o
        JOIN customers c ON c.
"""


@pytest.fixture
def databases(tmp_path: Path, mariadb: MariaDB, vscode: code_server.CodeServer) -> Iterator[Path]:
    """A folder whose pipeline reads from a MariaDB of its own."""
    folder = tmp_path / "databases"
    folder.mkdir()
    with mariadb.database(*TABLES) as name:
        fields = mariadb.fields(name, password="${SHOP_PASSWORD}")
        lines = "".join(f"      {key}: {value}\n" for key, value in fields.items())
        (folder / "osiris_connections.yaml").write_text(f"connections:\n  mysql:\n    shop:\n{lines}")
        (folder / ".env").write_text(f"SHOP_PASSWORD={mariadb.password}\n")
        (folder / ORDERS).write_text(PIPELINE)
        yield folder


@pytest.fixture
def editor(databases: Path, page: Page, vscode: code_server.CodeServer) -> EditorPage:
    """VS Code on that folder, for a user who is asked only after a command."""
    return EditorPage(page, vscode, databases)


@pytest.fixture
def offering(databases: Path, page: Page, tmp_path: Path) -> Iterator[EditorPage]:
    """The same for a user who left the settings as they are."""
    scratch = tmp_path / "offering"
    scratch.mkdir()
    with code_server.CodeServer(scratch, settings={"osiris.discovery.automatic": True}) as server:
        yield EditorPage(page, server, databases)


def discover(editor: EditorPage) -> None:
    """Discover from the palette, and agree to it."""
    editor.open_file(ORDERS)
    editor.wait_until_served()
    editor.run_command("Osiris: Discover")
    question = editor.notification("May Osiris connect to @mysql.shop")
    question.get_by_role("button", name="Connect").click()
    editor.until(lambda: "just now" in " ".join(editor.tree()), lambda: f"tree: {editor.tree()}")


def test_from_consent_to_a_column_completed_by_typing_alone(editor: EditorPage, pictures: Path) -> None:
    editor.open_file(ORDERS)
    editor.wait_until_served()
    editor.run_command("Osiris: Discover")
    question = editor.notification("May Osiris connect to @mysql.shop")
    question.hover()  # it stands still
    editor.screenshot(pictures / "discovery-consent.png")
    question.get_by_role("button", name="Connect").click()
    editor.until(lambda: "just now" in " ".join(editor.tree()), lambda: f"tree: {editor.tree()}")

    editor.expand("@mysql.shop")
    editor.until(lambda: "paid view" in editor.tree(), lambda: f"tree: {editor.tree()}")
    editor.expand("orders")
    editor.until(lambda: "total decimal(10,2)" in editor.tree(), lambda: f"tree: {editor.tree()}")
    editor.screenshot(pictures / "discovery-tree.png")
    editor.wait_for_squiggle("ordres")

    editor.go_to(line=19, column=31)  # behind "ON c."
    editor.type("cust")
    offered = ["customer_id = o.customer_id", "customer_id"]  # the foreign key first
    editor.until(lambda: editor.suggestions() == offered, lambda: f"suggestions: {editor.suggestions()}")
    editor.screenshot(pictures / "discovery-completion.png")
    editor.press("ArrowDown")
    editor.press("Enter")
    editor.type(" = o.cu")
    editor.until(lambda: editor.suggestions()[0] == "customer_id", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Enter")
    editor.press("Enter")
    editor.type("WHERE o.tot")
    editor.until(lambda: editor.suggestions()[0] == "total", lambda: f"suggestions: {editor.suggestions()}")
    editor.press("Tab")
    editor.type(" > 10")
    editor.press("Control+S")
    text = "        JOIN customers c ON c.customer_id = o.customer_id\n        WHERE o.total > 10\n"
    editor.until(lambda: text in (editor.folder / ORDERS).read_text(), (editor.folder / ORDERS).read_text)


def test_a_table_and_a_column_say_what_they_are_and_lead_to_the_schema(editor: EditorPage, pictures: Path) -> None:
    discover(editor)

    assert "decimal(10,2)" in editor.hover("total")
    editor.screenshot(pictures / "discovery-hover.png")
    editor.go_to(line=19, column=16)  # in "customers"
    editor.press("F12")
    editor.page.wait_for_selector('.tab.active[data-resource-name="mysql.shop.yaml"]')

    editor.until(lambda: "As on the invoice" in editor.text(), editor.text)
    editor.screenshot(pictures / "discovery-schema-view.png")


def test_a_step_is_begun_from_a_table_of_the_tree(editor: EditorPage, pictures: Path) -> None:
    discover(editor)
    editor.expand("@mysql.shop")

    row = editor.tree_row("customers")
    row.hover()
    row.get_by_role("button", name="New Step from Table").click()

    editor.until(lambda: "- id: extract-customers" in editor.text(), editor.text)
    assert "table: customers" in editor.text()
    editor.screenshot(pictures / "discovery-new-step.png")


def test_the_tables_that_pipelines_use_are_locked_in_a_file_to_commit(editor: EditorPage, pictures: Path) -> None:
    discover(editor)

    editor.run_command("Osiris: Lock Schema (osiris.schema.json)")

    file = editor.folder / "osiris.schema.json"
    editor.until(file.is_file, lambda: f"{file} was not written")
    locked = json.loads(file.read_text())["connections"]["@mysql.shop"]
    assert sorted(locked["tables"]) == ["customers", "orders"]
    message = editor.notification("are written to osiris.schema.json")
    message.get_by_role("button", name="Open").click()
    editor.until(lambda: '"schema_version"' in editor.text(), editor.text)
    editor.screenshot(pictures / "discovery-locked.png")


def test_a_database_that_is_gone_is_named_with_the_cause_and_tried_again_from_the_tree(
    editor: EditorPage, pictures: Path
) -> None:
    connections = editor.folder / "osiris_connections.yaml"
    right = connections.read_text()
    connections.write_text(re.sub(r"port: \d+", "port: 9", right))
    editor.open_file(ORDERS)
    editor.wait_until_served()
    editor.run_command("Osiris: Discover")
    editor.notification("May Osiris connect to @mysql.shop").get_by_role("button", name="Connect").click()

    editor.notification("@mysql.shop could not be read").wait_for()

    editor.open_tree()
    editor.until(lambda: "could not be read" in " ".join(editor.tree()), lambda: f"tree: {editor.tree()}")
    editor.screenshot(pictures / "discovery-failed.png")
    connections.write_text(right)
    editor.expand("@mysql.shop")
    editor.tree_row("try again").click()
    editor.notification("May Osiris connect to @mysql.shop").get_by_role("button", name="Connect").click()
    editor.until(lambda: "orders table" in editor.tree(), lambda: f"tree: {editor.tree()}")


def test_a_pipeline_whose_database_is_not_known_offers_to_read_it(offering: EditorPage, pictures: Path) -> None:
    offering.open_file(ORDERS)

    question = offering.notification("May Osiris connect to @mysql.shop")
    question.hover()
    offering.screenshot(pictures / "discovery-offered.png")
    question.get_by_role("button", name="Connect").click()

    offering.wait_for_squiggle("ordres")


def test_who_does_not_agree_is_connected_to_nothing(editor: EditorPage) -> None:
    editor.open_file(ORDERS)
    editor.wait_until_served()
    editor.run_command("Osiris: Discover")

    editor.notification("May Osiris connect to @mysql.shop").get_by_role("button", name="Not now").click()

    editor.notification("May Osiris connect to @mysql.shop").wait_for(state="hidden")
    editor.open_tree()
    editor.until(lambda: editor.tree() == ["@mysql.shop not read yet"], lambda: f"tree: {editor.tree()}")


def test_restricted_mode_shows_connections_and_reads_nothing(
    databases: Path, restricted_vscode: code_server.CodeServer, page: Page, pictures: Path
) -> None:
    editor = EditorPage(page, restricted_vscode, databases)
    editor.open_file(ORDERS)
    editor.wait_until_served()

    editor.open_tree()
    message = editor.page.get_by_text("Discovery is off in Restricted Mode").first
    message.wait_for()
    editor.until(lambda: editor.tree() == ["@mysql.shop not read yet"], lambda: f"tree: {editor.tree()}")
    assert "Osiris: Discover" not in editor.commands("Osiris: ")
    editor.screenshot(pictures / "discovery-restricted.png")
