"""Which Arrow type the values of a PostgreSQL column get, by the type as ``format_type`` writes it."""

from __future__ import annotations

import functools
import re

_SHAPE = re.compile(r'([a-z_"][a-z_" 0-9]*?)\s*(?:\(([^)]*)\))?( with(?:out)? time zone)?')
_TYPES = {
    "boolean": "bool",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "oid": "uint32",
    "real": "float",
    "double precision": "double",
    "bytea": "binary",
    "date": "date32[day]",
    "time without time zone": "time64[us]",
    "timestamp without time zone": "timestamp[us]",
    "timestamp with time zone": "timestamp[us, tz=UTC]",
    "interval": "month_day_nano_interval",
    **dict.fromkeys(("text", "character", "character varying", '"char"', "name", "citext", "bpchar"), "string"),
    **dict.fromkeys(("uuid", "json", "jsonb", "xml", "money", "bit", "bit varying", "jsonpath"), "string"),
    **dict.fromkeys(("inet", "cidr", "macaddr", "macaddr8", "tsvector", "tsquery"), "string"),
    **dict.fromkeys(("time with time zone", "ltree", "hstore"), "string"),
}


@functools.lru_cache(maxsize=4096)  # a database has few types and many columns
def arrow_type(type_: str) -> str:
    """``numeric(12,4)`` -> ``decimal128(12, 4)``, ``text[]`` -> ``list<item: string>``; empty for an unknown type.

    A ``numeric`` without precision has no Arrow type: it holds numbers of any length.
    """
    if type_.endswith("[]"):
        return list_of(arrow_type(type_[:-2]))
    shape = _SHAPE.fullmatch(type_)
    if shape is None:
        return ""
    name, arguments, zone = shape[1], shape[2], shape[3] or ""
    if name == "numeric":
        return _decimal(arguments)
    if name.startswith("interval"):
        name = "interval"  # also "interval year to month"
    return _TYPES.get(name + zone, "")


def list_of(item: str) -> str:
    """The Arrow type of an array of ``item``; empty when that is unknown."""
    return f"list<item: {item}>" if item else ""


def _decimal(arguments: str | None) -> str:
    if not arguments:
        return ""
    first, _, second = arguments.partition(",")
    scale = int(second or 0)
    precision = max(int(first), scale)
    if precision > 76:
        return ""
    return f"decimal{128 if precision <= 38 else 256}({precision}, {scale})"
