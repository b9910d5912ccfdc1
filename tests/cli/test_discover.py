"""``osiris discover``: what databases and folders hold, and the schema that a project commits."""

from __future__ import annotations

import json
import os
import pty
import socket
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from osiris.core.cache_fingerprint import SchemaFingerprint
from osiris.core.config import Config
from osiris.core.state_store import StateStore

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: data/shop.db}
  filesystem:
    data: {base_dir: data}
  graphql:
    api: {endpoint: "https://api.example.com"}
"""

READS = """\
oml_version: "0.1.0"
name: {name}
steps:
  - id: read
    component: sqlite.extractor
    mode: read
    config: {{connection: "@sqlite.shop", {reads}}}
  - id: write
    component: sqlite.writer
    mode: write
    config: {{connection: "@sqlite.shop", table: {writes}}}
"""


def change(project: Path, *statements: str) -> None:
    """Run statements in the shop's database."""
    with closing(sqlite3.connect(project / "data/shop.db")) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.fixture
def shop(project: Path) -> Path:
    """A project with a database of two tables, a pipeline that reads one of them, and a CSV file."""
    (project / "osiris_connections.yaml").write_text(CONNECTIONS)
    change(
        project,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)",
        "CREATE TABLE orders (number INT, customer INT REFERENCES customers, paid BOOLEAN, PRIMARY KEY (number))",
        "INSERT INTO customers VALUES (1, 'a@example.com'), (2, 'b@example.com')",
    )
    pipeline = READS.format(name="shop", reads="table: orders", writes="report")
    (project / "pipelines/shop.oml.yaml").write_text(pipeline)
    return project


# -- reading ----------------------------------------------------------------------------------------------------------


def test_each_connection_is_one_line(osiris, shop):
    done = osiris("discover")
    assert done.returncode == 0, done.stderr
    lines = sorted(done.stdout.splitlines())
    assert len(lines) == 2
    assert lines[0].startswith("@filesystem.data  1 table, 2 columns, ")
    assert lines[1].startswith("@sqlite.shop      2 tables, 5 columns, ")
    assert lines[1].endswith(f"  SQLite {sqlite3.sqlite_version}")


def test_a_named_connection_lists_its_tables(osiris, shop):
    done = osiris("discover", "sqlite.shop")
    assert done.stdout.split("\n\n")[1].splitlines() == [
        "TABLE      KIND   COLUMNS",
        "customers  table  2 columns",
        "orders     table  3 columns",
    ]


def test_a_table_shows_its_columns_with_types_and_keys(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "--table", "orders")
    assert done.stdout.split("\n\n")[1].splitlines() == [
        "orders (table)",
        "COLUMN    TYPE     ARROW TYPE  NULL  KEY",
        "number    INT      int64       yes   primary",
        "customer  INT      int64       yes   -> customers.id",
        "paid      BOOLEAN  bool        yes",
    ]


def test_a_table_named_in_another_case_is_shown_once_and_the_case_is_said(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "--table", "ORDERS", "--table", "orders")
    assert "    note: ORDERS was found as orders.\n" in done.stdout
    assert done.stdout.count("orders (table)") == 1


def test_the_json_of_named_tables_has_their_columns_as_in_the_committed_file(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "--table", "Customers", "--format", "json")
    (one,) = json.loads(done.stdout)
    assert one["schema"] == {
        "customers": {
            "kind": "table",
            "columns": [
                {"name": "id", "type": "INTEGER", "arrow": "int64", "nullable": False, "primary_key": 1},
                {"name": "email", "type": "TEXT", "arrow": "string", "nullable": False, "unique": True},
            ],
        }
    }
    assert one["remarks"] == ["Customers was found as customers."]


def test_samples_show_rows_and_are_kept_nowhere(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "--table", "customers", "--samples", "1")
    assert done.stdout.split("\n\n")[2].splitlines() == ["customers", "id  email", "1   a@example.com"]
    for kept in (shop.parent / "state").iterdir():
        assert b"a@example.com" not in kept.read_bytes()


def test_the_json_says_how_it_went_with_each(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "@filesystem.data", "--format", "json")
    found = json.loads(done.stdout)
    assert [one["connection"] for one in found] == ["@sqlite.shop", "@filesystem.data"]
    for one in found:
        assert one.pop("seconds") >= 0
        assert one.pop("readAt").endswith("Z")
    assert found[0] == {
        "connection": "@sqlite.shop",
        "ok": True,
        "complete": True,
        "tables": 2,
        "columns": 5,
        "product": "SQLite",
        "version": sqlite3.sqlite_version,
        "remarks": [],
        "error": None,
    }


