"""What is written for other tools, against the public schemas of their formats."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from editors.requirement import require
from editors.setup_editors import SCHEMAS
from osiris.syntax.code_examples import EXAMPLES

Osiris = Callable[..., subprocess.CompletedProcess[str]]
REPOSITORY = Path(__file__).parents[2]
GITLAB_CI = "gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json"
JOBS = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs/ci.md").read_text("utf-8"), re.DOTALL)


def schema(name: str) -> Any:
    require(SCHEMAS.is_dir(), "the public JSON Schemas (schemastore)")
    return json.loads((SCHEMAS / name).read_text("utf-8"))


def plain(text: str) -> Any:
    """YAML as the services read it: the key ``on`` is no boolean to them."""
    read = yaml.safe_load(text)
    if isinstance(read, dict) and True in read:
        read["on"] = read.pop(True)
    return read


@pytest.fixture
def findings(osiris: Osiris, project: Path) -> Callable[[str], Any]:
    """Every pipeline of the diagnostics page as a file of one project, validated in a layout; the JSON it prints."""
    for code, text in EXAMPLES.items():
        if text and not text.startswith("# ."):
            (project / f"pipelines/{code}.oml.yaml").write_text(text, encoding="utf-8")

    def run(layout: str) -> Any:
        done = osiris("validate", "--format", layout)
        assert done.returncode == 1
        return json.loads(done.stdout)

    return run


def test_sarif_fits_the_standard_2_1_0(findings: Callable[[str], Any]) -> None:
    report = findings("sarif")

    jsonschema.validate(report, schema("sarif-2.1.0.json"))
    assert len(report["runs"][0]["results"]) > len(EXAMPLES) / 2


def test_the_report_for_gitlab_fits_code_climate(findings: Callable[[str], Any]) -> None:
    issues = findings("gitlab")

    jsonschema.validate(issues, {"type": "array", "items": CODE_QUALITY})
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


# As GitLab's documentation of the Code Quality report says; the schema of Code Climate is about its settings file.
CODE_QUALITY = {
    "type": "object",
    "required": ["description", "check_name", "fingerprint", "severity", "location"],
    "properties": {
        "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
        "location": {
            "required": ["path"],
            "anyOf": [
                {"properties": {"lines": {"required": ["begin"]}}, "required": ["lines"]},
                {"properties": {"positions": {"required": ["begin"]}}, "required": ["positions"]},
            ],
        },
    },
}


def test_the_job_for_github_is_a_workflow() -> None:
    jsonschema.validate(plain(JOBS[0]), schema("github-workflow.json"))


def test_the_job_for_gitlab_is_one() -> None:
    jsonschema.validate(plain(JOBS[2]), schema(GITLAB_CI))


def test_the_hooks_are_hooks_of_pre_commit_and_the_page_uses_them_rightly() -> None:
    hooks = plain((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))

    jsonschema.validate(hooks, schema("pre-commit-hooks.json"))
    jsonschema.validate(plain(JOBS[3]), schema("pre-commit-config.json"))
