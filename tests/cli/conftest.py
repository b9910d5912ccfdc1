"""The real ``osiris`` command as a process, and a small project to run it in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Osiris = Callable[..., subprocess.CompletedProcess[str]]

GOOD = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      path: data/orders.csv
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/orders.csv
"""


@pytest.fixture
def osiris(project: Path) -> Osiris:
    """Runs ``osiris ARGUMENTS`` in the project; no variable of the tester's own environment changes the result."""

    def run(*arguments: str, cwd: Path = project, env: dict[str, str] | None = None, **options: Any) -> Any:
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("OSIRIS_", "NO_COLOR", "FORCE_COLOR"))}
        variables |= {
            "XDG_CACHE_HOME": str(project.parent / "cache"),
            "OSIRIS_STATE_DIR": str(project.parent / "state"),
        }
        variables |= env or {}
        command = [sys.executable, "-P", "-m", "osiris", *arguments]
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60} | options
        done = subprocess.run(command, cwd=cwd, env=variables, encoding="utf-8", errors="replace", **options)
        assert "Traceback" not in (done.stderr or ""), done.stderr
        assert "Traceback" not in (done.stdout or ""), done.stdout
        return done

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one good pipeline, ``pipelines/orders.oml.yaml``, and its data."""
    root = tmp_path / "project"
    (root / "pipelines").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "osiris.yaml").write_text("# a project\n", encoding="utf-8")
    (root / "pipelines/orders.oml.yaml").write_text(GOOD, encoding="utf-8")
    (root / "data/orders.csv").write_text("id,amount\n1,10.5\n2,20\n", encoding="utf-8")
    return root


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the example shop with its data made."""
    source = Path(__file__).parents[2] / "examples/shop"
    target = tmp_path / "shop"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("build", "logs", "out", "data", ".osiris"))
    subprocess.run([sys.executable, "make_data.py"], cwd=target, check=True, capture_output=True)
    return target
