"""What is found in SQLite databases, with real ones."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path

import pytest

from osiris.core.catalog_source import Timeouts, catalog_source
from osiris.core.error_taxonomy import ConfigurationError, ErrorCategory, classify
from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.language.catalog import Column, TableInfo

SHOP = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email VARCHAR(200) NOT NULL UNIQUE,
    born DATE,
    score DECIMAL(8, 2),
    photo BLOB,
    anything
);
CREATE TABLE orders (
    shop TEXT,
    number INT,
    customer INTEGER REFERENCES customers,
    placed_at TIMESTAMP,
    paid BOOLEAN NOT NULL DEFAULT 0,
    net REAL,
    gross REAL GENERATED ALWAYS AS (net * 1.2) STORED,
    tag TEXT,
    PRIMARY KEY (shop, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX only_some ON orders (tag) WHERE tag IS NOT NULL;
CREATE VIEW paid_orders AS SELECT number, gross FROM orders WHERE paid;
CREATE VIRTUAL TABLE notes USING fts5(body);
INSERT INTO customers VALUES (1, 'a@x', '2024-01-31', 1.5, x'0102', 'é'), (2, 'b@x', NULL, NULL, NULL, 1e999);
"""


@pytest.fixture
def make(tmp_path):
    """Makes the database shop.db from a script."""

    def made(script: str = SHOP) -> Path:
        with sqlite3.connect(tmp_path / "shop.db") as database:
            database.executescript(script)
        database.close()
        return tmp_path / "shop.db"

    return made


@contextmanager
def opened(path: Path, **timeouts: float):
    with catalog_source("sqlite").connect({"path": path.name}, root=path.parent, timeouts=Timeouts(**timeouts)) as it:
        yield it


def test_tables_and_views_are_listed_by_name_without_what_virtual_tables_keep_for_themselves(make):
    with opened(make()) as session:
        tables = session.tables()
    assert [(t.schema, t.name, t.kind) for t in tables] == [
        ("", "customers", "table"),
        ("", "notes", "table"),
        ("", "orders", "table"),
        ("", "paid_orders", "view"),
    ]


def test_a_virtual_table_is_known_by_its_columns_and_module(make):
    with opened(make()) as session:
        notes = next(t for t in session.tables() if t.name == "notes")
        assert notes.comment == "virtual table of the module fts5"
        assert [c.name for c in session.columns([notes])["", "notes"]] == ["body"]


def test_columns_have_the_types_as_declared_and_those_of_arrow(make):
    with opened(make()) as session:
        columns = session.columns()
    assert columns["", "customers"] == (
        Column("id", "INTEGER", "int64", nullable=False, primary_key=1),
        Column("email", "VARCHAR(200)", "string", nullable=False, unique=True),
        Column("born", "DATE", "date32[day]", nullable=True),
        Column("score", "DECIMAL(8, 2)", "double", nullable=True),
        Column("photo", "BLOB", "binary", nullable=True),
        Column("anything", "", "", nullable=True),
    )
    assert columns["", "orders"] == (
        Column("shop", "TEXT", "string", nullable=False, primary_key=1),
        Column("number", "INT", "int64", nullable=False, primary_key=2),
        Column("customer", "INTEGER", "int64", nullable=True, references="customers.id"),
        Column("placed_at", "TIMESTAMP", "timestamp[us]", nullable=True),
        Column("paid", "BOOLEAN", "bool", nullable=False),
        Column("net", "REAL", "double", nullable=True),
        Column("gross", "REAL", "double", nullable=True, generated=True),
        Column("tag", "TEXT", "string", nullable=True),
    )
    assert columns["", "paid_orders"] == (Column("number", "INT", "int64"), Column("gross", "REAL", "double"))


def test_columns_of_some_tables_only(make):
    with opened(make()) as session:
        assert set(session.columns([TableInfo("", "customers")])) == {("", "customers")}


ODD_NAMES = ['a "quoted" one', "select", "Größe ✓", "semi;colon", "it's", "with.dot", "percent%s", "[brackets]", " "]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_quoted(make, name):
    quoted = '"' + name.replace('"', '""') + '"'
    with opened(make(f"CREATE TABLE {quoted} ({quoted} TEXT); INSERT INTO {quoted} VALUES ('x');")) as session:
        assert [t.name for t in session.tables()] == [name]
        assert [c.name for c in session.columns()["", name]] == [name]
        assert session.sample(TableInfo("", name), 5).rows == (("x",),)


def test_a_foreign_key_of_two_columns_names_each_of_its_own(make):
    script = """
        CREATE TABLE a (x INT, y INT, PRIMARY KEY (y, x));
        CREATE TABLE b (p INT, q INT, r INT, FOREIGN KEY (p, q) REFERENCES a, FOREIGN KEY (r) REFERENCES gone);
    """
    with opened(make(script)) as session:
        assert [c.references for c in session.columns()["", "b"]] == ["a.y", "a.x", "gone"]


def test_a_broken_view_has_no_columns_and_is_a_remark(make):
    with opened(make("CREATE TABLE t (x); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE u (y);")) as session:
        pass
    path = make("PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 't';")
    with opened(path) as session:
        assert [t.name for t in session.tables()] == ["u", "v"]
        assert set(session.columns()) == {("", "u")}
        assert session.server().remarks == ("The columns of v cannot be read: no such table: main.t.",)


