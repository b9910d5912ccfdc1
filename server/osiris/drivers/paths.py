"""The paths a step may touch: inside the project, a folder that osiris.yaml allows, or one that a connection names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.core.files import is_inside
from osiris.core.settings import ALLOWED_FOLDERS
from osiris.language.project_file_names import is_own_file

_UNSPEAKABLE = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are not UTF-8
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class Place:
    """A path that was checked: where it is, and how messages call it.

    ``homes``: what a file must lie in that the path, being a pattern, stands for. Links are followed in all of them.
    """

    path: Path
    shown: str
    homes: tuple[Path, ...] = ()


def resolve_path(
    root: Path,
    config: Mapping[str, Any],
    *,
    key: str = "path",
    base_key: str | None = "base_dir",
    allowed: Sequence[Path] = (),
) -> Place:
    """The absolute path that ``config[key]`` means, checked against everything it could escape through.

    ``config`` holds the resolved connection under ``connection``. A folder or path written in the connection may lie
    anywhere, since the connections file belongs to whoever runs the pipeline; what stands in the step must stay within
    the project, within the connection's folder, or within one of the folders that osiris.yaml allows (``allowed``, from
    ``core.allowed_folders``). Symbolic links are followed before that is judged. Raises ConfigurationError.
    """
    connection = config.get("connection")
    fields: Mapping[str, Any] = connection if isinstance(connection, Mapping) else {}
    written = config.get(key, fields.get(key))
    if not isinstance(written, str) or not written:
        raise ConfigurationError(f"There is no {key}.", hint=f"Say {key} in the step or in its connection.")
    if "\0" in written:
        raise ConfigurationError(f"The {key} holds a NUL character.")
    if _URL.match(written):
        raise ConfigurationError(
            f"{written} is an address, not a path.", hint="This component reads and writes files on this machine only."
        )
    if key not in config:
        place = _place(root, root / _expanded(written), written)
        return replace(place, homes=(place.path.parent,))
    homes = [root, *allowed]
    base = root
    if base_key is not None:
        if fields.get(base_key):
            base = root / _expanded(str(fields[base_key]))
            homes.append(base)
        if config.get(base_key):
            base = root / str(config[base_key])
    path = base / written
    if not any(is_inside(path, home) for home in homes):
        raise ConfigurationError(
            f"The {key} {written} leads outside the project folder"
            + (f", outside {base_key} of the connection" if base_key is not None and fields.get(base_key) else "")
            + (", and outside the folders that osiris.yaml allows." if allowed else "."),
            hint="Keep the file inside, name its folder in a connection of osiris_connections.yaml, or allow it in "
            f"osiris.yaml: {ALLOWED_FOLDERS.replace('.', ': {')}: [folder]}}.",
        )
    return replace(_place(root, path, written), homes=tuple(home.resolve() for home in homes))


def refuse_own_file(root: Path, place: Place) -> None:
    """Raise ConfigurationError when a writer's target is a file that a project itself is made of."""
    home = root.resolve()
    path = place.path.relative_to(home) if place.path.is_relative_to(home) else place.path
    if is_own_file(path.as_posix()):
        raise ConfigurationError(
            f"{place.shown} is a file of the project itself: no step writes it.", hint="Write to another path."
        )


def _place(root: Path, path: Path, written: str) -> Place:
    """``path`` with links resolved, so that one changed after the check leads nowhere new; shown as in the project."""
    resolved = path.resolve()
    if _UNSPEAKABLE.search(str(resolved)):
        raise ConfigurationError(
            f"The path {str(resolved)!a} holds bytes that are not UTF-8; DuckDB cannot open it.",
            hint="Rename the folder or the file.",
        )
    home = root.resolve()
    return Place(resolved, resolved.relative_to(home).as_posix() if resolved.is_relative_to(home) else written)


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(path))  # that of a user who is not there stays as it is
