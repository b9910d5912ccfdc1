"""The compiler: what a manifest holds, and what does and does not change it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from osiris.components.registry import ComponentRegistry
from osiris.core.check import check_text
from osiris.core.compiler_v0 import (
    compile_file,
    compile_oml,
    generate_fingerprint,
    resolve_connections,
    validate_schema,
)
from osiris.core.error_taxonomy import CompilationError, ConfigurationError, ExecutionError, ValidationError
from osiris.core.project import Project

CONNECTIONS = """\
connections:
  sqlite:
    main: {path: shop.db, default: true}
    other: {path: other.db}
  filesystem:
    out: {base_dir: out}
"""

PIPELINE = """\
oml_version: "0.1.0"
name: daily-orders
params:
  min_amount: {type: integer, default: 10}
  country: CZ
profiles:
  prod: {params: {min_amount: 100}}
steps:
  - id: extract-orders
    component: sqlite.extractor
    mode: read
    config: {table: orders}
  - id: big-orders
    component: duckdb.processor
    mode: transform
    needs: [extract-orders]
    config:
      query: SELECT * FROM df_extract_orders WHERE amount >= ${params.min_amount} AND country = '${params.country}'
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    needs: [big-orders]
    config: {connection: "@filesystem.out", path: orders.csv}
"""


def shop(root: Path, pipeline: str = PIPELINE) -> Path:
    """A project with connections and one pipeline; the path of the pipeline."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "osiris.yaml").write_text("", "utf-8")
    (root / "osiris_connections.yaml").write_text(CONNECTIONS, "utf-8")
    (root / "daily.oml").write_text(pipeline, "utf-8")
    return root / "daily.oml"


def compiled(root: Path, pipeline: str = PIPELINE, **options: Any) -> Any:
    return compile_oml(shop(root, pipeline), **{"environ": {}, **options})


def step(manifest: Any, step_id: str) -> Any:
    return next(step for step in manifest["steps"] if step["id"] == step_id)


# ---- what is in a manifest -----------------------------------------------------------------------------------------


def test_a_manifest_holds_the_whole_pipeline(tmp_path: Path) -> None:
    manifest = compiled(tmp_path)
    assert manifest["manifest_version"] == "1"
    assert manifest["oml_version"] == "0.1.0"
    assert manifest["compiler"]["name"] == "osiris"
    assert manifest["pipeline"] == {"name": "daily-orders"}
    assert manifest["profile"] is None
    assert manifest["params"] == {"min_amount": 10, "country": "CZ"}
    assert [s["id"] for s in manifest["steps"]] == ["extract-orders", "big-orders", "write-orders"]
    assert manifest["on_failure"] == "continue"
    assert sorted(manifest["fingerprints"]) == ["compiler", "components", "oml", "params"]
    assert manifest["fingerprint"] == generate_fingerprint(manifest)


def test_a_step_names_its_driver_needs_and_inputs(tmp_path: Path) -> None:
    big = step(compiled(tmp_path), "big-orders")
    spec = ComponentRegistry.builtin().get("duckdb.processor")
    assert spec is not None
    assert big == {
        "id": "big-orders",
        "component": "duckdb.processor",
        "mode": "transform",
        "driver": spec.driver,
        "config": {"query": "SELECT * FROM df_extract_orders WHERE amount >= 10 AND country = 'CZ'"},
        "needs": ["extract-orders"],
        "inputs": {"df_extract_orders": "extract-orders"},
    }


def test_defaults_of_the_component_are_filled_in(tmp_path: Path) -> None:
    config = step(compiled(tmp_path), "write-orders")["config"]
    assert config["path"] == "orders.csv"
    assert (config["delimiter"], config["header"]) == (",", True)
    assert "connection" not in config


def test_the_connection_is_written_out_also_when_it_was_chosen(tmp_path: Path) -> None:
    assert resolve_connections(shop(tmp_path)) == {
        "extract-orders": "@sqlite.main",
        "write-orders": "@filesystem.out",
    }


