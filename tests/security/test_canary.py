"""Secrets planted wherever a project may hold one; every command, run and editor session; then a search everywhere."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from osiris.execution.runs import RunStore

sys.path.insert(0, str(Path(__file__).parents[1] / "lsp"))

from lsp_client import Client

# In no known format and of no high entropy: whoever masks these must know them. `%`, `+` and space look different in
# an address, the quote in SQL.
CANARIES = {
    "password": "Grey Heron+one 1%",
    "env file": "Grey Heron+two 2%",
    "key": "Grey Heron+three 3%",
    "dsn": "GreyHeronFour4",
    "literal": "Grey Heron+five 5%",
    "param": "Grey Heron+six's 6%",
    "param from the environment": "Grey Heron+seven 7%",
    "default": "Grey Heron+eight 8%",
    "nested": "Grey Heron+nine 9%",
}

CONNECTIONS = """\
connections:
  sqlite:
    shop: {path: "missing-${SHOP_PASSWORD}.db", password: "${SHOP_PASSWORD}"}
    address: {path: "https://example.com/${SHOP_PASSWORD}", password: "${SHOP_PASSWORD}"}
    warehouse: {path: "warehouse.db", auth_token: "${WAREHOUSE_TOKEN}"}
  mysql:
    crm: {host: localhost, database: crm, user: ann, password: "${CRM_PASSWORD}", default: true}
    literal: {host: localhost, database: crm, user: ann, password: "LITERAL"}
    fallback: {host: localhost, database: crm, user: ann, password: "${NOT_SET:-DEFAULT}"}
  supabase:
    crm: {url: "https://crm.supabase.co", key: "${CRM_KEY}", pg_dsn: "postgresql://ann:${DSN_PASSWORD}@db:5432/crm"}
  graphql:
    api: {endpoint: "https://api.example.com/graphql", headers: {Authorization: "Bearer ${API_TOKEN}"}}
  filesystem:
    inbox: {base_dir: inbox, secret: "${CRM_PASSWORD}"}
"""

HEAD = """\
oml_version: "0.1.0"
name: NAME
params:
  token: {type: string, sensitive: true}
  other: {type: string, sensitive: true}
steps:
"""
QUERY = """\
  - id: filtered
    component: duckdb.processor
    mode: transform
    config:
      query: QUERY
  - id: save
    component: filesystem.csv_writer
    mode: write
    config: {path: "out/NAME.csv"}
"""
INBOX = """\
  - id: read
    component: filesystem.csv_extractor
    mode: read
    config: {path: cells.csv, connection: "@filesystem.inbox"DTYPE}
"""
SHOP = """\
  - id: read
    component: sqlite.extractor
    mode: read
    config: {connection: "@sqlite.shop", table: orders}
