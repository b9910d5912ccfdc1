"""What ``osiris_connections.yaml`` and ``osiris.yaml`` may hold, as JSON Schema with a few notes of ours.

``x-secret`` marks a field whose value belongs into a variable, ``x-osiris-path`` one that holds a path, ``x-variable``
names the environment variable that goes before a setting.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from osiris.components.registry import ComponentRegistry
from osiris.core.settings import BY_KEY, SECTIONS, SEVERITY_SECTION, SEVERITY_WORDS, json_schema
from osiris.ide.vocabulary import Path, Schema
from osiris.syntax.codes import CODES

if TYPE_CHECKING:
    from osiris.ide.project_files.files import ProjectFile

_SECTIONS = {
    "runs": "Where runs are kept, how many at once, and for how long.",
    "compile": "When pipelines are compiled.",
    "ai": "What AI may do in this project.",
    "discovery": "How schemas of connections are kept.",
}
_DEFAULT = {
    "type": "boolean",
    "default": False,
    "description": "Whether this is the connection of steps that name none. One of a family can be.",
}


def schema_of(file: ProjectFile) -> Schema:
    """The description of the file."""
    if file.kind.value == "connections":
        return connections_schema(file.env.registry)
    return settings_schema()


@lru_cache(maxsize=4)
def connections_schema(registry: ComponentRegistry) -> dict[str, Any]:
    """The connections file with the families of ``registry``, each with the fields that its components know."""
    families = {
        family: {
            "type": "object",
            "description": f"Connections of the `{family}` components, by alias. "
            f'A step refers to one as `"@{family}.<alias>"`.',
            "additionalProperties": _alias(family, registry),
        }
        for family in registry.families()
    }
    description = "Connections by family and alias. Secrets stand here as `${VARIABLE}` only."
    top = {"type": "object", "description": description, "properties": families}
    return {"type": "object", "required": ["connections"], "properties": {"connections": top}}


def _alias(family: str, registry: ComponentRegistry) -> dict[str, Any]:
    specs = [spec for spec in registry.specs_of(family) if spec.takes_connection]
    bases = {spec.path_base_key for spec in specs}
    fields: dict[str, Any] = {}
    for name, schema in registry.connection_fields(family).items():
        fields[name] = {**schema, "x-osiris-path": "folder"} if name in bases else dict(schema)
    needed = [n for n in fields if specs and all(n in spec.required and n not in spec.unless for spec in specs)]
    return {
        "type": "object",
        "description": f"A connection of the `{family}` components.",
        "required": needed,
        "properties": {**fields, "default": _DEFAULT},
    }


@lru_cache(maxsize=1)
def settings_schema() -> dict[str, Any]:
    """The settings file: the table of settings, and the codes whose severity can be chosen."""
    schema = json_schema()
    for section, keys in SECTIONS.items():
        home = schema["properties"][section]
        home["description"] = _SECTIONS.get(section, "")
        for key in keys:
            _note(home["properties"][key], f"{section}.{key}")
    for key in BY_KEY:
        if "." not in key:
            _note(schema["properties"][key], key)
    schema["properties"][SEVERITY_SECTION]["properties"]["severity"]["properties"] = {
        code.code: {"enum": list(SEVERITY_WORDS), "description": code.title, "default": code.severity.name.lower()}
        for code in CODES.values()
        if code.configurable
    }
    return schema


def _note(schema: dict[str, Any], key: str) -> None:
    if variable := BY_KEY[key].variable:
        schema["x-variable"] = variable


def lookup(schema: Schema, path: Path) -> Schema | None:
    """What may stand at ``path``; None for a place that the description does not know."""
    found: Any = schema
    for part in path:
        if not isinstance(found, dict):
            return None
        if isinstance(part, int):
            found = found.get("items")
        else:
            found = found.get("properties", {}).get(part) or found.get("additionalProperties")
    return found if isinstance(found, dict) else None
