"""Steps stay in the project unless osiris.yaml allows more; check, compile, run and the run's database agree on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from osiris.core.check import check_text
from osiris.core.config import Config
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.project import Project as CheckedProject

PIPELINE = """\
oml_version: 0.1.0
name: copy
steps:
  - {{id: read, component: filesystem.csv_extractor, mode: read, config: {{path: {source}}}}}
  - {{id: write, component: filesystem.csv_writer, mode: write, config: {{path: {target}}}}}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the project, with a file."""
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "in.csv").write_text("a\n1\n")
    return folder


def allow(project: Any, *folders: object) -> None:
    project.write("osiris.yaml", f"paths: {{allow: [{', '.join(map(str, folders))}]}}\n")


def codes(project: Any, source: object, target: object) -> list[str]:
    """The findings of `osiris validate` for a pipeline that copies a file."""
    path = project.write("copy.oml", PIPELINE.format(source=source, target=target))
    found = check_text(path.read_text(), CheckedProject.find(project.root), path)
    return [finding.code for finding in found.diagnostics if finding.code in ("OML505", "OML509")]


def copied(project: Any, source: object, target: object) -> Any:
    return project.run_here(project.csv("read", str(source)), project.to_csv("write", "read", str(target)))


def refusal(project: Any, source: object, target: object) -> str:
    """Why a run does not even begin."""
    with pytest.raises(ConfigurationError) as refused:
        copied(project, source, target)
    return str(refused.value)


@pytest.mark.parametrize("written", ["../shared", "{folder}", "../shared/deep/.."])
def test_an_allowed_folder_is_read_and_written(project, outside, written):
    allow(project, written.format(folder=outside))

    assert codes(project, "../shared/in.csv", f"{outside}/deep/out.csv") == []
    run = copied(project, "../shared/in.csv", f"{outside}/deep/out.csv")

    assert run.state == "succeeded", run.error()
    assert (outside / "deep/out.csv").read_text() == "a\n1\n"
    start = next(event for event in run.events if event["event"] == "run_start")
    assert start["allowed_folders"] == [written.format(folder=outside)], "the run says what it may touch"


def test_nothing_is_allowed_by_itself(project, outside):
    assert codes(project, "../shared/in.csv", "../shared/out.csv") == ["OML505", "OML505"]
    assert "leads outside the project folder" in refusal(project, "../shared/in.csv", "out.csv")


@pytest.mark.parametrize("path", ["../shared-too/in.csv", "../in.csv", "../shared/../in.csv", "/etc/hostname"])
def test_what_lies_beside_an_allowed_folder_is_not_allowed(project, outside, path):
    allow(project, "../shared")

    assert codes(project, path, "out.csv") == ["OML505"]
    assert "outside the folders that osiris.yaml allows" in refusal(project, path, "out.csv")


def test_a_link_in_the_project_leads_to_allowed_folders_only(project, outside):
    (project.root / "link").symlink_to(outside)

    assert codes(project, "link/in.csv", "link/out.csv") == ["OML505", "OML505"]
    assert "leads outside" in refusal(project, "link/in.csv", "link/out.csv")

    allow(project, "../shared")

    assert codes(project, "link/in.csv", "link/out.csv") == []
    assert copied(project, "link/in.csv", "link/out.csv").state == "succeeded"
    assert (outside / "out.csv").read_text() == "a\n1\n"


def test_a_link_in_an_allowed_folder_leads_no_further(project, outside, tmp_path):
    (tmp_path / "private.csv").write_text("a\nsecret\n")
    (outside / "link.csv").symlink_to(tmp_path / "private.csv")
    allow(project, "../shared")

    assert "leads outside" in refusal(project, "../shared/link.csv", "out.csv")
    assert not (project.root / "out.csv").exists()


@pytest.mark.parametrize(
    "path", ["osiris.yaml", "x/../osiris_connections.yaml", ".env", "osiris.schema.json", ".git/hooks/run", ".osiris/x"]
)
def test_no_step_writes_the_settings_of_the_project(project, path):
    """Else a run could allow the next one what this one may not do."""
    project.write("in.csv", "a\n1\n")

    assert "is a file of the project itself" in refusal(project, "in.csv", path)
    assert project.read("osiris.yaml") == "version: 1\n"
    assert codes(project, "in.csv", path) == ["OML509"]


def test_a_base_dir_of_the_step_may_be_an_allowed_folder(project, outside):
    allow(project, "../shared")
    read = project.csv("read", "in.csv", base_dir=str(outside))

    run = project.run_here(read, project.to_csv("write", "read", "out.csv"))

    assert run.state == "succeeded", run.error()


def test_sql_of_a_user_does_not_reach_into_an_allowed_folder(project, outside):
    allow(project, "../shared")
    query = f"SELECT * FROM '{outside}/in.csv'"

    run = project.run_here(
        project.csv("read", "../shared/in.csv"),
        project.sql("sql", "read", query),
        project.to_csv("w", "sql", "out.csv"),
    )

    assert "may not open" in run.error()


def test_a_database_in_an_allowed_folder(project, outside):
    project.database("../shared/shop.db", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (7)")
    read = project.step("read", "sqlite.extractor", path="../shared/shop.db", table="t")
    with pytest.raises(ConfigurationError, match="leads outside"):
        project.run_here(read, project.to_csv("write", "read", "out.csv"))

    allow(project, "../shared")

    assert project.run_here(read, project.to_csv("write", "read", "out.csv")).state == "succeeded"
    assert project.read("out.csv") == "a\n7\n"


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("~/data", "would be another folder for another user"),
        ('"${HOME}/data"', "would be another folder for another user"),
        ("/", "is the whole machine"),
        ("/srv/..", "is the whole machine"),
        ("//server/share", "is an address on the network"),
        ("s3://bucket/data", "is an address on the network"),
        ("''", "not empty"),
    ],
)
def test_what_is_no_folder_or_not_the_same_for_everybody_is_refused(project, folder, why):
    allow(project, folder)

    with pytest.raises(ConfigurationError, match=why):
        Config.load(project.root)
    assert codes(project, "/etc/hostname", "out.csv") == ["OML505"], "a setting that cannot be used allows nothing"


def test_a_link_to_the_root_of_the_machine_is_no_folder(project, tmp_path):
    (tmp_path / "everything").symlink_to("/")
    allow(project, "../everything")

    assert "is the whole machine" in refusal(project, "../everything/etc/hostname", "out.csv")


def test_no_variable_of_the_environment_allows_a_folder(project, outside, monkeypatch):
    for name in ("OSIRIS_ALLOW", "OSIRIS_PATHS_ALLOW", "OSIRIS_ALLOWED_FOLDERS"):
        monkeypatch.setenv(name, str(outside))

    assert Config.load(project.root).allowed_folders == ()
