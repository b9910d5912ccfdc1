"""``osiris discover --lock`` and ``--check``, the schema that a project commits."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shop_project import READS, change, make_shop


@pytest.fixture
def shop(project: Path) -> Path:
    return make_shop(project)


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


def test_connections_that_can_be_read_are_locked_alone_by_name(osiris, shop):
    osiris("discover", "--lock")
    change(shop, "ALTER TABLE orders ADD COLUMN note TEXT")
    connections = shop / "osiris_connections.yaml"
    connections.write_text(connections.read_text() + "  duckdb:\n    gone: {path: data/gone.duckdb}\n")
    (shop / "pipelines/gone.oml").write_text(
        """oml_version: "0.1.0"
name: gone
steps:
  - {id: r, component: duckdb.extractor, mode: read, needs: [], config: {connection: "@duckdb.gone", table: t}}
"""
    )

    refused = osiris("discover", "--lock")
    assert refused.returncode == 1
    assert "since @duckdb.gone could not be read: it is written whole or not at all." in refused.stderr
    assert "osiris discover --lock @sqlite.shop\n" in refused.stderr
    assert "note" not in (shop / "osiris.schema.json").read_text()

    done = osiris("discover", "--lock", "@sqlite.shop")
    assert done.returncode == 0, done.stderr
    assert "note" in (shop / "osiris.schema.json").read_text()


def test_nothing_is_locked_when_a_connection_fails(osiris, shop):
    (shop / "data/shop.db").unlink()
    done = osiris("discover", "--lock")
    assert done.returncode == 1
    assert "osiris.schema.json was not written, since @sqlite.shop could not be read" in done.stderr
    assert "hint" not in done.stderr.partition("osiris.schema.json was not written")[2]
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