def test_row_counts_are_known_after_analyze_and_never_counted(make):
    filled = "CREATE TABLE t (x INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);"
    with opened(make(filled)) as session:
        assert session.tables()[0].rows is None
    with opened(make("ANALYZE;")) as session:
        assert session.tables()[0].rows == 3


def test_a_sample_holds_plain_values(make):
    with opened(make()) as session:
        sample = session.sample(TableInfo("", "customers"), 10)
    assert sample.columns == ("id", "email", "born", "score", "photo", "anything")
    assert sample.rows == ((1, "a@x", "2024-01-31", 1.5, "0x0102", "é"), (2, "b@x", None, None, None, "inf"))


def test_text_that_is_not_utf8_stops_no_sample(make):
    with opened(make("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (CAST(x'61ff' AS TEXT));")) as session:
        assert session.sample(TableInfo("", "t"), 1).rows == (("a\ufffd",),)


def test_a_sample_has_no_more_rows_than_asked_for(make):
    with opened(make()) as session:
        assert len(session.sample(TableInfo("", "customers"), 1).rows) == 1


def test_nothing_can_be_written(make):
    path = make()
    before = path.read_bytes()
    with opened(path) as session:
        session.tables(), session.columns(), session.sample(TableInfo("", "orders"), 1)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir() if entry.name.startswith("shop")] == ["shop.db"]


def test_the_server_is_sqlite_itself(make):
    with opened(make()) as session:
        info = session.server()
    assert (info.product, info.version, info.remarks) == ("SQLite", sqlite3.sqlite_version, ())


def test_an_empty_file_is_an_empty_database(tmp_path):
    (tmp_path / "shop.db").touch()
    with opened(tmp_path / "shop.db") as session:
        assert (list(session.tables()), dict(session.columns())) == ([], {})


def problem_of(path: Path, **timeouts: float) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        read_all(path, **timeouts)
    return caught.value


def read_all(path: Path, **timeouts: float) -> None:
    with opened(path, **timeouts) as session:
        session.columns(session.tables())


def test_a_missing_database_is_named(tmp_path):
    problem = problem_of(tmp_path / "gone.db")
    assert str(problem) == "The SQLite database gone.db does not exist."
    assert not (tmp_path / "gone.db").exists()


def test_a_folder_is_no_database(tmp_path):
    (tmp_path / "shop.db").mkdir()
    assert str(problem_of(tmp_path / "shop.db")) == "shop.db is a folder, not a SQLite database."


@pytest.mark.parametrize("content", [b"this is no database" * 100, bytes(range(256)) * 16], ids=["text", "encrypted"])
def test_what_sqlite_cannot_read_may_be_encrypted(tmp_path, content):
    (tmp_path / "shop.db").write_bytes(content)
    assert "it is encrypted, or no SQLite file at all" in str(problem_of(tmp_path / "shop.db"))


def test_a_torn_database_is_corrupt(make):
    path = make("".join(f"CREATE TABLE t{i} (some_column_{i} TEXT);" for i in range(500)))
    path.write_bytes(path.read_bytes()[:8192])
    assert str(problem_of(path)) == "Cannot read shop.db: database disk image is malformed."


def test_a_locked_database_is_waited_for_no_longer_than_allowed(make):
    path = make()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    problem = problem_of(path, connect=0.2)
    writer.close()
    assert str(problem) == "Cannot read shop.db: database is locked."
    assert "try again" in (problem.hint or "")
    assert classify(problem) is not ErrorCategory.CONFIGURATION


def test_a_view_that_never_ends_is_stopped(make):
    endless = "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;"
    with opened(make(endless), statement=0.2) as session, pytest.raises(Unreachable, match="took too long"):
        session.sample(TableInfo("", "v"), 1)


def test_a_connection_without_a_path_is_wrongly_configured(tmp_path):
    source = catalog_source("sqlite")
    with pytest.raises(ConfigurationError), source.connect({}, root=tmp_path, timeouts=Timeouts()):
        pass


def test_five_thousand_tables_are_no_problem(make):
    columns = ", ".join(f"c{i} INT" for i in range(20))
    with opened(
        make("BEGIN;" + "".join(f"CREATE TABLE t{i} ({columns});" for i in range(5000)) + "COMMIT;")
    ) as session:
        assert sum(len(found) for found in session.columns(session.tables()).values()) == 100_000


def test_a_damaged_name_is_a_problem_in_words(make):
    path = make("CREATE TABLE whole (x); CREATE TABLE damaged (column_1, column_2);")
    path.write_bytes(path.read_bytes().replace(b"column_1", b"column_\xff").replace(b"column_2", b"column_\xff"))
    assert str(problem_of(path)) == "Cannot read shop.db: a name in it is not UTF-8."


def test_the_home_of_a_user_who_is_not_there_holds_no_database(tmp_path):
    source = catalog_source("sqlite")
    with (
        pytest.raises(Unreachable, match=r"The SQLite database ~nobody-here/shop\.db does not exist"),
        source.connect({"path": "~nobody-here/shop.db"}, root=tmp_path, timeouts=Timeouts()),
    ):
        pass
