"""What is found in DuckDB databases, with real ones."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from osiris.core.catalog_source import Timeouts, catalog_source
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.language.catalog import Column, TableInfo

SHOP = """
CREATE TYPE mood AS ENUM ('fine', 'it''s bad');
CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR NOT NULL UNIQUE, mood mood, tags VARCHAR[]);
CREATE TABLE orders (
    shop VARCHAR, number INTEGER, customer INTEGER REFERENCES customers (id), placed_at TIMESTAMPTZ,
    net DECIMAL(12, 4), gross DECIMAL(13, 4) GENERATED ALWAYS AS (net * 2), PRIMARY KEY (number, shop)
);
COMMENT ON TABLE orders IS 'one row for each order';
COMMENT ON COLUMN orders.net IS 'before tax';
CREATE SCHEMA "old stuff";
CREATE TABLE "old stuff".places (id UUID PRIMARY KEY, spot STRUCT(x DOUBLE, y DOUBLE));
CREATE TABLE "old stuff".visits (place UUID REFERENCES "old stuff".places (id));
CREATE VIEW big_orders AS SELECT number, gross FROM orders WHERE net > 100;
INSERT INTO customers VALUES (1, 'a@x', 'fine', ['x', 'y']), (2, 'b@x', NULL, NULL);
"""


@pytest.fixture
def make(tmp_path):
    """Makes the database shop.duckdb from a script."""

    def made(script: str = SHOP) -> Path:
        with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
            database.execute(script)
        return tmp_path / "shop.duckdb"

    return made


@contextmanager
def opened(path: Path, **timeouts: float):
    with catalog_source("duckdb").connect({"path": path.name}, root=path.parent, timeouts=Timeouts(**timeouts)) as it:
        yield it


def test_tables_and_views_of_all_schemas_are_listed(make):
    with opened(make()) as session:
        assert session.tables() == [
            TableInfo("main", "big_orders", "view"),
            TableInfo("main", "customers", rows=2),
            TableInfo("main", "orders", comment="one row for each order", rows=0),
            TableInfo("old stuff", "places", rows=0),
            TableInfo("old stuff", "visits", rows=0),
        ]


def test_columns_have_duckdbs_types_and_those_of_arrow(make):
    with opened(make()) as session:
        columns = session.columns()
    assert columns["main", "customers"] == (
        Column("id", "INTEGER", "int32", nullable=False, primary_key=1),
        Column("email", "VARCHAR", "string", nullable=False, unique=True),
        Column(
            "mood",
            "ENUM('fine', 'it''s bad')",
            "dictionary<values=string, indices=uint8, ordered=0>",
            nullable=True,
            values=("fine", "it's bad"),
        ),
        Column("tags", "VARCHAR[]", "list<l: string>", nullable=True),
    )
    assert columns["main", "orders"] == (
        Column("shop", "VARCHAR", "string", nullable=False, primary_key=2),
        Column("number", "INTEGER", "int32", nullable=False, primary_key=1),
        Column("customer", "INTEGER", "int32", nullable=True, references="customers.id"),
        Column("placed_at", "TIMESTAMP WITH TIME ZONE", "timestamp[us, tz=UTC]", nullable=True),
        Column("net", "DECIMAL(12,4)", "decimal128(12, 4)", nullable=True, comment="before tax"),
        Column("gross", "DECIMAL(13,4)", "decimal128(13, 4)", nullable=True, generated=True),
    )
    assert columns["main", "big_orders"] == (
        Column("number", "INTEGER", "int32"),
        Column("gross", "DECIMAL(13,4)", "decimal128(13, 4)"),
    )
    assert columns["old stuff", "visits"][0].references == "old stuff.places.id"


def test_columns_of_some_tables_only(make):
    with opened(make()) as session:
        assert set(session.columns([TableInfo("old stuff", "places")])) == {("old stuff", "places")}


@pytest.mark.parametrize("name", ['a "quoted" one', "select", "Größe ✓", "semi;colon", "it's", "with.dot", " "])
def test_odd_names_are_quoted(make, name):
    quoted = '"' + name.replace('"', '""') + '"'
    script = f"CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} AS SELECT 1 AS {quoted}"
    with opened(make(script)) as session:
        assert session.tables() == [TableInfo(name, name, rows=1)]
        assert [c.name for c in session.columns()[name, name]] == [name]
        assert session.sample(TableInfo(name, name), 5).rows == ((1,),)


def test_a_sample_holds_plain_values(make):
    with opened(make()) as session:
        sample = session.sample(TableInfo("main", "customers"), 10)
    assert sample.columns == ("id", "email", "mood", "tags")
    assert sample.rows == ((1, "a@x", "fine", "['x', 'y']"), (2, "b@x", None, None))


def test_a_view_over_a_file_has_columns_and_no_sample(make, tmp_path):
    (tmp_path / "secret.csv").write_text("a,b\nhidden,1\n")
    with opened(make(f"CREATE VIEW v AS FROM '{tmp_path}/secret.csv'")) as session:
        assert [c.name for c in session.columns()["main", "v"]] == ["a", "b"]
        with pytest.raises(Unreachable, match="file system operations are disabled"):
            session.sample(TableInfo("main", "v"), 1)


def test_no_setting_can_be_changed_and_nothing_written(make):
    path = make()
    before = path.read_bytes()
    with opened(path) as session:
        for statement in ("SET enable_external_access = true", "CREATE TABLE t (x INT)", "LOAD httpfs"):
            with pytest.raises(duckdb.Error):
                session._connection.execute(statement)
    assert path.read_bytes() == before


def test_the_server_is_duckdb_itself(make):
    with opened(make()) as session:
        info = session.server()
    assert (info.product, info.version, info.default_schema) == ("DuckDB", duckdb.__version__, "main")


def problem_of(path: Path) -> str:
    with pytest.raises(Unreachable) as caught:
        read_all(path)
    return str(caught.value)


def read_all(path: Path) -> None:
    with opened(path) as session:
        session.columns(session.tables())


def test_a_missing_database_is_named_and_not_made(tmp_path):
    assert problem_of(tmp_path / "gone.duckdb") == "The DuckDB database gone.duckdb does not exist."
    assert not (tmp_path / "gone.duckdb").exists()


def test_a_database_of_another_kind_says_so(tmp_path):
    with sqlite3.connect(tmp_path / "shop.duckdb") as database:
        database.execute("CREATE TABLE t (x)")
    assert problem_of(tmp_path / "shop.duckdb") == "shop.duckdb is a SQLite database, not a DuckDB one."


@pytest.mark.parametrize("content", [b"", b"id,name\n1,a\n" * 100, os.urandom(8192)], ids=["empty", "text", "bytes"])
def test_what_is_no_database_says_so(tmp_path, content):
    (tmp_path / "shop.duckdb").write_bytes(content)
    assert problem_of(tmp_path / "shop.duckdb") == "shop.duckdb is not a DuckDB database."


def test_a_torn_database_is_damaged(make):
    path = make()
    path.write_bytes(path.read_bytes()[:20_000])
    assert problem_of(path).startswith("shop.duckdb is damaged:")


def test_an_encrypted_database_says_so(tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(config={"force_mbedtls_unsafe": "true"}) as database:
        database.execute(f"ATTACH '{path}' AS locked (ENCRYPTION_KEY 'abc'); CREATE TABLE locked.t (x INT)")
    assert problem_of(path) == "shop.duckdb is encrypted."


def test_a_database_that_somebody_writes_to_says_who(make):
    path = make()
    writing = f"import duckdb; held = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", writing], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        problem = problem_of(path)
        other.stdin.close()
    assert problem == f"shop.duckdb is locked: another program (PID {other.pid}) has it open for writing."


def test_a_view_that_never_ends_is_stopped(make):
    numbers = "range(99999)"
    endless = f"CREATE VIEW v AS SELECT max(a.range + b.range * c.range) FROM {numbers} a, {numbers} b, {numbers} c"
    with opened(make(endless), statement=0.5) as session, pytest.raises(Unreachable, match="took too long"):
        session.sample(TableInfo("main", "v"), 1)
