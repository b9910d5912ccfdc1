"""Data from step to step: who receives none, who receives too much, and table names that collide."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator

from osiris.language.edits import append_item, insert_key, node_end, scalar_text
from osiris.language.findings import finding
from osiris.language.model import InputRef, Step
from osiris.language.naming import table_name
from osiris.language.rules.context import DocumentContext
from osiris.language.suggest import listing
from osiris.syntax.diagnostic import Diagnostic, Fix, Related, TextEdit
from osiris.syntax.text import Span
from osiris.syntax.tree import Mapping, Scalar, Sequence


def data_arrives(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """A transform or writer receives data; a writer that of one step; a reader takes none."""
    graph = ctx.graph
    in_circle = {index for circle in graph.cycles for index in circle}
    for step in ctx.pipeline.steps:
        index = step.index
        consumes = graph.roles[index].consumes if ctx.specs[index] is not None else None
        if consumes is None or index in in_circle:
            continue
        if not consumes:
            if step.shape.inputs:
                yield _idle_inputs(step)
        elif not graph.data[index]:
            if graph.complete[index] and not _refers_nowhere(step):
                yield _starved(ctx, step)
        elif step.mode == "write" and len(graph.data[index]) > 1:
            yield _crowded(ctx, step)


def _refers_nowhere(step: Step) -> bool:
    """Whether a self-reference or a broken input already explains why nothing arrives."""
    given, needs = step.get("inputs"), step.get("needs")
    if isinstance(given, Sequence) or isinstance(needs, Mapping) or (isinstance(given, Scalar) and given.text):
        return True  # reported as a wrong type
    names = [need.id for need in step.shape.needs or ()]
    names += [i.id or "" for i in step.shape.inputs or ()]
    return step.shape.id in names or "" in names or bool(step.shape.inputs)


def _idle_inputs(step: Step) -> Diagnostic:
    mapping = step.shape.mapping
    entry = mapping.entry("inputs") if mapping else None
    span = step.place(entry.key.span) if entry else step.anchor
    message = "This step reads from outside, so `inputs` has no effect. To make it wait, say `needs`."
    return finding("OML314", span, message, _needs_instead(step), unnecessary=True)


def _needs_instead(step: Step) -> Fix | None:
    """The steps of the inputs as needs, so that the step goes on to wait for them."""
    mapping, inputs = step.shape.mapping, step.shape.inputs
    entry = mapping.entry("inputs") if mapping else None
    if mapping is None or entry is None or entry.synthetic or mapping.synthetic or not inputs:
        return None
    if mapping.entry("needs") is not None or any(given.id is None for given in inputs):
        return None
    ids = ", ".join(dict.fromkeys(scalar_text(given.id or "") for given in inputs))
    span = Span(entry.key.span.start, max(node_end(step.shape.part.text, entry.value), entry.key.span.end))
    return Fix("Say `needs` instead", (TextEdit(span, f"needs: [{ids}]"),)).shift(step.base)


def _starved(ctx: DocumentContext, step: Step) -> Diagnostic:
    graph, steps = ctx.graph, ctx.pipeline.steps
    source = _nearest_source(ctx, step)
    what = "transforms" if step.mode == "transform" else "writes"
    waits = graph.upstream[step.index]
    if waits:
        names = [steps[i].shape.id or f"step {i + 1}" for i in waits]
        why = f"{listing(names)} {'hands' if len(names) == 1 else 'hand'} on none"
        if step.index in graph.implicit:
            why += " and it names no other step in `needs`"
    else:
        why = "it is the first step" if step.index == 0 and step.shape.needs is None else "it needs no other step"
    hint, fix = "Put a step before it that reads or transforms data.", None
    if source is not None:
        hint, fix = f"Let it need `{source.shape.id}`.", wire(ctx, step, source)
    else:
        source = _source_behind(ctx, step)
        if source is not None:
            hint = (
                f"Let it need `{source.shape.id}`, and let that wait for no step: it waits only because of its place."
            )
            fix = _take_from_behind(ctx, step, source)
    message = f"This step {what} data, but receives none: {why}. {hint}"
    related = [
        Related(steps[i].anchor, f"{_named(steps[i])} {'writes' if steps[i].mode == 'write' else 'hands on no data'}.")
        for i in waits[:_MOST_RELATED]
    ]
    return finding("OML308", step.anchor, message, fix, related=related)


_MOST_RELATED = 10

# How far the search for a data step goes: in a file where nothing is wired yet it would else be quadratic.
_FAR = 100


def _nearest_source(ctx: DocumentContext, step: Step) -> Step | None:
    """The data step closest upstream, else the last one before this step, else the first after it that may go first."""
    graph, steps = ctx.graph, ctx.pipeline.steps
    if not ctx.sources:
        return None
    seen, queue = {step.index}, deque(graph.upstream[step.index])
    while queue and len(seen) < _FAR:
        index = queue.popleft()
        if index in seen:
            continue
        seen.add(index)
        if ctx.is_source(index):
            return steps[index]
        queue.extend(graph.upstream[index])
    here = bisect_left(ctx.sources, step.index)
    around = (*reversed(ctx.sources[max(0, here - _FAR) : here]), *ctx.sources[here : here + _FAR])
    return next((steps[i] for i in around if i != step.index and not _depends(ctx, i, step.index)), None)


def _source_behind(ctx: DocumentContext, step: Step) -> Step | None:
    """The first reader after ``step`` that waits only because it stands behind another step."""
    first = bisect_left(ctx.sources, step.index)
    for index in ctx.sources[first : first + _FAR]:
        if index in ctx.graph.implicit and ctx.graph.roles[index].consumes is False:
            return ctx.pipeline.steps[index]
    return None


def _take_from_behind(ctx: DocumentContext, step: Step, source: Step) -> Fix | None:
    taken, free = _needs_also(ctx, step, source), wait_for_none(source)
    if taken is None or free is None:
        return None
    return Fix(f"Take the data of `{source.shape.id}`, which then waits for no step", (*taken.edits, *free.edits))


def wait_for_none(step: Step) -> Fix | None:
    """The fix that lets a reader, which waits only because it stands behind another step, wait for none."""
    mapping, name = step.shape.mapping, step.shape.id
    if mapping is None or name is None or step.mode != "read" or step.get("needs") is not None:
        return None
    edit = insert_key(step.shape.part.text, mapping, "needs", "[]", after=mapping.entry("mode"))
    return Fix(f"Let `{name}` wait for no step", (edit,), True).shift(step.base) if edit else None


def _depends(ctx: DocumentContext, index: int, on: int) -> bool:
    seen: set[int] = set()
    stack = [index]
    while stack:
        current = stack.pop()
        if current == on:
            return True
        if current not in seen:
            seen.add(current)
            stack.extend(ctx.graph.upstream[current])
    return False


def wire(ctx: DocumentContext, step: Step, source: Step) -> Fix | None:
    """The fix that lets ``step`` take the data of ``source`` as well; None where that would close a circle."""
    return None if _depends(ctx, source.index, step.index) else _needs_also(ctx, step, source)


def _needs_also(ctx: DocumentContext, step: Step, source: Step) -> Fix | None:
    mapping, text, name = step.shape.mapping, step.shape.part.text, source.shape.id
    if mapping is None or name is None:
        return None
    needs, given = mapping.get("needs"), mapping.get("inputs")
    if isinstance(given, Mapping) and given.entries:
        edit = insert_key(text, given, table_name(name), f'"${{{name}.df}}"')
    elif needs is None:
        # Without `needs` the step has the data of the one before it, and must not lose that.
        kept = [ctx.pipeline.steps[i].shape.id for i in ctx.graph.data[step.index]]
        after = mapping.entry("mode") or mapping.entry("component")
        edit = insert_key(text, mapping, "needs", f"[{', '.join(n for n in (*kept, name) if n)}]", after=after)
    else:
        edit = append_item(text, needs, name) if isinstance(needs, Sequence) else None
    return Fix(f"Take the data of `{name}`", (edit,), True).shift(step.base) if edit else None


def _crowded(ctx: DocumentContext, step: Step) -> Diagnostic:
    names = [ctx.pipeline.steps[i].shape.id or f"step {i + 1}" for i in ctx.graph.data[step.index]]
    mapping, text = step.shape.mapping, step.shape.part.text
    entry = mapping.entry("inputs") or mapping.entry("needs") if mapping else None
    fixes: list[Fix] = []
    if mapping is not None and step.shape.inputs is None:
        for name in names[:5]:
            edit = insert_key(text, mapping, "inputs", f'{{df: "${{{name}.df}}"}}', after=entry)
            if edit:
                fixes.append(Fix(f"Write the data of `{name}`", (edit,)).shift(step.base))
    say = (
        "Leave one of them in `inputs`." if step.shape.inputs else f'Say which: `inputs: {{df: "${{{names[0]}.df}}"}}`.'
    )
    message = f"A writer writes one table, and {listing(names)} all hand data to this one. {say}"
    sources = [ctx.pipeline.steps[i] for i in ctx.graph.data[step.index][:_MOST_RELATED]]
    related = [Related(source.anchor, f"{_named(source)} hands on data.") for source in sources]
    return finding("OML309", step.place(entry.key.span) if entry else step.anchor, message, *fixes, related=related)


def tables_collide(ctx: DocumentContext) -> Iterator[Diagnostic]:
    """Two inputs of a step whose tables would have one name, case ignored."""
    for step in ctx.pipeline.steps:
        data = ctx.graph.data[step.index]
        if len(data) < 2:
            continue
        if step.shape.inputs is not None:
            yield from _input_collisions(step)
            continue
        first: dict[str, int] = {}
        for index in data:
            name = table_name(ctx.pipeline.steps[index].shape.id or "")
            other = first.setdefault(name.lower(), index)
            if other != index:
                yield _collision(ctx, step, name, other, index)


def _collision(ctx: DocumentContext, step: Step, table: str, first: int, second: int) -> Diagnostic:
    one, two = (ctx.pipeline.steps[i].shape.id or "" for i in (first, second))
    span = next((step.place(n.node.span) for n in step.shape.needs or () if n.id == two), step.anchor)
    mapping, fix = step.shape.mapping, None
    if isinstance(mapping, Mapping):
        after = mapping.entry("needs")
        value = f'{{{table}: "${{{one}.df}}", {table}_2: "${{{two}.df}}"}}'
        edit = insert_key(step.shape.part.text, mapping, "inputs", value, after=after)
        fix = Fix("Name the tables in `inputs`", (edit,)).shift(step.base) if edit else None
    message = f"`{one}` and `{two}` would both be the table `{table}` here. Name them in `inputs`, or rename a step."
    both = [ctx.pipeline.steps[i] for i in (first, second)]
    related = [Related(source.anchor, f"{_named(source)} is the table `{table}`.") for source in both]
    return finding("OML310", span, message, fix, related=related)


def _input_collisions(step: Step) -> Iterator[Diagnostic]:
    first: dict[str, InputRef] = {}
    for ref in step.shape.inputs or ():
        other = first.setdefault(ref.table.lower(), ref)
        if other.table != ref.table:
            message = f"`{other.table}` and `{ref.table}` are one table name: case does not count in SQL. Rename one."
            related = [Related(step.place(other.key.span), f"`{other.table}` stands here.")]
            yield finding("OML310", step.place(ref.key.span), message, related=related)


def _named(step: Step) -> str:
    return f"`{step.shape.id}`" if step.shape.id else f"Step {step.index + 1}"
