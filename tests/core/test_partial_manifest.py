"""The part of a pipeline that leads to one step."""

from __future__ import annotations

import pytest

from osiris.core.compiler_v0 import compile_oml
from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.manifest import Manifest, generate_fingerprint
from osiris.core.partial_manifest import manifest_up_to

PIPELINE = """\
oml_version: "0.1.0"
name: shop
params:
  day: mon
  token: {type: string, sensitive: true}
  later: {type: string, sensitive: true}
steps:
  - id: orders
    component: filesystem.csv_extractor
    mode: read
    config: {path: orders.csv}
  - id: refunds
    component: filesystem.csv_extractor
    mode: read
    needs: []
    config: {path: refunds.csv}
  - id: total
    component: duckdb.processor
    mode: transform
    needs: [orders]
    config: {query: "SELECT *, '${params.token}' AS token, '${params.day}' AS day FROM df_orders"}
  - id: save
    component: filesystem.csv_writer
    mode: write
    config: {path: out.csv}
  - id: afterwards
    component: duckdb.processor
    mode: transform
    inputs: {df: "${refunds.df}"}
    needs: [save]
    config: {query: "SELECT '${params.later}' AS later FROM df"}
"""


@pytest.fixture(scope="module")
def whole() -> Manifest:
    return compile_oml(PIPELINE, environ={})


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param("orders", ["orders"], id="a reader alone"),
        pytest.param("refunds", ["refunds"], id="not what only stands above it"),
        pytest.param("total", ["orders", "total"], id="what it gets data from"),
        pytest.param("afterwards", ["orders", "refunds", "total", "save", "afterwards"], id="a writer it waits for"),
    ],
)
def test_the_step_and_what_it_waits_for(whole: Manifest, step: str, expected: list[str]) -> None:
    part = manifest_up_to(whole, step)

    assert {one["id"] for one in part["steps"]} == set(expected)
    assert part["to"] == step


def test_parameters_of_the_run_that_only_others_use_are_not_asked_for(whole: Manifest) -> None:
    assert set(whole["run_params"]) == {"token", "later"}

    assert set(manifest_up_to(whole, "total")["run_params"]) == {"token"}
    assert manifest_up_to(whole, "total")["sensitive_params"] == ["token"]
    assert manifest_up_to(whole, "orders")["run_params"] == {}


def test_it_has_a_fingerprint_of_its_own_and_says_what_it_was_made_from(whole: Manifest) -> None:
    part = manifest_up_to(whole, "total")

    assert part["fingerprint"] == generate_fingerprint(part) != whole["fingerprint"]
    assert part["fingerprints"] == whole["fingerprints"]
    assert "to" not in whole


def test_an_unknown_step_is_an_error_that_names_the_nearest(whole: Manifest) -> None:
    with pytest.raises(ConfigurationError, match="no step totl in the pipeline shop") as refused:
        manifest_up_to(whole, "totl")

    assert refused.value.hint == "Did you mean total?"
