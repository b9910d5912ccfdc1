"""``osiris discover`` on a real server: names in another case, and what a user may not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import MariaDB

READS = """\
oml_version: "0.1.0"
name: {name}
steps:
  - {{id: read, component: mysql.extractor, mode: read, config: {{connection: "@mysql.shop", {reads}}}}}
  - {{id: write, component: filesystem.csv_writer, mode: write, config: {{path: out.csv}}}}
"""


@pytest.fixture
def database(mariadb: MariaDB, project: Path) -> Iterator[str]:
    """A database with one table, and the connection ``@mysql.shop`` to it."""
    (project / "pipelines/orders.oml.yaml").unlink()
    with mariadb.database("CREATE TABLE MixedCase (id int PRIMARY KEY, secret int)") as name:
        connect(project, mariadb, name)
        yield name


def connect(project: Path, server: MariaDB, database: str, **others: str) -> None:
    """Write the connections file."""
    fields = server.fields(database) | others
    text = ", ".join(
        f'{key}: "{value}"' if isinstance(value, str) else f"{key}: {value}" for key, value in fields.items()
    )
    (project / "osiris_connections.yaml").write_text(f"connections: {{mysql: {{shop: {{{text}}}}}}}\n")


def test_the_committed_schema_warns_of_a_table_called_so_only_in_another_case(osiris, project, database):
    (project / "pipelines/a.oml").write_text(READS.format(name="a", reads='query: "SELECT id FROM mixedcase"'))
    done = osiris("discover", "--lock")
    assert done.returncode == 0, done.stderr
    assert "warning: @mysql.shop has MixedCase in place of mixedcase, which pipelines/a.oml reads" in done.stderr


def test_a_table_of_a_schema_that_is_not_seen_is_not_said_to_be_missing(osiris, project, database):
    (project / "pipelines/a.oml").write_text(READS.format(name="a", reads='query: "SELECT id FROM hr.salaries"'))
    done = osiris("discover", "--lock")
    said = "hr.salaries, which pipelines/a.oml reads, cannot be seen by this user of @mysql.shop"
    assert f"warning: {said}: there is no schema hr, or no right to it.\n" in done.stderr
    (missing,) = json.loads(osiris("discover", "--lock", "--cached", "--format", "json").stdout)["missing"]
    assert missing["text"].startswith(said)
