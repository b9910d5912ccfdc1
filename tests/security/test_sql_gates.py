"""SQL of a user reaches its inputs and nothing else, also when nobody validated the pipeline."""

from __future__ import annotations

import csv
import json
import subprocess

import duckdb
import pytest

from osiris.components.registry import ComponentRegistry
from osiris.core.compiler_v0 import compile_oml
from osiris.execution.local import start_run
from osiris.sql.columns import Column
from osiris.sql.gate import Gate, Limits, SqlRefused, open_run_connection

TABLES = {"df_orders": [Column("id", "BIGINT"), Column("město", "VARCHAR"), Column("s", "STRUCT(a INTEGER)")]}


@pytest.fixture(scope="module")
def gate():
    with Gate() as gate:
        yield gate


OUTSIDE = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'data/orders.csv'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/*')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "SELECT * FROM read_json_auto('https://example.com/x.json')",
    "SELECT * FROM query('FROM read_csv(''/etc/passwd'')')",
    "SELECT (SELECT max(content) FROM read_text('/etc/passwd')) FROM df_orders",
    "WITH x AS (FROM read_csv('/etc/passwd')) SELECT * FROM x",
    "SELECT getenv('HOME')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT (SELECT any_value(Prompt) FROM \"SNIFF_CSV\"('/etc/passwd')) FROM df_orders",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM duckdb_settings()",
    "SELECT current_setting('allowed_paths')",
    "SELECT * FROM create_external_resource('x')",
    "SELECT write_log('x')",
    "SELECT * FROM df_customers",
    "SELECT * FROM main.df_orders",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
]
NO_ROWS = [
    "COPY df_orders TO '/tmp/out.csv'",
    "COPY (SELECT 1) TO 'out.csv'",
    "ATTACH '/tmp/x.db' AS x",
    "CREATE TABLE t AS SELECT 1",
    "DROP TABLE df_orders",
    "INSERT INTO df_orders VALUES (1, 'x', NULL)",
    "INSERT INTO df_orders VALUES (1, 'x', NULL) RETURNING id",
    "UPDATE df_orders SET id = 1",
    "DELETE FROM df_orders",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "PRAGMA database_list",
    "CALL duckdb_settings()",
    "EXPORT DATABASE '/tmp/x'",
    "EXPLAIN SELECT 1",
    "BEGIN",
    "VACUUM",
    "USE main",
    "PIVOT df_orders ON id",
]


@pytest.mark.parametrize("sql", OUTSIDE)
def test_gate_1_knows_nothing_but_the_tables_of_the_step(gate, sql):
    with pytest.raises(SqlRefused):
        gate.check(sql, TABLES)


@pytest.mark.parametrize("sql", NO_ROWS)
def test_gate_1_takes_nothing_but_a_query(gate, sql):
    with pytest.raises(SqlRefused) as refused:
        gate.check(sql, TABLES)

    assert refused.value.problem.kind == "not_rows"


@pytest.mark.parametrize(
    "sql", ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE df_orders", "SELECT 1) UNION ALL (SELECT 2"]
)
def test_gate_1_takes_one_statement(gate, sql):
    with pytest.raises(SqlRefused):
        gate.check(sql, TABLES)


QUERIES = {
    "SELECT id AS x, město FROM df_orders": ["x", "město"],
    "FROM df_orders": ["id", "město", "s"],
    "VALUES (1, 2)": ["col0", "col1"],
    "TABLE df_orders": ["id", "město", "s"],
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT * FROM r": ["i"],
    "SELECT 1 AS a; -- the end": ["a"],
    "/* first */ SELECT ';' AS a /* last */ ;": ["a"],
    "PIVOT df_orders ON id IN (1, 2) USING count(*) GROUP BY město": ["město", "1", "2"],
    "SELECT s.a FROM df_orders": ["a"],
    "SELECT id AS query, 'duckdb_settings()' AS sniff_csv FROM df_orders": ["query", "sniff_csv"],
}


@pytest.mark.parametrize("sql", QUERIES)
def test_gate_1_says_what_a_query_returns(gate, sql):
    assert [column.name for column in gate.check(sql, TABLES).columns] == QUERIES[sql]


