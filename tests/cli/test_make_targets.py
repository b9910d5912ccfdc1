"""The scripts behind the make targets: what they say when they cannot go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def test_make_alone_lists_the_targets():
    done = subprocess.run(["make", "--no-print-directory"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0
    for target in ("demo", "editor", "check", "test", "bench", "soak"):
        assert f"make {target} " in done.stdout


def test_a_python_that_is_too_old_or_none_is_named():
    env = {**os.environ, "PYTHON": "/bin/false"}
    done = subprocess.run([REPOSITORY / "scripts/find-python"], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: PYTHON=/bin/false is not a Python 3.11 or later.\n"


@pytest.mark.without_traps
def test_a_machine_without_any_python_gets_one_clear_line(tmp_path):
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts/find-python"
    script.write_bytes((REPOSITORY / "scripts/find-python").read_bytes())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(["/bin/sh", script], env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Osiris needs Python 3.11 or later, and none was found.")
    assert done.stderr.count("\n") == 1


@pytest.mark.without_traps
def test_a_python_without_ensurepip_gets_one_clear_line(tmp_path):
    without = tmp_path / "python"
    without.write_text(f'#!/bin/sh\ncase "$*" in *venv*|*ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    without.chmod(0o755)
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/setup_venv.py", "pyproject.toml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    code = (
        "import runpy, sys\n"
        f"sys.executable, sys.argv = {str(without)!r}, ['setup_venv.py', 'run']\n"
        "runpy.run_path('scripts/setup_venv.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot make virtual environments, since its module ensurepip is missing" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()
