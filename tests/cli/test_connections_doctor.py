"""``osiris connections doctor``: whether a connection can be used, and the cause when not."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def diagnose(osiris, project):
    """The verdicts on some connections, by name."""

    def diagnosed(connections: dict[str, Any], *arguments: str, **options: Any) -> dict[str, Any]:
        text = yaml.safe_dump({"connections": connections}, sort_keys=False)
        (project / "osiris_connections.yaml").write_text(text)
        done = osiris("connections", "doctor", "--format", "json", *arguments, **options)
        return {verdict["connection"]: verdict for verdict in json.loads(done.stdout)}

    return diagnosed


def test_a_database_says_what_it_is_and_how_quickly(diagnose, project):
    sqlite3.connect(project / "data/shop.db").executescript("CREATE TABLE a (x); CREATE TABLE b (x);")
    verdict = diagnose({"sqlite": {"shop": {"path": "data/shop.db"}}})["@sqlite.shop"]
    assert 0 < verdict.pop("latency") < 60
    assert verdict == {
        "connection": "@sqlite.shop",
        "ok": True,
        "detail": f"{project}/data/shop.db with 2 tables",
        "hint": None,
        "product": "SQLite",
        "version": sqlite3.sqlite_version,
        "tables": 2,
        "remarks": [],
    }


def test_people_read_it_in_one_line(osiris, diagnose, project):
    sqlite3.connect(project / "data/shop.db").execute("CREATE TABLE a (x)")
    diagnose({"sqlite": {"shop": {"path": "data/shop.db"}}})
    (line,) = osiris("connections", "doctor").stdout.splitlines()
    assert line.startswith(
        f"ok      @sqlite.shop: {project}/data/shop.db with 1 table (SQLite {sqlite3.sqlite_version}, "
    )
    assert line.endswith(" ms)")


def test_a_broken_file_in_a_folder_is_a_note(osiris, diagnose, project):
    (project / "data/torn.parquet").write_bytes(b"PAR1")
    diagnose({"filesystem": {"data": {"base_dir": "data"}}})
    assert osiris("connections", "doctor").stdout.splitlines() == [
        f"ok      @filesystem.data: {project}/data with 1 table",
        "        note: torn.parquet cannot be read: it is not a whole Parquet file.",
    ]


def test_what_cannot_be_checked_is_unknown(diagnose):
    verdict = diagnose({"graphql": {"api": {"endpoint": "https://api.example.com"}}})["@graphql.api"]
    assert verdict["ok"] is None
    assert verdict["detail"] == "connections of the family graphql cannot be checked yet"


def test_files_that_steps_will_make_are_unknown(diagnose):
    found = diagnose(
        {
            "sqlite": {"a": {"path": "out/a.db"}},
            "duckdb": {"b": {"path": "out/b.duckdb"}},
            "filesystem": {"c": {"base_dir": "out"}},
        }
    )
    assert {name: verdict["ok"] for name, verdict in found.items()} == {
        "@sqlite.a": None,
        "@duckdb.b": None,
        "@filesystem.c": None,
    }
    assert all("does not exist yet" in verdict["detail"] for verdict in found.values())


def test_a_server_that_never_answers_holds_up_nothing_else(diagnose, project):
    sqlite3.connect(project / "data/shop.db").execute("CREATE TABLE a (x)")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fields = {
            "host": "127.0.0.1",
            "port": silent.getsockname()[1],
            "database": "d",
            "user": "u",
            "password": "${P}",
        }
        found = diagnose(
            {"mysql": {"silent": fields}, "sqlite": {"shop": {"path": "data/shop.db"}}},
            "--timeout",
            "5",
            env={"P": "x"},
        )
    assert (found["@mysql.silent"]["ok"], found["@sqlite.shop"]["ok"]) == (False, True)


def test_a_real_server_is_reached_and_a_wrong_password_is_the_cause(diagnose, mariadb):
    with mariadb.database() as database:
        fields = mariadb.fields(database) | {"password": "${P}"}
        good = diagnose({"mysql": {"shop": fields}}, env={"P": mariadb.password})["@mysql.shop"]
        bad = diagnose({"mysql": {"shop": fields}}, env={"P": "wr0ng-p4ssword"})["@mysql.shop"]
    assert (good["ok"], good["product"], good["tables"]) == (True, "MariaDB", 0)
    assert bad["ok"] is False
    assert "the user or the password is wrong" in bad["detail"]
    assert "wr0ng-p4ssword" not in json.dumps(bad)


def test_checking_keeps_nothing(diagnose, osiris, project: Path):
    sqlite3.connect(project / "data/shop.db").execute("CREATE TABLE a (x)")
    diagnose({"sqlite": {"shop": {"path": "data/shop.db"}}})
    assert "Nothing is known of @sqlite.shop yet." in osiris("discover", "--cached").stdout