def test_gate_1_keeps_nothing_from_one_step_to_the_next(gate):
    gate.check("FROM df_orders", TABLES)

    with pytest.raises(SqlRefused):
        gate.check("FROM df_orders", {})


PLACES = {
    "SELECT 'žluť' AS a, nope FROM df_orders": "nope",
    "-- ž\nSELECT id FROM df_ordrs": "df_ordrs",
    "SELECT 'ž' FROM read_csv('/etc/passwd')": "read_csv('/etc/passwd')",
    "SELECT id id id FROM df_orders": "id",
    "SELECT 1; SELECT 2": "SELECT 2",
}


@pytest.mark.parametrize("sql", PLACES)
def test_a_problem_has_its_place_in_code_points(gate, sql):
    with pytest.raises(SqlRefused) as refused:
        gate.check(sql, TABLES)

    problem = refused.value.problem
    assert problem.offset is not None
    assert sql[problem.offset : problem.offset + problem.length] == PLACES[sql]


def test_a_problem_names_what_was_perhaps_meant(gate):
    with pytest.raises(SqlRefused) as column:
        gate.check("SELECT i FROM df_orders", TABLES)
    with pytest.raises(SqlRefused) as table:
        gate.check("SELECT * FROM df_order", TABLES)

    assert column.value.problem.candidates == ("id",)
    assert table.value.problem.candidates == ("df_orders",)
    assert table.value.problem.message == "There is no table df_order. Tables of this step: df_orders."


SAID = {
    "SELECT * FROM main.df_orders": (
        "There is no table main.df_orders: the tables of a step have no schema. They are df_orders.",
        ("df_orders",),
    ),
    "SELECT * FROM shop.df_orders": (
        "There is no table shop.df_orders: the tables of a step have no schema. They are df_orders.",
        ("df_orders",),
    ),
    "SELECT list_transform([1], x -> x + 1) FROM df_orders": (
        "A lambda is written `lambda x: ...` here, not `x -> ...`.",
        (),
    ),
}


@pytest.mark.parametrize("sql", SAID)
def test_what_a_step_cannot_do_is_no_advice(gate, sql):
    with pytest.raises(SqlRefused) as refused:
        gate.check(sql, TABLES)

    assert (refused.value.problem.message, refused.value.problem.candidates) == SAID[sql]


@pytest.fixture
def run_connection(tmp_path):
    """A run's connection that may read in.csv, write out.csv and spill."""
    (tmp_path / "in.csv").write_text("a\n1\n")
    (tmp_path / "other.csv").write_text("a\n2\n")
    (tmp_path / "spill").mkdir()
    limits = Limits(
        paths=(str(tmp_path / "in.csv"), str(tmp_path / "out.csv")),
        directories=(str(tmp_path / "spill"),),
        spill=str(tmp_path / "spill"),
        memory=100_000_000,
    )
    with open_run_connection(limits) as connection:
        yield connection


def test_gate_2_opens_what_the_manifest_names(run_connection, tmp_path):
    assert run_connection.execute(f"FROM '{tmp_path}/in.csv'").fetchall() == [(1,)]
    run_connection.execute(f"COPY (SELECT 1) TO '{tmp_path}/out.csv'")
    assert (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{root}/other.csv')",
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('{root}/*.csv')",
        "FROM read_csv('{root}/spill/../other.csv')",
        "COPY (SELECT 1) TO '{root}/elsewhere.csv'",
        "ATTACH '{root}/x.db'",
        "INSTALL httpfs",
        "LOAD '{root}/x.duckdb_extension'",
        "SET allowed_paths = ['/etc/passwd']",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET memory_limit",
        "SET temp_directory = '/tmp'",
        "SELECT * FROM tmp_path",
    ],
)
def test_gate_2_opens_nothing_else_and_cannot_be_changed(run_connection, tmp_path, sql):
    with pytest.raises(duckdb.Error):
        run_connection.execute(sql.format(root=tmp_path)).fetchall()
    assert not (tmp_path / "elsewhere.csv").exists()


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    (root / "osiris.yaml").write_text("version: 1\n")
    (tmp_path / "secret.csv").write_text("a\nsecret\n")
    return root


