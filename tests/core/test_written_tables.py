"""Which pipelines of a project write a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from osiris.core.project import Project
from osiris.language.connections import Connection

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: shop.db, default: true}
    other: {path: other.db}
"""
WRITER = """\
oml_version: 0.1.0
name: load
params: {{target: {{default: costs}}}}
steps:
- id: numbers
  component: filesystem.csv_extractor
  mode: read
  config: {{path: a.csv}}
- id: store
  component: sqlite.writer
  mode: write
  config: {config}
"""
READER = """\
oml_version: 0.1.0
name: report
steps:
- {id: read, component: sqlite.extractor, mode: read, config: {table: revenue}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS)
    (tmp_path / "report.oml").write_text(READER)
    return Project(tmp_path)


def write(project: Project, config: str, name: str = "load.oml") -> None:
    (project.root / name).write_text(WRITER.format(config=config))
    project.invalidate()


def writers(project: Project, table: str, connection: str = "shop", asker: str = "report.oml") -> list[str]:
    environment = project.environment(project.root / asker)
    connections = environment.connections
    assert connections is not None
    found: Connection = connections.families["sqlite"][connection]
    return list(environment.pipelines_writing(found, None, table))


@pytest.mark.parametrize(
    "config",
    [
        "{table: Revenue}",
        "\n    table: revenue # all of it",
        '{"table":"revenue"}',
        "\n    table: >-\n      revenue",
        "{table:\n  revenue}",
        '{connection: "@sqlite.shop", table: revenue}',
    ],
)
def test_a_step_that_writes_the_table_counts_however_it_is_written(project: Project, config: str) -> None:
    write(project, config)
    assert writers(project, "revenue") == ["load.oml"]


def test_a_name_that_a_parameter_gives_counts(project: Project) -> None:
    write(project, '{table: "${params.target}"}')
    assert writers(project, "costs") == ["load.oml"]
    assert writers(project, "revenue") == []


def test_a_step_that_only_reads_the_table_does_not_count(project: Project) -> None:
    assert writers(project, "revenue", asker="other.oml") == []


def test_another_connection_is_another_table(project: Project) -> None:
    write(project, '{connection: "@sqlite.other", table: revenue}')
    assert writers(project, "revenue") == []
    assert writers(project, "revenue", "other") == ["load.oml"]


def test_a_pipeline_is_not_its_own_writer(project: Project) -> None:
    write(project, "{table: revenue}")
    assert writers(project, "revenue", asker="load.oml") == []


def test_a_change_of_what_is_written_is_seen_and_makes_another_version(project: Project) -> None:
    write(project, "{table: revenue}")
    assert writers(project, "revenue") == ["load.oml"]
    before = project.environment(project.root / "report.oml").version

    write(project, "{table: costs}")

    assert writers(project, "revenue") == []
    assert project.environment(project.root / "report.oml").version != before


def test_the_text_in_an_editor_counts_and_another_line_of_it_makes_no_other_version(project: Project) -> None:
    write(project, "{table: costs}")
    assert writers(project, "revenue") == []
    text = WRITER.format(config="{table: revenue}")
    project.overlay(project.root / "load.oml", text)
    assert writers(project, "revenue") == ["load.oml"]
    before = project.environment(project.root / "report.oml").version

    project.overlay(project.root / "load.oml", text + "# more\n")

    assert writers(project, "revenue") == ["load.oml"]
    assert project.environment(project.root / "report.oml").version == before


def test_changed_connections_are_heeded(project: Project) -> None:
    write(project, "{table: revenue}")
    assert writers(project, "revenue") == ["load.oml"]
    changed = CONNECTIONS.replace(", default: true", "").replace("other.db}", "other.db, default: true}")
    (project.root / "osiris_connections.yaml").write_text(changed)
    assert writers(project, "revenue") == []
    assert writers(project, "revenue", "other") == ["load.oml"]


def test_pipelines_that_cannot_be_read_write_nothing(project: Project) -> None:
    (project.root / "broken.oml").write_bytes(b"\xff\xfe\x00write table revenue")
    (project.root / "gone.oml").symlink_to("nowhere")
    write(project, "{table: revenue")
    assert writers(project, "costs") == []
