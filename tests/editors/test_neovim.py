"""Neovim, headless, as a user has it: with the snippet of docs/neovim.md and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model_double import Says, model_double

pytestmark = pytest.mark.editor

OSIRIS = Path(sys.executable).with_name("osiris")
NODE = Path(__file__).parents[2] / ".tools" / "bin"
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
local function ready()
  for _, client in pairs(vim.lsp.buf_get_clients(0)) do if client.initialized then return true end end
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


def snippets() -> list[str]:
    """What docs/neovim.md says is to be put into ``init.lua``; the first one is for the Neovim that is tested."""
    return re.findall(r"```lua\n(.*?)```", SNIPPET.read_text(), re.DOTALL)


def drive(nvim: Path, folder: Path, script: str, *, before: str = "") -> list[Any]:
    """Open the pipeline in Neovim with the documented snippet, run Lua, return what it reported.

    ``before`` stands in front of the snippet: what else the user has.
    """
    snippet = before + snippets()[0]
    driver = folder / "driver.lua"
    body = f"vim.cmd('edit totals.oml.yaml')\n{PRELUDE}\n{script}"
    (folder / "init.lua").write_text(snippet)
    driver.write_text(
        f"local ok, problem = pcall(function()\n{body}\nend)\n"
        "if not ok then io.stdout:write('PROBLEM ' .. tostring(problem) .. '\\n') end\n"
        "vim.lsp.stop_client(vim.lsp.get_active_clients())\nvim.cmd('qall!')\n"
    )
    done = subprocess.run(
        [nvim, "--headless", "-u", "init.lua", "-i", "NONE", "-n", "-S", str(driver)],
        cwd=folder,
        env={**os.environ, "PATH": f"{OSIRIS.parent}{os.pathsep}{NODE}{os.pathsep}{os.environ['PATH']}"},
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


def test_a_run_opens_a_split_that_follows_it(nvim: Path, folder: Path) -> None:
    [windows, text, name] = drive(
        nvim,
        folder,
        """
        vim.api.nvim_buf_set_lines(0, 5, 6, false, { '    mode: read' })
        vim.cmd('OsirisRun')
        local function said() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n') end
        wait('the end of the run', function() return said():find('\\nsucceeded') end)
        report(#vim.api.nvim_list_wins()); report(said()); report(vim.api.nvim_buf_get_name(0))
        """,
    )

    assert windows == 2
    assert name.startswith("term://")
    assert "goes on when this ends" in text
    assert "done    large" in text
    assert (folder / "large.csv").read_text() == "n\n2\n3\n"


def test_what_a_conversation_in_a_split_has_saved_is_in_the_buffer(
    nvim: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mended = PIPELINE.replace("raed", "read")
    (folder / "init.lua").write_text(snippets()[0] + snippets()[2])
    monkeypatch.setenv("OSIRIS_AI_PROVIDER", "openai")
    monkeypatch.setenv("OSIRIS_AI_MODEL", "double-1")
    with model_double(
        Says("Here.", [("propose_pipeline", {"oml": mended, "summary": "The mode is mended."})])
    ) as double:
        monkeypatch.setenv("OSIRIS_AI_BASE_URL", double.url)
        with typed([str(nvim), "-u", "init.lua", "-i", "NONE", "-n", "totals.oml.yaml"], folder) as keys:
            keys(":OsirisChat\r")
            keys("Mend it\r/save\r")
            wait_until(lambda: (folder / "totals.oml.yaml").read_text() == mended)
            keys("\x1c\x0e\x17p")  # out of the terminal, to the window of before
            keys(":w! copy.txt\r")
            wait_until(lambda: (folder / "copy.txt").exists() and (folder / "copy.txt").read_text() == mended)


@contextlib.contextmanager
def typed(command: list[str], folder: Path) -> Iterator[Callable[[str], None]]:
    """A program on a terminal of its own; what is called presses keys there."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    env = {**os.environ, "PATH": f"{OSIRIS.parent}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)

    def press(keys: str) -> None:
        os.write(mine, keys.encode())

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(mine, 65_536):
                pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield press
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        reader.join(10)
        os.close(mine)


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)


def test_go_to_definition_references_and_rename(nvim: Path, folder: Path) -> None:
    [line, places, text] = drive(
        nvim,
        folder,
        """
        local function act(name, ...)
          local before = vim.b.changedtick .. vim.inspect(vim.fn.getcurpos()) .. #vim.fn.getqflist()
          vim.lsp.buf[name](...)
          wait(name, function()
            return before ~= vim.b.changedtick .. vim.inspect(vim.fn.getcurpos()) .. #vim.fn.getqflist()
          end)
        end
        wait('the server', function() return #errors() == 1 end)
        vim.api.nvim_win_set_cursor(0, { 14, 30 })
        act('definition')
        report(vim.fn.line('.'))
        act('references')
        local places = {}
        for _, item in ipairs(vim.fn.getqflist()) do table.insert(places, item.lnum) end
        report(places)
        vim.cmd('cclose')
        vim.api.nvim_win_set_cursor(0, { 4, 10 })
        act('rename', 'all-numbers')
        report(vim.api.nvim_buf_get_lines(0, 0, -1, false))
        """,
    )

    assert line == 4
    assert places == [4, 12, 14]
    assert "  - id: all-numbers" in text
    assert "    needs: [all-numbers]" in text
    assert "      query: SELECT n FROM df_all_numbers WHERE n > 1" in text


