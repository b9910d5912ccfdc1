"""Reading from and writing to database servers beside pandas with SQLAlchemy, as whole processes."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.command_line import OSIRIS
from benchmarks.discovery import private_servers
from benchmarks.figures import ProcessFigure, Row, in_turn, whole_process

READ_ROWS, WRITTEN_ROWS = 1_000_000, 200_000
TIMES_FASTER, MOST_MB = 5, 250
PEER = "pandas + SQLAlchemy"

CONNECTIONS = """\
connections:
  {family}:
    shop: {{host: "{host}", port: {port}, database: {database}, user: "{user}", password: "${{SHOP_PW}}"}}
"""

EXTRACT = """\
oml_version: 0.1.0
name: extract
steps:
  - id: orders
    component: {family}.extractor
    mode: read
    config: {{connection: "@{family}.shop", {source}}}
  - id: write
    component: filesystem.parquet_writer
    mode: write
    config: {{path: ours.parquet}}
"""

LOAD = """\
oml_version: 0.1.0
name: load
steps:
  - id: orders
    component: filesystem.parquet_extractor
    mode: read
    config: {{path: some.parquet}}
  - id: write
    component: {family}.writer
    mode: write
    config: {{connection: "@{family}.shop", table: loaded, mode: replace}}
"""


@dataclass(frozen=True)
class Family:
    """A kind of server, with its rows of 1M x 6 and the way that pandas reads them."""

    product: str
    start: str
    dialect: str
    columns: str
    rows: str


FAMILIES = (
    Family(
        "MariaDB",
        "start_mariadb",
        "mysql+pymysql",
        "id BIGINT, customer INT, country VARCHAR(20), amount DECIMAL(12,4), created DATETIME(6), note VARCHAR(60)",
        "seq, seq % 5000, elt(1 + seq % 4, 'Germany', 'France', 'Czechia', 'USA'), seq * 1.2345, "
        "timestamp('2024-01-01') + INTERVAL seq SECOND, concat('a note about order ', seq) FROM seq_1_to_{count}",
    ),
    Family(
        "PostgreSQL",
        "start_postgres",
        "postgresql+psycopg",
        "id bigint, customer int, country varchar(20), amount numeric(12,4), created timestamp, note varchar(60)",
        "i, i % 5000, (ARRAY['Germany', 'France', 'Czechia', 'USA'])[1 + i % 4], i * 1.2345, "
        "timestamp '2024-01-01' + i * interval '1 second', 'a note about order ' || i "
        "FROM generate_series(1, {count}) AS s (i)",
    ),
)


def rows(quick: bool) -> list[Row]:
    """1M x 6 out of each server, by table and by query, and 200,000 rows into it."""
    result: list[Row] = []
    for family in FAMILIES:
        folder = Path(tempfile.mkdtemp(prefix="osiris-bench-"))
        try:
            with getattr(private_servers(), family.start)() as server:
                result += _measured(family, server, folder, 3 if quick else 5)
        finally:
            shutil.rmtree(folder)
    return result


def _measured(family: Family, server: Any, folder: Path, runs: int) -> list[Row]:
    database = "bench"
    server.execute(f"CREATE DATABASE {database}")
    server.execute(
        f"CREATE TABLE orders ({family.columns})",
        f"CREATE TABLE loaded ({family.columns})",
        f"INSERT INTO orders SELECT {family.rows.format(count=READ_ROWS)}",
        database=database,
    )
    fields = server.fields(database)
    (folder / "osiris.yaml").write_text('version: "2.0"\n', encoding="utf-8")
    (folder / ".env").write_text(f"SHOP_PW={fields['password']}\n", encoding="utf-8")
    connections = CONNECTIONS.format(family=server.family, **fields)
    (folder / "osiris_connections.yaml").write_text(connections, encoding="utf-8")
    url = f"{family.dialect}://{fields['user']}:{fields['password']}@{fields['host']}:{fields['port']}/{database}"
    head = f"import pandas as pd, sqlalchemy as sa; engine = sa.create_engine({url!r}); "
    result: list[Row] = []
    for what, source in (("table", "table: orders"), ("query", 'query: "SELECT * FROM orders WHERE id > 0"')):
        text = EXTRACT.format(family=server.family, source=source)
        (folder / "extract.oml.yaml").write_text(text, encoding="utf-8")
        read = "pd.read_sql('SELECT * FROM orders', engine).to_parquet('peer.parquet')"
        ours, peer = in_turn(_ours("extract"), [sys.executable, "-c", head + read], runs, folder)
        _must_be_same(folder)
        result += _rows(f"{family.product}, 1M x 6 extract of a {what}", ours, peer, budget=family.product == "MariaDB")
    import duckdb

    duckdb.sql(f"COPY (FROM '{folder}/ours.parquet' LIMIT {WRITTEN_ROWS}) TO '{folder}/some.parquet'")
    (folder / "load.oml.yaml").write_text(LOAD.format(family=server.family), encoding="utf-8")
    write = "pd.read_parquet('some.parquet').to_sql('peer', engine, if_exists='replace', index=False)"
    ours, peer = in_turn(_ours("load"), [sys.executable, "-c", head + write], runs, folder)
    result += _rows(f"{family.product}, {WRITTEN_ROWS:,} x 6 load", ours, peer)
    alone = [whole_process([sys.executable, "-c", _copy(folder)], folder) for _ in range(runs)]
    result[0].name += f" (one DuckDB COPY of the same rows: {min(figure.seconds for figure in alone):.2f} s)"
    return result


def _ours(name: str) -> list[str]:
    return [*OSIRIS, "run", "--no-cache", f"{name}.oml.yaml"]


def _copy(folder: Path) -> str:
    return "import duckdb; duckdb.connect().execute(\"COPY (FROM 'ours.parquet') TO 'copy.parquet'\")"


def _rows(what: str, ours: list[ProcessFigure], peer: list[ProcessFigure], *, budget: bool = False) -> list[Row]:
    seconds = Row(what, "s", [figure.seconds for figure in ours], PEER, [figure.seconds for figure in peer])
    seconds.cpu = [figure.cpu_seconds for figure in ours]
    seconds.peer_cpu = [figure.cpu_seconds for figure in peer]
    memory = Row("  its memory", "MB", [figure.peak_mb for figure in ours], PEER, [figure.peak_mb for figure in peer])
    if budget:
        seconds.budget = (seconds.peer_value or 0) / TIMES_FASTER
        memory.budget = MOST_MB
    return [seconds, memory]


def _must_be_same(folder: Path) -> None:
    """Both have read the same. Raises RuntimeError."""
    import duckdb

    columns = "id, customer, country, CAST(amount AS DECIMAL(12,4)), CAST(created AS TIMESTAMP), note"
    ours, peer = (f"(SELECT {columns} FROM '{folder}/{name}.parquet')" for name in ("ours", "peer"))
    count = duckdb.sql(f"SELECT count(*) FROM {ours}").fetchall()[0][0]
    differing = duckdb.sql(f"SELECT count(*) FROM ({ours} EXCEPT ALL {peer})").fetchall()[0][0]
    if count != READ_ROWS or differing:
        raise RuntimeError(f"{count} rows were read, {differing} of them differ from those of the peer")
