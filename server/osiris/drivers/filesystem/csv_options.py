"""The options of the CSV components in DuckDB's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from osiris.sql.columns import quote_names, quote_text

SNIFFED_ROWS = 20_480

_PLAIN_TYPES = "['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR']"
_DATE_TYPES = "['BOOLEAN', 'DATE', 'TIMESTAMP', 'BIGINT', 'DOUBLE', 'VARCHAR']"

_TYPES = {
    **dict.fromkeys(("string", "str", "object", "category"), "VARCHAR"),
    **dict.fromkeys(("int", "integer", "int64"), "BIGINT"),
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    **dict.fromkeys(("float", "double", "float64"), "DOUBLE"),
    "float32": "FLOAT",
    "decimal": "DECIMAL(18,3)",
    **dict.fromkeys(("bool", "boolean"), "BOOLEAN"),
    "date": "DATE",
    **dict.fromkeys(("datetime", "timestamp", "datetime64", "datetime64[ns]"), "TIMESTAMP"),
}


def reading(config: Mapping[str, Any], compression: str) -> dict[str, str]:
    """The arguments of ``read_csv``, each already in SQL. Everything is said, so that nothing but types is guessed."""
    header = config.get("header", True)
    options = {
        "delim": quote_text(config.get("delimiter", ",")),
        "quote": "'\"'",
        "escape": "'\"'",
        "skip": str(lines_before_header(config)),
        "header": "false" if header is False else "true",
        "comment": quote_text(config.get("comment") or ""),
        "compression": quote_text(compression),
        "nullstr": text_list(["", *(str(value) for value in config.get("na_values") or [])]),
        "auto_type_candidates": _DATE_TYPES if config.get("parse_dates") is True else _PLAIN_TYPES,
        "sample_size": str(SNIFFED_ROWS),
        "hive_partitioning": "false",
    }
    if options["delim"] == "'\"'":
        options["quote"] = options["escape"] = "''"
    return options


def lines_before_header(config: Mapping[str, Any]) -> int:
    """How many lines stand before the header: those to skip, and those before the numbered line of the names."""
    header = config.get("header", True)
    numbered = 0 if isinstance(header, bool) else int(header)
    return int(config.get("skip_rows") or 0) + numbered


def compression_in(options: Mapping[str, str]) -> str:
    """The compression that the arguments of ``read_csv`` name."""
    return options["compression"].strip("'")


def wanted_types(config: Mapping[str, Any]) -> dict[str, str]:
    """The DuckDB types that ``dtype`` and ``parse_dates`` ask for, by column name; ``dtype`` wins."""
    dates = config.get("parse_dates")
    types = dict.fromkeys(dates, "TIMESTAMP") if isinstance(dates, list) else {}
    for name, wanted in (config.get("dtype") or {}).items():
        types[name] = _TYPES[wanted if wanted in _TYPES else wanted.lower()]
    return types


def hive(partitions: Sequence[str], config: Mapping[str, Any]) -> dict[str, str]:
    """The arguments that make columns of the partitions: text, or what ``dtype`` says."""
    if not partitions:
        return {}
    types = wanted_types(config)
    wanted = {key: types[key] for key in partitions if key in types}
    given = {"hive_types": struct(wanted)} if wanted else {}
    return {"hive_partitioning": "true", "hive_types_autocast": "false", **given}


def scan(paths: Sequence[Path], options: Mapping[str, str]) -> str:
    """The table function that reads the files one after the other."""
    arguments = "".join(f", {name}={value}" for name, value in options.items())
    return f"read_csv({text_list(map(str, paths))}{arguments})"


def writing(config: Mapping[str, Any], text_columns: Iterable[str]) -> list[str]:
    """The options of COPY ... TO. ``text_columns`` are those that ``nonnumeric`` quotes."""
    quoting = config.get("quoting", "minimal")
    options = [
        "FORMAT csv",
        f"DELIMITER {quote_text(config.get('delimiter', ','))}",
        "COMMENT ''",  # else a field that begins with # is quoted
        f"HEADER {'true' if config.get('header', True) and quoting != 'nonnumeric' else 'false'}",
    ]
    if config.get("newline") == "crlf":
        options.append("NEW_LINE '\\r\\n'")
    names = quote_names(text_columns)
    if quoting == "all":
        options.append("FORCE_QUOTE *")
    elif quoting == "nonnumeric" and names:
        options.append(f"FORCE_QUOTE ({names})")
    return options


def quoted_header(config: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first line where DuckDB's would not do: with ``nonnumeric`` every name is quoted, those of numbers too."""
    if config.get("quoting") != "nonnumeric" or not config.get("header", True):
        return ""
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    return str(config.get("delimiter", ",")).join(quoted) + ("\r\n" if config.get("newline") == "crlf" else "\n")


def struct(types: Mapping[str, str]) -> str:
    """``{'column': 'TYPE'}`` in SQL."""
    return "{" + ", ".join(f"{quote_text(name)}: {quote_text(type_)}" for name, type_ in types.items()) + "}"


def text_list(values: Iterable[str]) -> str:
    """A list of texts in SQL."""
    return "[" + ", ".join(quote_text(value) for value in dict.fromkeys(values)) + "]"
