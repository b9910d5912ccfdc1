"""Neovim, headless, as a user has it: with the snippet of docs/neovim.md and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.editor

SNIPPET = Path(__file__).parents[2] / "docs" / "neovim.md"
PIPELINE = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: numbers
    component: filesystem.csv_extractor
    mode: raed
    config:
      path: numbers.csv
  - id: large
    component: duckdb.processor
    mode: transform
    needs: [numbers]
    config:
      query: SELECT n FROM df_numbers WHERE n > 1
  - id: write
    component: filesystem.csv_writer
    mode: write
    config:
      path: large.csv
"""

PRELUDE = """
local function report(value) io.stdout:write('REPORT ' .. vim.json.encode(value) .. '\\n') end
local function wait(what, condition)
  if not vim.wait(20000, condition, 20) then error('waited in vain for ' .. what) end
end
local function place(line, character)
  return { textDocument = vim.lsp.util.make_text_document_params(), position = { line = line, character = character } }
end
local function ask(method, params)
  for _, answer in pairs(vim.lsp.buf_request_sync(0, method, params, 20000)) do
    if answer.error then error(vim.inspect(answer.error)) end
    return answer.result
  end
end
local function errors()
  return vim.diagnostic.get(0, { severity = vim.diagnostic.severity.ERROR })
end
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "totals.oml.yaml").write_text(PIPELINE)
    return tmp_path


def drive(nvim: Path, folder: Path, script: str) -> list[Any]:
    """Open the pipeline in Neovim with the documented snippet, run Lua, return what it reported."""
    snippet = re.findall(r"```lua\n(.*?)```", SNIPPET.read_text(), re.DOTALL)[0]
    command = f"cmd = {{ '{sys.executable}', '-m', 'osiris', 'lsp' }}"
    snippet, replaced = re.subn(re.escape("cmd = { 'osiris', 'lsp' }"), lambda _: command, snippet)
    assert replaced == 1
    driver = folder / "driver.lua"
    body = f"vim.cmd('edit totals.oml.yaml')\n{PRELUDE}\n{script}"
    driver.write_text(
        f"{snippet}\nlocal ok, problem = pcall(function()\n{body}\nend)\n"
        "if not ok then io.stdout:write('PROBLEM ' .. tostring(problem) .. '\\n') end\n"
        "vim.lsp.stop_client(vim.lsp.get_active_clients())\nvim.cmd('qall!')\n"
    )
    done = subprocess.run(
        [nvim, "--headless", "--clean", "-n", "-S", str(driver)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "PROBLEM" not in done.stdout, done.stdout + done.stderr
    return [json.loads(line.removeprefix("REPORT ")) for line in done.stdout.splitlines() if line.startswith("REPORT ")]


def test_a_mistake_is_shown_and_mended_by_its_fix(nvim: Path, folder: Path) -> None:
    shown, fixes, line, left = drive(
        nvim,
        folder,
        """
        wait('the finding', function() return #errors() == 1 end)
        local d = errors()[1]
        report({ line = d.lnum, from = d.col, to = d.end_col, code = d.code, source = d.source })
        vim.api.nvim_win_set_cursor(0, { d.lnum + 1, d.col })
        local params = vim.lsp.util.make_range_params()
        params.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics() }
        local actions = ask('textDocument/codeAction', params)
        report(vim.tbl_map(function(action) return action.title end, actions))
        vim.lsp.util.apply_workspace_edit(actions[1].edit, 'utf-16')
        report(vim.api.nvim_buf_get_lines(0, 5, 6, false)[1])
        wait('the finding to go', function() return #errors() == 0 end)
        report(#errors())
        """,
    )

    assert shown == {"line": 5, "from": 10, "to": 14, "code": "OML125", "source": "osiris"}
    assert len(fixes) == 1
    assert line == "    mode: read"
    assert left == 0


def test_hover_completion_and_outline(nvim: Path, folder: Path) -> None:
    hover, words, outline = drive(
        nvim,
        folder,
        """
        wait('the server', function() return #errors() == 1 end)
        report(ask('textDocument/hover', place(9, 20)).contents.value)
        vim.api.nvim_buf_set_lines(0, 10, 10, false, { '    ' })
        local found = ask('textDocument/completion', place(10, 4))
        local items = vim.lsp.util.text_document_completion_list_to_complete_items(found, '')
        report(vim.tbl_map(function(item) return item.word end, items))
        local names = {}
        local steps = ask('textDocument/documentSymbol', { textDocument = place(0, 0).textDocument })[1]
        for _, symbol in ipairs(steps.children) do
          table.insert(names, symbol.name .. ': ' .. symbol.detail)
        end
        report(names)
        """,
    )

    assert "SQL transformation" in hover
    assert {"inputs:", "retry: "} <= {word.split("\n")[0] for word in words}
    assert outline[1] == "large: duckdb.processor · transform"


def test_a_run_reports_its_progress_and_its_log(nvim: Path, folder: Path) -> None:
    (folder / "totals.oml.yaml").write_text(PIPELINE.replace("raed", "read"))

    run, kinds, lines = drive(
        nvim,
        folder,
        """
        local kinds, lines = {}, {}
        vim.lsp.handlers['$/progress'] = function(_, params) table.insert(kinds, params.value.kind) end
        vim.lsp.handlers['window/logMessage'] = function(_, params) table.insert(lines, params.message) end
        wait('the server', function() return #vim.lsp.buf_get_clients(0) > 0 end)
        report(ask('workspace/executeCommand', { command = 'osiris.run', arguments = { vim.uri_from_bufnr(0) } }))
        wait('the end of the run', function() return kinds[#kinds] == 'end' end)
        report(kinds)
        report(lines)
        """,
    )

    assert run["runId"].startswith("run_")
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert "totals.oml.yaml: large: started" in lines
    assert (folder / "large.csv").read_text() == "n\n2\n3\n"


def test_the_tab_key_indents_by_two_spaces(nvim: Path, folder: Path) -> None:
    [line] = drive(
        nvim,
        folder,
        """
        vim.cmd([[execute "normal! Go\\<C-u>\\<Tab>x"]])
        report(vim.api.nvim_get_current_line())
        """,
    )

    assert line == "  x"


def test_saving_compiles(nvim: Path, folder: Path) -> None:
    drive(
        nvim,
        folder,
        """
        wait('the finding', function() return #errors() == 1 end)
        vim.api.nvim_buf_set_lines(0, 5, 6, false, { '    mode: read' })
        vim.cmd('silent write')
        wait('the manifest', function() return vim.fn.filereadable('build/totals/manifest.json') == 1 end)
        """,
    )

    assert json.loads((folder / "build/totals/manifest.json").read_text())["pipeline"]["name"] == "totals"
