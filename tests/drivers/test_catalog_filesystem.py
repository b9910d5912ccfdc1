"""What is found in folders of data files, with real ones."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from osiris.core.catalog_source import Timeouts, catalog_source
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.language.catalog import Column, TableInfo

Files = dict[str, str | bytes]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def opened(folder: Path, **timeouts: float):
    source = catalog_source("filesystem")
    with source.connect({"base_dir": folder.name}, root=folder.parent, timeouts=Timeouts(**timeouts)) as it:
        yield it


def read(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Names and types of the columns of each table."""
    with opened(folder) as session:
        found = session.columns(session.tables())
    return {name: [(column.name, column.type) for column in columns] for (_, name), columns in found.items()}


def remarks(folder: Path) -> tuple[str, ...]:
    with opened(folder) as session:
        session.tables()
        return session.server().remarks


ORDERS = "id,amount,day,paid,note\n1,10.5,2026-01-31,true,yes\n2,20,2026-02-01,false,no\n"


def test_a_csv_file_is_a_table_with_the_types_that_a_step_reads(folder):
    write(folder, {"orders.csv": ORDERS})
    with opened(folder) as session:
        assert session.tables() == [TableInfo("", "orders.csv", "file", comment="CSV, 76 bytes")]
        assert session.columns()["", "orders.csv"] == (
            Column("id", "BIGINT", "int64"),
            Column("amount", "DOUBLE", "double"),
            Column("day", "VARCHAR", "string"),
            Column("paid", "BOOLEAN", "bool"),
            Column("note", "VARCHAR", "string"),
        )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id;name\n1;x\n"),
        ("a.tsv", "id\tname\n1\tx, y\n"),
        ("a.csv.gz", gzip.compress(b"id,name\n1,x\n", mtime=0)),
        ("a.csv", "\ufeffid,name\n1,x\n"),
        ("a.csv", "id,name\n1,é\n".encode("latin-1")),
        ("a.csv", "id,name\n1,x\n".encode("utf-16")),
        ("A.CSV", "id,name\r\n1,x\r\n"),
        ("a.ndjson", '{"id": 1, "name": "x"}\n{"id": 2, "name": "y"}\n'),
        ("a.json", '[{"id": 1, "name": "x"},\n {"id": 2, "name": "y"}]'),
        ("a.json", '{"id": 1, "name": "x"}'),
        ("a.jsonl.gz", gzip.compress(b'{"id": 1, "name": "x"}\n', mtime=0)),
    ],
)
def test_text_files_in_all_their_forms(folder, name, content):
    write(folder, {name: content})
    assert read(folder) == {name: [("id", "BIGINT"), ("name", "VARCHAR")]}


def test_parquet_has_its_own_types_and_knows_its_rows(folder):
    table = pa.table({"id": pa.array([1, 2], pa.int32()), "amount": pa.array([None, 1], pa.decimal128(12, 4))})
    parquet.write_table(table, folder / "orders.parquet")
    with opened(folder) as session:
        assert [(t.name, t.rows) for t in session.tables()] == [("orders.parquet", 2)]
        assert session.columns()["", "orders.parquet"] == (
            Column("id", "INTEGER", "int32", nullable=True),
            Column("amount", "DECIMAL(12,4)", "decimal128(12, 4)", nullable=True),
        )


def test_a_folder_of_equal_files_is_one_table(folder):
    write(folder, {f"events/{day}.csv": f"id,what\n{day},x\n" for day in range(10, 14)})
    with opened(folder) as session:
        assert [(t.name, t.comment) for t in session.tables()] == [("events/*.csv", "CSV, 52 bytes in 4 files")]
        assert session.sample(session.tables()[0], 5).rows == ((10, "x"),)


def test_files_with_other_columns_are_tables_of_their_own(folder):
    write(folder, {"a/one.csv": "id,what\n1,x\n", "a/two.csv": "id,other\n1,x\n", "three.csv": "id,what\n1,x\n"})
    assert list(read(folder)) == ["a/one.csv", "a/two.csv", "three.csv"]


def test_files_in_the_folder_itself_stay_apart(folder):
    write(folder, {"customers_old.csv": "id\n1\n", "customers.csv": "id\n1\n"})
    assert list(read(folder)) == ["customers.csv", "customers_old.csv"]


def test_types_that_differ_among_the_files_of_a_folder_are_widened(folder):
    write(folder, {"a/1.csv": "x,y\n1,2\n", "a/2.csv": "x,y\n1.5,b\n"})
    assert read(folder) == {"a/*.csv": [("x", "DOUBLE"), ("y", "VARCHAR")]}


