"""Which segments must not run at the same time although no step says so: they touch the same file or table.

Two writers of one file would spoil each other's work, and what a reader finds would depend on chance. Such segments run
in the order of the plan, as they do when there is one lane only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris.core.error_taxonomy import ConfigurationError
from osiris.drivers.paths import resolve_path
from osiris.execution.segments import Segment

if TYPE_CHECKING:
    from osiris.components.spec import ComponentSpec
    from osiris.execution.preparation import PreparedStep

Resource = tuple[str, ...]  # a part behind another lies inside of it: a file in a folder, a table in a database

_PATTERN = frozenset("*?[")


def waits(
    segments: Sequence[Segment], steps: Mapping[str, PreparedStep], root: Path, allowed: Sequence[Path] = ()
) -> dict[int, set[int]]:
    """For each segment the earlier ones that it must wait for because of what both touch.

    ``allowed``: the folders outside of the project that steps may touch.
    """
    touched = {segment.number: list(_touched(segment, steps, root, allowed)) for segment in segments}
    if not any(writes for found in touched.values() for _, writes in found):
        return {}
    board = _Board()
    result: dict[int, set[int]] = {}
    for segment in segments:
        waits_for: set[int] = set()
        for resource, writes in touched[segment.number]:
            waits_for |= board.writers_of(resource) | (board.readers_of(resource) if writes else set())
        for resource, writes in touched[segment.number]:
            board.note(resource, segment.number, writes=writes)
        result[segment.number] = waits_for - {segment.number}
    return result


class _Board:
    """Who has read and written what so far."""

    def __init__(self) -> None:
        self._readers: dict[Resource, set[int]] = {}
        self._writers: dict[Resource, set[int]] = {}
        self._written_inside: dict[Resource, set[int]] = {}

    def writers_of(self, resource: Resource) -> set[int]:
        """Who writes the resource, something in it, or what it lies in."""
        found = set(self._written_inside.get(resource, ()))
        for outer in _outwards(resource):
            found |= self._writers.get(outer, set())
        return found

    def readers_of(self, resource: Resource) -> set[int]:
        """Who reads the resource, or what it lies in."""
        found: set[int] = set()
        for outer in _outwards(resource):
            found |= self._readers.get(outer, set())
        return found

    def note(self, resource: Resource, number: int, *, writes: bool) -> None:
        """Remember that a segment touches the resource."""
        if not writes:
            self._readers.setdefault(resource, set()).add(number)
            return
        # Whoever waits for this one waits for all before it.
        self._writers[resource] = {number}
        self._readers.pop(resource, None)
        for outer in _outwards(resource[:-1]):
            self._written_inside.setdefault(outer, set()).add(number)


def _outwards(resource: Resource) -> Iterator[Resource]:
    for length in range(len(resource), 0, -1):
        yield resource[:length]


def _touched(
    segment: Segment, steps: Mapping[str, PreparedStep], root: Path, allowed: Sequence[Path]
) -> Iterator[tuple[Resource, bool]]:
    """What the steps of a segment read and write, and whether they write it."""
    from osiris.components.registry import ComponentRegistry

    registry = ComponentRegistry.builtin()
    for name in segment.steps:
        step = steps[name]
        spec = registry.get(str(step.manifest["component"]))
        if spec is None:
            continue
        if spec.path_keys:
            yield from _files(spec, step.config, root, allowed)
        elif isinstance(fields := step.config.get("connection"), Mapping):
            database = ("database", spec.family, json.dumps(fields, sort_keys=True, default=str))
            table = step.config.get(spec.table_key) if spec.table_key else None
            inside = (str(table).lower(),) if isinstance(table, str) and table else ()
            yield (*database, *inside), step.manifest.get("mode") == "write"


def _files(
    spec: ComponentSpec, config: Mapping[str, Any], root: Path, allowed: Sequence[Path]
) -> Iterator[tuple[Resource, bool]]:
    for key, direction in spec.path_keys.items():
        try:
            path = resolve_path(root, config, key=key, base_key=spec.path_base_key, allowed=allowed).path
        except ConfigurationError:  # the step itself says so
            continue
        parts = path.parts
        fixed = next((place for place, part in enumerate(parts) if _PATTERN & set(part)), len(parts))
        yield ("file", *parts[: max(fixed, 1)]), direction == "output"
