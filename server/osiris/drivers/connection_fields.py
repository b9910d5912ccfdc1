"""Reading the resolved fields of a connection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError


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
