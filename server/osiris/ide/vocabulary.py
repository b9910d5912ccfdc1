"""The keys of OML itself, described as component specs describe theirs: as JSON Schema, in the order people write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from osiris.components.spec import ComponentSpec
from osiris.language.params import TYPES

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

_PARAM: dict[str, Any] = {
    "type": "object",
    "description": "A parameter: its default value, or a map that says more about it.",
    "properties": {
        "type": {"type": "string", "enum": list(TYPES), "description": "What kind of value the parameter takes."},
        "default": {"description": "The value that counts when nobody gives another one."},
        "description": {"type": "string", "description": "What the parameter is for."},
        "enum": {"type": "array", "description": "The only values that are allowed."},
        "minimum": {"type": "number", "description": "The smallest value that is allowed."},
        "maximum": {"type": "number", "description": "The largest value that is allowed."},
        "pattern": {"type": "string", "description": "A regular expression that the value must match."},
        "sensitive": {
            "type": "boolean",
            "default": False,
            "description": "`true`: the value is a secret. It stays out of the manifest and the logs; the run gets it "
            "from `OSIRIS_PARAM_<NAME>`.",
        },
    },
}

_RETRY: dict[str, Any] = {
    "type": ["integer", "object"],
    "description": "How often a failed step is tried again: a number of attempts, or a map with `attempts`, `delay` "
    "and `max_delay`.",
    "properties": {
        "attempts": {"type": "integer", "minimum": 1, "description": "How often the step is tried in all."},
        "delay": {"type": ["number", "string"], "description": 'The pause before the second attempt: `5` or `"5s"`.'},
        "max_delay": {"type": ["number", "string"], "description": "The longest pause between two attempts."},
    },
}

STEP: dict[str, Any] = {
    "type": "object",
    "description": "One step of the pipeline.",
    "required": ["id", "component", "mode"],
    "properties": {
        "id": {
            "type": "string",
            "description": "The step's name. Other steps refer to it in `needs`, and its data is the table `df_<id>` "
            "for them. Letters, digits, `_`, `-` and `.`.",
        },
        "component": {"type": "string", "description": "What does the work, e.g. `duckdb.processor`."},
        "mode": {
            "type": "string",
            "enum": ["read", "transform", "write"],
            "description": "`read` brings data in, `transform` makes data from data, `write` puts data somewhere.",
        },
        "needs": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The steps that must be done before this one. Without it, the step above in the file. `[]`: "
            "none.",
        },
        "config": {"type": "object", "description": "What the component is to do. Its keys depend on the component."},
        "inputs": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": 'Which step\'s data is which table: `{df: "${extract-orders.df}"}`. Without it, the data of '
            "the steps in `needs`.",
        },
        "retry": _RETRY,
        "timeout": {
            "type": ["integer", "string"],
            "description": 'How long one attempt may take: seconds, or a text such as `"5m"`. Without it, any time.',
        },
        "description": {"type": "string", "description": "What the step is for."},
    },
}

TOP: dict[str, Any] = {
    "type": "object",
    "required": ["oml_version", "name", "steps"],
    "properties": {
        "oml_version": {
            "type": "string",
            "enum": ["0.1.0"],
            "description": "The version of the language that the file is written in.",
        },
        "name": {
            "type": "string",
            "description": "The pipeline's name, unique in the project: its manifest is `build/<name>/manifest.json`.",
        },
        "description": {"type": "string", "description": "What the pipeline is for."},
        "params": {
            "type": "object",
            "additionalProperties": _PARAM,
            "description": "Values that may differ from run to run, used as `${params.<name>}`.",
        },
        "profiles": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "description": "A profile: other values for the parameters, chosen with `--profile`.",
                "properties": {"params": {"type": "object", "description": "The values of this profile."}},
            },
            "description": "Named sets of parameter values, e.g. `prod`.",
        },
        "steps": {"type": "array", "items": STEP, "description": "What the pipeline does, step by step."},
        "schedule": {"type": "object", "description": "When the pipeline is to run. Kept as it is for other tools."},
        "metadata": {"type": "object", "description": "Anything else about the pipeline. Kept as it is."},
    },
}


def schema_at(path: Path, spec: ComponentSpec | None) -> Schema | None:
    """What may stand at ``path`` (from the top); ``spec`` is the component of the step that the path leads into."""
    schema: Schema | None = TOP
    for position, part in enumerate(path):
        if schema is None:
            return None
        in_config = position == 3 and path[0] == "steps" and path[2] == "config"
        if in_config:
            schema = spec.property(str(part)) if spec is not None else None
        elif isinstance(part, int):
            items = schema.get("items")
            schema = items if isinstance(items, Mapping) else None
        else:
            schema = schema.get("properties", {}).get(part) or _rest(schema)
    return schema


def _rest(schema: Schema) -> Schema | None:
    rest = schema.get("additionalProperties")
    return rest if isinstance(rest, Mapping) else None


def types_of(schema: Schema) -> tuple[str, ...]:
    """The JSON types that a schema allows; empty when it says nothing."""
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)