def test_samples_in_json(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "--table", "customers", "--samples", "5", "--format", "json")
    (one,) = json.loads(done.stdout)
    assert one["samples"] == [
        {
            "schema": "",
            "table": "customers",
            "columns": ["id", "email"],
            "rows": [[1, "a@example.com"], [2, "b@example.com"]],
        }
    ]


def test_what_is_young_enough_is_not_read_again(osiris, shop):
    osiris("discover", "@sqlite.shop")
    change(shop, "CREATE TABLE new (x)")
    assert "2 tables, 5 columns, as of just now" in osiris("discover", "@sqlite.shop", "--if-older", "1").stdout
    assert "3 tables, 6 columns" in osiris("discover", "@sqlite.shop", "--if-older", "0").stdout


def test_cached_connects_to_nothing(osiris, shop):
    osiris("discover", "@sqlite.shop")
    (shop / "data/shop.db").unlink()
    done = osiris("discover", "@sqlite.shop", "--cached", "--table", "orders")
    assert done.returncode == 0
    assert "customer  INT" in done.stdout
    unknown = osiris("discover", "@filesystem.data", "--cached")
    assert unknown.returncode == 1
    assert "Nothing is known of @filesystem.data yet." in unknown.stdout


def test_nothing_is_written_into_the_project(osiris, shop):
    before = sorted(path for path in shop.rglob("*") if ".venv" not in path.parts)
    osiris("discover")
    assert sorted(path for path in shop.rglob("*") if ".venv" not in path.parts) == before


def test_what_is_known_is_readable_by_its_owner_alone(osiris, shop):
    osiris("discover")
    state = shop.parent / "state"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}


def test_the_editor_connects_only_to_what_the_user_has_agreed_to(osiris, shop):
    """The process that is about to connect looks itself: what was agreed to may have changed since it was asked."""
    refused = osiris("discover", "@sqlite.shop", "--only-agreed", "--format", "json")
    config = Config.load(shop)
    fingerprint = SchemaFingerprint.of(config.connection("@sqlite.shop"), root=shop, env=config.env)
    with StateStore(shop.parent / "state/state.db") as store:
        store.grant_consent(str(fingerprint))
    agreed = osiris("discover", "@sqlite.shop", "--only-agreed", "--format", "json")
    (shop / "osiris_connections.yaml").write_text("connections: {sqlite: {shop: {path: data/other.db}}}\n")
    changed = osiris("discover", "@sqlite.shop", "--only-agreed", "--format", "json")

    assert [json.loads(answer.stdout)[0]["ok"] for answer in (refused, agreed, changed)] == [False, True, False]
    assert "another one than you have agreed to" in json.loads(changed.stdout)[0]["error"]["message"]


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_one_that_fails_does_not_stop_the_others(osiris, shop):
    (shop / "data/shop.db").write_bytes(b"no database " * 100)
    done = osiris("discover")
    assert done.returncode == 1
    assert "@filesystem.data  1 table, 2 columns" in done.stdout
    assert "@sqlite.shop      failed: data/shop.db is not a database that SQLite can read" in done.stdout
    assert "    hint: Check the field path of the connection." in done.stdout


def test_a_server_that_never_answers_is_given_up_in_time(osiris, shop):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        fields = f"host: 127.0.0.1, port: {port}, database: d, user: u, password: '${{SECRET}}'"
        (shop / "osiris_connections.yaml").write_text(f"connections: {{mysql: {{shop: {{{fields}}}}}}}")
        done = osiris("discover", "--timeout", "1", env={"SECRET": "hunter2hunter2"})
    assert done.returncode == 1
    assert "@mysql.shop  failed: " in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_a_variable_that_is_not_set_is_named(osiris, shop):
    (shop / "osiris_connections.yaml").write_text("connections: {sqlite: {shop: {path: '${SHOP_DB}'}}}")
    done = osiris("discover")
    assert done.returncode == 1
    assert "SHOP_DB" in done.stdout


