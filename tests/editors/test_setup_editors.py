"""What cannot be installed is named in one line, and stops a build only under CI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "setup_editors.py"


def run_without_any_program(folder: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(folder), "CI": ci}
    return subprocess.run(
        [sys.executable, str(SCRIPT), "neovim"], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("ci", "exit_code"), [("", 0), ("true", 1)])
def test_a_missing_tool_is_one_line_and_fails_under_ci(tmp_path: Path, ci: str, exit_code: int) -> None:
    done = run_without_any_program(tmp_path, ci=ci)

    assert done.returncode == exit_code
    assert done.stderr == (
        "editors: neovim could not be installed, so the Neovim tests cannot run: "
        "there is no apt-get here; install neovim with your system's package manager\n"
    )
    assert done.stdout == ""


def test_an_unknown_tool_is_refused_with_the_known_ones() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "vi"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("unknown tool 'vi'; known are: neovim, chromium, node")
