"""JSON Schemas (draft 7) of OML and of the connections file, made from the component specs.

For editors and programs without the language server. They say as much as a JSON Schema can: no references between
steps, no SQL, no parameters (a value may be ``${params.x}`` wherever a config key wants something else than text).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from osiris.components.registry import ComponentRegistry
from osiris.components.spec import CONNECTION_KEY, ComponentSpec, Constraint

DRAFT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = {"type": "string", "pattern": r"\$\{params\.", "description": "A parameter: `${params.name}`."}
_FREE = {"^x-": {"description": "Yours: Osiris does not look at it."}}
_ANNOTATIONS = (
    "description",
    "markdownDescription",
    "title",
    "default",
    "examples",
    "deprecated",
    "deprecationMessage",
)


def _described(description: str, **schema: Any) -> dict[str, Any]:
    return {**schema, "description": description, "markdownDescription": description}


def _closed(description: str, required: list[str], properties: Mapping[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": dict(properties), "patternProperties": _FREE}
    if required:
        shape["required"] = required
    return _described(description, **shape, additionalProperties=False)


def oml_schema(registry: ComponentRegistry) -> dict[str, Any]:
    """The schema of an OML file with the components of ``registry``."""
    specs = list(registry.specs())
    top = {
        "oml_version": _described("The version of OML that this file is written in.", type="string", enum=["0.1.0"]),
        "name": _described(
            "The name of the pipeline, unique in the project: `build/<name>/` holds what it compiles to.",
            type="string",
            minLength=1,
            maxLength=100,
            pattern=r"^[^/\\:*?\"<>|.\s][^/\\:*?\"<>|]*$",
        ),
        "description": _described("What the pipeline is for.", type=["string", "null"]),
        "metadata": _described("Free notes of yours."),
        "schedule": _described("When it is meant to run, for a scheduler to read."),
        "params": _described(
            "Parameters: a default value, or a declaration. Use one as `${params.name}` in any text of a step.",
            type=["object", "null"],
            patternProperties=_FREE,
            additionalProperties={"anyOf": [_param_schema(), {"not": {"type": "object"}}]},
        ),
        "profiles": _described(
            "Named sets of parameter values, chosen with `--profile`.",
            type=["object", "null"],
            patternProperties=_FREE,
            additionalProperties=_closed(
                "One profile.", [], {"params": _described("Values by parameter.", type=["object", "null"])}
            ),
        ),
        "steps": _described("What the pipeline does.", type="array", minItems=1, items={"$ref": "#/definitions/step"}),
    }
    return {
        "$schema": DRAFT,
        "title": "OML pipeline",
        **_closed("An Osiris pipeline.", ["oml_version", "name", "steps"], top),
        "definitions": {"step": _step_schema(specs), **{spec.name: config_schema(spec) for spec in specs}},
    }


def _param_schema() -> dict[str, Any]:
    kinds = ["string", "integer", "number", "boolean", "list", "map", "int", "bool"]
    return _closed(
        "A parameter.",
        [],
        {
            "type": _described("The type of its values.", enum=kinds),
            "default": _described("Its value when nothing else gives one."),
            "enum": _described("The only values it may have.", type="array", minItems=1),
            "minimum": _described("The smallest number it may be.", type="number"),
            "maximum": _described("The largest number it may be.", type="number"),
            "pattern": _described("A regular expression that its text must match.", type="string"),
            "description": _described("What it is for.", type="string"),
            "sensitive": _described("Whether its value is a secret, kept out of files and logs.", type="boolean"),
        },
    )


def _step_schema(specs: list[ComponentSpec]) -> dict[str, Any]:
    duration = {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*$"},
            _REFERENCE,
        ]
    }
    attempts = {"type": "integer", "minimum": 1, "maximum": 100}
    retry = _closed(
        "How often, and how long to wait in between.",
        [],
        {
            "attempts": _described("How many attempts in all; 3 when it is left out.", anyOf=[attempts, _REFERENCE]),
            "delay": _described("How long to wait before the second attempt; doubled each time.", **duration),
            "max_delay": _described("The longest wait.", **duration),
        },
    )
    step = _closed(
        "One step.",
        ["id", "component", "mode"],
        {
            "id": _described(
                "Names the step. Its output is the table `df_<id>`, where all but letters and digits becomes `_`.",
                type="string",
                pattern=r"^(?!params$)[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
                maxLength=100,
            ),
            "component": _described(
                "What does the work.",
                anyOf=[
                    {
                        "enum": [spec.name for spec in specs],
                        "markdownEnumDescriptions": [f"**{spec.title}** — {spec.description}" for spec in specs],
                    },
                    _REFERENCE,
                ],
            ),
            "mode": _described(
                "What the step does with data.", anyOf=[{"enum": ["read", "transform", "write"]}, _REFERENCE]
            ),
            "config": _described("The keys of the component.", type=["object", "null"]),
            "needs": _described(
                "The ids of the steps that come before it. Without it, the step above.",
                anyOf=[
                    {"type": ["array", "null"], "items": {"type": "string"}, "uniqueItems": True},
                    _REFERENCE,
                ],
            ),
            "inputs": _described(
                'Which data it takes, by table name: `{df: "${extract-orders.df}"}`.',
                type=["object", "null"],
                patternProperties=_FREE,
                additionalProperties={"type": "string", "pattern": r"^\$\{[A-Za-z0-9_.-]+\.df\}$"},
            ),
            "retry": _described(
                "How often to try when it fails.", anyOf=[{"type": "null"}, attempts, retry, _REFERENCE]
            ),
            "timeout": _described(
                "How long one attempt may take: seconds, or a text such as `5m`.",
                anyOf=[{"type": "null"}, *duration["anyOf"]],
            ),
            "description": _described("What the step is for.", type=["string", "null"]),
        },
    )
    step["allOf"] = [_for_component(spec) for spec in specs]
    return step


def _for_component(spec: ComponentSpec) -> dict[str, Any]:
    then: dict[str, Any] = {
        "properties": {
            "mode": {"anyOf": [{"enum": list(spec.modes)}, _REFERENCE]},
            "config": {"$ref": f"#/definitions/{spec.name}"},
        }
    }
    if spec.missing((), connection=True):
        then["required"] = ["config"]
    return {"if": {"properties": {"component": {"const": spec.name}}, "required": ["component"]}, "then": then}


def config_schema(spec: ComponentSpec) -> dict[str, Any]:
    """The schema of the ``config`` of a step with this component.

    Keys that a connection may supply are not required: which one is used is not known here.
    """
    properties = {key: _config_key(schema) for key, schema in spec.properties.items()}
    connection = dict(spec.property(CONNECTION_KEY) or {})
    text = f"{connection.get('description', '')}"
    properties.setdefault(
        CONNECTION_KEY,
        _described(text, type="string", pattern=r"^@[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$|\$\{params\."),
    )
    schema = _closed(spec.description, list(spec.missing((), connection=True)), properties)
    rules = [_constraint_schema(spec, constraint) for constraint in spec.constraints]
    if rules:
        schema["allOf"] = rules
    return schema


def _config_key(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A config key, or a parameter in its place."""
    notes = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    notes["markdownDescription"] = schema.get("description", "")
    if schema.get("deprecated"):
        notes["deprecationMessage"] = schema.get("description", "")
    rules = {key: value for key, value in schema.items() if key not in notes and not key.startswith("x-")}
    if rules.keys() <= {"type", "minLength"} and "string" in rules.get("type", ()):
        return {**rules, **notes}
    return {**notes, "anyOf": [rules, _REFERENCE]}


