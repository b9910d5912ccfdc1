"""Pipelines and data of a chosen size, the same at every call."""

from __future__ import annotations

import random
from pathlib import Path


def pipeline(steps: int) -> str:
    """A valid pipeline: one reader, a chain of SQL steps, one writer at the end."""
    lines = ["oml_version: 0.1.0", "name: bench", "params:", "  country: CZ", "steps:"]
    lines += ["  - id: extract", "    component: filesystem.csv_extractor", "    mode: read"]
    lines += ["    config:", "      path: data/orders.csv", ""]
    before = "extract"
    for index in range(1, max(steps - 1, 1)):
        lines += [f"  - id: step-{index}", "    component: duckdb.processor", "    mode: transform"]
        lines += [f"    needs: [{before}]", "    config:", "      query: |"]
        lines += [f"        select *, {index} as n{index} from df_{before.replace('-', '_')}", ""]
        before = f"step-{index}"
    lines += ["  - id: write", "    component: filesystem.csv_writer", "    mode: write"]
    lines += [f"    needs: [{before}]", "    config:", "      path: out/result.csv", ""]
    return "\n".join(lines)


def chained_pipeline(steps: int) -> str:
    """``steps`` one-row SQL steps in a row between a reader and a writer; columns do not grow."""
    text = pipeline(steps)
    for index in range(1, steps):
        text = text.replace(f"select *, {index} as n{index} from", "select * from")
    return text


def orders_csv(path: Path, rows: int) -> None:
    """A CSV of six columns: id, customer, country, amount, quantity, ts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    countries = ["CZ", "DE", "PL", "AT", "SK", "HU"]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("id,customer,country,amount,quantity,ts\n")
        for index in range(rows):
            day = 1 + index % 28
            file.write(
                f"{index},c{index % 1000},{countries[rng.randrange(6)]},{rng.randrange(100, 99999) / 100:.2f},"
                f"{1 + index % 9},2026-01-{day:02d} 10:00:00\n"
            )