def test_a_document_is_formatted(nvim: Path, folder: Path) -> None:
    (folder / "totals.oml.yaml").write_text(PIPELINE.replace("mode: raed", "mode:   read   ").replace("[n", "[ n"))
    [text] = drive(
        nvim,
        folder,
        """
        wait('the server', ready)
        vim.lsp.buf.formatting_sync(nil, 20000)
        report(table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n') .. '\\n')
        """,
    )

    assert text == PIPELINE.replace("raed", "read")


def test_a_code_lens_runs_the_pipeline(nvim: Path, folder: Path) -> None:
    (folder / "totals.oml.yaml").write_text(PIPELINE.replace("raed", "read"))
    [titles] = drive(
        nvim,
        folder,
        """
        wait('the server', ready)
        vim.lsp.codelens.refresh()
        wait('the lenses', function()
          for _, lens in ipairs(vim.lsp.codelens.get(0)) do if not lens.command then return false end end
          return #vim.lsp.codelens.get(0) > 0
        end)
        local titles = {}
        for _, lens in ipairs(vim.lsp.codelens.get(0)) do table.insert(titles, lens.command.title) end
        report(titles)
        vim.ui.select = function(items, _, choose)
          for index, item in ipairs(items) do
            if item.lens.command.title == titles[1] then return choose(item, index) end
          end
        end
        vim.api.nvim_win_set_cursor(0, { vim.lsp.codelens.get(0)[1].range.start.line + 1, 0 })
        vim.lsp.codelens.run()
        wait('the end of the run', function() return vim.fn.filereadable('large.csv') == 1 end)
        """,
    )

    assert "Run" in titles[0]
    assert any("to here" in title for title in titles)


def test_completion_inserts_what_was_chosen(nvim: Path, folder: Path) -> None:
    [text] = drive(
        nvim,
        folder,
        """
        wait('the server', function() return #errors() == 1 end)
        vim.api.nvim_buf_set_lines(0, 5, 6, false, { '    mode: ' })
        vim.api.nvim_win_set_cursor(0, { 6, 9 })
        vim.opt.completeopt = { 'menuone' }
        vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('A<C-x><C-o>', true, false, true), 'n', false)
        vim.defer_fn(function() end, 1)
        local words
        vim.fn.timer_start(100, function()
          if vim.fn.pumvisible() == 1 and not words then
            words = true
            vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('<C-y><Esc>', true, false, true), 'n', false)
          end
        end, { ['repeat'] = 100 })
        vim.api.nvim_feedkeys('', 'x!', false)
        wait('the choice', function() return vim.api.nvim_buf_get_lines(0, 5, 6, false)[1] ~= '    mode: ' end)
        report(vim.api.nvim_buf_get_lines(0, 5, 6, false)[1])
        """,
    )

    assert text == "    mode: read"


YAML_SERVER = """
vim.api.nvim_create_autocmd('FileType', { pattern = 'yaml', callback = function(event)
  local id = vim.lsp.start_client({ name = 'yamlls', cmd = { '%s', '--stdio' } })
  vim.lsp.buf_attach_client(event.buf, id)
end })
"""


def test_the_yaml_server_attaches_to_other_yaml_and_not_to_pipelines(
    nvim: Path, yaml_language_server: Path, folder: Path
) -> None:
    (folder / "plain.yaml").write_text("a: 1\n")
    (folder / "old.yaml").write_text(PIPELINE)
    attached = drive(
        nvim,
        folder,
        """
        local function names()
          local found = {}
          for _, client in pairs(vim.lsp.buf_get_clients(0)) do table.insert(found, client.name) end
          return found
        end
        for _, file in ipairs({ 'totals.oml.yaml', 'old.yaml', 'plain.yaml' }) do
          vim.cmd('edit! ' .. file)
          wait('a server for ' .. file, function() return #names() > 0 end)
          report({ file, names() })
        end
        """,
        before=YAML_SERVER % yaml_language_server,
    )

    assert attached == [["totals.oml.yaml", ["osiris"]], ["old.yaml", ["osiris"]], ["plain.yaml", ["yamlls"]]]


def test_the_snippet_has_at_most_15_lines() -> None:
    assert len(snippets()[0].splitlines()) <= 15


def test_files_that_are_opened_at_once_share_one_server(nvim: Path, folder: Path) -> None:
    (folder / "second.oml").write_text(PIPELINE)
    [count] = drive(
        nvim,
        folder,
        """
        vim.cmd('edit second.oml')
        vim.cmd('edit totals.oml.yaml')
        wait('the server', ready)
        vim.wait(1000)
        report(#vim.lsp.get_active_clients())
        """,
    )

    assert count == 1


def test_the_connections_file_is_checked_and_completed(nvim: Path, folder: Path) -> None:
    (folder / "osiris_connections.yaml").write_text("connections:\n  sqlite:\n    shop: {pth: shop.db}\n")
    [code, labels] = drive(
        nvim,
        folder,
        """
        vim.cmd('edit osiris_connections.yaml')
        wait('the findings', function() return #errors() > 0 end)
        report(errors()[1].code)
        local found = ask('textDocument/completion', place(2, 11))
        report(vim.tbl_map(function(item) return item.label end, found.items))
        """,
    )

    assert code.startswith("OML")
    assert "path" in labels
