"""The jobs of docs/ci.md and the hooks of .pre-commit-hooks.yaml, run as they are written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
BLOCKS = [
    yaml.safe_load(block)
    for block in re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs/ci.md").read_text("utf-8"), re.DOTALL)
]
GITHUB, SARIF_STEPS, GITLAB, PRE_COMMIT = BLOCKS
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def wrong(project: Path) -> None:
    path = project / "pipelines/orders.oml.yaml"
    path.write_text(path.read_text().replace("      path: data", "      pth:   data"))


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a job in a shell in which ``osiris`` is the one under test."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def lines_of(steps: list[Any]) -> list[str]:
    """The lines that call osiris: ``run:`` of GitHub's steps, the lines of GitLab's script."""
    lines = [step.get("run", "") if isinstance(step, dict) else step for step in steps]
    return [line for line in lines if line.startswith("osiris ")]


@pytest.mark.parametrize(
    "steps",
    [GITHUB["jobs"]["osiris"]["steps"], SARIF_STEPS, GITLAB["osiris"]["script"]],
    ids=["github", "sarif", "gitlab"],
)
def test_a_job_passes_on_a_good_project_and_fails_on_a_wrong_one(project: Path, steps: list[Any]) -> None:
    assert lines_of(steps)
    for line in lines_of(steps):
        assert run(line, project).returncode == 0, line
    wrong(project)
    for line in lines_of(steps):
        assert run(line, project).returncode == 1, line


def test_the_reports_are_where_the_jobs_look_for_them(project: Path) -> None:
    wrong(project)
    for line in (*lines_of(SARIF_STEPS), *lines_of(GITLAB["osiris"]["script"])):
        run(line, project)

    sarif = SARIF_STEPS[1]["with"]["sarif_file"]
    quality = GITLAB["osiris"]["artifacts"]["reports"]["codequality"]
    assert json.loads((project / sarif).read_text())["version"] == "2.1.0"
    assert [one["check_name"] for one in json.loads((project / quality).read_text())] == ["OML201", "OML202"]


def test_the_job_of_gitlab_shows_people_what_its_report_says(project: Path) -> None:
    wrong(project)
    [line, _] = lines_of(GITLAB["osiris"]["script"])

    assert "pipelines/orders.oml.yaml:8:7: error OML202" in run(line, project).stdout


def test_the_hooks_of_the_page_are_there() -> None:
    assert {hook["id"] for repo in PRE_COMMIT["repos"] for hook in repo["hooks"]} == set(HOOKS)
    for hook in HOOKS.values():
        assert hook["language"] == "python", "pre-commit installs the package of this repository"


@pytest.mark.parametrize(
    ("name", "looked_at"),
    [
        ("a.oml", True),
        ("deep/b.oml.yaml", True),
        ("deep/b.oml.yml", True),
        ("osiris.yaml", True),
        ("sub/osiris_connections.yaml", True),
        ("compose.yaml", False),
        ("not-osiris.yaml", False),
        ("a.oml.txt", False),
    ],
)
def test_the_hooks_look_at_pipelines_and_settings(name: str, looked_at: bool) -> None:
    for hook in HOOKS.values():
        assert (re.search(hook["files"], name) is not None) is looked_at


def committed(project: Path, hook: dict[str, Any]) -> list[str]:
    """The files of a new git repository that the hook is given."""
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=project, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if re.search(hook["files"], name)]


def test_the_validate_hook_stops_a_commit_of_a_wrong_pipeline(project: Path) -> None:
    hook = HOOKS["osiris-validate"]
    files = " ".join(committed(project, hook))

    assert run(f"{hook['entry']} {files}", project).returncode == 0
    wrong(project)
    done = run(f"{hook['entry']} {files}", project)
    assert done.returncode == 1
    assert "1 file checked: 2 errors." in done.stdout


def test_the_fmt_hook_formats_and_so_stops_the_commit(project: Path) -> None:
    hook = HOOKS["osiris-fmt"]
    path = project / "pipelines/orders.oml.yaml"
    before = path.read_text()
    path.write_text(before.replace("name: ", "name:   "))

    assert run(f"{hook['entry']} {' '.join(committed(project, hook))}", project).returncode == 0

    assert path.read_text() == before
