"""What a sound component spec looks like: a JSON Schema for spec files, and checks that a schema cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osiris.components.check import Failures

NAME_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
DRIVER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"
_FLAGS = (
    "discover",
    "adHocAnalytics",
    "inMemoryMove",
    "streaming",
    "bulkOperations",
    "transactions",
    "partitioning",
    "customTransforms",
)
_TYPES = ["string", "integer", "number", "boolean", "array", "object", "null"]


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


def _list(description: str, items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def _closed(description: str, required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _free(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description}


def _property_schema() -> dict[str, Any]:
    """The schema of one config key, as far as hover, completion and checks rely on it."""
    return {
        "type": "object",
        "required": ["description", "type"],
        "properties": {
            "type": {
                "anyOf": [{"enum": _TYPES}, {"type": "array", "minItems": 1, "items": {"enum": _TYPES}}],
                "description": "The JSON type, or the types, of the value.",
            },
            "description": _text("What the key means, in Markdown: shown on hover and in completion."),
            "default": {"description": "The value when the key is not written."},
            "deprecated": {"type": "boolean", "description": "The key is accepted but has no effect."},
            "x-osiris-sql": _text("The key holds a query; its dialect, such as `duckdb`, `mysql`, `graphql`."),
            "x-osiris-path": {
                "enum": ["input", "output"],
                "description": "The key holds a file path, of a file that must exist or of one that is made.",
            },
            "x-osiris-names": {
                "enum": ["table", "schema", "columns"],
                "description": "The key names something in the connection's database: a table, the schema that the "
                "table stands in, or columns of the table.",
            },
            "x-osiris-input-columns": {
                "type": "boolean",
                "description": "The key names columns, as a list or as one text, that the step's data must have.",
            },
            "x-osiris-path-base": _text("The config key whose folder relative paths start from, when it is given."),
            "x-pattern-hint": _text("What `pattern` wants, in words that follow `must`."),
        },
    }


def _constraint(required: list[str], own: dict[str, Any]) -> dict[str, Any]:
    shared = {
        "when": _free("Config keys and the value (or JSON Schema) each must have for the rule to apply."),
        "error": _text("What is said when the rule is broken."),
    }
    return _list("Rules of this kind.", _closed("One rule.", [*required, "error"], {**shared, **own}))


def component_schema() -> dict[str, Any]:
    """The JSON Schema (draft 7) of a component spec file."""
    keys = {"keys": {"type": "array", "minItems": 2, "items": {"type": "string"}, "description": "Config keys."}}
    must = {"must": _free("Config keys that must be there, each with a JSON Schema that it must fit (`{}`: any).")}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Osiris component spec",
        **_closed(
            "What a component is called, how a step configures it, and what runs it.",
            ["name", "version", "description", "modes", "configSchema"],
            {
                "name": _text(
                    "`family.name` in lower case; the family is also that of its connections.", pattern=NAME_PATTERN
                ),
                "version": _text("The version of the component, as `1.2.3`.", pattern=r"^[0-9]+\.[0-9]+\.[0-9]+"),
                "title": _text("A short name for people."),
                "description": _text("What it does, in a sentence or two."),
                "modes": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"enum": ["read", "extract", "transform", "write", "discover"]},
                    "description": "What a step may use it for. `extract` is `read`; `discover` concerns no step.",
                },
                "capabilities": {
                    "type": "object",
                    "description": "What it can do, for people and tools that choose among components.",
                    "additionalProperties": False,
                    "properties": {flag: {"type": "boolean", "description": f"`{flag}`"} for flag in _FLAGS},
                },
                "configSchema": {
                    "type": "object",
                    "description": "The JSON Schema (draft 7, without `$ref`) of a step's `config`.",
                    "required": ["type", "properties"],
                    "properties": {
                        "type": {"const": "object"},
                        "required": _list("Keys that must be there.", {"type": "string"}),
                        "additionalProperties": {
                            "type": "boolean",
                            "description": "Keep it false: typing errors show.",
                        },
                        "properties": {
                            "type": "object",
                            "description": "The config keys.",
                            "additionalProperties": _property_schema(),
                        },
                    },
                },
                "secrets": _list(
                    "JSON pointers of config values that are secret.", {"type": "string", "pattern": "^/"}
                ),
                "x-secret": _list("More of the same.", {"type": "string", "pattern": "^/"}),
                "x-connection-fields": _list(
                    "What a connection supplies, and whether a step may set it as well.",
                    {
                        "anyOf": [
                            {"type": "string", "minLength": 1},
                            {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": _text("The field of the connection."),
                                    "override": {"enum": ["allowed", "forbidden", "warning"]},
                                    "secret": {"type": "boolean"},
                                    "unless": _text(
                                        "A field of the connection; where it is given, this is not needed."
                                    ),
                                },
                            },
                        ]
                    },
                ),
                "constraints": {
                    "type": "object",
                    "description": "Rules over several config keys.",
                    "additionalProperties": False,
                    "properties": {
                        "required": _constraint(["must"], must),
                        "exactlyOneOf": _constraint(["keys"], keys),
                        "anyOf": _constraint(["keys"], keys),
                        "atMostOneOf": _constraint(["keys"], keys),
                    },
                },
                "examples": _list("Configs that are right.", {"type": "object", "required": ["config"]}),
                "llmHints": _free("What helps a model to use the component."),
                "limits": _free("Bounds of the component, for people."),
                "compatibility": _free("What it works with, for people."),
                "loggingPolicy": _free("What it logs, for people."),
                "redaction": _free("How its values are masked; every secret is masked whatever is said here."),
                "x-runtime": {
                    "type": ["object", "null"],
                    "description": "What runs the component. Absent: nothing does yet.",
                    "additionalProperties": False,
                    "properties": {
                        "driver": {
                            "type": ["string", "null"],
                            "pattern": DRIVER_PATTERN,
                            "description": "`package.module:Class` with a method `run`.",
                        },
                        "requirements": _free("Imports and packages that the driver needs."),
                    },
                },
            },
        ),
    }


@cache
def _failures() -> Failures:
    from osiris.components.check import compile_schema

    return compile_schema(component_schema())


def spec_problems(data: Any) -> list[str]:
    """What is wrong with the data of a spec file, as sentences that name the place; empty when it is sound."""
    from osiris.components.check import explain_failures

    if not isinstance(data, dict):
        return ["a component spec is a mapping with name, version, description, modes and configSchema"]
    problems = explain_failures(component_schema(), data, _failures())
    return problems or [*_config_schema_problems(data), *_reference_problems(data)]


def _config_schema_problems(data: Mapping[str, Any]) -> Iterator[str]:
    """The config schema must compile, without references, and its defaults must fit."""
    from osiris.components.check import compile_schema

    schema = data["configSchema"]
    for place in _references(schema, "configSchema"):
        yield f"{place}: $ref is not supported; write the schema out"
        return
    try:
        compile_schema(schema)
    except ValueError as error:
        yield f"configSchema: is not a valid JSON Schema: {' '.join(str(error).split())[:300]}"
        return
    for key, prop in schema["properties"].items():
        if "default" in prop and list(compile_schema(prop)(prop["default"])):
            yield f"configSchema.properties.{key}: its default {prop['default']!r} does not fit its own schema"


def _references(schema: Any, place: str) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield place
        for key, value in schema.items():
            yield from _references(value, f"{place}.{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from _references(value, f"{place}[{index}]")


def _reference_problems(data: Mapping[str, Any]) -> Iterator[str]:
    """Names that stand in the spec must be those of config keys; examples must be right."""
    schema = data["configSchema"]
    keys = set(schema["properties"])
    for key in schema.get("required", ()):
        if key not in keys:
            yield f"configSchema.required: {key!r} is not among the properties"
    for key, prop in schema["properties"].items():
        base = prop.get("x-osiris-path-base")
        if base is not None and base not in keys:
            yield f"configSchema.properties.{key}: x-osiris-path-base names {base!r}, which is not among the properties"
    yield from _name_problems(schema["properties"])
    for kind, rules in (data.get("constraints") or {}).items():
        for index, rule in enumerate(rules):
            for key in (*rule.get("when", {}), *rule.get("must", {}), *rule.get("keys", ())):
                if key not in keys:
                    yield f"constraints.{kind}[{index}]: {key!r} is not among the properties"
    if set(data["modes"]) == {"discover"}:
        yield "modes: say read, transform or write; discover alone is of no use to a step"
    yield from _example_problems(data)


def _name_problems(properties: Mapping[str, Any]) -> Iterator[str]:
    """A schema and columns are those of one table."""
    naming = [(key, prop["x-osiris-names"]) for key, prop in properties.items() if "x-osiris-names" in prop]
    there = [what for _, what in naming]
    for key, what in naming:
        if what != "table" and "table" not in there:
            yield f"configSchema.properties.{key}: x-osiris-names says {what}, and no key says table"
        elif what != "columns" and there.count(what) > 1:
            yield f"configSchema.properties.{key}: x-osiris-names says {what}, and another key says so, too"


def _example_problems(data: Mapping[str, Any]) -> Iterator[str]:
    from osiris.components.spec import CONNECTION_KEY, spec_from_data

    spec = spec_from_data(data)
    for index, example in enumerate(data.get("examples") or ()):
        config = example["config"]
        connection = isinstance(config, dict) and CONNECTION_KEY in config
        for problem in spec.check(config, connection=connection):
            yield f"examples[{index}]: {re.sub(r'[.]$', '', problem.message)}"
