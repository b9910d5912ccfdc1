"""Pipelines are compiled and run from Neovim, here and in sandboxes, and talked about in a split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from neovim import PIPELINE, drive, snippets, typed, wait_until

from e2b_double import E2BDouble
from model_double import Says, model_double

pytestmark = pytest.mark.editor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "totals.oml.yaml").write_text(PIPELINE)
    return tmp_path


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


@pytest.fixture
def key(sandboxes: E2BDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user who may have sandboxes has in the environment."""
    for name, value in sandboxes.settings.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("key")
def test_a_run_in_a_sandbox_is_followed_in_a_split(nvim: Path, folder: Path, sandboxes: E2BDouble) -> None:
    (folder / "totals.oml.yaml").write_text(PIPELINE.replace("raed", "read"))
    before = len(sandboxes.boxes)
    [text] = drive(
        nvim,
        folder,
        """
        vim.cmd('OsirisRun --target e2b')
        local function said() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n') end
        wait('the end of the run', function() return said():find('\\nsucceeded') end)
        report(said())
        """,
    )

    assert "done    large" in text
    assert (folder / "large.csv").read_text() == "n\n2\n3\n"
    assert len(sandboxes.boxes) == before + 1
    assert sandboxes.running() == []


@pytest.mark.usefixtures("key")
def test_a_run_in_a_sandbox_is_cancelled(nvim: Path, folder: Path, sandboxes: E2BDouble) -> None:
    endless = PIPELINE.replace("raed", "read").replace("WHERE n > 1", ", range(1000000000000) WHERE n + range < 0")
    (folder / "totals.oml.yaml").write_text(endless)
    [last] = drive(
        nvim,
        folder,
        """
        local lines, kinds = {}, {}
        vim.lsp.handlers['$/progress'] = function(_, params) table.insert(kinds, params.value.kind) end
        vim.lsp.handlers['window/logMessage'] = function(_, params) table.insert(lines, params.message) end
        local function said() return table.concat(lines, '\\n') end
        wait('the server', function() return #vim.lsp.buf_get_clients(0) > 0 end)
        local where = { uri = vim.uri_from_bufnr(0), target = 'e2b' }
        ask('workspace/executeCommand', { command = 'osiris.run', arguments = { where } })
        wait('the endless step', function() return said():find('large: started') end)
        ask('workspace/executeCommand', { command = 'osiris.cancelRun' })
        wait('the end of the run', function() return kinds[#kinds] == 'end' end)
        report(lines[#lines])
        """,
    )

    assert "cancelled" in last
    assert not (folder / "large.csv").exists()
    assert sandboxes.running() == []
