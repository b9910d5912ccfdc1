"""``osiris connections``: shows what a project connects to, never a secret."""

from __future__ import annotations

import json
import sqlite3

import pytest

CONNECTIONS = """\
connections:
  mysql:
    shop:
      host: db.shop.invalid
      port: 3306
      database: shop
      user: ${SHOP_USER:-reader}
      password: ${SHOP_PASSWORD}
      default: true
    typed:
      host: 127.0.0.1
      port: 1
      database: shop
      user: root
      password: Tr0ub4dor-3-horse
  supabase:
    main:
      url: https://x.supabase.co
      key: sk-live-000000000000000000000000
      pg_dsn: postgresql://postgres:hunter2hunter2@127.0.0.1:1/postgres
  sqlite:
    shop: {path: data/shop.db}
    gone: {path: data/gone.db}
  filesystem:
    data: {base_dir: data}
    gone: {base_dir: nowhere}
"""
SECRETS = ("Tr0ub4dor", "sk-live", "hunter2", "from-the-environment")


@pytest.fixture
def connected(project):
    (project / "osiris_connections.yaml").write_text(CONNECTIONS)
    with sqlite3.connect(project / "data/shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
    return project


def test_list_shows_fields_and_whether_variables_are_set(osiris, connected):
    done = osiris("connections", "list", env={"SHOP_PASSWORD": "from-the-environment"})
    assert done.returncode == 0
    assert "@mysql.shop (default)\n    host: db.shop.invalid\n    port: 3306\n" in done.stdout
    assert "    password: ${SHOP_PASSWORD}\n" in done.stdout
    assert "    ${SHOP_PASSWORD} is set in environment\n" in done.stdout
    assert "    ${SHOP_USER} is not set, its default counts\n" in done.stdout
    assert "    password: ***\n" in done.stdout


@pytest.mark.parametrize("layout", ["text", "json"])
@pytest.mark.parametrize("subcommand", ["list", "doctor"])
def test_no_secret_is_ever_shown(osiris, connected, subcommand, layout):
    done = osiris("connections", subcommand, "--format", layout, env={"SHOP_PASSWORD": "from-the-environment"})
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("layout", ["text", "json"])
def test_fields_that_no_component_knows_keep_their_values(osiris, project, layout):
    (project / "osiris_connections.yaml").write_text(
        "connections:\n  acme: {a: {colour: mauve1}}\n"
        "  sqlite: {b: {path: data/b.db, pasword: mauve2, colour: mauve3, note: '${NOTE}'}}\n"
    )
    done = osiris("connections", "list", "--format", layout)
    assert done.returncode == 0
    assert "data/b.db" in done.stdout
    assert "${NOTE}" in done.stdout
    assert "mauve" not in done.stdout + done.stderr


def test_a_misspelt_field_is_found_by_validate(osiris, project):
    (project / "osiris_connections.yaml").write_text("connections: {sqlite: {a: {pth: data/b.db}}}\n")
    done = osiris("validate")
    assert done.returncode == 1
    assert "OML331" in done.stdout
    assert "Did you mean `path`?" in done.stdout


@pytest.mark.parametrize("layout", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize(
    "connections",
    [
        "sqlite:\n    a:\n      pasword: mauve2\n      pth: mauve3\n",
        "{sqlit: {a: {pasword: mauve1}}, sqlite: {b: {path: b.db, pasword: mauve2, pth: mauve3}}}\n",
        "{supabase: {a: {url: [b], key: 4441222, kee: mauve2}}}\n",
    ],
)
def test_values_of_unknown_fields_are_not_in_findings(osiris, project, connections, layout):
    (project / "osiris_connections.yaml").write_text(f"connections:\n  {connections}")
    done = osiris("validate", "--format", layout)
    assert "OML331" in done.stdout
    assert "mauve" not in done.stdout + done.stderr
    assert "4441222" not in done.stdout + done.stderr


def test_the_line_of_a_finding_shows_what_was_found_alone(osiris, project):
    (project / "osiris_connections.yaml").write_text("connections:\n  sqlite:\n    a: {pth: a.db}\n")
    _, source, caret, *_ = osiris("validate").stdout.splitlines()
    assert (source, caret) == ("        …pth…", "         ^^^")


def test_list_as_json(osiris, connected):
    shown = {
        f"@{c['family']}.{c['alias']}": c for c in json.loads(osiris("connections", "list", "--format", "json").stdout)
    }
    assert shown["@mysql.shop"]["default"] is True
    assert shown["@mysql.shop"]["fields"]["password"] == "${SHOP_PASSWORD}"
    assert {"name": "SHOP_PASSWORD", "set": False, "origin": None, "hasDefault": False} in shown["@mysql.shop"][
        "variables"
    ]


def test_a_variable_in_the_env_file_counts_as_set(osiris, connected):
    (connected / ".env").write_text("SHOP_PASSWORD=from-the-environment\n")
    assert "${SHOP_PASSWORD} is set in .env" in osiris("connections", "list").stdout


def test_doctor_reaches_files_and_databases_and_says_what_it_cannot_tell(osiris, connected):
    done = osiris("connections", "doctor", "--format", "json", env={})
    verdicts = {v["connection"]: v for v in json.loads(done.stdout)}
    assert done.returncode == 1
    assert verdicts["@sqlite.shop"]["ok"] is True
    assert verdicts["@sqlite.shop"]["detail"].endswith("shop.db with 1 table")
    assert verdicts["@sqlite.gone"]["ok"] is None
    assert "does not exist yet" in verdicts["@sqlite.gone"]["detail"]
    assert verdicts["@filesystem.data"]["ok"] is True
    assert verdicts["@filesystem.gone"]["ok"] is None
    assert verdicts["@mysql.typed"]["ok"] is False
    assert "refused" in verdicts["@mysql.typed"]["detail"]
    assert verdicts["@mysql.shop"]["ok"] is False


def test_doctor_names_the_variable_that_is_not_set(osiris, connected):
    done = osiris("connections", "doctor", "@mysql.shop")
    assert done.returncode == 1
    assert "SHOP_PASSWORD" in done.stdout


def test_doctor_of_named_connections_only(osiris, connected):
    done = osiris("connections", "doctor", "@sqlite.shop", "filesystem.data")
    assert done.returncode == 0
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        "ok      @sqlite.shop",
        "ok      @filesystem.data",
    ]


def test_doctor_says_when_a_database_is_none(osiris, connected):
    (connected / "data/gone.db").write_text("this is no database, whatever its name says" * 50)
    done = osiris("connections", "doctor", "@sqlite.gone")
    assert done.returncode == 1
    assert "not a database" in done.stdout


def test_an_unknown_connection_is_wrong_usage(osiris, connected):
    done = osiris("connections", "doctor", "@mysql.nope")
    assert done.returncode == 2
    assert "There is no connection @mysql.nope." in done.stderr


def test_a_project_without_connections_says_so(osiris):
    done = osiris("connections", "list")
    assert done.returncode == 1
    assert "There is no osiris_connections.yaml" in done.stderr


@pytest.mark.parametrize("subcommand", ["list", "doctor"])
def test_a_wrong_setting_in_osiris_yaml_is_a_warning_where_it_has_no_part(osiris, project, subcommand):
    (project / "osiris.yaml").write_text("on_failure: maybe\n")
    (project / "osiris_connections.yaml").write_text("connections: {filesystem: {data: {base_dir: data}}}\n")
    done = osiris("connections", subcommand)
    assert done.returncode == 0
    assert "@filesystem.data" in done.stdout
    assert done.stderr.startswith("warning: ")
    assert "osiris.yaml:1:13: on_failure cannot be used" in done.stderr


# -- one connection with an error in it ------------------------------------------------------------------------------

ONE_IS_BROKEN = """\
connections:
  mysql:
    shop: {host: h, port: "13399", database: d, user: u, password: "${P}"}
  sqlite:
    shop: {path: data/shop.db}
"""
FAULT = "osiris_connections.yaml:3:27: `port` is a whole number."
COPIES = """\
oml_version: "0.1.0"
name: copy
steps:
  - {{id: read, component: {family}.extractor, mode: read, config: {{connection: "@{family}.shop", table: orders}}}}
  - {{id: write, component: filesystem.csv_writer, mode: write, config: {{path: out.csv}}}}
"""


@pytest.fixture
def one_is_broken(connected):
    (connected / "osiris_connections.yaml").write_text(ONE_IS_BROKEN)
    for family in ("mysql", "sqlite"):
        (connected / f"pipelines/{family}.oml").write_text(COPIES.format(family=family))
    return connected


def test_list_says_which_connection_cannot_be_used(osiris, one_is_broken):
    done = osiris("connections", "list")
    assert done.returncode == 0
    assert f"@mysql.shop\n    cannot be used: {FAULT}\n" in done.stdout
    assert "@sqlite.shop\n    path: data/shop.db\n" in done.stdout


def test_doctor_tries_the_others(osiris, one_is_broken):
    done = osiris("connections", "doctor")
    assert done.returncode == 1
    assert f"problem @mysql.shop: {FAULT}\n" in done.stdout
    assert "ok      @sqlite.shop: " in done.stdout


def test_discover_reads_the_others(osiris, one_is_broken):
    done = osiris("discover")
    assert done.returncode == 1
    assert f"@mysql.shop   failed: {FAULT}\n" in done.stdout
    assert "@sqlite.shop  1 table, 1 column, " in done.stdout
    assert osiris("discover", "@sqlite.shop").returncode == 0


@pytest.mark.parametrize("command", ["compile", "run"])
def test_only_a_pipeline_that_uses_it_fails(osiris, one_is_broken, command):
    assert osiris(command, "pipelines/sqlite.oml").returncode == 0
    failed = osiris(command, "pipelines/mysql.oml")
    assert failed.returncode != 0
    assert FAULT in failed.stderr
    assert "@mysql.shop cannot be used before that is mended." in failed.stderr


def test_a_file_that_is_no_yaml_still_stops_everything(osiris, one_is_broken):
    (one_is_broken / "osiris_connections.yaml").write_text(ONE_IS_BROKEN + "  duckdb: {a: {path: [}}\n")
    for command in (["connections", "list"], ["discover"], ["run", "pipelines/sqlite.oml"]):
        done = osiris(*command)
        assert done.returncode != 0
        assert "osiris_connections.yaml:6:" in done.stderr
