"""Whole processes of the `osiris` command."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.documents import orders_csv, pipeline
from benchmarks.figures import Row, in_turn

OSIRIS = [sys.executable, "-P", "-m", "osiris"]
PYTHON = [sys.executable, "-c", "pass"]


def rows(quick: bool) -> list[Row]:
    """`--help`, `validate` and `fmt` beside an interpreter that does nothing (the floor)."""
    runs = 3 if quick else 9
    result: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "osiris.yaml").write_text('version: "2.0"\n', encoding="utf-8")
        orders_csv(folder / "data" / "orders.csv", 10)
        for steps in (3, 1000, 2000):
            (folder / f"p{steps}.oml.yaml").write_text(
                pipeline(steps).replace("name: bench", f"name: p{steps}"), "utf-8"
            )
        cases = [
            ("osiris --help", ["--help"], 0.15),
            ("osiris validate, 3 steps", ["validate", "p3.oml.yaml"], 0.25),
            ("osiris validate, 2,000 steps", ["validate", "p2000.oml.yaml"], 0.6),
            ("osiris fmt --check, 3 steps", ["fmt", "--check", "p3.oml.yaml"], None),
            ("osiris fmt --check, 1,000 steps", ["fmt", "--check", "p1000.oml.yaml"], 0.5),
        ]
        for label, arguments, budget in cases:
            ours, floor = in_turn([*OSIRIS, *arguments], PYTHON, runs, folder)
            seconds = [f.seconds for f in ours]
            row = Row(label, "s", seconds, "python -c pass", [f.seconds for f in floor], budget)
            row.cpu, row.peer_cpu = [f.cpu_seconds for f in ours], [f.cpu_seconds for f in floor]
            result.append(row)
    return result
