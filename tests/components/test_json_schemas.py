"""The JSON Schemas for programs without the language server, and the files in ``schemas/``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import spec_from_data
from osiris.core.schemas import EVENTS, SCHEMAS, schema, schema_names, schema_text, write_all

ROOT = Path(__file__).parents[2]
OML = jsonschema.Draft7Validator(schema("oml", ComponentRegistry(plugins=False)))


def pipeline(**step: Any) -> dict[str, Any]:
    """A pipeline with one step, a CSV reader unless said otherwise."""
    base = {"id": "a", "component": "filesystem.csv_extractor", "mode": "read", "config": {"path": "a.csv"}}
    return {"oml_version": "0.1.0", "name": "p", "steps": [{**base, **step}]}


def sql(**config: Any) -> dict[str, Any]:
    """A pipeline that reads from SQLite."""
    return pipeline(component="sqlite.extractor", config=config)


@pytest.mark.parametrize("name", schema_names())
def test_the_committed_file_is_what_the_code_says(name: str) -> None:
    file = ROOT / "schemas" / f"{name}.schema.json"
    hint = "osiris.core.schemas.write_all(Path('schemas')) writes it anew"
    assert file.read_text(encoding="utf-8") == schema_text(name), hint


def test_no_other_file_stands_beside_them() -> None:
    assert {file.name for file in (ROOT / "schemas").iterdir()} == {f"{name}.schema.json" for name in SCHEMAS}


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_is_valid_draft_7(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(schema(name))


def test_all_are_written_into_a_folder(tmp_path: Path) -> None:
    written = write_all(tmp_path / "new")
    assert [json.loads(file.read_text())["$schema"] for file in written] == [
        "http://json-schema.org/draft-07/schema#"
    ] * len(SCHEMAS)


@pytest.mark.parametrize("file", sorted((ROOT / "examples").rglob("*.oml.yaml")), ids=lambda file: file.name)
def test_the_examples_fit_unless_they_are_broken_on_purpose(file: Path) -> None:
    fits = OML.is_valid(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert fits != file.name.startswith("broken")


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*/osiris*.yaml")), ids=lambda file: file.name)
def test_the_settings_and_connections_of_the_examples_fit(file: Path) -> None:
    name = "connections" if file.name == "osiris_connections.yaml" else "config"
    jsonschema.Draft7Validator(schema(name)).validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "document",
    [
        pipeline(),
        pipeline(config={"path": "${params.file}", "limit": "${params.rows}", "encoding": "${params.encoding}"}),
        pipeline(config={"path": "a.csv", "x-mine": 1}, retry=3, timeout="5m", description="x"),
        pipeline(retry={"attempts": 2, "delay": "10s"}, timeout=1.5, needs=[], **{"x-owner": "me"}),
        sql(connection="@sqlite.shop", table="t"),
        {
            **pipeline(),
            "params": {"a": 3, "b": {"type": "int", "default": 1}, "c": [1]},
            "profiles": {"x": {"params": {}}},
        },
    ],
)
def test_right_pipelines_fit(document: dict[str, Any]) -> None:
    OML.validate(document)


@pytest.mark.parametrize(
    "document",
    [
        {**pipeline(), "tasks": []},
        {**pipeline(), "steps": []},
        {**pipeline(), "oml_version": "0.2.0"},
        pipeline(id="../x"),
        pipeline(id="params"),
        pipeline(mode="write"),
        pipeline(component="filesystem.csv_reader"),
        pipeline(config={}),
        pipeline(config={"path": "a.csv", "limit": "ten"}),
        pipeline(config={"path": "a.csv", "delimeter": ";"}),
        pipeline(retry=0),
        pipeline(timeout="soon"),
        pipeline(inputs={"df": "a"}),
        sql(connection="@sqlite.shop"),
        sql(connection="@sqlite.shop", table="t", query="SELECT 1"),
        sql(connection="sqlite.shop", table="t"),
        pipeline(component="sqlite.writer", mode="write", config={"table": "t", "write_mode": "upsert"}),
        {**pipeline(), "params": {"a": {"typ": "int"}}},
    ],
)
def test_wrong_pipelines_do_not_fit(document: dict[str, Any]) -> None:
    assert not OML.is_valid(document)


def test_a_constraint_over_a_default_holds_when_the_key_is_not_written() -> None:
    data = {
        "name": "a.b",
        "version": "1.0.0",
        "description": "x",
        "modes": ["read"],
        "configSchema": {
            "type": "object",
            "properties": {
                "how": {"type": "string", "default": "all", "description": "x"},
                "key": {"type": "string", "description": "x"},
            },
        },
        "constraints": {"required": [{"when": {"how": "all"}, "must": {"key": {}}, "error": "x"}]},
    }
    one = jsonschema.Draft7Validator(schema("oml", ComponentRegistry.of(spec_from_data(data))))
    assert not one.is_valid(pipeline(component="a.b", config={}))
    assert one.is_valid(pipeline(component="a.b", config={"how": "some"}))


def test_every_key_a_reader_hovers_over_is_described() -> None:
    def described(node: Any, place: str) -> None:
        if isinstance(node, dict):
            for name, child in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
                if isinstance(child, dict) and "$ref" not in child and "/then" not in place and "/if" not in place:
                    assert child.get("markdownDescription"), f"{place}/{name}"
            for key, child in node.items():
                described(child, f"{place}/{key}")
        elif isinstance(node, list):
            for child in node:
                described(child, place)

    described(schema("oml"), "")


def test_what_a_run_writes_fits(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "shop", shop, ignore=shutil.ignore_patterns("logs", "build", "out"))
    subprocess.run([sys.executable, "make_data.py"], cwd=shop, check=True)
    command = [sys.executable, "-P", "-m", "osiris", "run", "pipelines/daily-revenue.oml.yaml"]
    subprocess.run(command, cwd=shop, check=True, capture_output=True)
    (run,) = (shop / "logs").glob("run_*")
    jsonschema.Draft7Validator(schema("manifest")).validate(json.loads((run / "manifest.json").read_text()))
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    for event in events:
        jsonschema.Draft7Validator(schema("event")).validate(event)
        assert event["event"] in EVENTS
        assert event.keys() <= schema("event")["properties"].keys()
    assert [events[0]["event"], events[-1]["event"]] == ["run_queued", "run_complete"]


def test_a_connection_takes_numbers_from_the_environment() -> None:
    document = {"connections": {"mysql": {"db": {"host": "h", "port": "${PORT}", "default": True, "charset": "utf8"}}}}
    jsonschema.Draft7Validator(schema("connections")).validate(document)
    document["connections"]["mysql"]["db"]["default"] = "yes"
    assert not jsonschema.Draft7Validator(schema("connections")).is_valid(document)
