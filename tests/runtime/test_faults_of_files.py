"""What becomes of a step whose target is a file and whose disk is full: the target stays as it was."""

from __future__ import annotations

import contextlib
import resource
import sqlite3

import duckdb
import pytest

FILES = {
    "filesystem.csv_writer": ("t.csv", {}),
    "filesystem.json_writer": ("t.json", {}),
    "filesystem.parquet_writer": ("t.parquet", {"compression": "none"}),
    "sqlite.writer": ("t.db", {"table": "t"}),
    "duckdb.writer": ("t.duckdb", {"table": "t"}),
}
MANY = "SELECT range AS a, md5(range::VARCHAR) AS b FROM range(400000)"


def write(project, component, rows):
    path, more = FILES[component]
    retry = {"attempts": 2, "delay": 0, "max_delay": 0}
    return project.manifest(
        project.sql("rows", (), rows),
        project.step("w", component, sources="rows", path=path, step__retry=retry, **more),
    )


@pytest.mark.parametrize("component", FILES)
def test_a_full_disk_is_named_and_not_tried_again(project, component):
    target = project.root / FILES[component][0]
    first = project.run(manifest=write(project, component, "SELECT 1::BIGINT AS a, 'x' AS b"))
    assert first.state == "succeeded", first.error()
    before = target.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, limit[1]))
    try:
        run = project.run(manifest=write(project, component, MANY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert run.state == "failed"
    # SQLite has one name for all that a disk refuses, beside "No space left on device", which no test can have here.
    assert ("disk I/O error" if component == "sqlite.writer" else "disk is full") in run.error("w")
    assert not run.named("step_retry")
    if "table" in FILES[component][1]:
        connect = sqlite3.connect if component == "sqlite.writer" else duckdb.connect
        with contextlib.closing(connect(target)) as connection:  # which undoes what a full disk kept from being undone
            assert connection.execute("SELECT * FROM t").fetchall() == [(1, "x")]
    else:
        assert target.read_bytes() == before
    assert project.leftovers() == []
