"""Finding the file of a database that a connection names, before anything opens it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConnectionError as Unreachable
from osiris.core.files import cause
from osiris.core.os_errors import explain_os_error
from osiris.drivers.paths import Place, resolve_path


def database_file(fields: Mapping[str, Any], root: Path, product: str) -> Place:
    """The file that the field ``path`` names, which is there and can be read; relative paths start at ``root``.

    Raises ConfigurationError for fields that name none, and ConnectionError when the file cannot be read.
    """
    place = resolve_path(root, {"connection": fields}, base_key=None)
    if place.path.is_dir():
        raise Unreachable(f"{place.shown} is a folder, not a {product} database.", hint="Name the file.")
    if place.path.exists() and not place.path.is_file():
        raise Unreachable(f"{place.shown} is a pipe or a device, not a {product} database.")
    try:
        place.path.open("rb").close()
    except FileNotFoundError as error:
        raise Unreachable(
            f"The {product} database {place.shown} does not exist.",
            hint="A step that writes makes it. Check the field path of the connection if it should be there already.",
        ) from cause(error)
    except OSError as error:
        reason, hint = explain_os_error(error)
        raise Unreachable(f"Cannot read {place.shown}: {reason}.", hint=hint) from cause(error)
    return place


def rights_remark(place: Place) -> tuple[str, ...]:
    """What a user should know of the rights to the file: nothing when it can be written."""
    return () if os.access(place.path, os.W_OK) else (f"{place.shown} can be read, not written.",)