"""
WAREHOUSE = SHOP.replace("@sqlite.shop", "@sqlite.warehouse")
NOWHERE = "SELECT 1 AS a FROM df WHERE '${params.token}' || '${params.other}' = 'nothing'"

PIPELINES = {
    # What a step is, and what it fails with: nothing, a cell, a path, a query whose own error repeats the parameter.
    "fine": INBOX.replace("DTYPE", "") + QUERY,
    "cell": INBOX.replace("DTYPE", ", dtype: {a: int64}") + QUERY,
    "other-cell": INBOX.replace("DTYPE", ", dtype: {b: int64}") + QUERY,
    "path": SHOP + QUERY,
    "database": WAREHOUSE + QUERY,
    "address": SHOP.replace("@sqlite.shop", "@sqlite.address") + QUERY,
    "query": INBOX.replace("DTYPE", "") + QUERY,
    "cast": INBOX.replace("DTYPE", "") + QUERY,
    "nosuch": INBOX.replace("DTYPE", "").replace("cells.csv", '"${params.token}.csv"') + QUERY,
}
QUERIES = {
    "cell": "SELECT a FROM df WHERE '${params.token}' <> '${params.other}'",
    "other-cell": "SELECT b FROM df WHERE '${params.token}' <> '${params.other}'",
    "query": "SELECT error('the token is ${params.token}, the other is ${params.other}') AS a FROM df",
    "cast": "SELECT CAST('${params.token}' AS INTEGER) + CAST('${params.other}' AS INTEGER) AS a FROM df",
}
FAILING = [name for name in PIPELINES if name != "fine"]
SECRET_IN_OML = """\
oml_version: "0.1.0"
name: leaky
steps:
  - id: read
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.crm", table: t, password: "LITERAL"}
"""


def forms(canary: str) -> Iterator[bytes]:
    """A canary as it is, in addresses, in JSON, in SQL and in base64."""
    plain = canary.encode()
    yield plain
    yield urllib.parse.quote(canary, safe="").encode()
    yield urllib.parse.quote_plus(canary).encode()
    yield canary.replace("'", "''").encode()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        yield whole[4 if shift else 0 : -4]


def found_in(data: bytes) -> list[str]:
    """Which canaries ``data`` holds, in whatever form."""
    return [kind for kind, canary in CANARIES.items() if any(form in data for form in forms(canary))]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("inbox", "out", "pipelines"):
        (root / folder).mkdir(parents=True)
    (root / "osiris.yaml").write_text("{}\n")
    (root / ".env").write_text(
        f'CRM_PASSWORD="{CANARIES["env file"]}"\nCRM_KEY="{CANARIES["key"]}"\nDSN_PASSWORD={CANARIES["dsn"]}\n'
        f'API_TOKEN="{CANARIES["nested"]}"\n'
    )
    text = CONNECTIONS.replace("LITERAL", CANARIES["literal"]).replace("DEFAULT", CANARIES["default"])
    (root / "osiris_connections.yaml").write_text(text)
    (root / "warehouse.db").write_text("no database " * 100)
    (root / "inbox/cells.csv").write_text(f"a,b\n{CANARIES['env file']},{CANARIES['param']}\n")
    for name, steps in PIPELINES.items():
        query = json.dumps(QUERIES.get(name, NOWHERE))
        text = (HEAD + steps).replace("QUERY", query).replace("NAME", name)
        (root / f"pipelines/{name}.oml.yaml").write_text(text)
    strict = (root / "pipelines/fine.oml.yaml").read_text().replace("name: fine", "name: strict")
    (root / "pipelines/strict.oml.yaml").write_text(strict.replace("token: {type: string", "token: {type: integer"))
    (root / "pipelines/leaky.oml.yaml").write_text(SECRET_IN_OML.replace("LITERAL", CANARIES["literal"]))
    return root


# These files are where the canaries were planted.
PLANTED = (
    "project/.env",
    "project/osiris_connections.yaml",
    "project/inbox/cells.csv",
    "project/pipelines/leaky.oml.yaml",
)


def leaks_on_disk(folder: Path) -> dict[str, list[str]]:
    """The canaries in the files below ``folder`` and in their names."""
    leaks = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        held = found_in(name.encode())
        if path.is_file() and name not in PLANTED:
            held += found_in(path.read_bytes())
        if held:
            leaks[name] = held
    return leaks


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    return {
        "SHOP_PASSWORD": CANARIES["password"],
        "WAREHOUSE_TOKEN": CANARIES["password"],
        "OSIRIS_PARAM_OTHER": CANARIES["param from the environment"],
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
    }


@pytest.fixture
def osiris(project: Path, variables: dict[str, str]):
    """Runs ``osiris ARGUMENTS``; whatever it prints holds no canary."""
    (project.parent / "tmp").mkdir()

    def run(*arguments: str, code: int | tuple[int, ...] = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "osiris", *arguments],
            cwd=project,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        assert done.returncode in ((code,) if isinstance(code, int) else code), (arguments, done.stdout, done.stderr)
        assert found_in(done.stdout + done.stderr) == [], (arguments, done.stdout, done.stderr)
        return done.stdout.decode()

    return run


def test_checking_and_compiling_show_no_secret(osiris, project):
    token = ["--param", f"token={CANARIES['param']}"]

    for layout in ("text", "json", "sarif", "github"):
        osiris("validate", "--format", layout, code=1)
    for layout in ("text", "json"):
        osiris("connections", "list", "--format", layout)
        osiris("connections", "doctor", "--format", layout, code=1)
        osiris("compile", "pipelines/leaky.oml.yaml", "--format", layout, code=1)
        osiris("compile", "pipelines/strict.oml.yaml", *token, "--format", layout, code=1)
    osiris("doctor", code=(0, 1))
    osiris("compile", "pipelines/fine.oml.yaml")
    osiris("compile", "pipelines/query.oml.yaml", *token)
    osiris("run", "pipelines/strict.oml.yaml", *token, code=1)

    assert (project / "build/fine/manifest.json").exists()
    assert leaks_on_disk(project.parent) == {}


def test_runs_show_no_secret(osiris, project):
    token = ["--param", f"token={CANARIES['param']}"]
    layouts = itertools.cycle([[], ["--format", "json"], ["--log-format", "json"]])

    osiris("run", "pipelines/fine.oml.yaml", *token)
    for name, layout in zip(FAILING, layouts, strict=False):
        osiris("run", f"pipelines/{name}.oml.yaml", *token, *layout, code=1)
    errors = {run.pipeline: run.status["error"]["message"] for run in RunStore(project / "logs").list()[:-1]}
    assert [name for name in FAILING if "***" not in errors[name]] == ["database"]

    for layout in ("text", "json"):
        osiris("runs", "list", "--format", layout)
        for run in RunStore(project / "logs").list()[:2]:
            osiris("runs", "show", run.id, "--format", layout)
            osiris("runs", "follow", run.id, "--format", layout, code=1)
    assert len(RunStore(project / "logs").list()) == len(PIPELINES)
    assert not (project / "out/query.csv").exists()
    (project / "out/fine.csv").unlink()  # the data itself, which is the user's
    assert leaks_on_disk(project.parent) == {}


def test_detached_runs_show_no_secret(osiris, project):
    for name in ("cell", "path"):
        run_id = osiris("run", "--detach", f"pipelines/{name}.oml.yaml", "--param", f"token={CANARIES['param']}")
        osiris("runs", "follow", run_id.strip(), code=1)

    states = {run.pipeline: run.state for run in RunStore(project / "logs").list()}
    assert states == dict.fromkeys(("cell", "path"), "failed")
    assert leaks_on_disk(project.parent) == {}


def test_an_editor_is_shown_no_secret(project, variables, tmp_path):
    (tmp_path / "tmp").mkdir()
    client = Client(env={**variables, "OSIRIS_PARAM_TOKEN": CANARIES["param"]}, cwd=tmp_path)
    client.initialize(project)
    try:
        for name in (*PIPELINES, "leaky"):
            path = project / f"pipelines/{name}.oml.yaml"
            text = path.read_text()
            client.open(path.as_uri(), text)
            for line, shown in enumerate(text.splitlines()):
                if "connection:" in shown and name != "leaky":
                    for word in ("connection", "@"):
                        client.at("textDocument/hover", path.as_uri(), line, shown.index(word) + 1)
                        client.at("textDocument/completion", path.as_uri(), line, shown.index(word) + 1)
            client.at("textDocument/documentSymbol", path.as_uri(), 0, 0)
            client.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})
        connections = project / "osiris_connections.yaml"
        client.notify(
            "textDocument/didOpen",
            {
                "textDocument": {
                    "uri": connections.as_uri(),
                    "languageId": "yaml",
                    "version": 1,
                    "text": connections.read_text(),
                }
            },
        )
        for name in ("cell", "path", "address", "query"):
            uri = (project / f"pipelines/{name}.oml.yaml").as_uri()
            run_id = client.command("osiris.run", uri)["runId"]
            while client.wait_for("osiris/runEvent", runId=run_id)["event"]["event"] != "run_error":
                pass
        client.command("osiris.doctor")
        assert client.close() == 0
    finally:
        client.kill()

    assert b"osiris/runEvent" in client.raw
    assert found_in(client.raw) == []
    assert found_in(client.log.encode()) == []
    assert leaks_on_disk(project.parent) == {}
