"""Paths inside the project, folder by folder: what is read first by its suffix, folders alone for what is written."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from osiris.components.spec import CONNECTION_KEY, ComponentSpec, Direction
from osiris.ide.completion.insertion import in_quotes, literal
from osiris.ide.completion.suggestion import Item, ItemKind, Place
from osiris.ide.vocabulary import Schema
from osiris.language.connections import parse_reference
from osiris.language.environment import Environment
from osiris.syntax.tree import Scalar

if TYPE_CHECKING:
    from osiris.language.connections import Connection
    from osiris.language.model import Step

_WITH_DEFAULT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):-([^{}]*)\}")
MOST_PATHS = 200


def paths(place: Place) -> Iterator[Item]:
    """The paths for a config key that holds one."""
    spec, step = place.spec, place.cursor.step
    if spec is None or step is None:
        return
    key = str(place.cursor.path[-1])
    base = "" if key == spec.path_base_key else _base(spec, place.analysis.pipeline.steps[step], place.env)
    direction = spec.path_keys.get(key)
    if base is not None:
        suffixes = suffixes_of(spec.property(key) or {}) if direction == "input" else ()
        yield from paths_below(base, place.cursor.prefix, place.cursor.quote, direction, suffixes, place.env)


def holds_path(place: Place) -> bool:
    """Whether the value at the cursor is a path."""
    spec, within = place.spec, place.cursor.within
    if spec is None or len(within) != 2 or within[0] != "config":
        return False
    return within[1] in spec.path_keys or within[1] == spec.path_base_key


def paths_below(
    base: str, typed: str, quote: str, direction: Direction | None, suffixes: tuple[str, ...], env: Environment
) -> Iterator[Item]:
    """The entries of the folder that ``typed`` has come to, as paths that start from ``base``.

    Files are there for ``input`` only, those with a fitting suffix first; folders end in ``/``, behind which the next
    ones are suggested.
    """
    folder = typed[: typed.rfind("/") + 1]
    if folder.startswith("/") or "\\" in typed or "${" in typed:
        return
    where = posixpath.normpath(posixpath.join(base, folder)) if base or folder else ""
    where = "" if where == "." else where
    if where.startswith(("../", "/")) or where == "..":
        return
    entries = [e for e in env.list_folder(where) or () if e.is_folder or direction == "input"]
    fitting = [entry for entry in entries if not entry.is_folder and entry.name.lower().endswith(suffixes)]
    others = [entry for entry in entries if not entry.is_folder and entry not in fitting]
    folders = [entry for entry in entries if entry.is_folder]
    for entry in [*fitting, *folders, *others][:MOST_PATHS]:
        path = folder + entry.name + ("/" if entry.is_folder else "")
        text = in_quotes(path, quote) if quote else literal(path)
        kind = ItemKind.FOLDER if entry.is_folder else ItemKind.FILE
        yield Item(path, kind, text, None, filter=path, again=entry.is_folder and text == path)


def suffixes_of(schema: Schema) -> tuple[str, ...]:
    """The suffixes of a key's examples; a text without letters, that nothing ends in, when there are none."""
    examples = [str(example) for example in schema.get("examples", ())]
    return tuple({posixpath.splitext(example)[1] for example in examples} - {""}) or ("\0",)


def _base(spec: ComponentSpec, step: Step, env: Environment) -> str | None:
    """The folder that relative paths of the step start from; None when only a run can tell."""
    key, config = spec.path_base_key, step.config
    if key is None:
        return ""
    written = config.get(key) if config is not None else None
    if isinstance(written, Scalar):
        return None if "${" in written.text else written.text
    reference = config.get(CONNECTION_KEY) if config is not None else None
    connection = _connection(reference.text, env) if isinstance(reference, Scalar) else None
    value = connection.fields.get(key) if connection is not None else ""
    if not isinstance(value, str):
        return ""
    if match := _WITH_DEFAULT.fullmatch(value):
        return match[2] if env.variable_origin(match[1]) is None else None
    return None if "${" in value else value


def _connection(reference: str, env: Environment) -> Connection | None:
    parsed = parse_reference(reference)
    return env.connections.get(*parsed) if parsed is not None and env.connections is not None else None
