"""Values of a sample as people read them and JSON takes them: plain, and never very long."""

from __future__ import annotations

import math
from typing import Any

MOST_CHARACTERS = 500
_MOST_BYTES = 32


def plain_value(value: Any) -> bool | int | float | str | None:
    """``value`` as None, bool, int, float or text.

    Bytes become ``0x...``, NaN and the infinities text, and whatever else there is its own text. A long text ends in
    ``...`` after ``MOST_CHARACTERS``.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        return "0x" + data[:_MOST_BYTES].hex() + ("..." if len(data) > _MOST_BYTES else "")
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "..."
