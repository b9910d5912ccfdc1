"""What a scalar means: YAML 1.2's core schema, decided from text, style and tag alone."""

from __future__ import annotations

import re

from osiris.syntax.limits import MAX_INT_DIGITS
from osiris.syntax.tree import ScalarValue

# A leading zero is no octal sign in YAML 1.2, and 012 is more often a postcode than twelve: such text stays text.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z")

_WORDS: dict[str, ScalarValue] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".nan": float("nan"),
    ".NaN": float("nan"),
    ".NAN": float("nan"),
}
_NUMBER_START = frozenset("0123456789+-.")
_YAML = "tag:yaml.org,2002:"
KNOWN_TAGS = frozenset(
    {"!", *(_YAML + name for name in ("str", "int", "float", "bool", "null", "seq", "map", "merge"))}
)


def resolve_plain(text: str) -> ScalarValue:
    """The value of a plain scalar; text that is no null, boolean or number is its own value."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    number = _number(text)
    return text if number is None else number


def _number(text: str) -> int | float | None:
    if _INT.match(text):
        return int(text) if len(text) <= MAX_INT_DIGITS else None
    if _FLOAT.match(text):
        return float(text)
    if _HEX.match(text):
        return int(text[2:], 16) if len(text) * 5 <= MAX_INT_DIGITS * 4 else None
    if _OCTAL.match(text):
        return int(text[2:], 8) if len(text) <= MAX_INT_DIGITS else None
    if _INFINITY.match(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return None


def resolve_tagged(text: str, tag: str) -> tuple[ScalarValue, bool]:
    """The value of a scalar with one of ``KNOWN_TAGS``, and whether the text suits the tag."""
    if tag in ("!", _YAML + "str"):
        return text, True
    value = resolve_plain(text.strip())
    if tag == _YAML + "null":
        return None, value is None
    if tag == _YAML + "bool":
        return (value, True) if isinstance(value, bool) else (text, False)
    if tag == _YAML + "int":
        return (value, True) if isinstance(value, int) and not isinstance(value, bool) else (text, False)
    if tag == _YAML + "float":
        if isinstance(value, int) and not isinstance(value, bool):
            try:
                return float(value), True
            except OverflowError:
                return text, False
        return (value, True) if isinstance(value, float) else (text, False)
    return text, False
