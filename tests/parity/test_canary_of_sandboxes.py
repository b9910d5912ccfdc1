"""Secrets in a sandbox: not on its disk, in no environment or command line, once on the wire, in no log here."""

from __future__ import annotations

import re

import pytest

from parity.targets import TARGETS, Place
from security.canaries import Canaries

PIPELINE = """\
oml_version: "0.1.0"
name: secrets
params:
  token: {type: string, sensitive: true}
steps:
  - {id: odd, component: odd.source, mode: read, config: {seconds: 2, say: "it is ${params.token}"}}
  - id: hashed
    component: duckdb.processor
    mode: transform
    config: {query: "SELECT n, md5('${params.token}') AS digest FROM df_odd"}
  - {id: save, component: filesystem.csv_writer, mode: write, config: {path: out/hashed.csv}}
  - id: broken
    component: duckdb.processor
    mode: transform
    needs: [odd]
    config: {query: "SELECT CAST('${params.token}' AS INTEGER) AS n FROM df_odd"}
  - {id: lost, component: filesystem.csv_writer, mode: write, config: {path: out/lost.csv}}
  - id: far
    component: mysql.extractor
    mode: read
    needs: []
    config: {connection: "@mysql.far", table: people}
  - {id: people, component: filesystem.csv_writer, mode: write, config: {path: out/people.csv}}
"""
CONNECTIONS = """\
connections:
  mysql:
    far: {host: db.example.com, port: 3306, user: ann, password: "${MYSQL_SECRET}", database: shop, connect_timeout: 3}
  postgres:
    unused: {host: db.example.com, user: ann, password: "${UNUSED_SECRET}", database: shop}
"""


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def place(double, site, tmp_path, canaries) -> Place:
    root = tmp_path / "project"
    root.mkdir()
    (root / "osiris.yaml").write_text("# a project\n")
    (root / "secrets.oml.yaml").write_text(PIPELINE)
    (root / "osiris_connections.yaml").write_text(CONNECTIONS)
    variables = ("MYSQL_SECRET", "UNUSED_SECRET", "OSIRIS_PARAM_TOKEN")
    (root / ".env").write_text("".join(f'{name}="{canaries.at(name)}"\n' for name in variables))
    return Place(root, {"PYTHONPATH": str(site), **TARGETS["e2b"](double)})


def test_secrets_reach_the_process_that_needs_them_and_nothing_else(double, place, canaries):
    double.watching = True
    done = place.osiris("run", "secrets.oml.yaml", "--target", "e2b")
    double.watching = False
    states = {step["id"]: step["state"] for step in place.status()["steps"]}
    assert (states["save"], states["broken"], states["far"]) == ("succeeded", "failed", "failed"), done.stderr
    (box,) = double.boxes.values()
    key = double.key.encode()

    # The sandbox: what was there while it ran, and what is there at its end.
    assert any(b"osiris" in line for line in box.seen.command_lines)
    everything = [*box.seen.command_lines, *box.seen.environments, *box.seen.files]
    assert [data for data in everything if canaries.found_in(data) or key in data] == []
    assert canaries.left_below(box.root) == {}

    # The wire: the secrets that the pipeline names go up once, over a standard input; the key goes to the API alone.
    carriers = {name: found for name, data in double.record.read() if (found := canaries.found_in(data))}
    assert [re.sub(r"\d+\.", "", name) for name in carriers] == ["stdin.up"]
    assert set(next(iter(carriers.values()))) <= {"MYSQL_SECRET", "OSIRIS_PARAM_TOKEN", "?"}
    with_key = {re.sub(r"\d+\.", "", name) for name in double.record.found(key)}
    assert with_key <= {"create.up", "list.up", "kill.up", "timeout.up", "info.up", "connect.up"}

    # This side: the project, the logs, the state folder, and what was printed.
    assert canaries.left_below(place.root.parent, {"project/.env"}) == {}
    assert canaries.found_in((done.stdout + done.stderr).encode()) == []
    logs = b"".join(path.read_bytes() for path in place.root.rglob("*") if path.is_file())
    assert key not in logs
    assert "it is ***" in (place.run_dir() / "worker.log").read_text()
