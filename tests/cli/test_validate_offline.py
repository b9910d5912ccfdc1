"""``osiris validate`` with what is known of databases, and ``--offline`` without it."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Osiris = Callable[..., subprocess.CompletedProcess[str]]

PIPELINE = """\
oml_version: "0.1.0"
name: people
steps:
  - id: read-people
    component: sqlite.extractor
    mode: read
    config:
      connection: "@sqlite.shop"
      table: peopel
  - id: write-people
    component: filesystem.csv_writer
    mode: write
    config:
      path: out/people.csv
"""


@pytest.fixture
def people(project: Path) -> Path:
    """A pipeline that reads a table which the database does not have; it has ``people``."""
    (project / "osiris_connections.yaml").write_text("connections: {sqlite: {shop: {path: shop.db}}}\n")
    with sqlite3.connect(project / "shop.db") as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    db.close()
    pipeline = project / "pipelines/people.oml.yaml"
    pipeline.write_text(PIPELINE)
    return pipeline


def test_before_anybody_looked_no_table_is_judged_and_the_last_line_says_so(osiris: Osiris, people: Path) -> None:
    result = osiris("validate", str(people))
    assert result.returncode == 0
    assert result.stderr == (
        "Tables of @sqlite.shop were not checked: nothing is known of them yet. Run `osiris discover`.\n"
    )
    assert not osiris("validate", "--offline", str(people)).stderr
    assert not osiris("validate", "--format", "json", str(people)).stderr


def test_a_discovered_schema_makes_an_unknown_table_an_error_and_offline_it_does_not(
    osiris: Osiris, people: Path
) -> None:
    assert osiris("discover").returncode == 0
    online = osiris("validate", str(people))
    assert (online.returncode, "OML410" in online.stdout) == (1, True)
    offline = osiris("validate", "--offline", str(people))
    assert (offline.returncode, "OML410" in offline.stdout) == (0, False)


def test_offline_the_committed_schema_still_counts(osiris: Osiris, people: Path) -> None:
    wrong_column = PIPELINE.replace("peopel", "people\n      columns: [id, nmae]")
    people.write_text(wrong_column)
    assert osiris("discover", "--lock").returncode == 0
    offline = osiris("validate", "--offline", str(people))
    assert (offline.returncode, "OML411" in offline.stdout) == (1, True)


def test_a_broken_committed_schema_is_a_finding_and_nothing_compiles_on_it(osiris: Osiris, people: Path) -> None:
    (people.parents[1] / "osiris.schema.json").write_text('{"schema_version": 1,\n "connections": [}\n')
    found = osiris("validate", str(people))
    assert found.returncode == 1
    assert "osiris.schema.json:2:18: error OML420" in found.stdout
    assert osiris("compile", str(people)).returncode == 1


def test_fmt_leaves_the_committed_schema_as_it_is_written(osiris: Osiris, people: Path) -> None:
    people.write_text(PIPELINE.replace("peopel", "people"))
    assert osiris("discover", "--lock").returncode == 0
    file = people.parents[1] / "osiris.schema.json"
    before = file.read_bytes()
    assert osiris("fmt").returncode == 0
    assert file.read_bytes() == before
