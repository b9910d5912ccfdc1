"""What is said about a component spec that is not sound."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from osiris.components.meta import spec_problems

SOUND: dict[str, Any] = {
    "name": "acme.writer",
    "version": "1.0.0",
    "description": "Writes to Acme.",
    "modes": ["write"],
    "configSchema": {
        "type": "object",
        "required": ["table"],
        "additionalProperties": False,
        "properties": {
            "table": {"type": "string", "description": "The table."},
            "mode": {"type": "string", "enum": ["append", "replace"], "default": "append", "description": "How."},
        },
    },
}


def problems(path: str, value: Any) -> list[str]:
    """What is wrong with the sound spec after the value at a dotted path is set."""
    data = copy.deepcopy(SOUND)
    *way, last = path.split("/")
    home = data
    for part in way:
        home = home[part]
    home[last] = value
    return spec_problems(data)


def test_a_sound_spec_has_no_problems() -> None:
    assert spec_problems(SOUND) == []


@pytest.mark.parametrize("data", [None, [], "name: x", 3])
def test_what_is_no_mapping_is_no_spec(data: Any) -> None:
    assert spec_problems(data) == [
        "a component spec is a mapping with name, version, description, modes and configSchema"
    ]


def test_missing_keys_are_named_each() -> None:
    assert spec_problems({"name": "a.b", "version": "1.0.0"}) == [
        "configSchema is missing; the spec needs it",
        "description is missing; the spec needs it",
        "modes is missing; the spec needs it",
    ]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("name", "Acme", "name must match the pattern"),
        ("version", "1", "version must match the pattern"),
        ("modes", ["reed"], "modes[0] must be one of read, extract, transform, write, discover"),
        ("modes", ["discover"], "modes: say read, transform or write"),
        ("configSchema/type", "array", "configSchema.type must be object"),
        (
            "configSchema/properties/table",
            {"type": "string"},
            "description is missing in configSchema.properties.table",
        ),
        ("configSchema/properties/table/type", "text", "configSchema.properties.table.type does not fit"),
        ("configSchema/properties/table/x-osiris-path", "in", "must be one of input, output; it is 'in'"),
        ("configSchema/properties/table/x-osiris-path-base", "dir", "names 'dir', which is not among the properties"),
        ("configSchema/properties/table/x-osiris-names", "row", "must be one of table, schema, columns; it is 'row'"),
        (
            "configSchema/properties/table/x-osiris-names",
            "columns",
            "configSchema.properties.table: x-osiris-names says columns, and no key says table",
        ),
        ("configSchema/properties/mode/default", "upsert", "its default 'upsert' does not fit its own schema"),
        ("configSchema/properties/table/pattern", "(", "configSchema: is not a valid JSON Schema"),
        ("configSchema/properties/table/items", {"$ref": "#/x"}, "$ref is not supported; write the schema out"),
        ("configSchema/required", ["tabel"], "configSchema.required: 'tabel' is not among the properties"),
        ("constraints", {"anyOf": [{"keys": ["a", "mode"], "error": "x"}]}, "constraints.anyOf[0]: 'a' is not among"),
        ("constraints", {"some": []}, "constraints of the spec has no key 'some'. Known keys: required, exactlyOneOf"),
        ("x-runtime", {"driver": "acme.driver.Writer"}, "x-runtime.driver must match the pattern"),
        ("secrets", ["password"], "secrets[0] must match the pattern ^/"),
        ("examples", [{"config": {"tabel": "x"}}], "examples[0]: table is missing"),
        ("naem", "x", "the spec has no key 'naem'. Did you mean name?"),
    ],
)
def test_a_problem_is_named_with_its_place(path: str, value: Any, problem: str) -> None:
    assert any(problem in found for found in problems(path, value)), problems(path, value)


def test_an_example_may_leave_to_its_connection_what_that_supplies() -> None:
    data = {**SOUND, "x-connection-fields": ["table"], "examples": [{"config": {"connection": "@acme.x"}}]}
    assert spec_problems(data) == []