def step(id, component, sources=(), **config):
    spec = ComponentRegistry.builtin().get(component)
    inputs = {f"df_{name}": name for name in sources}
    return {
        "id": id,
        "component": component,
        "mode": spec.modes[0],
        "driver": spec.driver,
        "config": config,
        "needs": list(sources),
        "inputs": inputs,
    }


def run(project, *steps, **options):
    """Run a manifest that was made by hand, so that no validation ever saw it."""
    manifest = {"pipeline": {"name": "by-hand"}, "steps": list(steps)}
    return start_run(manifest, root=project, **options)


@pytest.mark.parametrize(
    "sql", ["FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO 'stolen.csv'", "SELECT 1; SELECT 2"]
)
def test_a_run_refuses_sql_that_was_never_validated(project, sql):
    result = run(
        project, step("bad", "duckdb.processor", query=sql), step("w", "filesystem.csv_writer", ["bad"], path="out.csv")
    )

    assert result.state == "failed"
    assert result.status["error"]["step"] == "bad"
    assert not (project / "out.csv").exists()
    assert not (project / "stolen.csv").exists()


def test_sql_cannot_read_what_another_step_may_read(project):
    (project / "orders.csv").write_text("a\n1\n")

    result = run(
        project,
        step("orders", "filesystem.csv_extractor", path="orders.csv"),
        step("bad", "duckdb.processor", query=f"FROM read_csv('{project}/orders.csv')"),
        step("w", "filesystem.csv_writer", ["bad"], path="out.csv"),
    )

    assert result.state == "failed"
    assert result.status["error"]["step"] == "bad"


ESCAPES = [
    "../secret.csv",
    "data/../../secret.csv",
    "{outside}/secret.csv",
    "link.csv",
    "folder/secret.csv",
    "/etc/passwd",
]


@pytest.mark.parametrize("path", [*ESCAPES, "https://example.com/x.csv", "s3://bucket/x.csv", "a\0b"])
def test_a_path_that_leads_outside_is_refused_before_anything_starts(project, tmp_path, path):
    (project / "link.csv").symlink_to(tmp_path / "secret.csv")
    (project / "folder").symlink_to(tmp_path)
    written = path.format(outside=tmp_path)

    result = run(
        project,
        step("t", "filesystem.csv_extractor", path=written),
        step("w", "filesystem.csv_writer", ["t"], path="out.csv"),
    )

    assert result.state == "failed"
    assert "step_start" not in (result.path / "events.jsonl").read_text()
    assert not (project / "out.csv").exists()


@pytest.mark.parametrize("component", ["filesystem.csv_writer", "filesystem.parquet_writer", "sqlite.writer"])
@pytest.mark.parametrize("path", ["../stolen", "folder/stolen", "link"])
def test_nothing_is_written_outside(project, tmp_path, component, path):
    (project / "folder").symlink_to(tmp_path)
    (project / "link").symlink_to(tmp_path / "stolen")
    config = {"path": path, "table": "t"} if component == "sqlite.writer" else {"path": path}

    result = run(project, step("t", "duckdb.processor", query="SELECT 1 AS a"), step("w", component, ["t"], **config))

    assert result.state == "failed"
    assert "leads outside the project folder" in result.status["error"]["message"]
    assert not (tmp_path / "stolen").exists()


def test_base_dir_in_a_step_leads_nowhere_new(project, tmp_path):
    result = run(
        project,
        step("t", "filesystem.csv_extractor", path="secret.csv", base_dir=str(tmp_path)),
        step("w", "filesystem.csv_writer", ["t"], path="out.csv"),
    )

    assert result.state == "failed"
    assert "leads outside the project folder" in result.status["error"]["message"]


