"""How tables, columns, components and findings are told to a model: a line each, or plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osiris.components.spec import ComponentSpec
from osiris.language.analysis import Analysis
from osiris.language.catalog import Column, TableInfo

_MOST_TABLES = 200
_KEPT = ("type", "description", "enum", "default", "minimum", "maximum", "pattern", "items", "properties", "required")


def table_lines(tables: Sequence[TableInfo], default_schema: str) -> list[str]:
    """What a model is told of tables, one in a line, and how many more there are."""
    lines = [
        _shown_name(info.schema, info.name, default_schema)
        + (f" ({info.kind})" if info.kind != "table" else "")
        + (f" ~{info.rows} rows" if info.rows is not None else "")
        + (f": {info.comment}" if info.comment else "")
        for info in tables[:_MOST_TABLES]
    ]
    if len(tables) > _MOST_TABLES:
        lines.append(f"... and {len(tables) - _MOST_TABLES} more; narrow them with `contains`")
    return lines


def column_line(column: Column) -> str:
    """What a model is told of a column, in one line."""
    parts = [f"{column.name}: {column.type}"]
    if column.primary_key:
        parts.append("primary key")
    if column.nullable is False:
        parts.append("not null")
    if column.references:
        parts.append(f"references {column.references}")
    if column.values:
        parts.append(f"one of {', '.join(column.values[:20])}")
    if column.comment:
        parts.append(f"comment: {column.comment}")
    return "; ".join(parts)


def component_line(spec: ComponentSpec) -> str:
    """What a model is told of a component, in one line."""
    text = " ".join(spec.description.split())
    end = text.find(". ")
    return f"{spec.name} [{', '.join(spec.modes)}]: {text if end < 0 else text[: end + 1]}"


def component_data(spec: ComponentSpec) -> dict[str, Any]:
    """A component with the keys of its config."""
    return {
        "name": spec.name,
        "modes": list(spec.modes),
        "description": spec.description,
        "takes_connection": spec.takes_connection,
        "required": list(spec.required),
        "config": {name: _plain_schema(schema) for name, schema in spec.properties.items()},
        "examples": [dict(example) for example in spec.examples[:1]],
    }


def finding_lines(analysis: Analysis) -> list[str]:
    """Each finding with its line, from 1."""
    place = analysis.document.lines.line_column
    return [f"line {place(f.span.start)[0] + 1}: {f.code} {f.message}" for f in analysis.diagnostics]


def counted(number: int, what: str) -> str:
    """``1 name``, ``2 names``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shown_name(schema: str, name: str, default: str) -> str:
    return name if not schema or schema == default else f"{schema}.{name}"


def _plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: schema[name] for name in _KEPT if name in schema}
