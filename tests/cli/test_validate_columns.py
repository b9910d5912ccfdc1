"""``osiris validate`` and ``osiris compile`` find a wrong column in SQL over the data of other steps."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

Osiris = Callable[..., subprocess.CompletedProcess[str]]

TOTALS = """\
oml_version: "0.1.0"
name: totals
steps:
  - id: extract-orders
    component: filesystem.csv_extractor
    mode: read
    config: {path: data/orders.csv}
  - id: totals
    component: duckdb.processor
    mode: transform
    config:
      query: |
        SELECT custmer, sum(amount) AS total
        FROM df_extract_orders
        GROUP BY ALL
  - id: store
    component: filesystem.csv_writer
    mode: write
    config: {path: out/totals.csv}
"""


def test_a_wrong_column_in_sql_is_found_and_does_not_compile(osiris: Osiris, project: Path) -> None:
    (project / "data").mkdir(exist_ok=True)
    (project / "data/orders.csv").write_text("id,customer,amount\n1,Ada,10\n")
    pipeline = project / "pipelines/totals.oml.yaml"
    pipeline.write_text(TOTALS)

    found = osiris("validate", str(pipeline))
    assert found.returncode == 1
    assert "totals.oml.yaml:13:16: error OML411 `df_extract_orders` has no column `custmer`" in found.stdout
    assert "Did you mean `customer`?" in found.stdout
    assert osiris("compile", str(pipeline)).returncode == 1

    pipeline.write_text(TOTALS.replace("custmer", "customer"))
    assert osiris("compile", str(pipeline)).returncode == 0


def test_a_file_that_another_pipeline_writes_may_bring_the_column(osiris: Osiris, project: Path) -> None:
    (project / "data").mkdir(exist_ok=True)
    (project / "data/orders.csv").write_text("id,customer,amount\n1,Ada,10\n")
    (project / "pipelines/totals.oml.yaml").write_text(TOTALS)
    (project / "pipelines/load.oml.yaml").write_text(
        TOTALS.replace("name: totals", "name: load")
        .replace("custmer", "customer")
        .replace("data/orders.csv", "data/raw.csv")
        .replace("out/totals.csv", "data/orders.csv")
    )

    found = osiris("validate", "pipelines/totals.oml.yaml")

    assert found.returncode == 0
    assert "`pipelines/load.oml.yaml` writes `data/orders.csv`, and may bring the column" in found.stdout
