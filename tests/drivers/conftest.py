"""A project with a connection to a database of its own on a real server, for tests that run steps there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from osiris.execution.local import start_run
from runtime.conftest import Project, Run, until  # noqa: F401 - a fixture
from servers import MariaDB, PostgreSQL, Server

Rows = list[tuple[Any, ...]]

INNODB_LOOKS_AGAIN = 0.25
"""Seconds between two looks at information_schema.innodb_trx: what it shows is renewed only after 0.1 s of rest."""


class Shop(Project):
    """A project whose connection ``shop`` leads to a fresh database."""

    def __init__(self, root: Path, server: Server, database: str) -> None:
        super().__init__(root)
        self.server = server
        self.database_name = database
        self.reference = f"@{server.family}.shop"
        self.connect_as()

    def connect_as(self, **others: Any) -> None:
        """Write the connection, with ``others`` put over its fields; the password stands in ``.env``."""
        server = self.server
        fields = server.fields(self.database_name, **others)
        password = fields.pop("password")
        lines = [f"      {name}: {value}" for name, value in fields.items()]
        self.write(
            "osiris_connections.yaml",
            "\n".join(
                ["connections:", f"  {self.server.family}:", "    shop:", *lines, "      password: ${SHOP_PW}\n"]
            ),
        )
        self.write(".env", f"SHOP_PW={password}\n")

    def execute(self, *statements: str) -> None:
        """Run statements in the database."""
        self.server.execute(*statements, database=self.database_name)

    def query(self, query: str) -> Rows:
        """What a query returns, by the family's own driver."""
        connection = self.server.connect(self.database_name)
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def extract(self, id: str = "t", **config: Any) -> dict[str, Any]:
        """A step that reads from the database."""
        return self.step(id, f"{self.server.family}.extractor", step__connection=self.reference, **config)

    def load(self, source: str, **config: Any) -> dict[str, Any]:
        """A step that writes into the database."""
        component = f"{self.server.family}.writer"
        return self.step("w", component, sources=source, step__connection=self.reference, **config)

    def rows(self, **config: Any) -> tuple[dict[str, str], Rows]:
        """What the extractor yields: the columns with DuckDB's types, and the rows as DuckDB writes them."""
        run = self.run_here(
            self.extract(**config),
            self.sql("types", "t", "SELECT column_name, column_type FROM (DESCRIBE df)"),
            self.sql("texts", "t", "SELECT COLUMNS(*)::VARCHAR FROM df"),
            self.step("p", "filesystem.parquet_writer", sources="types", path="types.parquet"),
            self.step("q", "filesystem.parquet_writer", sources="texts", path="texts.parquet"),
        )
        assert run.state == "succeeded", run.error()
        types, texts = (duckdb.sql(f"FROM '{self.root}/{name}.parquet'").fetchall() for name in ("types", "texts"))
        return dict(types), texts

    def refused(self, **config: Any) -> str:
        """Why the extractor does not read."""
        run = self.run_here(self.extract(**config), self.to_csv("c", "t", "out.csv"))
        assert run.state == "failed"
        return run.error("t")

    def put(self, rows: str, **config: Any) -> Run:
        """Write the rows of ``rows``, a query in DuckDB's SQL, by the writer."""
        self.write("one.csv", "one\n1\n")
        return self.run_here(self.csv("s", "one.csv"), self.sql("t", "s", rows), self.load("t", **config))

    def start(self, *steps: dict[str, Any]) -> str:
        """Start a run that depends on nobody; its id."""
        return start_run(self.manifest(*steps), root=self.root, detach=True).run_id

    def warnings(self, run: Run) -> list[str]:
        """What the user was told without an end of the step."""
        return [event["warning"] for event in run.events if "warning" in event]


def _shop(server: Server, root: Path) -> Iterator[Shop]:
    root.mkdir()
    (root / "osiris.yaml").write_text("version: 1\n")
    with server.database() as database:
        shop = Shop(root, server, database)
        yield shop
        shop.end_runs()


@pytest.fixture
def mysql_shop(mariadb: MariaDB, tmp_path: Path) -> Iterator[Shop]:
    """A project with an empty database on MariaDB."""
    yield from _shop(mariadb, tmp_path / "shop")


@pytest.fixture
def postgres_shop(postgres: PostgreSQL, tmp_path: Path) -> Iterator[Shop]:
    """A project with an empty database on PostgreSQL."""
    yield from _shop(postgres, tmp_path / "shop")
