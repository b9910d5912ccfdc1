"""The user's own settings.yaml: one section of it, read for whoever it belongs to. Never a file of a workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.user_dirs import settings_dir

FILE_NAME = "settings.yaml"


def user_settings_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where it is, or would be. Raises ConfigurationError as ``settings_dir``."""
    return settings_dir(environ) / FILE_NAME


def section_of(path: Path, name: str, holds: str) -> Mapping[str, Any]:
    """What stands under ``name:`` in the file; nothing when there is no file.

    ``holds``: what may stand there, for the message. Raises ConfigurationError with the place when it cannot be read.
    """
    from osiris.core.source import read_source
    from osiris.syntax.document import parse
    from osiris.syntax.tree import to_plain

    if not os.path.lexists(path):
        return {}
    document = parse(read_source(path))
    if document.diagnostics:
        first = document.diagnostics[0]
        line, column = document.lines.line_column(first.span.start)
        raise ConfigurationError(f"{path}:{line + 1}:{column + 1}: {first.message}")
    data = to_plain(document.root())
    section = data.get(name) if isinstance(data, Mapping) else None
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise ConfigurationError(f"{path}: `{name}` must hold keys such as {holds}.")
    return section