def test_a_folder_that_is_a_link_inside_the_project_is_fine(project):
    (project / "real").mkdir()
    (project / "real/t.csv").write_text("a\n1\n")
    (project / "link").symlink_to(project / "real")

    result = run(
        project,
        step("t", "filesystem.csv_extractor", path="link/t.csv"),
        step("w", "filesystem.csv_writer", ["t"], path="link/out.csv"),
    )

    assert result.state == "succeeded"
    assert (project / "real/out.csv").read_text() == "a\n1\n"


def test_no_secret_of_a_connection_or_parameter_reaches_the_disk(project, monkeypatch):
    password = "correct-horse-battery"
    monkeypatch.setenv("SHOP_PASSWORD", password)
    monkeypatch.setenv("OSIRIS_PARAM_TOKEN", "tok-9f8e7d6c5b4a")
    (project / "osiris_connections.yaml").write_text(
        "connections: {sqlite: {shop: {path: 'missing-${SHOP_PASSWORD}.db', password: '${SHOP_PASSWORD}'}}}"
    )
    reader = {**step("t", "sqlite.extractor", table="t"), "connection": "@sqlite.shop"}
    query = {
        **step("q", "duckdb.processor", query="SELECT error('the token is ${params.token}') AS a"),
        "unresolved": [["query"]],
    }
    manifest = {
        "pipeline": {"name": "by-hand"},
        "params": {},
        "run_params": {"token": {"type": "string"}},
        "sensitive_params": ["token"],
        "steps": [reader, query, step("w", "filesystem.csv_writer", ["q"], path="out.csv")],
    }

    result = start_run(manifest, root=project)

    assert result.status["error"]["step"] == "t"
    assert {s["id"]: s["state"] for s in result.status["steps"]}["q"] == "failed"
    written = {path.name: path.read_text() for path in result.path.rglob("*") if path.is_file()}
    assert "step_error" in written["events.jsonl"]
    for name, text in written.items():
        assert password not in text, name
        assert "tok-9f8e7d6c5b4a" not in text, name
    assert "the token is ***" in written["events.jsonl"]


def test_the_worker_gets_no_secret_by_arguments(project, monkeypatch):
    seen = []

    class Watched(subprocess.Popen):
        def __init__(self, args, **options):
            seen.append([*args, json.dumps(options.get("env") or {})])
            super().__init__(args, **options)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    manifest = {
        "pipeline": {"name": "by-hand"},
        "params": {},
        "run_params": {"token": {"type": "string"}},
        "sensitive_params": ["token"],
        "steps": [{**step("q", "duckdb.processor", query="SELECT '${params.token}' AS a"), "unresolved": [["query"]]}],
    }

    result = start_run(manifest, root=project, params={"token": "tok-9f8e7d6c5b4a"})

    assert result.state == "succeeded"
    assert seen
    assert "tok-9f8e7d6c5b4a" not in str(seen)


HOSTILE = [
    "a' OR 1=1 --",
    'a"; DROP TABLE df; --',
    "a\n; COPY df TO 'stolen.csv' --",
    "a\\",
    "$$ */ x",
    "${params.number}",
    "'",
    "''",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_parameter_stays_a_value_wherever_it_stands_in_sql(project, value):
    (project / "in.csv").write_text("a\n1\n")
    query = """SELECT '${params.open}' AS o, '${params.hidden}' AS h, "${params.open}" AS n
        FROM (SELECT 7 AS "${params.open}") -- ${params.number}"""
    pipeline = {
        "oml_version": "0.1.0",
        "name": "hostile",
        "params": {"open": {"type": "string"}, "hidden": {"type": "string", "sensitive": True}, "number": 1},
        "steps": [
            {"id": "r", "component": "filesystem.csv_extractor", "mode": "read", "config": {"path": "in.csv"}},
            {"id": "q", "component": "duckdb.processor", "mode": "transform", "config": {"query": query}},
            {"id": "w", "component": "filesystem.csv_writer", "mode": "write", "config": {"path": "out.csv"}},
        ],
    }
    given = {"open": value, "hidden": value}

    result = start_run(compile_oml(pipeline, params=given, environ={}), root=project, params={"hidden": value})

    assert result.state == "succeeded", result.status
    with (project / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["o", "h", "n"], [value, value, "7"]]
    assert not (project / "stolen.csv").exists()
