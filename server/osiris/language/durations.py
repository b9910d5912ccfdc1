"""Durations as people write them."""

from __future__ import annotations

import math
import re

from osiris.syntax.tree import Node, Scalar

LONGEST = 366 * 86400.0
"""The longest duration that a step may name, in seconds."""

RETRY_DELAY = 1.0
"""The wait before the second attempt of a ``retry`` that says none, in seconds."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_IN_WORDS = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?)\s*"
    r"((?:milliseconds?|millis|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?))",
    re.IGNORECASE,
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


def meant_duration(node: Node | None) -> str | None:
    """The duration that a text such as ``5 minutes`` means, as it is written here; None for anything else."""
    match = _IN_WORDS.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
    return f"{match[1]}{'ms' if match[2].lower().startswith('milli') else match[2][0].lower()}" if match else None


def seconds(node: Node | None) -> float | None:
    """A duration in seconds: a number, or a text such as ``30s``, ``5m``, ``2h``; None for anything else."""
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or node.value is None:
        return None
    match = _DURATION.fullmatch(node.text.strip())
    if match is None or (isinstance(node.value, float) and not math.isfinite(node.value)):
        return None
    return float(match[1][:20]) * _UNITS[match[2]]
