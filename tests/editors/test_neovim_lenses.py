"""Code lenses in Neovim: seen above the pipeline, and run by the keys that Neovim has for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from neovim import PIPELINE, drive

pytestmark = pytest.mark.editor


def test_a_lens_runs_the_pipeline_up_to_a_step_and_then_says_how_it_went(nvim: Path, tmp_path: Path) -> None:
    (tmp_path / "osiris.yaml").write_text("{}\n")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "totals.oml.yaml").write_text(PIPELINE.replace("raed", "read"))

    before, after = drive(
        nvim,
        tmp_path,
        """
        local function titles(wanted)
          local found
          wait(wanted, function()
            vim.lsp.codelens.refresh()
            vim.wait(200, function() return false end)
            found = {}
            for _, lens in ipairs(vim.lsp.codelens.get(0)) do
              if lens.command then table.insert(found, lens.range.start.line .. ' ' .. lens.command.title) end
            end
            return vim.tbl_contains(vim.tbl_map(function(title) return title:find(wanted) ~= nil end, found), true)
          end)
          return found
        end
        wait('the server', function() return #vim.lsp.get_active_clients() == 1 end)
        report(titles('^8 ▶ Run to here'))
        vim.api.nvim_win_set_cursor(0, { 9, 0 })
        vim.lsp.codelens.run()
        report(titles('^8 ✓'))
        """,
    )

    assert sorted(before) == ["1 Compile", "1 ▶ Run", "14 ▶ Run to here", "3 ▶ Run to here", "8 ▶ Run to here"]
    assert any(title.startswith("1 ✓ just now") and title.endswith("only to large") for title in after)
    assert not (tmp_path / "large.csv").exists()
