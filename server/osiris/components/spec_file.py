"""Reads the YAML of a spec file, strictly: a spec that says a key twice, or is a trick, is refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

_MAX_BYTES = 1_000_000
_MAX_VALUES = 100_000
_MAX_DEPTH = 100


class SpecError(ValueError):
    """A spec that cannot be used; the text names the file or package and what is wrong."""


def read_yaml(path: Path, *, trusted: bool = False) -> Any:
    """The plain data of a spec file; a ``trusted`` one (built in, and tested) is read without the checks.

    Raises:
        SpecError: the file is missing, unreadable, too large, not YAML, or says a key twice.
    """
    import yaml

    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if len(raw) > _MAX_BYTES:
        raise SpecError(f"{path.name} is larger than {_MAX_BYTES:,} bytes, which no component spec is.")
    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if trusted:
            return yaml.load(raw, loader_class)  # a safe loader, either way
        _check_depth(yaml.parse(raw, loader_class), path.name)
        loader = loader_class(raw)
        node = loader.get_single_node()
        if node is None:
            return None
        _check(node, path.name)
        return loader.construct_document(node)
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{path.name} is not valid YAML: {' '.join(str(error).split())}") from error


def _check_depth(events: Iterable[Any], name: str) -> None:
    """Refuse endless nesting, before a recursive reader runs out of stack on it."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith(("MappingStartEvent", "SequenceStartEvent"))
        depth -= kind.endswith(("MappingEndEvent", "SequenceEndEvent"))
        if depth > _MAX_DEPTH:
            raise SpecError(f"{name} is nested more than {_MAX_DEPTH} levels deep.")


def _check(root: Any, name: str) -> None:
    """Refuse keys that are said twice, and aliases that repeat each other into something endless."""
    sizes: dict[int, int] = {}

    def size(node: Any, above: frozenset[int]) -> int:
        if id(node) in above:
            raise SpecError(f"{name} repeats a part of itself inside that part (line {node.start_mark.line + 1}).")
        if id(node) not in sizes:
            inner = above | {id(node)}
            count = 1
            if isinstance(node.value, list):
                pairs = bool(node.value) and isinstance(node.value[0], tuple)
                if pairs:
                    _check_keys(node, name)
                parts = (part for pair in node.value for part in pair) if pairs else iter(node.value)
                count += sum(size(part, inner) for part in parts)
            sizes[id(node)] = count
        return sizes[id(node)]

    if size(root, frozenset()) > _MAX_VALUES:
        raise SpecError(f"{name} holds more than {_MAX_VALUES:,} values, which no component spec does.")


def _check_keys(node: Any, name: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key.value, str) and key.value != "<<":
            if key.value in seen:
                raise SpecError(f"{name} says {key.value!r} twice in one mapping (line {key.start_mark.line + 1}).")
            seen.add(key.value)