def test_without_a_connections_file_the_run_chooses_the_default(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "osiris_connections.yaml").unlink()
    manifest = compile_oml(path, environ={})
    assert step(manifest, "extract-orders")["connection"] == "@sqlite"
    assert step(manifest, "write-orders")["connection"] == "@filesystem.out"


def test_retry_and_timeout_are_normalised(tmp_path: Path) -> None:
    text = PIPELINE.replace(
        "    config: {table: orders}\n", "    config: {table: orders}\n    retry: 3\n    timeout: 5m\n"
    )
    extract = step(compiled(tmp_path, text), "extract-orders")
    assert extract["retry"] == {"attempts": 3, "delay": 1.0, "max_delay": 60.0}
    assert extract["timeout"] == 300.0
    text = text.replace("retry: 3", "retry: {attempts: 2, delay: 2m}")
    assert step(compiled(tmp_path, text), "extract-orders")["retry"] == {
        "attempts": 2,
        "delay": 120.0,
        "max_delay": 120.0,
    }
    text = text.replace("attempts: 2, delay: 2m", "delay: 5")
    assert step(compiled(tmp_path, text), "extract-orders")["retry"]["attempts"] == 3, "a delay alone means three tries"


def test_steps_stand_in_an_order_in_which_they_can_run(tmp_path: Path) -> None:
    head, steps = PIPELINE.split("steps:\n")
    first, second, third = ["  - id:" + part for part in steps.split("  - id:")[1:]]
    first = first.replace("    mode: read\n", "    mode: read\n    needs: []\n")
    manifest = compiled(tmp_path, head + "steps:\n" + third + first + second)
    assert [s["id"] for s in manifest["steps"]] == ["extract-orders", "big-orders", "write-orders"]


def test_the_failure_policy_comes_from_the_project(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "osiris.yaml").write_text("on_failure: stop\n")
    assert compile_oml(path, environ={})["on_failure"] == "stop"


# ---- parameters ----------------------------------------------------------------------------------------------------


def test_the_command_line_beats_the_environment_beats_the_profile_beats_the_default(tmp_path: Path) -> None:
    path = shop(tmp_path)
    environ = {"OSIRIS_PARAM_MIN_AMOUNT": "50"}
    given = {"min_amount": "70"}
    amounts = [
        compile_oml(path, environ={})["params"]["min_amount"],
        compile_oml(path, profile="prod", environ={})["params"]["min_amount"],
        compile_oml(path, profile="prod", environ=environ)["params"]["min_amount"],
        compile_oml(path, profile="prod", environ=environ, params=given)["params"]["min_amount"],
    ]
    assert amounts == [10, 100, 50, 70]


def test_the_env_file_gives_parameters_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OSIRIS_PARAM_COUNTRY=SK\n")
    assert compiled(tmp_path)["params"]["country"] == "SK"


def test_a_parameter_in_sql_is_quoted_as_sql_wants_it(tmp_path: Path) -> None:
    query = step(compiled(tmp_path, params={"country": "O'Brien' OR 1=1 --"}), "big-orders")["config"]["query"]
    assert query.endswith("country = 'O''Brien'' OR 1=1 --'")


def test_a_parameter_alone_keeps_its_type(tmp_path: Path) -> None:
    text = PIPELINE.replace("path: orders.csv}", 'path: orders.csv, header: "${params.head}"}').replace(
        "  country: CZ\n", "  country: CZ\n  head: {type: boolean, default: false}\n"
    )
    assert step(compiled(tmp_path, text), "write-orders")["config"]["header"] is False


SECRET = PIPELINE.replace("  country: CZ\n", "  country: {type: string, sensitive: true}\n")


