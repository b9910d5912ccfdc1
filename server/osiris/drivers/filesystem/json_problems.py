"""Where a JSON file is broken, by its line."""

from __future__ import annotations

import json
from typing import Any

from osiris.core.error_taxonomy import OsirisError, ValidationError
from osiris.drivers.context import StepContext
from osiris.drivers.filesystem.text import opened
from osiris.drivers.paths import Place

_MOST_BYTES = 64 * 1024 * 1024  # of a text that must be read at once
_LINES_PER_CHECK = 10_000


class _TwiceError(ValueError):
    """An object has a key twice."""


def first_problem(place: Place, compression: str, layout: str, step: StepContext) -> OsirisError | None:
    """The error that names the first line which is not right; None where none can be found.

    ``layout``: ``newline_delimited`` (each line is one object), or that of a text that is one value.
    """
    with opened(place, compression) as source:
        if layout != "newline_delimited":
            data = source.read(_MOST_BYTES + 1)
            return None if len(data) > _MOST_BYTES else _of_text(data, place.shown)
        for number, line in enumerate(source, 1):
            if number % _LINES_PER_CHECK == 0:
                step.checkpoint()
            if line.strip() and (found := _of_line(line, number, place.shown)):
                return found
    return None


def _of_line(line: bytes, number: int, shown: str) -> OsirisError | None:
    try:
        value = _parsed(line)
    except json.JSONDecodeError as error:
        return ValidationError(
            f"Line {number} of {shown} is no JSON object: {_said(error)} (column {error.colno}).",
            hint="Each line must be one whole object; for a file that is one array, set format: array.",
        )
    except (ValueError, RecursionError) as error:
        return ValidationError(f"Line {number} of {shown} cannot be read: {_reason(error)}.")
    if not isinstance(value, dict):
        return ValidationError(
            f"Line {number} of {shown} is {_kind(value)}, not an object.", hint="Only objects can be rows of a table."
        )
    return None


def _of_text(data: bytes, shown: str) -> OsirisError | None:
    try:
        value = _parsed(data)
    except json.JSONDecodeError as error:
        return ValidationError(
            f"Line {error.lineno} of {shown} is not JSON: {_said(error)} (column {error.colno}).",
            hint="Check the file there; a file with one object on each line needs format: newline_delimited.",
        )
    except (ValueError, RecursionError) as error:
        return ValidationError(f"{shown} cannot be read: {_reason(error)}.")
    if not isinstance(value, list | dict):
        return ValidationError(f"{shown} is {_kind(value)}, not an array of objects.")
    for number, item in enumerate(value if isinstance(value, list) else [], 1):
        if not isinstance(item, dict):
            return ValidationError(
                f"The element {number} of the array in {shown} is {_kind(item)}, not an object.",
                hint="Only objects can be rows of a table.",
            )
    return None


def _parsed(data: bytes) -> Any:
    return json.loads(data.decode("utf-8"), object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _TwiceError(f"an object has the key {twice} twice")
    return found


def _said(error: json.JSONDecodeError) -> str:
    return error.msg[:1].lower() + error.msg[1:]


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (the byte 0x{error.object[error.start]:02X})"
    return str(error) if isinstance(error, _TwiceError) else "it is nested too deeply"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "an array"}
    return names.get(type(value), "something else")
