"""`osiris run` beside the same work as one DuckDB COPY process."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.command_line import OSIRIS
from benchmarks.documents import chained_pipeline, orders_csv
from benchmarks.figures import Row, in_turn, whole_process

GROUP_BY = "select country, customer, sum(amount) as total, count(*) as n from {source} group by country, customer"
PASS_THROUGH = "select *, amount * quantity as total from {source}"

PIPELINE = """\
oml_version: 0.1.0
name: {name}
steps:
  - id: orders
    component: filesystem.csv_extractor
    mode: read
    config: {{path: data/orders.csv}}
  - id: shape
    component: duckdb.processor
    mode: transform
    config:
      query: {query}
  - id: write
    component: filesystem.csv_writer
    mode: write
    config: {{path: out/{name}.csv}}
"""


def _copy(query: str, target: str) -> list[str]:
    sql = f"copy ({query.format(source='read_csv_auto($$data/orders.csv$$)')}) to $${target}$$ (header, delimiter ',')"
    return [sys.executable, "-c", f"import duckdb; duckdb.connect().execute({sql!r})"]


def _same_rows(folder: Path, ours: str, peer: str) -> bool:
    import duckdb

    def read(path: str) -> str:
        return f"(select * from read_csv_auto('{folder / path}'))"

    ours_only = f"{read(ours)} except all {read(peer)}"
    peer_only = f"{read(peer)} except all {read(ours)}"
    row = duckdb.sql(f"select count(*) from (({ours_only}) union all ({peer_only}))").fetchall()[0]
    return int(row[0]) == 0


def rows(quick: bool) -> list[Row]:
    """Group-by and pass-through of 1M x 6, and a chain of 2,000 steps."""
    runs = 3 if quick else 5
    result: list[Row] = []
    folder = Path(tempfile.mkdtemp(prefix="osiris-bench-"))
    try:
        (folder / "osiris.yaml").write_text('version: "2.0"\n', encoding="utf-8")
        orders_csv(folder / "data" / "orders.csv", 1_000_000)
        (folder / "out").mkdir()
        for name, query in (("group-by", GROUP_BY), ("pass-through", PASS_THROUGH)):
            text = PIPELINE.format(name=name, query=query.format(source="df_orders"))
            (folder / f"{name}.oml.yaml").write_text(text, encoding="utf-8")
            ours, peer = in_turn([*OSIRIS, "run", f"{name}.oml.yaml"], _copy(query, "out/peer.csv"), runs, folder)
            row = Row(f"osiris run, 1M x 6 CSV {name}", "s", [f.seconds for f in ours], "one DuckDB COPY")
            row.peer = [f.seconds for f in peer]
            row.budget = (row.peer_value or 0) * 1.3 + 0.3
            memory = Row(f"  its memory ({name})", "MB", [f.peak_mb for f in ours], "one DuckDB COPY")
            memory.peer = [f.peak_mb for f in peer]
            result += [row, memory]
            if name == "pass-through" and not _same_rows(folder, f"out/{name}.csv", "out/peer.csv"):
                raise RuntimeError("our rows are not the peer's rows")
        (folder / "chain.oml.yaml").write_text(chained_pipeline(2000).replace("name: bench", "name: chain"), "utf-8")
        orders_csv(folder / "data" / "orders.csv", 1)
        chain = [whole_process([*OSIRIS, "run", "chain.oml.yaml"], folder) for _ in range(runs)]
        result.append(Row("osiris run, 2,000 chained one-row SQL steps", "s", [f.seconds for f in chain], budget=5.0))
    finally:
        shutil.rmtree(folder)
    return result
