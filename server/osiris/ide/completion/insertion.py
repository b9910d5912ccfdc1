"""The text that a suggestion puts into a document: valid YAML at its place, with tab stops where editors know them."""

from __future__ import annotations

import json
import re
from typing import Any

from osiris.ide.vocabulary import Schema, types_of

_PLAIN = re.compile(r"[A-Za-z][\w ./+-]*(?<! )")
_WORDS_WITH_MEANING = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_SPECIAL = re.compile(r"[\\$}]")


def escape(text: str) -> str:
    """``text`` as it must be written inside a snippet."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), text)


def choice(number: int, values: list[str]) -> str:
    """A tab stop that offers ``values``."""
    escaped = [re.sub(r"([\\,|])", r"\\\1", value) for value in values]
    return f"${{{number}|{','.join(escaped)}|}}"


def literal(value: Any) -> str:
    """A value as YAML on one line; text is quoted only where it would mean something else without."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_MEANING:
        return value
    return json.dumps(value, ensure_ascii=False)


def in_quotes(value: Any, quote: str) -> str:
    """A value as it stands between quotes that are there already."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)[1:-1] if quote == '"' else text.replace("'", "''")


def key_text(name: str, schema: Schema | None, column: int, *, flow: bool) -> tuple[str, str | None]:
    """A key with the start of its value: the plain text, and the snippet where the two differ.

    ``column`` is that of the key: lines that follow are indented from it.
    """
    types = types_of(schema) if schema is not None else ()
    pad = "\n" + " " * (column + 2)
    if flow:
        return f"{name}: ", None
    if schema is not None and "x-osiris-sql" in schema:
        return f"{name}: |{pad}", None
    if types == ("object",):
        return f"{name}:{pad}", None
    if types == ("array",):
        nested = "properties" in (schema or {}).get("items", {})
        return (f"{name}:{pad}- ", None) if nested else (f"{name}: []", f"{name}: [$0]")
    return f"{name}: ", None