def _constraint_schema(spec: ComponentSpec, constraint: Constraint) -> dict[str, Any]:
    each = [{"required": [key]} for key in constraint.keys]
    rule: dict[str, Any]
    if constraint.kind == "required":
        rule = {"required": list(constraint.keys)}
    elif constraint.kind == "anyOf":
        rule = {"anyOf": each}
    elif constraint.kind == "exactlyOneOf":
        rule = {"oneOf": each}
    else:
        rule = {"not": {"required": list(constraint.keys)}} if len(each) == 2 else {"not": {"allOf": each}}
    rule["description"] = constraint.error
    if not constraint.when:
        return rule
    when = {key: value if isinstance(value, dict) else {"const": value} for key, value in constraint.when.items()}
    written = [key for key, value in constraint.when.items() if spec.properties[key].get("default") != value]
    return {"if": {"properties": when, "required": written}, "then": rule}


def connections_schema(registry: ComponentRegistry) -> dict[str, Any]:
    """The schema of ``osiris_connections.yaml`` with the families of ``registry``."""
    families = {family: _family_schema(family, registry) for family in registry.families()}
    return {
        "$schema": DRAFT,
        "title": "Osiris connections",
        **_described(
            "The connections of a project. Write secrets as `${VARIABLE}`, from the environment or `.env`.",
            type="object",
            required=["connections"],
            additionalProperties=True,
            properties={
                "connections": _described(
                    "Connections by family and alias; a step refers to one as `@family.alias`.",
                    type=["object", "null"],
                    properties=families,
                    additionalProperties={"type": ["object", "null"]},
                )
            },
        ),
    }


def _family_schema(family: str, registry: ComponentRegistry) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "default": _described("Whether this is the connection of steps that need one and name none.", type="boolean")
    }
    for name, schema in registry.connection_fields(family).items():
        rules = {key: schema[key] for key in ("type", "enum", "description", "examples", "default") if key in schema}
        kinds = rules.get("type", "string")
        if rules.pop("enum", None) is not None or "string" not in kinds:
            # Any field may come from the environment, as text.
            rules["type"] = list(dict.fromkeys([*([kinds] if isinstance(kinds, str) else kinds), "string"]))
        fields[name] = rules | {"markdownDescription": schema.get("description", "")}
    alias = {"type": ["object", "null"], "properties": fields, "additionalProperties": True}
    names = {"pattern": "^[A-Za-z0-9_-]+$"}
    return _described(
        f"Connections of the `{family}` components, by alias.",
        type=["object", "null"],
        propertyNames=names,
        additionalProperties=alias,
    )
