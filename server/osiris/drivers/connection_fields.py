"""Reading the resolved fields of a connection, as a step sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError


def connection_fields(config: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The fields of a step's connection; those of ``names`` that the step sets itself take their place."""
    own = {name: config[name] for name in names if config.get(name) is not None}
    return {**(config.get("connection") or {}), **own}


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """A field of a connection as text, empty when it is missing. Raises ConfigurationError for a list or a map."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise ConfigurationError(f"The field {name} of the connection must be text.")


def file_field(fields: Mapping[str, Any], name: str, root: Path) -> str | None:
    """The file that a field names, None when it is missing; a relative path starts at ``root``.

    Raises ConfigurationError when there is no such file.
    """
    text = text_field(fields, name)
    if not text:
        return None
    path = root / os.path.expanduser(text)
    if not path.is_file():
        raise ConfigurationError(f"The file {text} that the field {name} of the connection names does not exist.")
    return str(path)
