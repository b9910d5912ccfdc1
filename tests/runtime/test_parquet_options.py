"""Every option of the Parquet components does what its spec says."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def orders(project):
    table = pa.table(
        {
            "id": [1, 2, 3],
            "name": ["a", "b", None],
            "price": pa.array(["1.10", "2.20", "3.30"]).cast(pa.decimal128(9, 2)),
        }
    )
    pq.write_table(table, project.root / "orders.parquet")
    return table


def test_columns_and_limit(project, orders):
    run = project.run_here(
        project.step("t", "filesystem.parquet_extractor", path="orders.parquet", columns=["price", "id"], limit=2),
        project.to_csv("w", "t", "out.csv"),
    )

    assert run.state == "succeeded", run.error()
    assert project.read("out.csv") == "price,id\n1.10,1\n2.20,2\n"


def test_a_copy_has_the_same_columns_types_and_rows(project, orders):
    run = project.run_here(
        project.step("t", "filesystem.parquet_extractor", path="orders.parquet"),
        project.step("w", "filesystem.parquet_writer", sources="t", path="copy.parquet"),
    )

    assert run.state == "succeeded", run.error()
    assert pq.read_table(project.root / "copy.parquet").cast(orders.schema) == orders


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "lz4", "none"])
def test_compression(project, compression):
    run = project.run_here(
        project.sql("t", (), "SELECT range AS i FROM range(1000)"),
        project.step("w", "filesystem.parquet_writer", sources="t", path="out.parquet", compression=compression),
    )

    assert run.state == "succeeded", run.error()
    written = pq.ParquetFile(project.root / "out.parquet").metadata.row_group(0).column(0).compression
    assert written.lower() in {compression, {"none": "uncompressed", "lz4": "lz4_raw"}.get(compression)}


def test_row_group_size_is_rounded_up(project):
    project.run_here(
        project.sql("t", (), "SELECT range AS i FROM range(10000)"),
        project.step("w", "filesystem.parquet_writer", sources="t", path="out.parquet", row_group_size=2049),
    )

    metadata = pq.ParquetFile(project.root / "out.parquet").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [4096, 4096, 1808]


def test_create_dirs(project):
    step = project.sql("t", (), "SELECT 1 AS a")

    made = project.run_here(step, project.step("w", "filesystem.parquet_writer", sources="t", path="a/b/out.parquet"))
    refused = project.run_here(
        step, project.step("w", "filesystem.parquet_writer", sources="t", path="c/out.parquet", create_dirs=False)
    )

    assert made.state == "succeeded"
    assert refused.error("w") == "Cannot write c/out.parquet: its folder does not exist."


def test_base_dir(project, orders):
    (project.root / "data").mkdir()
    (project.root / "orders.parquet").rename(project.root / "data/orders.parquet")

    run = project.run_here(
        project.step("t", "filesystem.parquet_extractor", path="orders.parquet", base_dir="data"),
        project.step("w", "filesystem.parquet_writer", sources="t", path="copy.parquet", base_dir="data"),
    )

    assert run.state == "succeeded", run.error()
    assert (project.root / "data/copy.parquet").exists()


def test_a_file_that_is_no_parquet_and_a_column_that_is_not_there(project, orders):
    project.write("broken.parquet", "nonsense, and long enough to look at")

    broken = project.run_here(
        project.step("t", "filesystem.parquet_extractor", path="broken.parquet"), project.to_csv("w", "t", "out.csv")
    )
    unknown = project.run_here(
        project.step("t", "filesystem.parquet_extractor", path="orders.parquet", columns=["nope"]),
        project.to_csv("w", "t", "out.csv"),
    )

    assert broken.error("t") == "The file is not a Parquet file, or not a whole one."
    assert unknown.error("t") == "orders.parquet has no column nope."


def test_a_duration_below_zero_is_told_by_its_column(project):
    run = project.run_here(
        project.sql("t", (), "SELECT 1 AS id, INTERVAL '-1 hour' AS late"),
        project.step("w", "filesystem.parquet_writer", sources="t", path="out.parquet"),
    )

    assert run.error("w") == "The column late holds a duration below zero, which Parquet files cannot hold."
    assert not (project.root / "out.parquet").exists()
