"""Cutting a manifest into segments: groups of steps that are computed in one go.

A lazy step (a reader, a query) costs nothing until its rows are needed, so it joins the step that consumes it. It
stands alone, and its rows are kept, where that would change what happens or how often:

- several steps take its rows (fan-out), or none does;
- it has a ``timeout`` or ``retry`` (or its consumer has): an attempt repeats its own work and nobody else's;
- the chain of lazy queries gets too deep for one query;
- joining would make two segments wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_LAZY_STEPS = 25

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Segment:
    """Steps computed together, in order; the last one asks for the rows. ``needs`` are segments that come before."""

    number: int
    steps: tuple[str, ...]
    needs: frozenset[int]

    @property
    def last(self) -> str:
        """The step whose rows are computed, or that writes them."""
        return self.steps[-1]


def plan(steps: Sequence[Step], is_lazy: Callable[[Step], bool]) -> list[Segment]:
    """The segments of a manifest's ``steps`` (in topological order), in an order in which they can run."""
    by_id = {str(step["id"]): step for step in steps}
    consumers: dict[str, list[str]] = {name: [] for name in by_id}
    for step in steps:
        for source in sorted(sources_of(step)):
            if source in consumers:
                consumers[source].append(str(step["id"]))
    depth: dict[str, int] = {}  # how many lazy steps are nested in a step, itself counted
    root: dict[str, str] = {name: name for name in by_id}
    for name, step in by_id.items():
        inputs = [source for source in sources_of(step) if source in by_id]
        depth[name] = 1 + max(
            (depth[s] for s in inputs if _joins(by_id[s], step, consumers[s], is_lazy, depth)), default=0
        )
    for name in reversed(by_id):
        if len(consumers[name]) == 1:
            consumer = consumers[name][0]
            if _joins(by_id[name], by_id[consumer], consumers[name], is_lazy, depth):
                root[name] = root[consumer]
    while (knot := _knot(by_id, root)) is not None:
        root.update({name: name for name, head in root.items() if head == knot})
    return _numbered(by_id, root)


def sources_of(step: Step) -> set[str]:
    """The ids of the steps whose rows a step takes."""
    return {str(source) for source in (step.get("inputs") or {}).values()}


def upstream_of(step: Step) -> set[str]:
    """The ids of the steps that must have ended well before a step starts."""
    return {str(need) for need in step.get("needs") or ()} | sources_of(step)


def _alone(step: Step) -> bool:
    return bool(step.get("timeout")) or bool(step.get("retry"))


def _joins(
    source: Step, consumer: Step, consumers: Sequence[str], is_lazy: Callable[[Step], bool], depth: Mapping[str, int]
) -> bool:
    """Whether the rows of ``source`` are computed together with its only consumer."""
    return (
        len(consumers) == 1
        and is_lazy(source)
        and not _alone(source)
        and not _alone(consumer)
        and depth[str(source["id"])] < MAX_LAZY_STEPS
    )


def _edges(by_id: Mapping[str, Step], root: Mapping[str, str]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = {head: set() for head in root.values()}
    for name, step in by_id.items():
        for need in upstream_of(step):
            if need in root and root[need] != root[name]:
                edges[root[name]].add(root[need])
    return edges


def _knot(by_id: Mapping[str, Step], root: Mapping[str, str]) -> str | None:
    """The first joined segment among those that wait for each other, None when the order is sound."""
    edges = _edges(by_id, root)
    dependents: dict[str, list[str]] = {head: [] for head in edges}
    for head, needs in edges.items():
        for need in needs:
            dependents[need].append(head)
    missing = {head: len(needs) for head, needs in edges.items()}
    ready = [head for head, count in missing.items() if count == 0]
    while ready:
        head = ready.pop()
        del missing[head]
        for dependent in dependents[head]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                ready.append(dependent)
    sizes = Counter(root.values())
    # What is left may also hold segments that merely come after a knot: taking one of those apart does no harm.
    return next((root[name] for name in by_id if root[name] in missing and sizes[root[name]] > 1), None)


def _numbered(by_id: Mapping[str, Step], root: Mapping[str, str]) -> list[Segment]:
    members: dict[str, list[str]] = {}
    for name in by_id:
        members.setdefault(root[name], []).append(name)
    edges = _edges(by_id, root)
    order = _ordered(edges, list(by_id))
    number = {head: index for index, head in enumerate(order)}
    return [
        Segment(number[head], tuple(members[head]), frozenset(number[need] for need in edges[head])) for head in order
    ]


def _ordered(edges: Mapping[str, set[str]], names: Sequence[str]) -> list[str]:
    """Segments in the order of their last steps, as far as what they need allows."""
    done: set[str] = set()
    result: list[str] = []

    for name in names:
        stack = [name] if name in edges else []
        while stack:
            head = stack[-1]
            open_needs = sorted(edges[head] - done)
            if head in done:
                stack.pop()
            elif open_needs:
                stack.extend(open_needs)
            else:
                done.add(head)
                result.append(head)
                stack.pop()
    return result
