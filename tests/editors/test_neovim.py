"""What Neovim shows of a pipeline, and how it is changed there."""

from __future__ import annotations

from pathlib import Path

import pytest
from neovim import PIPELINE, drive, snippets

pytestmark = pytest.mark.editor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "totals.oml.yaml").write_text(PIPELINE)
    return tmp_path


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
