"""Discovery in Neovim: the question, a column completed inside SQL, the definition of a table."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from neovim import drive

pytestmark = pytest.mark.editor

PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: paid
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      query: SELECT o. FROM orders o
  - id: orders
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: orders
"""

# What the user sees and types at the prompt of Neovim.
ANSWERING = """
local asked = {}
vim.fn.inputlist = function(lines) table.insert(asked, lines); return 1 end
local function discover()
  vim.lsp.buf.execute_command({ command = 'osiris.discover', arguments = { vim.uri_from_bufnr(0) } })
end
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db, db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, amount DECIMAL(12, 2) NOT NULL, note TEXT)")
    (tmp_path / "osiris_connections.yaml").write_text("connections:\n  sqlite:\n    shop: {path: shop.db}\n")
    (tmp_path / "totals.oml.yaml").write_text(PIPELINE)
    return tmp_path


def test_a_column_is_completed_inside_sql_after_consent(nvim: Path, folder: Path) -> None:
    asked, before, after = drive(
        nvim,
        folder,
        ANSWERING
        + """
        local function columns()
          local found = ask('textDocument/completion', place(8, 22))
          local items = vim.lsp.util.text_document_completion_list_to_complete_items(found, '')
          return vim.tbl_map(function(item) return item.word end, items)
        end
        wait('the server', ready)
        local before = columns()
        discover()
        wait('the columns', function() return vim.tbl_contains(columns(), 'amount') end)
        report(asked)
        report(before)
        report(columns())
        """,
    )

    assert len(asked) == 1
    said = " ".join(asked[0])
    assert "connect to @sqlite.shop" in said
    assert "path shop.db" in said
    assert "1. Connect" in said
    assert "amount" not in before
    assert after[:3] == ["id", "amount", "note"]


def test_the_definition_of_a_table_opens_a_file_that_cannot_be_changed(nvim: Path, folder: Path) -> None:
    [name, line, read_only] = drive(
        nvim,
        folder,
        ANSWERING
        + """
        wait('the server', ready)
        discover()
        vim.api.nvim_win_set_cursor(0, { 15, 15 })
        wait('the definition', function()
          local found = ask('textDocument/definition', place(14, 15))
          return found and (found.uri or found[1])
        end)
        vim.lsp.buf.definition()
        wait('the schema', function() return vim.api.nvim_buf_get_name(0):find('sqlite.shop.yaml') end)
        report(vim.api.nvim_buf_get_name(0))
        report(vim.api.nvim_get_current_line())
        report(vim.bo.readonly)
        """,
    )

    assert stat.S_IMODE(Path(name).stat().st_mode) == 0o444
    assert line.strip().startswith("orders:")
    assert read_only is True


def test_opening_a_pipeline_asks_nothing(nvim: Path, folder: Path) -> None:
    [asked] = drive(
        nvim,
        folder,
        ANSWERING
        + """
        wait('the server', ready)
        vim.wait(2500)
        report(#asked)
        """,
    )

    assert asked == 0