def test_a_misspelt_table_suggests_the_nearest(osiris, shop):
    done = osiris("discover", "@sqlite.shop", "--table", "oders")
    assert done.returncode == 1
    assert "There is no table oders in @sqlite.shop." in done.stdout
    assert "Did you mean orders?" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["@sqlite.shp"], "There is no connection @sqlite.shp. Did you mean @sqlite.shop?"),
        (["@sqlit.x"], "There is no connection @sqlit.x. Did you mean @sqlite.shop?"),
        (["@sqlite.shop", "--table", ""], "--table wants the name of a table."),
        (["--table", "orders"], "Say which connection the table belongs to: @sqlite.shop, @filesystem.data."),
        (["--lock", "--check"], "say one of the two"),
        (["--lock", "--samples", "3"], "leave --table and --samples out"),
        (["--cached", "--samples", "3"], "leave --cached out"),
    ],
)
def test_wrong_usage(osiris, shop, arguments, problem):
    done = osiris("discover", *arguments)
    assert done.returncode == 2
    assert problem in done.stderr


def test_a_family_that_cannot_be_discovered_says_so_when_it_is_named(osiris, shop):
    done = osiris("discover", "@graphql.api")
    assert done.returncode == 1
    assert "Connections of the family graphql cannot be discovered." in done.stdout


# -- the committed schema ---------------------------------------------------------------------------------------------


def test_lock_writes_the_tables_that_pipelines_use(osiris, shop):
    done = osiris("discover", "--lock")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "osiris.schema.json now holds 1 table of 1 connection."
    assert (shop / "osiris.schema.json").read_text() == (
        """\
{
  "schema_version": 1,
  "connections": {
    "@sqlite.shop": {
      "dialect": "sqlite",
      "tables": {
        "orders": {
          "kind": "table",
          "columns": [
            {"name": "number", "type": "INT", "arrow": "int64", "nullable": true, "primary_key": 1},
            {"name": "customer", "type": "INT", "arrow": "int64", "nullable": true, "references": "customers.id"},
            {"name": "paid", "type": "BOOLEAN", "arrow": "bool", "nullable": true}
          ]
        }
      }
    }
  }
}
"""
    )


def test_lock_takes_the_tables_of_queries_too(osiris, shop):
    query = 'query: "SELECT * FROM orders o JOIN customers c ON c.id = o.customer"'
    (shop / "pipelines/shop.oml.yaml").write_text(READS.format(name="shop", reads=query, writes="report"))
    osiris("discover", "--lock")
    locked = json.loads((shop / "osiris.schema.json").read_text())
    assert list(locked["connections"]["@sqlite.shop"]["tables"]) == ["customers", "orders"]


def test_locking_again_changes_nothing(osiris, shop):
    osiris("discover", "--lock")
    before = os.stat(shop / "osiris.schema.json").st_mtime_ns
    done = osiris("discover", "--lock")
    assert done.stdout.splitlines()[-1] == "osiris.schema.json is up to date: 1 table of 1 connection."
    assert os.stat(shop / "osiris.schema.json").st_mtime_ns == before


def test_lock_from_what_is_known(osiris, shop):
    osiris("discover", "@sqlite.shop")
    change(shop, "ALTER TABLE orders ADD COLUMN note TEXT")
    done = osiris("discover", "--lock", "--cached", "--format", "json")
    assert json.loads(done.stdout)["tables"] == 1
    assert "note" not in (shop / "osiris.schema.json").read_text()


def test_a_table_that_is_read_and_not_there_is_a_warning(osiris, shop):
    change(shop, "DROP TABLE orders")
    done = osiris("discover", "--lock")
    assert done.returncode == 0
    assert "warning: @sqlite.shop has no table orders, which pipelines/shop.oml.yaml reads." in done.stderr


def test_a_table_that_another_pipeline_writes_need_not_be_there_to_lock(osiris, shop):
    change(shop, "DROP TABLE orders")
    (shop / "pipelines/load.oml").write_text(READS.format(name="load", reads="table: customers", writes="Orders"))
    done = osiris("discover", "--lock")
    assert done.returncode == 0
    assert done.stderr == ""


def test_nothing_is_locked_when_a_connection_fails(osiris, shop):
    (shop / "data/shop.db").unlink()
    done = osiris("discover", "--lock")
    assert done.returncode == 1
    assert "osiris.schema.json was not written." in done.stderr
    assert not (shop / "osiris.schema.json").exists()


def test_check_is_content_with_an_unchanged_database(osiris, shop):
    osiris("discover", "--lock")
    done = osiris("discover", "--check")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "osiris.schema.json is what 1 connection has."


