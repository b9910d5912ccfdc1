"""``osiris discover``: what databases and folders hold."""

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
from shop_project import change, make_shop


@pytest.fixture
def shop(project: Path) -> Path:
    return make_shop(project)


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
    assert "2 tables, 5 columns, as of just now" in osiris("discover", "@sqlite.shop", "--if-older", "1").stdout
    assert "as of" not in osiris("discover", "@sqlite.shop", "--if-older", "0").stdout
    change(shop, "CREATE TABLE new (x)")
    assert "2 tables, 5 columns" in osiris("discover", "@sqlite.shop", "--cached").stdout
    assert "3 tables, 6 columns" in osiris("discover", "@sqlite.shop", "--if-older", "1").stdout


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
