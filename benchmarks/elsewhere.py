"""`osiris run --target e2b` beside the same run on this machine.

The service is the double of the tests, on this very machine: what a network adds is not in the figures, and the double
and its sandboxes take turns with the host on the same cores. CPU time is that of the command and of what it started,
with the processes in the sandbox; the double's own is left out.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command_line import OSIRIS
from benchmarks.figures import Row, in_turn

MEGABYTES = 100
_LINE = 64
PIPELINE = """\
oml_version: "0.1.0"
name: {name}
steps:
  - {{id: rows, component: filesystem.csv_extractor, mode: read, config: {{path: {source}}}}}
  - id: shape
    component: duckdb.processor
    mode: transform
    config:
      query: {query}
  - {{id: save, component: filesystem.csv_writer, mode: write, config: {{path: out/{name}.csv}}}}
"""
MANY = "SELECT range AS n, md5(range::VARCHAR) || md5((range + one)::VARCHAR) AS text FROM range({rows}), df_rows"


def service() -> Any:
    """The double of E2B that the tests have; its wire is not recorded."""
    folder = str(Path(__file__).parents[1] / "tests")
    if folder not in sys.path:
        sys.path.append(folder)
    from e2b_double import E2BDouble

    return E2BDouble(record=False)


def _project(folder: Path) -> dict[str, str]:
    """Make the project; what each pipeline does, by its name."""
    (folder / "osiris.yaml").write_text("# a project\n", encoding="utf-8")
    (folder / "one.csv").write_text("one\n1\n", encoding="utf-8")
    with (folder / "large.csv").open("w", encoding="utf-8") as file:
        file.write("n,text\n")
        for number in range(MEGABYTES * 1_000_000 // (_LINE + 10)):
            file.write(f"{number:09},{os.urandom(_LINE // 2).hex()}\n")
    many = MANY.format(rows=MEGABYTES * 1_000_000 // 74)
    pipelines = {
        "tiny": ("one.csv", "SELECT * FROM df_rows", "one row"),
        "back": ("one.csv", many, f"{MEGABYTES} MB come back"),
        "there": ("large.csv", "SELECT count(*) AS n, max(text) AS text FROM df_rows", f"{MEGABYTES} MB go there"),
    }
    for name, (source, query, _) in pipelines.items():
        text = PIPELINE.format(name=name, source=source, query=query)
        (folder / f"{name}.oml.yaml").write_text(text, encoding="utf-8")
    return {name: what for name, (_, _, what) in pipelines.items()}


def rows(quick: bool) -> list[Row]:
    """A run of one row, and runs with 100 MB of output and of input; what a run and 100 MB cost more elsewhere."""
    runs = 3 if quick else 5
    folder = Path(tempfile.mkdtemp(prefix="osiris-bench-"))
    before = dict(os.environ)
    result: list[Row] = []
    try:
        described = _project(folder)
        with service() as double:
            os.environ.update(double.settings)
            for name, what in described.items():
                run = [*OSIRIS, "run", f"{name}.oml.yaml", "--no-cache", "--target"]
                ours, peer = in_turn([*run, "e2b"], [*run, "local"], runs, folder)
                row = Row(f"osiris run --target e2b, {what}", "s", [f.seconds for f in ours], "--target local")
                row.peer = [f.seconds for f in peer]
                row.cpu, row.peer_cpu = [f.cpu_seconds for f in ours], [f.cpu_seconds for f in peer]
                result.append(row)
                memory = Row(f"  memory of this side ({what})", "MB", [f.peak_mb for f in ours], "--target local")
                memory.peer = [f.peak_mb for f in peer]
                result.append(memory)
        timed = dict(zip(described, result[::2], strict=True))
        more = {name: _difference(row.ours, row.peer) for name, row in timed.items()}
        cpu = {name: _difference(row.cpu, row.peer_cpu) for name, row in timed.items()}
        result.append(Row("the adapter, per run", "s", more["tiny"], cpu=cpu["tiny"]))
        for name in ("back", "there"):
            extra = _difference(more[name], more["tiny"])
            extra_cpu = _difference(cpu[name], cpu["tiny"])
            result.append(Row(f"the adapter, when {described[name]}: beyond that", "s", extra, cpu=extra_cpu))
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder)
    return result


def _difference(these: list[float], those: list[float]) -> list[float]:
    return [this - that for this, that in zip(these, those, strict=True)]