def test_check_is_content_where_the_default_schema_has_another_name(osiris, shop):
    pipeline = READS.format(name="more", reads="table: customers", writes="report")
    (shop / "pipelines/more.oml").write_text(pipeline)
    osiris("discover", "--lock")
    (shop / "pipelines/more.oml").unlink()  # the file still has the table
    path = shop / "osiris.schema.json"
    locked = json.loads(path.read_text())
    locked["connections"]["@sqlite.shop"]["default_schema"] = "shop_on_my_machine"
    path.write_text(json.dumps(locked))
    done = osiris("discover", "--check")
    assert done.returncode == 0, done.stdout


def test_check_fails_on_drift_and_shows_the_difference(osiris, shop):
    osiris("discover", "--lock")
    change(
        shop,
        "DROP TABLE orders",
        "CREATE TABLE orders (number TEXT, customer INT REFERENCES customers, note TEXT, PRIMARY KEY (number))",
    )
    done = osiris("discover", "--check")
    assert done.returncode == 1
    assert "@sqlite.shop\n  ~ orders.number: type is TEXT, was INT\n" in done.stdout
    assert "  - orders.paid: column missing (BOOLEAN)\n" in done.stdout
    assert "  + orders.note: column added (TEXT)\n" in done.stdout
    assert "osiris.schema.json is not what the databases have: 3 differences." in done.stderr


def test_check_shows_tables_that_are_gone_and_those_not_locked_yet(osiris, shop):
    osiris("discover", "--lock")
    change(shop, "ALTER TABLE orders RENAME TO old_orders")
    more = READS.format(name="more", reads="table: customers", writes="report")
    (shop / "pipelines/more.oml.yaml").write_text(more)
    done = osiris("discover", "--check", "--format", "json")
    assert done.returncode == 1
    assert [one["text"] for one in json.loads(done.stdout)["differences"]] == [
        "customers: table added",
        "orders: table missing",
    ]


