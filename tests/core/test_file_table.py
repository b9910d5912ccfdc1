"""The columns of data files as the editor knows them, held against what a step gets from DuckDB."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from osiris.core.config import Config
from osiris.core.discovery_process import discover
from osiris.core.file_table import FileTables
from osiris.core.project import Project
from osiris.drivers.filesystem.csv_options import reading, scan
from osiris.language.catalog import Catalog, Column, SchemaKnowledge, TableInfo
from osiris.language.connections import parse_connections
from osiris.language.environment import StaticEnvironment


def columns_of(root: Path, path: str, **options: object) -> list[tuple[str, str]] | None:
    table = FileTables(root).table(path, options, StaticEnvironment())
    return None if table is None else [(column.name, column.type) for column in table.columns or ()]


def test_the_header_gives_the_names_and_the_first_rows_the_types(tmp_path):
    (tmp_path / "orders.csv").write_text("id,amount,paid,note,empty\n1,10.5,true,Two words,\n2,20,false,x,\n")
    table = FileTables(tmp_path).table("orders.csv", {}, StaticEnvironment())
    assert table is not None
    assert table.info == TableInfo("", "orders.csv", "file")
    assert table.columns == (
        Column("id", "BIGINT", "int64"),
        Column("amount", "DOUBLE", "double"),
        Column("paid", "BOOLEAN", "bool"),
        Column("note", "VARCHAR", "string"),
        Column("empty", ""),
    )


ODD_FILES = [
    "a,a,A,a_1\n1,2,3,4\n",
    ",b,,\n1,2,3,4\n",
    ",b,c,d,e,f,g,h,i,j,k,\n1,2,3,4,5,6,7,8,9,10,11,12\n",
    ' a ,"b c", "d"\n1,2,3\n',
    '"a""x",b\n1,2\n',
    '"a\nb",c\n1,2\n',
    "a,b\n",
    "a,b",
    "\ufeffa,b\n1,2\n",
    "a,b\r\n1,2\r\n",
    "x\r1\r2\r",
    "column0,b,\n1,2,3\n",
    "a,b\n007,+5\n",
    "a,b,c,d\n.5,5.,inf,nan\n",
    "a,b\n9223372036854775808,99999999999999999999\n",
    "a,b,c\n1 ,-1,-0.5e3\n",
    "a,b\n2026-01-01,2026-01-01 10:00:00\n",
    "a,b\n--1,1_000\n",
    "a;b,c\n1,2\n",
    "name,mail\nanna,a@x\nžofie,b@x\n",
    "select,Größe ✓\n1,2\n",
]


@pytest.mark.parametrize("content", ODD_FILES)
def test_names_are_those_of_the_step_and_types_never_others(tmp_path, content):
    (tmp_path / "odd.csv").write_bytes(content.encode())
    found = columns_of(tmp_path, "odd.csv")
    described = duckdb.sql(f"DESCRIBE FROM {scan([tmp_path / 'odd.csv'], reading({}, 'none'))}").fetchall()
    assert found is not None
    assert [name for name, _ in found] == [row[0] for row in described]
    assert [type_ or row[1] for (_, type_), row in zip(found, described, strict=True)] == [row[1] for row in described]


@pytest.mark.parametrize(
    ("content", "options", "names"),
    [
        ("a;b\n1;2\n", {"delimiter": ";"}, ["a", "b"]),
        ("a\tb\n1\t2\n", {"delimiter": "\t"}, ["a", "b"]),
        ("1,2\n3,4\n", {"header": False}, ["column0", "column1"]),
        ("title\n\na,b\n1,2\n", {"skip_rows": 2}, ["a", "b"]),
        ("title\na,b\n1,2\n", {"header": 1}, ["a", "b"]),
        ("x\ny\na,b\n1,2\n", {"header": 1, "skip_rows": 1}, ["a", "b"]),
        ("\n\na,b\n1,2\n", {}, ["a", "b"]),
        ("# made today\na,b\n1,2\n", {"comment": "#"}, ["a", "b"]),
    ],
)
def test_the_options_of_the_step_count(tmp_path, content, options, names):
    (tmp_path / "a.csv").write_text(content)
    assert [name for name, _ in columns_of(tmp_path, "a.csv", **options) or ()] == names


def test_types_that_the_step_asks_for(tmp_path):
    (tmp_path / "a.csv").write_text("id,zip,day,x\n1,10115,2026-01-31,NA\n")
    options = {"dtype": {"zip": "string"}, "parse_dates": ["day"], "na_values": ["NA"]}
    assert columns_of(tmp_path, "a.csv", **options) == [
        ("id", "BIGINT"),
        ("zip", "VARCHAR"),
        ("day", "TIMESTAMP"),
        ("x", ""),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("größe,id\nklein,1\n".encode(encoding))
    assert columns_of(tmp_path, "a.csv", encoding=encoding) == [("größe", "VARCHAR"), ("id", "BIGINT")]


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.csv.gz", gzip.compress), ("a.csv.bz2", bz2.compress), ("a.csv.xz", lzma.compress), ("a.zip", zipped)],
)
def test_compressed_files(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(b"id,name\n1,Anna Maria\n"))
    assert columns_of(tmp_path, name) == [("id", "BIGINT"), ("name", "VARCHAR")]
    (tmp_path / name).write_bytes(pack(b"id,name\n1,Anna Maria\n")[:-12])
    columns_of(tmp_path, name)


def test_of_a_large_file_only_the_beginning_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("id,name\n" + "1,Anna Maria\n" * 200_000)
    assert columns_of(tmp_path, "a.csv") == [("id", "BIGINT"), ("name", "VARCHAR")]
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"id\n" + b"1\n" * 50_000_000))
    assert columns_of(tmp_path, "bomb.csv.gz") == [("id", "BIGINT")]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00a", b"\x00\x01\x02\n\x03", b"PAR1...PAR1", b"\n\n\n"])
def test_a_file_that_is_no_text_says_nothing(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    assert columns_of(tmp_path, "a.csv") is None


def test_a_changed_file_is_read_again(tmp_path):
    tables = FileTables(tmp_path)
    (tmp_path / "a.csv").write_text("a,b\n")
    before = tables.table("a.csv", {}, StaticEnvironment())
    (tmp_path / "a.csv").write_text("a,b,c\n")
    after = tables.table("a.csv", {}, StaticEnvironment())
    assert before is not None
    assert after is not None
    assert (len(before.columns or ()), len(after.columns or ())) == (2, 3)


def test_nothing_outside_the_project_is_read(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "secret.csv").write_text("a,b\n")
    (tmp_path / "project/link.csv").symlink_to(tmp_path / "secret.csv")
    for path in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv", "", "a\0b", "gone.csv"):
        assert columns_of(tmp_path / "project", path) is None


def test_folders_and_pipes_say_nothing_and_are_not_waited_for(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    assert columns_of(tmp_path, "folder.csv") is None
    assert columns_of(tmp_path, "pipe.csv") is None


@pytest.mark.parametrize("path", ["data/orders.parquet", "data/events/part-7.parquet"])
def test_parquet_columns_are_those_that_were_discovered(tmp_path, path):
    id_column = (Column("id", "INTEGER", "int32"),)
    catalog = Catalog(
        "@filesystem.data",
        "",
        [TableInfo("", "orders.parquet", "file"), TableInfo("", "events/*.parquet", "file")],
        {("", "orders.parquet"): id_column, ("", "events/*.parquet"): id_column},
        read_at=datetime.now(UTC),
    )
    env = StaticEnvironment(
        connections=parse_connections("connections: {filesystem: {data: {base_dir: data}}}\n"),
        schemas={"@filesystem.data": SchemaKnowledge(None, catalog)},
    )
    table = FileTables(tmp_path).table(path, {}, env)
    assert table is not None
    assert table.columns == id_column
    assert FileTables(tmp_path).table("other/orders.parquet", {}, env) is None


def test_a_project_knows_the_columns_of_its_files(tmp_path):
    (tmp_path / "osiris.yaml").touch()
    (tmp_path / "a.csv").write_text("id;name\n1;x\n")
    table = Project.find(tmp_path).environment().file_table("a.csv", {"delimiter": ";"})
    assert table is not None
    assert [column.name for column in table.columns or ()] == ["id", "name"]


def test_a_project_knows_parquet_files_once_they_were_discovered(tmp_path):
    (tmp_path / "osiris_connections.yaml").write_text("connections: {filesystem: {data: {base_dir: data}}}\n")
    (tmp_path / "data").mkdir()
    duckdb.sql("COPY (SELECT 1 AS id, 'x' AS name) TO '" + str(tmp_path / "data/orders.parquet") + "' (FORMAT parquet)")
    assert Project.find(tmp_path).environment().file_table("data/orders.parquet", {}) is None
    (outcome,) = discover([Config.load(tmp_path).connection("@filesystem.data")], root=tmp_path, env={})
    assert outcome.ok
    table = Project.find(tmp_path).environment().file_table("data/orders.parquet", {})
    assert table is not None
    assert [(column.name, column.type) for column in table.columns or ()] == [("id", "INTEGER"), ("name", "VARCHAR")]


def test_a_pattern_has_the_columns_that_all_its_files_have(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text("id,note\n1,Two words\n")
    (tmp_path / "in/b.csv").write_text("id,note\n1.5,Two words\n")
    (tmp_path / "in/.hidden.csv").write_text("other\n1\n")

    assert columns_of(tmp_path, "in/*.csv") == [("id", ""), ("note", "VARCHAR")]
    assert columns_of(tmp_path, "in/[a].csv") == [("id", "BIGINT"), ("note", "VARCHAR")]
    assert columns_of(tmp_path, "in/*.tsv") is None

    (tmp_path / "in/c.csv").write_text("note,id\nx,1\n")
    assert columns_of(tmp_path, "in/*.csv") is None, "a run would stop"


def test_a_pattern_never_leaves_the_project(tmp_path):
    (tmp_path / "shop/in").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("secret\n1\n")
    (tmp_path / "shop/in/link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "shop/in/up").symlink_to(tmp_path)

    for pattern in ("../*.csv", f"{tmp_path}/*.csv", "in/*.csv", "in/*/*.csv", "in/up/*.csv", "in/**/*.csv"):
        assert columns_of(tmp_path / "shop", pattern) is None
        assert not FileTables(tmp_path / "shop").fitting(pattern)


def test_blank_lines_before_the_header_are_none_of_its_rows(tmp_path):
    (tmp_path / "late.csv").write_text("\n\nid,mail\n1,o@x\n")

    found = [columns_of(tmp_path, "late.csv", skip_blank_lines=skip) for skip in (True, False)]

    assert found == [[("id", "BIGINT"), ("mail", "VARCHAR")]] * 2
