"""Files that a pipeline writes over: its own source, or what another of its steps has written."""

from __future__ import annotations

from collections.abc import Iterator

from osiris.language.facts import PathUse
from osiris.language.findings import finding
from osiris.language.model import Step
from osiris.language.rules.context import DocumentContext
from osiris.syntax.diagnostic import Diagnostic, Related

_Uses = dict[str, list[tuple[Step, PathUse]]]


def files_written_over(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """A writer's file is no step's source, unless that step reads what was written, and no other writer's file."""
    written = _by_path(ctx, is_input=False)
    if not written:
        return
    read = _by_path(ctx, is_input=True)
    place = {index: position for position, index in enumerate(ctx.graph.order)}
    for path, writers in written.items():
        readers = sorted(read.get(path, ()), key=lambda item: place[item[0].index])
        for step, use in writers:
            # The reader that comes first: when even that one waits for the writer, all the others may.
            if readers and not _waits(ctx, readers[0][0].index, step.index, place):
                yield _source(step, use, *readers[0])
        writers.sort(key=lambda item: place[item[0].index])
        for step, use in writers[1:]:
            yield _twice(step, use, *writers[0])


def _by_path(ctx: DocumentContext, *, is_input: bool) -> _Uses:
    found: _Uses = {}
    for step, report in zip(ctx.pipeline.steps, ctx.reports, strict=True):
        for use in report.paths:
            if use.whole and use.is_input is is_input:
                found.setdefault(use.path, []).append((step, use))
    return found


def _waits(ctx: DocumentContext, step: int, other: int, place: dict[int, int]) -> bool:
    """Whether ``step`` waits for ``other``, directly or by way of others."""
    seen, todo = {step}, [step]
    while todo:
        for before in ctx.graph.upstream[todo.pop()]:
            if before == other:
                return True
            if before not in seen and place[before] > place[other]:
                seen.add(before)
                todo.append(before)
    return False


def _source(step: Step, use: PathUse, reader: Step, source: PathUse) -> Diagnostic:
    message = (
        f"This is the file that {_named(reader)} reads: each run replaces its own source, and the next one reads what "
        "this one wrote. Write to another path."
    )
    related = [Related(reader.place(source.span), f"{_at_start(reader)} reads the file here.")]
    return finding("OML333", step.place(use.span), message, related=related)


def _twice(step: Step, use: PathUse, first: Step, other: PathUse) -> Diagnostic:
    message = f"{_at_start(first)} writes the same file: one replaces the other. Write to another path."
    related = [Related(first.place(other.span), f"{_at_start(first)} writes the file here.")]
    return finding("OML334", step.place(use.span), message, related=related)


def _named(step: Step) -> str:
    return f"the step `{step.shape.id}`" if step.shape.id else f"step {step.index + 1}"


def _at_start(step: Step) -> str:
    name = _named(step)
    return name[0].upper() + name[1:]