def test_a_table_that_a_run_makes_is_no_drift(osiris, shop):
    osiris("discover", "--lock")
    assert osiris("run", "pipelines/shop.oml.yaml").returncode == 0
    done = osiris("discover", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_other_tables_of_the_database_do_not_matter(osiris, shop):
    osiris("discover", "--lock")
    change(shop, "CREATE TABLE other (x)", "ALTER TABLE customers ADD COLUMN y")
    assert osiris("discover", "--check").returncode == 0


def test_check_without_a_file_says_how_to_make_one(osiris, shop):
    done = osiris("discover", "--check")
    assert done.returncode == 1
    assert "There is no osiris.schema.json to compare with." in done.stderr
    assert "osiris discover --lock" in done.stderr


def test_check_of_a_damaged_file_says_so_and_lock_mends_it(osiris, shop):
    (shop / "osiris.schema.json").write_text('{"schema_version": 1, "connections": [')
    done = osiris("discover", "--check")
    assert done.returncode == 1
    assert "osiris.schema.json cannot be used" in done.stderr
    assert osiris("discover", "--lock").returncode == 0
    assert osiris("discover", "--check").returncode == 0


def test_check_fails_when_a_database_cannot_be_read(osiris, shop):
    osiris("discover", "--lock")
    (shop / "data/shop.db").unlink()
    done = osiris("discover", "--check")
    assert done.returncode == 1
    assert "osiris.schema.json could not be compared with @sqlite.shop: see above." in done.stderr
    assert "osiris.schema.json is what" not in done.stdout


def test_check_shows_the_drift_of_one_database_although_another_cannot_be_read(osiris, shop):
    (shop / "osiris_connections.yaml").write_text(
        "connections: {sqlite: {shop: {path: data/shop.db}, other: {path: data/other.db}}}\n"
    )
    (shop / "data/other.db").write_bytes((shop / "data/shop.db").read_bytes())
    pipeline = READS.format(name="other", reads="table: orders", writes="report").replace(
        "@sqlite.shop", "@sqlite.other"
    )
    (shop / "pipelines/other.oml.yaml").write_text(pipeline)
    osiris("discover", "--lock")
    change(shop, "ALTER TABLE orders ADD COLUMN note TEXT")
    (shop / "data/other.db").unlink()

    done = osiris("discover", "--check")
    assert done.returncode == 1
    assert "@sqlite.shop\n  + orders.note: column added (TEXT)\n" in done.stdout
    assert "osiris.schema.json is not what the databases have: 1 difference." in done.stderr
    assert "osiris.schema.json could not be compared with @sqlite.other: see above." in done.stderr

    data = osiris("discover", "--check", "--format", "json")
    assert data.returncode == 1
    assert json.loads(data.stdout)["ok"] is False
    assert [one["text"] for one in json.loads(data.stdout)["differences"]] == ["orders.note: column added (TEXT)"]


def test_check_without_a_file_is_content_when_no_pipeline_uses_a_table(osiris, shop):
    (shop / "pipelines/shop.oml.yaml").unlink()
    done = osiris("discover", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("There is no osiris.schema.json, and no pipeline names a table of a database")
    assert "osiris discover --lock makes the file." in done.stdout


def test_a_file_of_a_newer_version_is_not_said_to_be_mended_by_writing_it(osiris, shop):
    (shop / "osiris.schema.json").write_text('{"schema_version": 99, "connections": {}}')
    done = osiris("discover", "--check")
    assert done.returncode == 1
    assert "a newer version of Osiris has written it." in done.stderr
    assert "hint: Update Osiris." in done.stderr
    assert "--lock" not in done.stderr

    refused = osiris("discover", "--lock")
    assert refused.returncode == 1
    assert "hint: Update Osiris." in refused.stderr
    assert "99" in (shop / "osiris.schema.json").read_text()


def test_what_is_broken_is_a_note(osiris, shop):
    (shop / "data/torn.parquet").write_bytes(b"PAR1")
    change(shop, "CREATE VIEW v AS SELECT * FROM orders", "PRAGMA legacy_alter_table = ON", "DROP TABLE orders")
    done = osiris("discover")
    assert done.returncode == 0
    assert "    note: torn.parquet cannot be read: it is not a whole Parquet file.\n" in done.stdout
    assert "    note: The columns of v cannot be read: no such table: main.orders.\n" in done.stdout


def test_a_csv_file_that_fits_no_separator_is_a_note_in_plain_words(osiris, shop):
    (shop / "data/torn.csv").write_text('a,b\n"x,1\n2,3\n')
    done = osiris("discover", "@filesystem.data")
    assert done.returncode == 0
    assert "note: torn.csv cannot be read: its quotes and separators do not fit together as in a CSV" in done.stdout


def test_the_columns_of_a_broken_view_cannot_be_read(osiris, shop):
    change(shop, "CREATE VIEW v AS SELECT * FROM gone")
    done = osiris("discover", "@sqlite.shop", "--table", "v")
    assert "note: The columns of v cannot be read: no such table: main.gone.\n" in done.stdout
    assert done.stdout.endswith("Its columns cannot be read: it is broken, or this user has no right to it.\n")


def test_a_local_file_that_takes_too_long_has_no_server_to_check(osiris, shop):
    with closing(sqlite3.connect(shop / "data/shop.db")) as database:
        database.execute("BEGIN EXCLUSIVE")  # so that whoever wants to read it waits
        done = osiris("discover", "@sqlite.shop", "--timeout", "1")
    assert done.returncode == 1
    assert "    hint: Allow it more time: --timeout SECONDS.\n" in done.stdout
    assert "server" not in done.stdout


def test_a_state_folder_that_cannot_be_used_is_named_by_its_variable(osiris, shop):
    (shop / "taken").write_text("a file")
    done = osiris("discover", "@sqlite.shop", env={"OSIRIS_STATE_DIR": str(shop / "taken")})
    assert done.returncode == 1
    assert "The folder that OSIRIS_STATE_DIR names cannot be used." in done.stdout
    assert "hint: Set OSIRIS_STATE_DIR to a folder of your own" in done.stdout


def test_on_a_terminal_it_says_what_it_waits_for(osiris, shop):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fields = f"host: 127.0.0.1, port: {silent.getsockname()[1]}, database: d, user: u, password: p"
        (shop / "osiris_connections.yaml").write_text(f"connections: {{mysql: {{slow: {{{fields}}}}}}}")
        ours, theirs = pty.openpty()
        done = osiris("discover", "--timeout", "4", capture_output=False, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "reading @mysql.slow ... " in shown
    assert shown.endswith("\r\x1b[K")
    assert done.stdout.startswith("@mysql.slow  failed: ")
