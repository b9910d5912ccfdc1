"""A step that names a table of a Supabase project, as one of the PostgreSQL database behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from osiris.core.lookup import require_packages
from osiris.drivers.connection_fields import text_field
from osiris.drivers.supabase.filters import is_condition
from osiris.sql.columns import quote_name

_PART = re.compile(r"\s*(?:(\w+)\s*:\s*)?(\w+)\s*(?:::\s*(\w+)\s*)?")
_ORDER = re.compile(r"\s*(\w+)(?:\.(asc|desc))?(?:\.nulls(first|last))?\s*")
_COMPARED = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "match": "~", "imatch": "~*"}
_LIKE = {"like": "LIKE", "ilike": "ILIKE"}
_IS = {"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}
_CONDITION = re.compile(r"(not\.)?([a-z]+)\.(.*)", re.DOTALL)
_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*(?:,|\Z)', re.DOTALL)


def has_address(config: Mapping[str, Any]) -> bool:
    """Whether the connection of a step leads to the database itself."""
    return bool(text_field(config.get("connection") or {}, "pg_dsn"))


def postgres_config(config: Mapping[str, Any], needed_for: str) -> dict[str, Any]:
    """The connection, schema and table of a step as the drivers of the family postgres take them.

    Raises ConfigurationError, also when psycopg is not installed.
    """
    require_packages(("psycopg",), needed_for)
    from osiris.drivers.supabase.catalog import postgres_fields

    schema = str(config.get("schema") or "public")
    fields = postgres_fields(text_field(config.get("connection") or {}, "pg_dsn"))
    return {"connection": fields, "schema": schema, "table": str(config.get("table"))}


def reading(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """What ``postgres.extractor`` is to read for a step of ``supabase.extractor``: columns of a table, or a query.

    None when the step says something that only the REST interface understands, such as a table embedded in ``select``.
    """
    parts = [_PART.fullmatch(part) for part in str(config.get("select") or "*").split(",")]
    everything = str(config.get("select") or "*").strip() == "*"
    sql_of_filters = [_condition(str(name), value) for name, value in (config.get("filter") or {}).items()]
    orders = [_ORDER.fullmatch(part) for part in str(config["order"]).split(",")] if config.get("order") else []
    if None in sql_of_filters or not all(orders) or not (everything or all(parts)):
        return None
    span = {key: config[key] for key in ("limit", "offset") if config.get(key)}
    chosen = [part for part in parts if part]
    if not sql_of_filters and not orders and not any(part[1] or part[3] for part in chosen):
        return {**span, **({} if everything else {"columns": [part[2] for part in chosen]})}
    columns = "*" if everything else ", ".join(_column(part) for part in chosen)
    source = f"{quote_name(str(config.get('schema') or 'public'))}.{quote_name(str(config.get('table')))}"
    query = f"SELECT {columns} FROM {source}"
    if sql_of_filters:
        query += " WHERE " + " AND ".join(str(condition) for condition in sql_of_filters)
    if orders:
        query += " ORDER BY " + ", ".join(_ordered(order) for order in orders if order)
    return {"query": query + "".join(f" {key.upper()} {int(value)}" for key, value in span.items())}


def _column(part: re.Match[str]) -> str:
    value = quote_name(part[2]) + (f"::{part[3]}" if part[3] else "")
    return f"{value} AS {quote_name(part[1] or part[2])}"


def _ordered(order: re.Match[str]) -> str:
    nulls = f" NULLS {order[3].upper()}" if order[3] else ""
    return f"{quote_name(order[1])} {(order[2] or 'asc').upper()}{nulls}"


def _condition(name: str, value: Any) -> str | None:
    """A condition of ``filter`` in SQL; None when only the REST interface understands it."""
    if not re.fullmatch(r"\w+", name) or name in ("and", "or"):
        return None
    column = quote_name(name)
    if value is None:
        return f"{column} IS NULL"
    if isinstance(value, bool):
        return f"{column} IS {str(value).upper()}"
    if isinstance(value, list):
        return f"{column} IN ({_literals(map(str, value))})"
    text = str(value)
    if not is_condition(text):
        return f"{column} = {_literal(text)}"
    match = _CONDITION.fullmatch(text)
    if match is None:
        return None
    found = _operation(column, match[2], match[3])
    return f"NOT ({found})" if found and match[1] else found


def _operation(column: str, operator: str, value: str) -> str | None:
    if operator in _COMPARED:
        return f"{column} {_COMPARED[operator]} {_literal(value)}"
    if operator in _LIKE:
        return f"{column} {_LIKE[operator]} {_literal(value.replace('*', '%'))}"
    if operator == "is" and value.lower() in _IS:
        return f"{column} IS {_IS[value.lower()]}"
    if operator == "isdistinct":
        return f"{column} IS DISTINCT FROM {_literal(value)}"
    if operator == "in" and value.startswith("(") and value.endswith(")"):
        items, place, inside = [], 0, value[1:-1]
        while place < len(inside):
            match = _ITEM.match(inside, place)
            if match is None:
                return None
            items.append(match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1]))
            place = match.end()
        return f"{column} IN ({_literals(items)})"
    return None


def _literals(values: Any) -> str:
    return ", ".join(_literal(value) for value in values) or "NULL"


def _literal(value: str) -> str:
    """Text in SQL, of the type that the column has; as an E string, which no setting of the server reads otherwise."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
