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


CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: data/shop.db, default: true}
    archive: {path: data/archive.db}
  filesystem:
    out: {base_dir: out}
"""


def shop_pipeline(name: str, steps: int) -> str:
    """A valid pipeline as people write them: a reader with a connection, SQL of several lines, parameters, a writer."""
    lines = ['oml_version: "0.1.0"', f"name: {name}", f"description: Number {name} of many", "params:"]
    lines += ["  country: {type: string, default: CZ}", "  least: 10", "steps:"]
    lines += ["  - id: extract-orders", "    component: sqlite.extractor", "    mode: read"]
    lines += ["    config:", '      connection: "@sqlite.shop"', "      table: orders", ""]
    before = "extract-orders"
    for index in range(1, max(steps - 1, 1)):
        lines += [f"  # Orders, part {index}", f"  - id: part-{index}", "    component: duckdb.processor"]
        lines += ["    mode: transform", f"    needs: [{before}]", "    config:", "      query: |"]
        lines += [f"        SELECT customer, country, amount, {index} as n{index}"]
        lines += [f"        FROM df_{before.replace('-', '_')}"]
        lines += ["        WHERE amount >= ${params.least} AND country = '${params.country}'", ""]
        before = f"part-{index}"
    lines += ["  - id: write", "    component: filesystem.csv_writer", "    mode: write"]
    lines += [f"    needs: [{before}]", "    config:", '      connection: "@filesystem.out"']
    lines += [f"      path: {name}.csv", ""]
    return "\n".join(lines)


def shop_project(folder: Path, files: int, steps: int) -> list[Path]:
    """A project of ``files`` pipelines of ``steps`` steps each in ten folders; returns them in the order of names."""
    (folder / "osiris.yaml").write_text('version: "2.0"\n', encoding="utf-8")
    (folder / "osiris_connections.yaml").write_text(CONNECTIONS, encoding="utf-8")
    (folder / "data").mkdir()
    for name in ("shop.db", "archive.db"):
        (folder / "data" / name).touch()
    paths: list[Path] = []
    for index in range(files):
        path = folder / "pipelines" / f"team-{index % 10}" / f"shop-{index:03}.oml.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shop_pipeline(f"shop-{index:03}", steps), encoding="utf-8")
        paths.append(path)
    return sorted(paths)


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
