"""A project with a SQLite database that pipelines read and write, for the commands that look into it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: data/shop.db}
  filesystem:
    data: {base_dir: data}
  graphql:
    api: {endpoint: "https://api.example.com"}
"""

READS = """\
oml_version: "0.1.0"
name: {name}
steps:
  - id: read
    component: sqlite.extractor
    mode: read
    config: {{connection: "@sqlite.shop", {reads}}}
  - id: write
    component: sqlite.writer
    mode: write
    config: {{connection: "@sqlite.shop", table: {writes}}}
"""


def change(project: Path, *statements: str) -> None:
    """Run statements in the shop's database."""
    with closing(sqlite3.connect(project / "data/shop.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def make_shop(project: Path) -> Path:
    """Gives a project a database of two tables, a pipeline that reads one of them, and a CSV file."""
    (project / "osiris_connections.yaml").write_text(CONNECTIONS)
    change(
        project,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)",
        "CREATE TABLE orders (number INT, customer INT REFERENCES customers, paid BOOLEAN, PRIMARY KEY (number))",
        "INSERT INTO customers VALUES (1, 'a@example.com'), (2, 'b@example.com')",
    )
    pipeline = READS.format(name="shop", reads="table: orders", writes="report")
    (project / "pipelines/shop.oml.yaml").write_text(pipeline)
    return project
