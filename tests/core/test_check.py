"""The one way to ask whether a pipeline is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from osiris.core.check import Checker, check_text
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.project import Project

PIPELINE = """\
oml_version: "0.1.0"
name: orders
params:
  rows: {type: integer, minimum: 1, default: 5}
profiles:
  small: {params: {rows: 1}}
steps:
  - {id: a, component: filesystem.csv_extractor, mode: read, config: {path: a.csv, limit: "${params.rows}"}}
  - {id: b, component: filesystem.csv_writer, mode: write, config: {path: b.csv, connection: "@filesystem.out"}}
"""


def codes(text: str = PIPELINE, project: Project | None = None, **options: object) -> list[str]:
    options.setdefault("environ", {})
    return [finding.code for finding in check_text(text, project, **options).diagnostics]  # type: ignore[arg-type]


def test_outside_a_project_only_the_text_counts() -> None:
    assert codes() == ["OML324"]


def test_in_a_project_its_files_and_connections_count(tmp_path: Path) -> None:
    (tmp_path / "osiris_connections.yaml").write_text("connections: {filesystem: {other: {base_dir: x}}}\n")
    assert codes(project=Project(tmp_path)) == ["OML330", "OML321"]


def test_severities_of_the_project_count(tmp_path: Path) -> None:
    (tmp_path / "osiris.yaml").write_text("diagnostics: {severity: {OML324: off, OML330: off}}\n")
    assert codes(project=Project(tmp_path)) == []


def test_the_file_itself_is_not_another_pipeline_of_its_name(tmp_path: Path) -> None:
    for name in ("a.oml", "b.oml"):
        (tmp_path / name).write_text(PIPELINE)
    project = Project(tmp_path)
    assert "OML112" in codes(project=project, path=tmp_path / "a.oml")
    (tmp_path / "b.oml").unlink()
    project.invalidate()
    assert "OML112" not in codes(project=project, path=tmp_path / "a.oml")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"params": {"rows": "0"}}, "OML142"),
        ({"params": {"rows": "many"}}, "OML142"),
        ({"params": {"row": "1"}}, "OML146"),
        ({"environ": {"OSIRIS_PARAM_ROWS": "0"}}, "OML142"),
        ({"profile": "large"}, "OML145"),
    ],
)
def test_values_from_outside_are_checked(options: dict[str, object], code: str) -> None:
    assert code in codes(**options)


def test_the_env_file_gives_values_and_may_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OSIRIS_PARAM_ROWS=0\n")
    assert "OML142" in codes(project=Project(tmp_path))
    (tmp_path / ".env").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigurationError, match=r"\.env is not a text file"):
        codes(project=Project(tmp_path))


def test_a_checker_finds_the_same_as_a_fresh_look(tmp_path: Path) -> None:
    project = Project(tmp_path)
    checker = Checker(project.environment("a.oml"))
    for end in range(0, len(PIPELINE), 7):
        text = PIPELINE[:end] + PIPELINE[end + 3 :]
        fresh = check_text(text, project, "a.oml", environ={})
        assert checker.check(text, environ={}).diagnostics == fresh.diagnostics
