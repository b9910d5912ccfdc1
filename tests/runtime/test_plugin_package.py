"""A package that somebody else wrote: built, installed with pip, and its components are there like any other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"
PIPELINE = """\
oml_version: "0.1.0"
name: weather
steps:
  - id: brno
    component: weather.extractor
    mode: read
    config:
      city: Brno
  - id: both
    component: weather.fahrenheit
    mode: transform
    config:
      column: celsius
  - id: hot
    component: duckdb.processor
    mode: transform
    config:
      query: SELECT city, CAST(day AS DATE) AS day, fahrenheit FROM df_both WHERE celsius >= 10 ORDER BY day
  - id: save
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/hot.csv
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of an environment of its own: what the tests have is there, and the plug-in, by pip, offline."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False, symlinks=os.name == "posix")
    python = folder / "venv/bin/python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    (site / "tests.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    source = shutil.copytree(PLUGIN, folder / "source")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--no-input"]
    install = [*pip, "install", "--no-index", "--no-deps", "--no-build-isolation", source]
    done = subprocess.run(install, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240)
    assert done.returncode == 0, done.stderr
    assert (site / "acme_weather-1.2.0.dist-info/entry_points.txt").is_file()
    return python


@pytest.fixture
def osiris(python, project):
    """Runs ``osiris ARGUMENTS`` of that environment in the project."""
    project.write("weather.oml.yaml", PIPELINE)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        options = {"cwd": project.root, "capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
        return subprocess.run([python, "-P", "-m", "osiris", *arguments], timeout=120, **options)

    return run


def test_its_components_run_between_ours(osiris, project):
    done = osiris("run", "weather.oml.yaml", "--format", "json")

    status = json.loads(done.stdout)
    assert (done.returncode, status["state"]) == (0, "succeeded"), done.stderr
    assert project.read("out/hot.csv") == "city,day,fahrenheit\nBrno,2026-01-02,50.0\nBrno,2026-01-03,68.0\n"
    assert status["rows"] == {"brno": 3, "both": 3, "hot": 2, "save": 2}


def test_its_components_are_listed_and_what_is_wrong_with_their_config_is_found(osiris, project):
    project.write("weather.oml.yaml", PIPELINE.replace("city: Brno", "citty: Brno"))

    listed = json.loads(osiris("components", "list", "--format", "json").stdout)
    checked = osiris("validate", "weather.oml.yaml")

    assert {"weather.extractor", "weather.fahrenheit"} <= {component["name"] for component in listed}
    assert checked.returncode == 1
    assert "citty" in checked.stdout
    assert "city" in checked.stdout