def test_a_sensitive_parameter_stays_out_of_the_manifest(tmp_path: Path) -> None:
    manifest = compiled(tmp_path, SECRET, params={"country": "s3cr3t"}, environ={"OSIRIS_PARAM_COUNTRY": "s3cr3t"})
    assert "s3cr3t" not in json.dumps(manifest)
    assert manifest["sensitive_params"] == ["country"]
    assert manifest["run_params"] == {"country": {"type": "string"}}
    assert step(manifest, "big-orders")["config"]["query"].endswith("country = '${params.country}'")
    assert step(manifest, "big-orders")["unresolved"] == [["query"]]


# ---- what does not compile -----------------------------------------------------------------------------------------


def test_what_does_not_validate_does_not_compile_and_shows_the_same_findings(tmp_path: Path) -> None:
    broken = PIPELINE.replace("needs: [extract-orders]", "needs: [extract-order]").replace("mode: write", "mode: read")
    path = shop(tmp_path, broken)
    with pytest.raises(CompilationError) as raised:
        compile_oml(path, environ={})
    findings = check_text(broken, Project.find(path), path, environ={}).diagnostics
    assert list(raised.value.diagnostics) == list(findings) == validate_schema(path)
    assert {"OML301", "OML126"} <= {finding.code for finding in findings}
    assert str(raised.value).startswith("daily.oml:16:")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "OML101"),
        ("- a\n", "OML102"),
        ("oml_version: 0.1.0\nname: a\nsteps: 3\n", "OML104"),
        ("oml_version: 0.1\nname: a\nsteps: []\n", "OML104"),
        (PIPELINE.replace("id: big-orders", "id: [1]"), "OML104"),
        (PIPELINE.replace("id: big-orders", "id: ../../x"), "OML122"),
        (PIPELINE.replace("name: daily-orders", "name: ../../x"), "OML110"),
        (PIPELINE.replace("name: daily-orders", "name: a\nname: b"), "OML006"),
        (PIPELINE.replace("default: 10", "default: .nan"), "OML212"),
        (PIPELINE.replace("table: orders}", "table: orders, batch_size: .inf}"), "OML212"),
        (PIPELINE.replace("path: orders.csv}", "path: ../../orders.csv}"), "OML505"),
    ],
)
def test_bad_input_is_named_and_writes_nothing(tmp_path: Path, text: str, code: str) -> None:
    path = shop(tmp_path, text)
    with pytest.raises(CompilationError) as raised:
        compile_file(path, environ={})
    assert code in {finding.code for finding in raised.value.diagnostics}
    assert not (tmp_path / "build").exists()


def test_sql_that_cannot_be_made_safe_does_not_compile_whatever_the_project_says(tmp_path: Path) -> None:
    path = shop(tmp_path, PIPELINE.replace("country = '${params.country}'", "country = ${params.country}"))
    (tmp_path / "osiris.yaml").write_text("diagnostics: {severity: {OML407: off}}\n")
    with pytest.raises(CompilationError, match="stands outside quotes"):
        compile_oml(path, params={"country": "CZ' OR 1=1"}, environ={})


def test_an_unknown_profile_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(CompilationError):
        compile_file(shop(tmp_path), profile="../prod", environ={})
    assert not (tmp_path / "build").exists()


def test_an_unknown_parameter_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(CompilationError):
        compiled(tmp_path, params={"min_amuont": "1"})


