"""Memory of runs over far more data than they may hold: the whole tree of processes, against the configured limit."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.command_line import OSIRIS
from benchmarks.figures import Row, whole_process

LIMIT_MB = 1000
ROWS = """\
  - {{id: one, component: filesystem.csv_extractor, mode: read, config: {{path: one.csv}}}}
  - id: rows
    component: duckdb.processor
    mode: transform
    config:
      query: >-
        select n.range as id, n.range % 20000000 as customer, (n.range * 7919 % 100000) / 100 as amount,
        'text ' || (n.range % 1000) as note from df_one cross join range({rows}) n
"""
SHAPE = """\
  - {{id: shape, component: duckdb.processor, mode: transform, config: {{query: "{query}"}}}}
"""
WRITE = """\
  - {{id: write, component: filesystem.{writer}, mode: write, config: {{path: {path}}}}}
"""
BY_CUSTOMER = "select customer, note, sum(amount) as total, count(*) as n from df_rows group by customer, note"
BY_ROW = "select id, note, sum(amount) as total, count(*) as n from df_rows group by id, note"


def rows(quick: bool) -> list[Row]:
    """Pass-through and big group-bys of 100 M generated rows (10 M with ``quick``) under a limit of 1 GB."""
    count = 10_000_000 if quick else 100_000_000
    wanted = {
        "pass-through to Parquet": ("", "parquet_writer"),
        "pass-through to CSV": ("", "csv_writer"),
        "group-by, a fifth as many groups": (BY_CUSTOMER, "parquet_writer"),
        "group-by, as many groups as rows": (BY_ROW, "parquet_writer"),
    }
    result: list[Row] = []
    folder = Path(tempfile.mkdtemp(prefix="osiris-bench-"))
    try:
        (folder / "osiris.yaml").write_text(f"runs: {{memory_limit: {LIMIT_MB}MB}}\n", encoding="utf-8")
        (folder / "one.csv").write_text("one\n1\n", encoding="utf-8")
        for name, (query, writer) in wanted.items():
            text = 'oml_version: "0.1.0"\nname: memory\nsteps:\n' + ROWS.format(rows=count)
            text += SHAPE.format(query=query) if query else ""
            (folder / "memory.oml.yaml").write_text(text + WRITE.format(writer=writer, path="out"), encoding="utf-8")
            figure = whole_process([*OSIRIS, "run", "memory.oml.yaml", "--no-cache"], folder)
            what = f"osiris run, {count // 1_000_000} M rows, {name}"
            result.append(Row(what, "s", [figure.seconds], cpu=[figure.cpu_seconds]))
            result.append(Row("  its memory, all processes", "MB", [figure.peak_mb], budget=LIMIT_MB))
            (folder / "out").unlink()
            shutil.rmtree(folder / "logs")
    finally:
        shutil.rmtree(folder)
    return result
