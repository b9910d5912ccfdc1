"""Parameters whose values come with the run."""

from __future__ import annotations

import copy

import pytest

from osiris.core.compiler_v0 import compile_oml
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.manifest import Manifest
from osiris.core.run_params import fill_run_params

PIPELINE = """\
oml_version: "0.1.0"
name: a
params:
  token: {type: string, sensitive: true, pattern: "^[a-z']+$"}
  day: mon
steps:
  - {id: r, component: filesystem.csv_extractor, mode: read, config: {path: "${params.day}.csv"}}
  - id: t
    component: duckdb.processor
    mode: transform
    config: {query: "SELECT *, '${params.token}' AS token, '${params.day}' AS day FROM df_r"}
"""


def manifest(**params: str) -> Manifest:
    return compile_oml(PIPELINE, params=params, environ={})


def test_the_value_is_put_in_as_sql_wants_it_and_is_known_as_a_secret() -> None:
    steps, secrets = fill_run_params(manifest(), environ={"OSIRIS_PARAM_TOKEN": "o'b"})
    assert steps[1]["config"]["query"] == "SELECT *, 'o''b' AS token, 'mon' AS day FROM df_r"
    assert "unresolved" not in steps[1]
    assert secrets == ("o'b",)


def test_what_is_given_wins_over_the_environment() -> None:
    _, secrets = fill_run_params(manifest(), given={"token": "given"}, environ={"OSIRIS_PARAM_TOKEN": "environ"})
    assert secrets == ("given",)


def test_the_manifest_stays_as_it_is() -> None:
    one = manifest()
    before = copy.deepcopy(one)
    fill_run_params(one, given={"token": "x"})
    assert one == before


def test_a_value_that_looks_like_a_reference_is_not_looked_into() -> None:
    steps, _ = fill_run_params(manifest(day="${params.token}"), given={"token": "secret"})
    assert steps[0]["config"]["path"] == "${params.token}.csv"


def test_a_missing_value_is_named_with_both_ways_to_give_it() -> None:
    with pytest.raises(ConfigurationError, match="The parameter token has no value") as raised:
        fill_run_params(manifest(), environ={})
    assert raised.value.hint == "Give one with --param token=VALUE, or set OSIRIS_PARAM_TOKEN."


def test_a_value_that_does_not_fit_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationError, match="token") as raised:
        fill_run_params(manifest(), given={"token": "S3CR3T"})
    assert "S3CR3T" not in str(raised.value)


def test_a_parameter_that_is_fixed_already_cannot_be_given() -> None:
    with pytest.raises(ConfigurationError, match="day has its value in the manifest already"):
        fill_run_params(manifest(), given={"token": "x", "day": "tue"})


OPEN = """\
oml_version: "0.1.0"
name: a
params:
  where: {type: string}
  columns: {type: list}
  rows: {type: integer, minimum: 1}
steps:
  - id: r
    component: filesystem.csv_extractor
    mode: read
    config: {connection: "${params.where}", path: a.csv, columns: "${params.columns}", limit: "${params.rows}"}
"""


def test_a_parameter_without_a_default_may_get_its_value_when_the_pipeline_runs() -> None:
    manifest = compile_oml(OPEN, environ={})
    assert manifest["sensitive_params"] == []
    assert sorted(manifest["run_params"]) == ["columns", "rows", "where"]
    environ = {"OSIRIS_PARAM_WHERE": "@filesystem.data", "OSIRIS_PARAM_COLUMNS": "a, b", "OSIRIS_PARAM_ROWS": "5"}
    (step,), secrets = fill_run_params(manifest, environ=environ)
    assert step["connection"] == "@filesystem.data"
    assert (step["config"]["columns"], step["config"]["limit"]) == (["a", "b"], 5)
    assert secrets == ()


def test_its_declaration_still_counts() -> None:
    environ = {"OSIRIS_PARAM_WHERE": "@filesystem.data", "OSIRIS_PARAM_COLUMNS": "a", "OSIRIS_PARAM_ROWS": "0"}
    with pytest.raises(ConfigurationError, match=r"rows.*must be 1 or more"):
        fill_run_params(compile_oml(OPEN, environ={}), environ=environ)


def test_a_value_must_fit_the_component_as_well() -> None:
    text = OPEN.replace("  where: {type: string}\n", "  where: {type: string}\n  mark: {type: string}\n").replace(
        "path: a.csv", 'path: a.csv, delimiter: "${params.mark}"'
    )
    given = {"where": "@filesystem.data", "columns": "a", "rows": 1, "mark": ";;"}
    with pytest.raises(ConfigurationError, match=r"Step r: .*delimiter"):
        fill_run_params(compile_oml(text, environ={}), given=given)


def test_a_secret_that_does_not_fit_the_component_is_not_shown() -> None:
    text = OPEN.replace(
        "  where: {type: string}\n", "  where: {type: string}\n  enc: {type: string, sensitive: true}\n"
    )
    text = text.replace("path: a.csv", 'path: a.csv, encoding: "${params.enc}"')
    given = {"where": "@filesystem.data", "columns": "a", "rows": 1, "enc": "klingon-7"}
    with pytest.raises(ConfigurationError, match="Step r: ") as raised:
        fill_run_params(compile_oml(text, environ={}), given=given)
    assert "klingon-7" not in str(raised.value)
