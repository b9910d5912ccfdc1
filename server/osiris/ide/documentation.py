"""Markdown texts for hover and for the documentation of suggestions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from osiris.components.spec import ComponentSpec
from osiris.ide.column_texts import column_markdown, knowledge_text, table_markdown
from osiris.ide.vocabulary import Path, Schema, schema_at, types_of
from osiris.language.connections import Connection, parse_reference
from osiris.language.environment import Environment, Origin
from osiris.syntax.codes import CODES

_WITHOUT_DRIVER = "Pipelines with it can be checked and compiled; nothing in this version can run it yet."
_BOUNDS = {"minimum": "at least", "maximum": "at most", "minLength": "length at least", "maxLength": "length at most"}


def of_key(path: Path, spec: ComponentSpec | None, supplied_by: str | None = None) -> str | None:
    """What a key is for: type, whether it must be there, default, allowed values. None for unknown keys.

    ``supplied_by`` names the connection of the step, when it has one.
    """
    schema = schema_at(path, spec)
    if schema is None or not path or not isinstance(path[-1], str):
        return None
    key = path[-1]
    parent = schema_at(path[:-1], spec) or {}
    in_config = len(path) == 4 and path[2] == "config"
    required = spec.required if in_config and spec is not None else parent.get("required", ())
    lines = [of_schema(key, schema, required=key in required)]
    if in_config and spec is not None and (policy := spec.connection_fields.get(key)):
        lines += ["", _supplied(policy, supplied_by)]
    if in_config and spec is not None and spec.is_secret((key,)):
        lines += ["", "This is a secret. It belongs into the connection, as `${VARIABLE}`, never into this file."]
    return "\n".join(lines).strip()


def of_schema(key: str, schema: Schema, *, required: bool) -> str:
    """A key as its JSON Schema describes it."""
    facts = [_type_name(schema)] if types_of(schema) else []
    if required:
        facts.append("required")
    if schema.get("deprecated"):
        facts.append("no effect")
    lines = [f"**{key}**" + (" · " + " · ".join(facts) if facts else ""), "", str(schema.get("description", ""))]
    return "\n".join([*lines, *_values(schema)]).strip()


def of_origin(origin: Origin | None) -> str:
    """Where a variable is set, in words."""
    return "not set" if origin is None else "set in the environment" if origin == "environment" else "set in `.env`"


def _supplied(policy: str, connection: str | None) -> str:
    source = f"`{connection}`" if connection else "The connection"
    if policy == "forbidden":
        return f"{source} supplies it; a step must not set it."
    warning = ", which is seldom wanted" if policy == "warning" else ""
    return f"{source} can supply it; a step may set it instead{warning}."


def _values(schema: Schema) -> list[str]:
    lines: list[str] = []
    if "default" in schema:
        lines += ["", f"Default: {shown(schema['default'])}"]
    if allowed := schema.get("enum"):
        lines += ["", "Allowed: " + ", ".join(shown(value) for value in allowed)]
    bounds = [f"{text} {schema[key]}" for key, text in _BOUNDS.items() if key in schema]
    if "maxLength" in schema and schema.get("minLength") == schema["maxLength"]:
        bounds = ["1 character" if schema["maxLength"] == 1 else f"{schema['maxLength']} characters"]
    if bounds and (len(bounds) > 1 or schema.get("minLength") != 1 or "maxLength" in schema):
        lines += ["", "Allowed: " + ", ".join(bounds)]
    if examples := schema.get("examples"):
        word = "Example" if len(examples) == 1 else "Examples"
        lines += ["", f"{word}: " + ", ".join(shown(value) for value in examples[:3])]
    return lines


def _type_name(schema: Schema) -> str:
    names = {"object": "map", "array": "list", "integer": "whole number", "string": "text", "boolean": "true or false"}
    return " or ".join(names.get(name, name) for name in types_of(schema))


def shown(value: Any) -> str:
    """A value as it would be written in a file."""
    return f"`{value}`" if isinstance(value, str) and value.strip() else f"`{json.dumps(value, ensure_ascii=False)}`"


def of_component(spec: ComponentSpec) -> str:
    """What a component does, its modes and the keys it must be given."""
    lines = [f"**{spec.title}** · `{spec.name}` {spec.version} · {', '.join(spec.modes)}", "", spec.description]
    if spec.required:
        lines += ["", "Required: " + ", ".join(f"`{key}`" for key in spec.required)]
    if spec.takes_connection:
        lines += ["", "From a connection: " + ", ".join(f"`{name}`" for name in spec.connection_fields)]
    lines += ["", "This version can run it." if spec.driver else _WITHOUT_DRIVER]
    return "\n".join(lines)


def of_code(code: str) -> str | None:
    """What a diagnostic code stands for. None for an unknown one."""
    known = CODES.get(code.upper())
    if known is None:
        return None
    always = "" if known.configurable else "\n\nIt is always an error: neither a comment nor osiris.yaml changes that."
    return f"**{known.code}** · {known.severity.name.lower()}: {known.title}\n\n{known.explanation}{always}"


def of_table(reference: str, table: tuple[str, str], column: str | None, env: Environment) -> str | None:
    """A table (schema and name) of a connection, or its ``column``. None when it is not known any more."""
    family, alias = parse_reference(reference) or ("", "")
    connection = env.connections.get(family, alias) if env.connections is not None else None
    knowledge = env.schema_of(connection) if connection is not None else None
    for catalog in (knowledge.discovered, knowledge.locked) if knowledge is not None else ():
        found = catalog.table(table[1], table[0]) if catalog is not None else None
        if found is None or (column is not None and found.columns is None):
            continue
        if column is None:
            return table_markdown(found, knowledge, catalog)
        known = found.column(column, any_case=False)
        return column_markdown(known, found.info, knowledge, catalog) if known is not None else None
    return None


def of_connection(connection: Connection, secret: Iterable[str], env: Environment) -> str:
    """The fields of a connection, as written, and whether its variables are set.

    Values of secret keys are never shown, whatever they look like.
    """
    from osiris.language.secrets import is_secret_key

    hidden = set(secret)
    lines = [f"**{connection.reference}**" + (" · default" if connection.is_default else ""), ""]
    for name, value in connection.fields.items():
        lines.append(
            f"- `{name}`: {'`***`' if name in hidden or is_secret_key(name) else shown(_without_secrets(value))}"
        )
    if connection.variables:
        states = (f"`{name}` ({of_origin(env.variable_origin(name))})" for name in connection.variables)
        lines += ["", "Variables: " + ", ".join(states)]
    knowledge = env.schema_of(connection)
    if knowledge is not None and knowledge.catalogs:
        lines += ["", knowledge_text(knowledge)]
    return "\n".join(lines).strip()


def _without_secrets(value: Any) -> Any:
    from osiris.language.secrets import is_secret_key

    if isinstance(value, Mapping):
        return {k: "***" if is_secret_key(str(k)) else _without_secrets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value
