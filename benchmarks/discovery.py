"""Reading the whole catalog of a database server beside SQLAlchemy's inspector, connecting left aside."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Row

TABLES, COLUMNS, MANY_TABLES = 500, 20, 5000
BUDGET_SECONDS = 0.2
SERVERS = {"MariaDB": "start_mariadb", "PostgreSQL": "start_postgres"}
DIALECTS = {"MariaDB": "mysql+pymysql", "PostgreSQL": "postgresql+psycopg"}


@dataclass
class Taken:
    """Seconds on the wall and of CPU in our process; the server's own are not in it."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def time(self, read: Callable[[], int], expected: int) -> None:
        """One reading, which must find so many columns."""
        cpu, start = time.process_time(), time.perf_counter()
        found = read()
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(time.process_time() - cpu)
        if found != expected:
            raise RuntimeError(f"{found} columns were found, {expected} are there")


def private_servers() -> Any:
    """The private servers of the tests."""
    folder = str(Path(__file__).resolve().parent.parent / "tests")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("servers")


def _statements(tables: int) -> list[str]:
    """Tables with a primary key each and references to the first one."""
    columns = ", ".join(
        f"c{n} {('varchar(40)', 'decimal(12,4) NOT NULL', 'int', 'timestamp NULL')[n % 4]}" for n in range(2, COLUMNS)
    )
    key = "id int NOT NULL PRIMARY KEY, parent int"
    return [
        f"CREATE TABLE t{n:04} ({key}, {columns}{', FOREIGN KEY (parent) REFERENCES t0000 (id)' if n else ''})"
        for n in range(tables)
    ]


def ours(server: Any, database: str, taken: Taken, expected: int) -> None:
    """What ``osiris discover`` asks a server."""
    from osiris.core.catalog_source import Timeouts, catalog_source

    source = catalog_source(server.family)
    with source.connect(server.fields(database), root=Path(), timeouts=Timeouts()) as session:

        def read() -> int:
            session.server()
            tables, columns = session.tables(), session.columns()
            return sum(len(columns[table.schema, table.name]) for table in tables if table.schema in HOMES | {database})

        taken.time(read, expected)


HOMES = {"public"}


def each(inspector: Any) -> int:
    """Columns, primary key and foreign keys, table by table."""
    found = 0
    for table in inspector.get_table_names():
        found += len(inspector.get_columns(table))
        inspector.get_pk_constraint(table)
        inspector.get_foreign_keys(table)
    return found


def together(inspector: Any) -> int:
    """The same, asked for all tables at once as far as SQLAlchemy can."""
    found = sum(map(len, inspector.get_multi_columns().values()))
    inspector.get_multi_pk_constraint()
    inspector.get_multi_foreign_keys()
    return found


def theirs(engine: Any, read: Callable[[Any], int], taken: Taken, expected: int) -> None:
    """The same by SQLAlchemy, with an inspector that remembers nothing yet."""
    import sqlalchemy

    with engine.connect() as connection:
        inspector = sqlalchemy.inspect(connection)
        taken.time(lambda: read(inspector), expected)


def _measure(product: str, server: Any, tables: int, runs: int) -> list[Row]:
    import sqlalchemy

    expected = tables * COLUMNS
    mine, one_by_one, at_once = Taken(), Taken(), Taken()
    filled: AbstractContextManager[str] = server.database(*_statements(tables))
    with filled as database:
        address = sqlalchemy.URL.create(
            DIALECTS[product], server.user, server.password, server.host, server.port, database
        )
        engine = sqlalchemy.create_engine(address)
        for taken in (Taken(), mine):  # the first reading of each warms the server up
            for _ in range(runs if taken is mine else 1):
                ours(server, database, taken, expected)
                theirs(engine, each, one_by_one if taken is mine else Taken(), expected)
                theirs(engine, together, at_once if taken is mine else Taken(), expected)
        engine.dispose()
    budget = BUDGET_SECONDS if tables == TABLES else None
    name = f"discovery, {product}, {tables:,} tables x {COLUMNS} columns"
    rows = []
    for peer, taken in (("inspector, table by table", one_by_one), ("inspector, get_multi_...", at_once)):
        row = Row(name, "s", mine.wall, peer, taken.wall, budget)
        row.cpu, row.peer_cpu = mine.cpu, taken.cpu
        rows.append(row)
    return rows


def rows(quick: bool) -> list[Row]:
    """500 tables on both servers, and 5,000 without ``--quick``."""
    servers = private_servers()
    table: list[Row] = []
    for product, start in SERVERS.items():
        try:
            with getattr(servers, start)() as server:
                table += _measure(product, server, TABLES, 3 if quick else 9)
                if not quick:
                    table += _measure(product, server, MANY_TABLES, 3)
        except servers.ServerError as error:
            print(f"{product} is not measured: {error}", file=sys.stderr)
    return table