def test_hive_partitions_are_columns(folder):
    write(folder, {f"sales/year=2026/month={month}/part.csv": "id\n1\n" for month in (1, 2)})
    assert read(folder) == {"sales/*/*/*.csv": [("id", "BIGINT"), ("year", "VARCHAR"), ("month", "VARCHAR")]}


@pytest.mark.parametrize("name", ["a*.csv", "a?[b].csv", "it's.csv", 'a "b".csv', "Größe ✓.csv", "with space.csv"])
def test_odd_names(folder, name):
    write(folder, {name: "id\n1\n", "abc.csv": "other\n1\n"})
    assert read(folder)[name] == [("id", "BIGINT")]


def test_hidden_files_and_folders_without_data_are_left_out(folder):
    write(
        folder, {".hidden.csv": ORDERS, ".git/a.csv": ORDERS, "node_modules/a.csv": ORDERS, "_delta_log/1.json": "{}"}
    )
    write(folder, {"readme.txt": "x", "osiris.schema.json": "{}"})
    assert read(folder) == {}


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path):
    write(tmp_path, {"elsewhere/secret.csv": ORDERS, "secret.csv": ORDERS})
    (folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "b").symlink_to(tmp_path / "elsewhere")
    (folder / "round").symlink_to(folder)
    assert read(folder) == {}


def test_without_a_base_dir_the_project_is_looked_through(folder):
    write(folder, {"orders.csv": ORDERS})
    with catalog_source("filesystem").connect({}, root=folder.parent, timeouts=Timeouts()) as session:
        assert [table.name for table in session.tables()] == ["data/orders.csv"]


BROKEN: Files = {
    "torn.parquet": b"PAR1 and then nothing",
    "torn.csv.gz": gzip.compress(ORDERS.encode())[:20],
    "bytes.csv": b"\x00\x01\x02" * 50,
    "empty.csv": b"",
    "words.json": b'["a", "b"]',
    "half.json": b'{"id": 1, "na',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_a_remark_and_stops_nothing(folder, name):
    write(folder, {name: BROKEN[name], "orders.csv": ORDERS})
    assert list(read(folder)) == ["orders.csv"]
    assert len(remarks(folder)) == 1
    assert remarks(folder)[0].startswith(name)


def test_many_broken_files_are_counted(folder):
    write(folder, {f"{number}.csv": b"" for number in range(30)})
    assert remarks(folder)[-1] == "10 more files cannot be read."


def test_of_a_large_file_only_the_beginning_is_read(folder):
    write(folder, {"large.csv": "id,x\n" + "1,2\n" * 400_000 + "text,2\n"})
    write(folder, {"large.json": "[" + ",".join(json.dumps({"id": 1, "x": 2}) for _ in range(100_000)) + "]"})
    assert read(folder) == {
        "large.csv": [("id", "BIGINT"), ("x", "BIGINT")],
        "large.json": [("id", "BIGINT"), ("x", "BIGINT")],
    }


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe.csv")
    assert read(folder) == {}


def test_a_sample_holds_plain_values(folder):
    write(folder, {"orders.csv": ORDERS})
    parquet.write_table(pa.table({"data": [b"\x01\x02"], "list": [[1, 2]]}), folder / "odd.parquet")
    with opened(folder) as session:
        orders = session.sample(TableInfo("", "orders.csv"), 1)
        odd = session.sample(TableInfo("", "odd.parquet"), 5)
    assert orders.columns == ("id", "amount", "day", "paid", "note")
    assert orders.rows == ((1, 10.5, "2026-01-31", True, "yes"),)
    assert odd.rows == (("0x0102", "[1, 2]"),)


def test_the_search_ends_in_time(folder):
    write(folder, {"a/orders.csv": ORDERS})
    with opened(folder, statement=0) as session:
        assert session.tables() == []
        assert session.server().remarks == ("Not every file was looked at: looking through the folders took too long.",)


def test_reading_the_columns_of_many_files_ends_in_time_as_well(folder):
    write(folder, {f"many/{number}.csv": f"id,c{number}\n1,2\n" for number in range(400)})
    with opened(folder, statement=0.1) as session:
        assert len(session.tables()) < 400
        (remark,) = session.server().remarks
    assert remark.startswith("Not every file was looked at: ")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(Unreachable, match="The folder gone does not exist"), opened(tmp_path / "gone"):
        pass


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "data.csv").touch()
    with pytest.raises(Unreachable, match="is a file, not a folder"), opened(tmp_path / "data.csv"):
        pass


def test_the_home_of_a_user_who_is_not_there_is_a_missing_folder(tmp_path):
    with (
        pytest.raises(Unreachable, match="The folder ~nobody-here/data does not exist"),
        catalog_source("filesystem").connect({"base_dir": "~nobody-here/data"}, root=tmp_path, timeouts=Timeouts()),
    ):
        pass
