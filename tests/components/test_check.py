"""What is said about a config that does not fit its spec."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.components.check import check_config, compile_python, compile_rust
from osiris.components.registry import ComponentRegistry
from osiris.components.spec import ComponentSpec, ConfigProblem, spec_from_data
from osiris.syntax.tree import Plain

REGISTRY = ComponentRegistry(plugins=False)
SPECS = list(REGISTRY.specs())
NATIVE = {spec.name: compile_rust(spec.config_schema) for spec in SPECS}
PYTHON = {spec.name: compile_python(spec.config_schema) for spec in SPECS}


def of(name: str) -> ComponentSpec:
    found = REGISTRY.get(name)
    assert found is not None
    return found


def csv(**config: Any) -> list[tuple[str, str]]:
    """Kind and message of each problem of a CSV reader's config."""
    return [(p.kind, p.message) for p in of("filesystem.csv_extractor").check({"path": "a.csv", **config})]


@pytest.mark.parametrize(
    ("config", "kind", "message"),
    [
        ({"limit": "ten"}, "type", "limit must be a whole number, not the text 'ten'."),
        ({"limit": None}, "type", "limit has no value; it must be a whole number."),
        ({"limit": True}, "type", "limit must be a whole number, not true."),
        ({"limit": 0}, "minimum", "limit must be 1 or more; it is 0."),
        ({"limit": 2.5}, "type", "limit must be a whole number, not the number 2.5."),
        ({"columns": "id"}, "type", "columns must be a list, not the text 'id'."),
        ({"columns": ["id", 3]}, "type", "columns[1] must be text, not the number 3."),
        ({"columns": []}, "min_items", "columns must not be empty."),
        ({"columns": ["a", "a"]}, "unique_items", "columns must not hold the same item twice."),
        ({"header": "yes"}, "type", "header must be true or false or a whole number, not the text 'yes'."),
        ({"delimiter": ";;"}, "max_length", "delimiter must have at most 1 character; it has 2."),
        ({"delimiter": ""}, "min_length", "delimiter must not be empty."),
        (
            {"compression": "rar"},
            "enum",
            "compression must be one of infer, none, gzip, bz2, zip, xz, zstd; it is 'rar'.",
        ),
        ({"dtype": {"id": "int46"}}, "enum", "dtype.id must be one of int64, int16, int and others"),
        ({"dtype": ["id"]}, "type", "dtype must be a mapping, not a list."),
        ({"delimeter": ";"}, "unknown_key", "filesystem.csv_extractor has no key 'delimeter'. Did you mean delimiter?"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(config: dict[str, Any], kind: str, message: str) -> None:
    ((found, text),) = csv(**config)
    assert (found, text[: len(message)]) == (kind, message)


def test_a_missing_key_is_named() -> None:
    assert of("filesystem.csv_extractor").check({}) == [
        ConfigProblem((), "required", "path is missing; filesystem.csv_extractor needs it.", "path", "path")
    ]


def test_what_a_connection_supplies_is_not_missing() -> None:
    reader = of("sqlite.extractor")
    assert [p.key for p in reader.check({"table": "t"})] == ["path"]
    assert reader.check({"table": "t"}, connection=True) == []


def test_problems_come_in_the_order_of_the_document() -> None:
    config: Plain = {"zzz": 1, "limit": 0, "columns": [1, "x", 2], "encoding": "klingon", "delimiter": 1}
    paths = [problem.path for problem in of("filesystem.csv_extractor").check(config)]
    assert paths == [(), ("zzz",), ("limit",), ("columns", 0), ("columns", 2), ("encoding",), ("delimiter",)]


def test_a_config_that_is_no_mapping_is_one_problem() -> None:
    problems = of("filesystem.csv_extractor").check(["path"])
    assert [p.message for p in problems] == ["config must be a mapping, not a list."]


def test_the_value_of_a_secret_is_never_repeated() -> None:
    problems = of("mysql.extractor").check({"password": 918273645, "table": "t"}, connection=True)
    assert [p.message for p in problems] == ["password must be text, not a number."]


def test_a_long_value_is_cut() -> None:
    ((_, text),) = csv(encoding="x" * 500)
    assert len(text) < 150


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_know_are_refused(value: float) -> None:
    ((kind, text),) = csv(limit=value)
    assert (kind, text) == ("type", "limit must be a finite number; NaN and infinity cannot be stored.")


def test_half_a_surrogate_pair_in_a_text_breaks_nothing() -> None:
    assert csv(comment="\ud800") == []
    assert [kind for kind, _ in csv(**{"\ud800": 1})] == ["unknown_key"]


def test_integers_of_any_size_are_judged() -> None:
    assert csv(limit=10**400) == []
    assert [kind for kind, _ in csv(limit=-(10**30))] == ["minimum"]


def test_keys_of_ones_own_are_not_looked_at() -> None:
    assert csv(**{"x-owner": {"team": "sales"}}) == []


def test_the_connection_is_left_to_those_who_know_the_connections() -> None:
    assert csv(connection=17) == []


def test_a_constraint_is_not_judged_over_a_value_that_is_wrong_itself() -> None:
    problems = of("sqlite.writer").check({"table": "t", "write_mode": "upsret"}, connection=True)
    assert [p.kind for p in problems] == ["enum"]


def test_a_broken_constraint_points_to_what_it_speaks_about() -> None:
    both = of("sqlite.extractor").check({"query": "SELECT 1", "table": "t"}, connection=True)
    assert [(p.path, p.key, p.expected) for p in both] == [(("query",), "query", ("table", "query"))]
    upsert = of("sqlite.writer").check({"table": "t", "write_mode": "upsert"}, connection=True)
    assert [(p.path, p.key) for p in upsert] == [(("write_mode",), "primary_key")]


def test_a_default_counts_where_a_constraint_looks_at_a_key() -> None:
    spec = spec_from_data(
        {
            "name": "a.b",
            "version": "1.0.0",
            "description": "x",
            "modes": ["write"],
            "configSchema": {
                "type": "object",
                "properties": {"how": {"type": "string", "default": "all"}, "key": {"type": "string"}},
            },
            "constraints": {"required": [{"when": {"how": "all"}, "must": {"key": {}}, "error": "all needs key."}]},
        }
    )
    assert [p.message for p in spec.check({})] == ["all needs key."]
    assert spec.check({"how": "some"}) == []


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", ",", ";;", "utf-8", "append", "upsert", "gzip", "https://x", "$a", "\ud800", "9" * 60]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "id", "x-y"]), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def configs(draw: st.DrawFn) -> tuple[ComponentSpec, dict[str, Any]]:
    spec = draw(st.sampled_from(SPECS))
    keys = st.sampled_from([*spec.properties, "connection", "colums", "x-mine"])
    return spec, draw(st.dictionaries(keys, VALUES, max_size=6))


@given(case=configs(), connection=st.booleans())
def test_both_validators_find_the_same_problems_in_the_same_order(
    case: tuple[ComponentSpec, dict[str, Any]], connection: bool
) -> None:
    spec, config = case
    native = check_config(spec, config, connection=connection, compile_with=lambda _: NATIVE[spec.name])
    assert native == check_config(spec, config, connection=connection, compile_with=lambda _: PYTHON[spec.name])


@given(case=configs())
def test_no_config_makes_the_check_fail(case: tuple[ComponentSpec, dict[str, Any]]) -> None:
    spec, config = case
    for problem in spec.check(config):
        assert problem.message.endswith((".", "?"))
        assert "None" not in problem.message
    spec.with_defaults(config)
