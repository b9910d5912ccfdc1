"""What stands under ``filter`` of a step, as PostgREST reads it."""

from __future__ import annotations

import re
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.drivers.supabase.rest import quoted_value

_OPERATOR = re.compile(
    r"(not\.)?(eq|neq|gte?|lte?|i?like|i?match|in|is|isdistinct|(pl|ph|w)?fts|cs|cd|ov|sl|sr|nxr|nxl|adj)(\([a-z_]+\))?\."
)
_LOGIC = frozenset({"and", "or", "not.and", "not.or"})
_OURS = frozenset({"select", "order", "limit", "offset", "columns", "on_conflict"})


def is_condition(text: str) -> bool:
    """Whether a value is an operator with a value, such as ``gte.18``."""
    return _OPERATOR.match(text) is not None


def condition(column: str, value: Any) -> tuple[str, str]:
    """A condition as PostgREST reads it. Raises ConfigurationError for a column it would take for something else."""
    if column in _OURS:
        raise ConfigurationError(
            f"filter cannot name the column {column}: the REST interface takes that for a setting.",
            hint=f"Write and: ({column}.eq.VALUE).",
        )
    if value is None:
        return column, "is.null"
    if isinstance(value, bool):
        return column, f"is.{str(value).lower()}"
    if isinstance(value, list):
        return column, f"in.({','.join(quoted_value(item) for item in value)})"
    text = str(value)
    return column, text if column in _LOGIC or is_condition(text) else f"eq.{text}"