def test_broken_settings_do_not_compile(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "osiris.yaml").write_text("on_failure: explode\n")
    with pytest.raises(ConfigurationError, match=r"osiris\.yaml:1:13"):
        compile_oml(path, environ={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no file"):
        compile_file(tmp_path / "none.oml")


# ---- the forms a pipeline may come in ------------------------------------------------------------------------------


def test_a_text_a_path_and_parsed_data_compile_alike(tmp_path: Path) -> None:
    path = shop(tmp_path)
    project = Project.find(path)
    by_path = compile_oml(path, environ={})
    assert compile_oml(str(path), environ={}) == by_path
    assert compile_oml(PIPELINE, project=project, environ={}) == by_path
    assert compile_oml(yaml.safe_load(PIPELINE), project=project, environ={}) == by_path


def test_parsed_data_keeps_texts_that_look_like_something_else(tmp_path: Path) -> None:
    data = yaml.safe_load(PIPELINE)
    texts = ["no", "012", "1e3", "0o14", "2024-01-01", "~", "", "a: b", "ř\u2028\x85\ufeff😀", "# c", "'\"\\\n"]
    data["metadata"] = {"texts": texts}
    data["params"]["country"] = {"default": "0o14", "enum": ["0o14", *texts]}
    assert compile_oml(data, environ={})["params"]["country"] == "0o14"


@pytest.mark.parametrize("extra", [{"metadata": {True: 1}}, {"metadata": {"a": {1, 2}}}])
def test_data_without_a_form_in_oml_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(CompilationError):
        compile_oml({**yaml.safe_load(PIPELINE), **extra})


def test_data_that_holds_itself_is_refused() -> None:
    data = yaml.safe_load(PIPELINE)
    data["metadata"] = data
    with pytest.raises(CompilationError, match="nested more than"):
        compile_oml(data)


# ---- build/ --------------------------------------------------------------------------------------------------------


def test_the_manifest_stands_in_the_folder_of_its_pipeline_and_profile(tmp_path: Path) -> None:
    path = shop(tmp_path)
    plain, prod = compile_file(path, environ={}), compile_file(path, profile="prod", environ={})
    assert plain.path == tmp_path / "build" / "daily-orders" / "manifest.json"
    assert prod.path == tmp_path / "build" / "daily-orders" / "prod" / "manifest.json"
    assert plain.path.read_bytes() == plain.data
    assert json.loads(plain.path.read_text("utf-8")) == plain.manifest


def test_an_unchanged_pipeline_is_a_cache_hit_and_writes_nothing(tmp_path: Path) -> None:
    path = shop(tmp_path)
    first = compile_file(path, environ={})
    assert first.path is not None
    before = first.path.stat()
    second = compile_file(path, environ={})
    after = first.path.stat()
    assert (first.cached, second.cached) == (False, True)
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_manifest_that_was_tampered_with_is_written_anew(tmp_path: Path) -> None:
    path = shop(tmp_path)
    first = compile_file(path, environ={})
    assert first.path is not None
    first.path.write_text("{}")
    second = compile_file(path, environ={})
    assert not second.cached
    assert first.path.read_bytes() == first.data


def test_parameters_given_for_one_run_write_nothing(tmp_path: Path) -> None:
    result = compile_file(shop(tmp_path), params={"min_amount": "70"}, environ={})
    assert result.path is None
    assert result.manifest["params"]["min_amount"] == 70
    assert not (tmp_path / "build").exists()


def test_a_build_folder_that_leads_outside_is_not_written_to(tmp_path: Path) -> None:
    path = shop(tmp_path / "project")
    (tmp_path / "project" / "build").symlink_to(tmp_path)
    with pytest.raises(CompilationError, match="leads out of the project"):
        compile_file(path, environ={})
    assert not (tmp_path / "daily-orders").exists()


FULL_DISK = """
import resource, signal, sys
from osiris.core.compiler_v0 import compile_file
from osiris.core.error_taxonomy import ExecutionError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
try:
    compile_file(sys.argv[1])
except ExecutionError as error:
    print(error)
"""


def test_a_full_disk_is_said_plainly_and_leaves_no_half_manifest(tmp_path: Path) -> None:
    path = shop(tmp_path)
    done = subprocess.run(
        [sys.executable, "-B", "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"Cannot write {tmp_path / 'build' / 'daily-orders' / 'manifest.json'}: ")
    assert list((tmp_path / "build" / "daily-orders").iterdir()) == []


def test_a_file_in_the_place_of_the_build_folder_is_named(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "build").write_text("")
    with pytest.raises(ExecutionError, match="a part of the path is a file"):
        compile_file(path, environ={})


# ---- fingerprints --------------------------------------------------------------------------------------------------

SAME_MEANING = {
    "comment": PIPELINE.replace("name: daily-orders", "# comment\nname: daily-orders   # more"),
    "line ends": PIPELINE.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + PIPELINE,
    "quotes": PIPELINE.replace("name: daily-orders", 'name: "daily-orders"'),
    "order of keys": PIPELINE.replace(
        'oml_version: "0.1.0"\nname: daily-orders\n', 'name: daily-orders\noml_version: "0.1.0"\n'
    ),
    "order in a config": PIPELINE.replace(
        '{connection: "@filesystem.out", path: orders.csv}', '{path: orders.csv, connection: "@filesystem.out"}'
    ),
}


@pytest.mark.parametrize("change", SAME_MEANING)
def test_how_a_pipeline_is_typed_does_not_change_a_byte(tmp_path: Path, change: str) -> None:
    before = compile_file(shop(tmp_path), environ={})
    shop(tmp_path, SAME_MEANING[change])
    after = compile_file(tmp_path / "daily.oml", environ={})
    assert after.cached
    assert after.data == before.data


OTHER_MEANING = {
    "oml": PIPELINE.replace("path: orders.csv", "path: other.csv"),
    "params": PIPELINE.replace("default: 10", "default: 11"),
}


@pytest.mark.parametrize("part", OTHER_MEANING)
def test_what_a_pipeline_means_changes_its_fingerprint(tmp_path: Path, part: str) -> None:
    before, after = compiled(tmp_path), compiled(tmp_path, OTHER_MEANING[part])
    assert after["fingerprints"][part] != before["fingerprints"][part]
    assert after["fingerprint"] != before["fingerprint"]


def test_a_profile_changes_the_parameters_and_not_the_oml(tmp_path: Path) -> None:
    before, after = compiled(tmp_path), compiled(tmp_path, profile="prod")
    assert after["fingerprints"]["oml"] == before["fingerprints"]["oml"]
    assert after["fingerprints"]["params"] != before["fingerprints"]["params"]


def test_a_connections_file_with_errors_stops_the_compiler_as_it_stops_validate(tmp_path: Path) -> None:
    path = shop(tmp_path)
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS + "  mysql: [main]\n")
    with pytest.raises(ConfigurationError) as raised:
        compile_oml(path, environ={})
    assert raised.value.code == "OML325"
    assert "osiris_connections.yaml:" in str(raised.value)


def test_what_a_connection_holds_is_not_in_the_manifest(tmp_path: Path) -> None:
    path = shop(tmp_path)
    before = compile_oml(path, environ={})
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS.replace("shop.db", "elsewhere.db"))
    assert compile_oml(path, environ={}) == before
    (tmp_path / "osiris_connections.yaml").write_text(
        CONNECTIONS.replace(", default: true", "").replace("other:", "default:")
    )
    assert compile_oml(path, environ={})["fingerprint"] != before["fingerprint"]


@pytest.mark.parametrize("given", [None, b"name: orders\n", 3, ["name: orders"]])
def test_what_is_no_pipeline_is_said_to_be_none(given: object) -> None:
    for ask in (compile_oml, validate_schema):
        with pytest.raises(ValidationError, match="given as its text, the path of its file or its parsed data, not as"):
            ask(given)  # type: ignore[operator]


def test_a_step_keeps_its_description() -> None:
    text = (
        "oml_version: 0.1.0\nname: p\nparams: {day: Monday}\nsteps:\n  - id: a\n"
        "    component: filesystem.csv_extractor\n    mode: read\n    description: Of ${params.day}.\n"
        "    config: {path: a.csv}\n"
    )
    assert compile_oml(text)["steps"][0]["description"] == "Of Monday."
    assert "description" not in compile_oml(text.replace("    description: Of ${params.day}.\n", ""))["steps"][0]
