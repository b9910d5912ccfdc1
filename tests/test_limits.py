"""A test that never ends is ended, and named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """\
import limits
limits._GRACE_SECONDS = 1.0

def pytest_configure(config):
    limits.register(config)
"""
STUCK = """\
import time, pytest

@pytest.fixture
def stuck():
    yield
    time.sleep(600)

def test_with_a_teardown_that_never_ends(stuck):
    assert 1 == 2
"""


@pytest.mark.without_traps
def test_a_test_that_fails_and_then_never_ends_its_teardown_is_named_and_ended(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_stuck.py").write_text(STUCK)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1", "--timeout", "1"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OSIRIS_TESTS_WITHIN": ""}

    done = subprocess.run(
        [*command, "--max-worker-restart", "0"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    name = "test_stuck.py::test_with_a_teardown_that_never_ends"
    assert f"failed in its call: {name}\n    assert 1 == 2" in done.stderr
    assert "in stuck" in done.stderr  # the stacks
    assert f"crashed while running '{name}'" in done.stdout
