"""The component specs that come with Osiris."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from osiris import components
from osiris.components.meta import spec_problems
from osiris.components.registry import ComponentRegistry, read_yaml
from osiris.components.spec import ComponentSpec

FILES = sorted((Path(components.__file__).parent / "specs").glob("*.yaml"))
REGISTRY = ComponentRegistry(plugins=False)
SPECS = list(REGISTRY.specs())
RUNNABLE = [spec for spec in SPECS if spec.driver]


def spec(name: str) -> ComponentSpec:
    found = REGISTRY.get(name)
    assert found is not None
    return found


def complaints(name: str, config: dict[str, Any], *, connection: bool = False) -> list[str]:
    return [problem.message for problem in spec(name).check(config, connection=connection)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_spec_is_sound_and_its_examples_are_right(file: Path) -> None:
    assert spec_problems(read_yaml(file)) == []


def test_the_catalogue_is_complete() -> None:
    assert REGISTRY.names() == (
        "duckdb.extractor",
        "duckdb.processor",
        "duckdb.writer",
        "filesystem.csv_extractor",
        "filesystem.csv_writer",
        "filesystem.json_extractor",
        "filesystem.json_writer",
        "filesystem.parquet_extractor",
        "filesystem.parquet_writer",
        "graphql.extractor",
        "mysql.extractor",
        "mysql.writer",
        "postgres.extractor",
        "postgres.writer",
        "posthog.extractor",
        "sqlite.extractor",
        "sqlite.writer",
        "supabase.extractor",
        "supabase.writer",
    )


@pytest.mark.parametrize("one", SPECS, ids=lambda one: one.name)
def test_every_config_key_says_what_it_means_and_typing_errors_are_found(one: ComponentSpec) -> None:
    assert one.title
    assert one.description.endswith(".")
    assert one.config_schema["additionalProperties"] is False
    for key, schema in one.properties.items():
        assert schema["description"].endswith("."), key


@pytest.mark.parametrize("one", RUNNABLE, ids=lambda one: one.name)
def test_the_driver_that_a_spec_names_is_there(one: ComponentSpec) -> None:
    module, _, name = str(one.driver).partition(":")
    assert callable(getattr(importlib.import_module(module), name).run)


@pytest.mark.parametrize(
    ("name", "mode", "takes", "gives"),
    [
        ("filesystem.csv_extractor", "read", False, True),
        ("duckdb.processor", "transform", True, True),
        ("mysql.writer", "write", True, False),
    ],
)
def test_the_mode_says_whether_a_step_takes_and_gives_data(name: str, mode: str, takes: bool, gives: bool) -> None:
    one = spec(name)
    assert (one.modes, one.consumes_data, one.yields_data) == ((mode,), takes, gives)


def test_queries_and_paths_are_marked() -> None:
    assert spec("duckdb.processor").sql_keys == {"query": "duckdb"}
    assert spec("sqlite.extractor").sql_keys == {"query": "sqlite"}
    assert spec("postgres.extractor").sql_keys == {"query": "postgres"}
    assert spec("graphql.extractor").sql_keys == {"query": "graphql"}
    assert spec("sqlite.extractor").path_keys == {"path": "input"}
    assert spec("filesystem.csv_writer").path_keys == {"path": "output"}
    assert spec("filesystem.csv_writer").path_base_key == "base_dir"


def test_a_connection_supplies_required_keys() -> None:
    reader = spec("mysql.extractor")
    assert reader.missing({"table"}) == ("host", "database", "user", "password")
    assert reader.missing({"table"}, connection=True) == ()
    assert reader.connection_needed({"table"})
    assert not reader.connection_needed({"host", "database", "user", "password"})


def test_a_component_that_can_do_without_a_connection_needs_none() -> None:
    assert spec("filesystem.csv_extractor").takes_connection
    assert not spec("filesystem.csv_extractor").needs_connection
    assert not spec("duckdb.processor").takes_connection


def test_a_step_may_not_override_secrets_of_its_connection() -> None:
    assert spec("mysql.extractor").connection_fields == {
        "host": "allowed",
        "port": "allowed",
        "schema": "allowed",
        "database": "forbidden",
        "user": "forbidden",
        "password": "forbidden",
        **dict.fromkeys(("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key"), "forbidden"),
    }
    assert spec("graphql.extractor").connection_fields["headers"] == "warning"


def test_secrets_are_known_by_their_place() -> None:
    graphql = spec("graphql.extractor")
    assert graphql.is_secret(("auth_token",))
    assert graphql.is_secret(("headers", "authorization"))
    assert not graphql.is_secret(("headers", "Accept"))
    assert not graphql.is_secret(("headers",))


def test_defaults_are_filled_in_but_never_over_a_connection() -> None:
    filled = spec("mysql.extractor").with_defaults({"table": "orders"})
    assert filled["batch_size"] == 10000
    assert "host" not in filled
    assert spec("mysql.extractor").connection_defaults == {"host": "localhost", "port": 3306}


def test_a_deprecated_key_is_accepted_and_never_filled_in() -> None:
    reader = spec("filesystem.csv_extractor")
    assert reader.deprecated_keys == {"chunk_size"}
    assert complaints(reader.name, {"path": "a.csv", "chunk_size": 5000}) == []
    assert "chunk_size" not in reader.with_defaults({"path": "a.csv"})


def test_whole_floats_become_integers_where_an_integer_is_meant() -> None:
    filled = spec("filesystem.csv_extractor").with_defaults({"path": "a.csv", "limit": 10.0})
    assert filled["limit"] == 10
    assert isinstance(filled["limit"], int)


def test_filled_in_defaults_belong_to_the_caller() -> None:
    first = spec("graphql.extractor").with_defaults({})
    first["variables"]["page"] = 1
    assert spec("graphql.extractor").with_defaults({})["variables"] == {}


@pytest.mark.parametrize(
    "config",
    [
        {"path": "a.csv", "header": 2, "parse_dates": ["day"], "dtype": {"id": "Int64", "day": "datetime64[ns]"}},
        {"path": "a.csv", "header": False, "parse_dates": True, "na_values": ["-", 0], "comment": "#"},
        {"path": "a.csv.gz", "compression": "gzip", "encoding": "iso-8859-1", "delimiter": "\t", "columns": ["a"]},
        {"path": "a.csv", "connection": "@filesystem.data", "base_dir": "x", "x-note": "of my own"},
    ],
)
def test_csv_configs_of_existing_pipelines_fit(config: dict[str, Any]) -> None:
    assert complaints("filesystem.csv_extractor", config) == []


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("mysql.writer", {"table": "t", "mode": "replace"}),
        ("mysql.writer", {"table": "t", "mode": "upsert", "upsert_keys": ["id"]}),
        ("mysql.writer", {"table": "t", "mode": "upsert", "primary_key": "id"}),
        ("mysql.extractor", {"table": "t", "query": "SELECT 1"}),
        ("supabase.writer", {"table": "t", "write_mode": "replace", "primary_key": ["id"]}),
        ("posthog.extractor", {"data_type": "events", "project_id": 12345}),
    ],
)
def test_configs_that_can_be_satisfied_are(name: str, config: dict[str, Any]) -> None:
    assert complaints(name, config, connection=True) == []


@pytest.mark.parametrize(
    ("name", "config", "complaint"),
    [
        ("mysql.writer", {"table": "t", "mode": "upsert"}, "mode upsert needs upsert_keys"),
        ("mysql.writer", {"table": "t", "primary_key": "a", "upsert_keys": ["a"]}, "mean the same"),
        ("mysql.extractor", {}, "Say table (the whole table) or query"),
        ("sqlite.extractor", {}, "exactly one of the two"),
        ("sqlite.extractor", {"table": "t", "query": "SELECT 1"}, "exactly one of the two"),
        ("sqlite.writer", {"table": "t", "write_mode": "upsert"}, "needs primary_key"),
        ("supabase.writer", {"table": "t", "write_mode": "replace"}, "need primary_key"),
        ("graphql.extractor", {"query": "{ a }", "pagination_enabled": True}, "needs a query with a variable"),
    ],
)
def test_keys_that_do_not_go_together_are_found(name: str, config: dict[str, Any], complaint: str) -> None:
    (message,) = complaints(name, config, connection=True)
    assert complaint in message


def test_the_keys_that_name_tables_schemas_and_columns_say_so() -> None:
    registry = ComponentRegistry.builtin()
    named = {spec.name: (spec.table_key, spec.schema_key, spec.column_keys) for spec in registry.specs()}

    assert named["mysql.extractor"] == ("table", "schema", ("columns",))
    assert named["mysql.writer"] == ("table", "schema", ("upsert_keys", "primary_key"))
    assert named["sqlite.extractor"] == ("table", None, ("columns",))
    assert named["supabase.writer"] == ("table", "schema", ("primary_key",))
    assert named["duckdb.processor"] == (None, None, ())
    for spec in registry.specs():
        if "table" in spec.properties:
            assert spec.table_key == "table", spec.name
