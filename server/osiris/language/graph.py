"""Who waits for whom, and whose data goes where. All by index of the step; one pass over the steps."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from osiris.language.model import Step
from osiris.language.naming import table_name

AUTOMATIC_TABLES = ("df", "input_df")


@dataclass(frozen=True, slots=True)
class Role:
    """What is known of a step's part in the flow; None where the component and the mode say nothing certain."""

    yields: bool | None
    consumes: bool | None


View = tuple[tuple[str, ...], int, bool]
"""What a step sees of the graph: its table names, of how many steps they are, and whether that is certain."""


@dataclass(frozen=True, eq=False)
class Graph:
    """The order of the steps and the flow of data.

    ``order``: a topological order, stable: of the steps that could come next, the first in the file comes; steps in a
    circle come last, in the order of the file. ``upstream``: per step the steps that it waits for. ``data``: per step
    the steps whose data it gets, each once. ``data_inputs``: per step the tables it sees, by name, as the manifest
    records them; the automatic ``df`` and ``input_df`` are not listed (see ``tables``). ``implicit``: steps that
    wait for the step before them because nothing else is said. ``complete``: per step whether its inputs are certain;
    False while one of its references is unresolved or a component behind them is unknown. ``cycles``: each circle once,
    as indices of steps that each wait for the next, and the last for the first. ``by_id``: the first step of each id.
    """

    order: tuple[int, ...]
    upstream: tuple[tuple[int, ...], ...]
    data: tuple[tuple[int, ...], ...]
    data_inputs: tuple[Mapping[str, int], ...]
    implicit: frozenset[int]
    complete: tuple[bool, ...]
    cycles: tuple[tuple[int, ...], ...]
    by_id: Mapping[str, int]
    roles: tuple[Role, ...]
    views: tuple[View, ...]

    def tables(self, step: int) -> dict[str, int]:
        """Every table name that the step may use, with the step behind it; ``df`` and ``input_df`` for a single one."""
        tables = dict(self.data_inputs[step])
        if len(self.data[step]) == 1:
            for name in AUTOMATIC_TABLES:
                tables.setdefault(name, self.data[step][0])
        return tables

    def downstream(self, step: int) -> tuple[int, ...]:
        """The steps that wait for this one directly."""
        return tuple(i for i, ups in enumerate(self.upstream) if step in ups)


def build_graph(steps: tuple[Step, ...], role: Callable[[Step], Role]) -> Graph:
    """The graph of ``steps``. References that lead nowhere, and a step's need of itself, are left out."""
    by_id: dict[str, int] = {}
    for step in steps:
        if step.shape.id is not None:
            by_id.setdefault(step.shape.id, step.index)
    builder = _Builder(steps, by_id, [role(step) for step in steps])
    for step in steps:
        builder.add(step)
    upstream = tuple(builder.upstream)
    order, rest = _order(upstream)
    views = [
        (tuple(tables), len(data), complete)
        for tables, data, complete in zip(builder.tables, builder.data, builder.complete, strict=True)
    ]
    cycles = tuple(_cycles(upstream, rest)) if rest else ()
    return Graph(
        order,
        upstream,
        tuple(builder.data),
        tuple(builder.tables),
        frozenset(builder.implicit),
        tuple(builder.complete),
        cycles,
        by_id,
        tuple(builder.roles),
        tuple(views),
    )


_NOTHING: dict[str, int] = {}


class _Builder:
    def __init__(self, steps: tuple[Step, ...], by_id: Mapping[str, int], roles: list[Role]) -> None:
        self.steps = steps
        self.by_id = by_id
        self.roles = roles
        self.upstream: list[tuple[int, ...]] = []
        self.data: list[tuple[int, ...]] = []
        self.tables: list[Mapping[str, int]] = []
        self.complete: list[bool] = []
        self.implicit: list[int] = []
        self.names: dict[int, str] = {}

    def add(self, step: Step) -> None:
        shape, index = step.shape, step.index
        if shape.needs is None and shape.inputs is None:
            waits: tuple[int, ...] = (index - 1,) if index else ()
            resolved = True
            if index:
                self.implicit.append(index)
        else:
            named = [need.id for need in shape.needs or ()]
            waits, resolved = self.resolve(named, index)
        if shape.inputs is not None:
            self.add_explicit(step, waits, resolved)
            return
        self.upstream.append(waits)
        if self.roles[index].consumes is False:
            self.data.append(())
            self.tables.append(_NOTHING)
            self.complete.append(True)
            return
        data = tuple(i for i in waits if self.roles[i].yields)
        self.data.append(data)
        tables: dict[str, int] = {}
        for up in data:
            tables.setdefault(self.table(up), up)
        self.tables.append(tables or _NOTHING)
        self.complete.append(resolved and all(self.roles[i].yields is not None for i in waits))

    def add_explicit(self, step: Step, waits: tuple[int, ...], resolved: bool) -> None:
        inputs = step.shape.inputs or ()
        found = [(i.table, self.by_id.get(i.id or "")) for i in inputs]
        pairs = [(name, index) for name, index in found if index is not None and index != step.index]
        data = tuple(dict.fromkeys(index for _, index in pairs if self.roles[index].yields is not False))
        tables: dict[str, int] = {}
        for name, index in pairs:
            if index not in data:
                continue
            if name in AUTOMATIC_TABLES:
                tables.setdefault(self.table(index), index)
            if name not in AUTOMATIC_TABLES or len(data) > 1:
                tables[name] = index
        self.upstream.append(tuple(dict.fromkeys((*waits, *data))))
        self.data.append(data)
        self.tables.append(tables)
        certain = len(pairs) == len(inputs) and all(self.roles[index].yields is not None for _, index in pairs)
        self.complete.append(resolved and certain)

    def resolve(self, ids: list[str], index: int) -> tuple[tuple[int, ...], bool]:
        found = [self.by_id.get(name) for name in ids]
        waits = tuple(dict.fromkeys(i for i in found if i is not None and i != index))
        return waits, None not in found and index not in found

    def table(self, index: int) -> str:
        name = self.names.get(index)
        if name is None:
            name = self.names[index] = table_name(self.steps[index].shape.id or f"step_{index + 1}")
        return name


def _order(upstream: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], list[int]]:
    """A stable topological order, and the steps that are in a circle or behind one."""
    count = len(upstream)
    if all(not ups or max(ups) < index for index, ups in enumerate(upstream)):
        return tuple(range(count)), []
    waiting = [len(ups) for ups in upstream]
    after: list[list[int]] = [[] for _ in range(count)]
    for index, ups in enumerate(upstream):
        for up in ups:
            after[up].append(index)
    ready = [index for index in range(count) if not waiting[index]]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for follower in after[index]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    rest = [index for index in range(count) if waiting[index]]
    return tuple(order + rest), rest


def _cycles(upstream: tuple[tuple[int, ...], ...], rest: list[int]) -> Iterator[tuple[int, ...]]:
    """One circle per knot of steps that wait for each other, found by walking upstream from its first step."""
    inside = set(rest)
    done: set[int] = set()
    for start in rest:
        if start in done:
            continue
        path: list[int] = []
        place: dict[int, int] = {}
        index = start
        while index not in place and index not in done:
            place[index] = len(path)
            path.append(index)
            # Every step in `rest` waits for another one in `rest`, so the walk always goes on.
            index = next(up for up in upstream[index] if up in inside)
        done.update(path)
        if index in place:
            circle = path[place[index] :]
            first = circle.index(min(circle))
            yield tuple(circle[first:] + circle[:first])
