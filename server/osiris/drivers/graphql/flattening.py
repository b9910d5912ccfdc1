"""Nested objects as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from osiris.core.error_taxonomy import ExecutionError
from osiris.drivers.graphql.selection import Field
from osiris.drivers.http.rows import Column

_MOST_DEPTH = 30
_Path = tuple[str, ...]


class Flattened:
    """Turns objects into rows: the fields of nested objects become columns, named by their path.

    ``selected`` are the fields that the query asks for; so a column is there on a day without rows, too. Without
    ``deep`` an object stays one value.
    """

    def __init__(self, selected: Iterable[Field], *, deep: bool) -> None:
        self.deep = deep
        self.paths: dict[str, _Path] = {}
        self._asked: set[_Path] = set()  # nested fields of the query that an answer may not have as columns
        for path in self._leaves(selected, ()):
            self._name(path)
            self._asked.add(path)
        self.known = tuple(self.paths)

    def rows(self, found: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """One row for each item; null is none. Raises ExecutionError when two fields would be one column."""
        for item in found:
            if isinstance(item, dict):
                yield {self._name(path): value for path, value in self._cells(item, ())}
            elif item is not None:
                yield {self._name(("value",)): item}

    def dropped(self, columns: Mapping[str, Column]) -> set[str]:
        """Columns without a value that stand for the same as others: an object that is null beside its fields."""
        seen = {self.paths[name] for name, column in columns.items() if column.kinds}
        holders = {path[:end] for path in self.paths.values() for end in range(1, len(path))}
        return {
            name
            for name, path in self.paths.items()
            if path not in seen
            and (path in holders or (path in self._asked and any(path[:end] in seen for end in range(1, len(path)))))
        }

    def _leaves(self, fields: Iterable[Field], above: _Path) -> Iterator[_Path]:
        for each in fields:
            if each.fields and self.deep and len(above) < _MOST_DEPTH:
                yield from self._leaves(each.fields, (*above, each.name))
            else:
                yield (*above, each.name)

    def _cells(self, item: dict[str, Any], above: _Path) -> Iterator[tuple[_Path, Any]]:
        for name, value in item.items():
            if self.deep and isinstance(value, dict) and value and len(above) < _MOST_DEPTH:
                yield from self._cells(value, (*above, name))
            elif self.deep and value == {}:
                yield (*above, name), None
            else:
                yield (*above, name), value

    def _name(self, path: _Path) -> str:
        name = "_".join(path)
        other = self.paths.setdefault(name, path)
        if other != path:
            raise ExecutionError(
                f"The fields {'.'.join(other)} and {'.'.join(path)} would both be the column {name}.",
                hint="Rename one of them by an alias in the query, or set flatten_result: false.",
            )
        return name
