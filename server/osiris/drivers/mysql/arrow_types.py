"""Which Arrow type the values of a MySQL or MariaDB column get, by the type in the server's own words."""

from __future__ import annotations

import functools
import re

_SHAPE = re.compile(r"([a-z0-9_]+)\s*(?:\(([^)]*)\))?")
_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 32, "int": 32, "integer": 32, "bigint": 64}
_TYPES = {
    "year": "int16",
    "float": "float",
    "double": "double",
    "real": "double",
    "date": "date32[day]",
    "time": "duration[us]",  # goes from -838 to 838 hours
    "datetime": "timestamp[us]",
    "timestamp": "timestamp[us]",
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json"), "string"),
    **dict.fromkeys(("enum", "set", "uuid", "inet4", "inet6", "xmltype"), "string"),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"), "binary"),
    **dict.fromkeys(("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"), "binary"),
    **dict.fromkeys(("multipolygon", "geometrycollection", "geomcollection"), "binary"),
}


@functools.lru_cache(maxsize=4096)  # a database has few types and many columns
def arrow_type(column_type: str) -> str:
    """``decimal(12,4) unsigned`` -> ``decimal128(12, 4)``; empty for a type that is not known."""
    shape = _SHAPE.match(column_type.lower())
    if shape is None:
        return ""
    name, arguments = shape[1], shape[2]
    if name in _INTEGERS:
        return f"{'u' if 'unsigned' in column_type.lower() else ''}int{_INTEGERS[name]}"
    if name in ("decimal", "numeric"):
        precision, _, scale = (arguments or "10").partition(",")
        digits = int(precision)
        return f"decimal{128 if digits <= 38 else 256}({digits}, {int(scale or 0)})"
    return _TYPES.get(name, "")
